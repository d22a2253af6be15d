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
#include "converter/request/raw_values.h"
#include "converter/request/request.h"
#include "converter/runtime/bundle_session.h"

namespace handpick::schema {
struct CatalogT;
}

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
  UnknownFeatures unknown = UnknownFeatures::kRefuse;  // Names that are no feature's.
};

// A line: of which user it is, and what was measured.
struct MeasuredLine {
  uint64_t user = 0;
  std::vector<std::string> slices;
  MeasuredRequest request;
};

// What is the same on each instruction set.
struct PreparedLine {
  Request request;
  Request others;         // As the bundle of --against takes it.
  MeasuredLine measured;  // With the logits of the float64 reference, if there is one.
};

// Used by one thread.
class RowScorer {
 public:
  // `against` and `reference` may be null; one of them at most is not. `sets`: the instruction sets
  // that rows are scored on. All must outlive this. No kernel may run meanwhile.
  static absl::StatusOr<std::unique_ptr<RowScorer>> Make(const RowModel& bundle,
                                                         const RowModel* against,
                                                         const SharedInterpreter* reference,
                                                         const RowFields& fields,
                                                         const std::vector<std::string>& sets);

  // Errors: a line that is no request of the bundle's, with `where` in front.
  absl::StatusOr<PreparedLine> Prepare(const std::string& line, const std::string& where) const;

  // On the instruction set of that number, which is held to (OnInstructionSet). Errors: it cannot
  // be scored.
  absl::StatusOr<MeasuredLine> Score(const PreparedLine& line, size_t set);

 private:
  RowScorer(const RowModel& bundle, const RowModel* against, const SharedInterpreter* reference,
            const RowFields& fields)
      : bundle_(bundle), against_(against), reference_(reference), fields_(fields) {}

  const RowModel& bundle_;
  const RowModel* against_;
  const SharedInterpreter* reference_;
  const RowFields& fields_;
  // By instruction set.
  std::vector<std::unique_ptr<BundleSession>> sessions_;
  std::vector<std::unique_ptr<BundleSession>> other_sessions_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_ROW_SCORER_H_
