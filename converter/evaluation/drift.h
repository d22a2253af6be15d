// How far a bundle is from the model that it was made of, and how far it may be.
#ifndef HANDPICK_CONVERTER_EVALUATION_DRIFT_H_
#define HANDPICK_CONVERTER_EVALUATION_DRIFT_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schema/bundle_generated.h"

namespace handpick::converter {

// Requests with fewer candidates say nothing about their top 10.
inline constexpr size_t kOverlapDepth = 10;
inline constexpr size_t kOverlapCandidates = 20;

// What was measured over requests, as schema::Drift has it. NaN: not measured.
struct DriftReport {
  double auc_reference = std::numeric_limits<double>::quiet_NaN();
  double auc_bundle = std::numeric_limits<double>::quiet_NaN();
  double top10_overlap = std::numeric_limits<double>::quiet_NaN();
  double max_logit_error = std::numeric_limits<double>::quiet_NaN();
  uint64_t labelled_rows = 0;
  uint64_t ranked_requests = 0;

  std::unique_ptr<schema::DriftT> ToSchema() const;
};

// Gathers an output's logits of requests, scored by the reference and by the bundle.
class DriftMeter {
 public:
  // One request. `labels` is empty or as long as the logits.
  void Add(const std::vector<double>& reference, const std::vector<double>& bundle,
           const std::vector<float>& labels);

  DriftReport Report() const;

 private:
  std::vector<float> labels_;
  std::vector<double> labelled_reference_;
  std::vector<double> labelled_bundle_;
  double overlap_sum_ = 0;
  uint64_t ranked_requests_ = 0;
  double max_logit_error_ = std::numeric_limits<double>::quiet_NaN();
};

// Errors of golden requests, relative to max(1, |golden|). Absent: there are none.
struct GoldenErrors {
  double reference = 0;  // Of the float64 reference: the import.
  double bundle = 0;     // Of the bundle: import, rewriting, kernels, quantisation.
};

// What a bundle may do at most. Absent: anything.
struct Bounds {
  std::optional<double> max_auc_drift;
  std::optional<double> min_top10_overlap;
  std::optional<double> max_reference_golden_error;
  std::optional<double> max_bundle_golden_error;
};

// A bound that does not hold. `name` is for programs, and never changes: "auc_drift",
// "top10_overlap", "golden_logit_error".
struct BrokenBound {
  std::string name;
  std::string message;
};

// A bound on what was not measured is broken. `drifts`: of each output, the ranking one first, by
// which the top 10 are; AUC is bounded for every output that has labels. `names`: theirs.
std::vector<BrokenBound> CheckBounds(const Bounds& bounds, const std::vector<DriftReport>& drifts,
                                     const std::vector<std::string>& names,
                                     const std::optional<GoldenErrors>& goldens);

// The same of a model with one output.
std::vector<BrokenBound> CheckBounds(const Bounds& bounds, const DriftReport& drift,
                                     const std::optional<GoldenErrors>& goldens);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_DRIFT_H_
