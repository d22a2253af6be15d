// Demands on metrics, and what the intervals say of them.
#ifndef HANDPICK_CONVERTER_EVALUATION_GATE_H_
#define HANDPICK_CONVERTER_EVALUATION_GATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/evaluation/results.h"

namespace handpick::converter {

// "auc >= 0.75", "auc.change >= -0.001", "log_loss.relative <= 0.01 @ country=DE"
struct Demand {
  enum class Of { kValue, kChange, kRelative };

  std::string text;
  std::string metric;
  Of of = Of::kValue;
  bool at_least = true;
  double bound = 0;
  std::string slice;  // "": all rows. "*": every slice.
};

// Errors: no such text, a metric or a slice's form that there is not; a change without a model to
// compare with.
absl::StatusOr<Demand> ParseDemand(absl::string_view text, const MeasureSettings& settings);

enum class Verdict {
  kPass,
  kFail,
  kUndecided,  // The bound is within the interval: the rows are too few to tell.
};
const char* VerdictName(Verdict verdict);

struct Decision {
  Demand demand;
  std::string slice;  // "": all rows.
  Estimate estimate;
  Verdict verdict = Verdict::kUndecided;
  // Undecided: about how many labelled rows (requests, where the metric is of requests) it takes to
  // tell, if the value stays what it is; 0: no number would do, the value is the bound.
  uint64_t rows_needed = 0;
  std::string message;
  std::string instruction_set = {};  // Of several, as WorstOfSets chose it.
};

// The decisions of a demand, one for each slice that it is of. Errors: a slice that the rows do not
// have; a number that was not measured, which no gate lets pass.
absl::StatusOr<std::vector<Decision>> Decide(const Demand& demand, const Slices& slices,
                                             const MeasureSettings& settings);

// Of the decisions of the same demands on several instruction sets, each where it is worst, the
// first of equals.
std::vector<Decision> WorstOfSets(const std::vector<std::vector<Decision>>& by_set,
                                  const std::vector<std::string>& sets);

// The worst of all: a failure, then what is undecided.
Verdict Worst(const std::vector<Decision>& decisions);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_GATE_H_
