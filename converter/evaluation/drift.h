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

namespace handpick::schema {
struct DriftT;
}

namespace handpick::converter {

// Requests with fewer candidates say nothing about their top 10.
inline constexpr size_t kOverlapDepth = 10;
inline constexpr size_t kOverlapCandidates = 20;

// What was measured over requests, as schema::Drift has it. NaN: not measured.
struct DriftReport {
  double auc_reference = std::numeric_limits<double>::quiet_NaN();
  double auc_bundle = std::numeric_limits<double>::quiet_NaN();
  double auc_error = std::numeric_limits<double>::quiet_NaN();  // Standard, of their difference.
  double top10_overlap = std::numeric_limits<double>::quiet_NaN();
  double max_logit_error = std::numeric_limits<double>::quiet_NaN();
  uint64_t labelled_rows = 0;
  uint64_t ranked_requests = 0;
  // Of WorstOf, of several instruction sets: whose AUC, overlap and error these are.
  std::string auc_set = {};
  std::string overlap_set = {};
  std::string error_set = {};

  std::unique_ptr<schema::DriftT> ToSchema() const;
};

// What was measured of an output on several instruction sets: each number from the set where it is
// worst, the first of equals. `sets`: their names.
DriftReport WorstOf(const std::vector<DriftReport>& reports, const std::vector<std::string>& sets);

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
  std::string set = {};  // Of several instruction sets: on which the bundle's is that.
  double merging = 0;    // Of the model whose rare rows were merged, in float64.
};

// What a bundle may do at most. Absent: anything.
struct Bounds {
  std::optional<double> max_auc_drift;
  bool auc_drift_is_asked = false;  // Then rows that are too few to tell do not do.
  std::optional<double> min_top10_overlap;
  std::optional<double> max_reference_golden_error;
  std::optional<double> max_bundle_golden_error;
  std::optional<double> max_merging_golden_error;
};

// A bound and what was measured.
struct CheckedBound {
  // For programs; never changes: "auc_drift", "top10_overlap", "golden_logit_error".
  std::string name;
  std::string of;  // The output's name, "bundle", "reference" or "merging"; "": of all there is.
  double bound = 0;
  bool at_least = false;
  double measured = 0;  // NaN: it was not, so that the bound does not hold.
  std::string set;      // The instruction set, of several.
  bool holds = false;
  std::string message;  // Where it does not hold.
  // It does not hold, but within the 95 % interval of what was measured it would: the rows are too
  // few to tell. About so many would, if it stays so (0: nobody knows).
  bool undecided = false;
  uint64_t rows_needed = 0;
};

// A bound on what was not measured does not hold. `drifts`: of each output, the ranking one first,
// by which the top 10 are; AUC is bounded for every output that has labels. `names`: theirs.
std::vector<CheckedBound> CheckBounds(const Bounds& bounds, const std::vector<DriftReport>& drifts,
                                      const std::vector<std::string>& names,
                                      const std::optional<GoldenErrors>& goldens);

// Those that do not hold, and are not undecided.
std::vector<CheckedBound> Broken(std::vector<CheckedBound> checked);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_DRIFT_H_
