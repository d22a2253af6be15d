// Rows as they are in a file, scored by a bundle and by what it is compared with.
#ifndef HANDPICK_CONVERTER_EVALUATION_ROW_SCORER_H_
#define HANDPICK_CONVERTER_EVALUATION_ROW_SCORER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "converter/evaluation/measured.h"
#include "converter/evaluation/slices.h"
#include "converter/io/files.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/request/features.h"
#include "converter/runtime/bundle_session.h"
#include "schema/bundle_generated.h"

namespace handpick::converter {

// A bundle of a model, decoded as far as rows need it. Shared by threads.
struct RowModel {
  MappedBytes bytes;
  const FeatureSet* features = nullptr;
  const schema::CatalogT* catalog = nullptr;
  uint32_t output = 0;  // Its number.
  std::string output_name;
  size_t output_count = 1;
};

// What of a line says to whom it belongs.
struct RowFields {
  std::string group_by;  // "": each line is a user of its own.
  size_t group_feature = SIZE_MAX;
  std::vector<Slicer> slicers;
};

// A line: of which user it is, and what was measured.
struct MeasuredLine {
  uint64_t user = 0;
  std::vector<std::string> slices;
  MeasuredRequest request;
};

// Used by one thread.
class RowScorer {
 public:
  // `against` and `reference` may be null; one of them at most is not. All must outlive this.
  static absl::StatusOr<std::unique_ptr<RowScorer>> Make(const RowModel& bundle,
                                                         const RowModel* against,
                                                         const SharedInterpreter* reference,
                                                         const RowFields& fields);

  // Errors: a line that is no request of the bundle's, or cannot be scored, with `where` in front.
  absl::StatusOr<MeasuredLine> Measure(const std::string& line, const std::string& where);

 private:
  RowScorer(const RowModel& bundle, const RowModel* against, const SharedInterpreter* reference,
            const RowFields& fields)
      : bundle_(bundle), against_(against), reference_(reference), fields_(fields) {}

  const RowModel& bundle_;
  const RowModel* against_;
  const SharedInterpreter* reference_;
  const RowFields& fields_;
  std::unique_ptr<BundleSession> session_;
  std::unique_ptr<BundleSession> other_session_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_ROW_SCORER_H_
