// What `handpick evaluate` measures of an output over all rows and by slices; can be written,
// read and added up, so that many machines measure one set of rows.
#ifndef HANDPICK_CONVERTER_EVALUATION_EVALUATION_H_
#define HANDPICK_CONVERTER_EVALUATION_EVALUATION_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/evaluation/measured.h"
#include "converter/evaluation/slice_summary.h"

namespace handpick::converter {

// What is measured, as a summary's file says it: two summaries can be added up if all is equal.
struct EvaluationSubject {
  std::string bundle_hash;  // Of the bundle's bytes.
  std::string against;      // "", "reference", or the other bundle's hash.
  std::string output;
  std::string group_by;             // "": each request is a user of its own.
  std::vector<std::string> slices;  // As they were asked for.
  MeasureSettings settings;
};

class Evaluation {
 public:
  static constexpr size_t kMostSlices = 256;

  explicit Evaluation(EvaluationSubject subject);

  // Errors: numbers that are not finite; a user that came before, whose rows must lie together;
  // more slices than kMostSlices.
  absl::Status Add(const MeasuredUser& user);
  // Errors: another subject; a user that both have.
  absl::Status Add(const Evaluation& other);

  const EvaluationSubject& subject() const { return subject_; }
  // "" is all rows.
  const Slices& slices() const { return slices_; }

  // A file's bytes: CBOR (RFC 8949). The same rows give the same bytes, in whatever order and
  // parts.
  std::string Serialize() const;
  // Errors: other bytes, with `where` in front.
  static absl::StatusOr<Evaluation> Parse(absl::string_view bytes, const std::string& where);

 private:
  SliceSummary* Slice(const std::string& name);

  EvaluationSubject subject_;
  Slices slices_;
  absl::flat_hash_set<uint64_t> users_;  // Empty without group_by.
  std::vector<uint8_t> weights_;
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_EVALUATION_H_
