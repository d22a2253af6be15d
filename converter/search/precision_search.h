// Which precision each table and layer is kept in: the fewest bytes whose ranking is within a
// budget.
#ifndef HANDPICK_CONVERTER_SEARCH_PRECISION_SEARCH_H_
#define HANDPICK_CONVERTER_SEARCH_PRECISION_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "converter/quantize/quantize.h"

namespace handpick::converter {

// What a choice may cost. Absent: anything.
struct PrecisionBudget {
  std::optional<double> auc;       // By how much AUC may fall below float64's.
  std::optional<double> overlap;   // The least share of float64's top 10 in the bundle's.
  std::optional<double> logit;     // The largest difference of a logit from float64's.
  std::optional<uint64_t> size;    // Bytes of the bundle.
  std::optional<uint64_t> memory;  // Bytes of a model and a session beside the bundle.
};

// "auc=0.0005,overlap=0.98,logit=0.05,size=20MB,memory=1MB". Errors name what is wrong.
absl::StatusOr<PrecisionBudget> ParseBudget(absl::string_view text);

// One type of each part, by its number among the part's types.
using PrecisionChoice = std::vector<size_t>;

// What a choice comes to, measured. NaN: not measured.
struct PrecisionTrial {
  uint64_t weight_bytes = 0;  // Of tables and layers.
  uint64_t bundle_bytes = 0;
  uint64_t memory_bytes = 0;
  double auc_drop = std::numeric_limits<double>::quiet_NaN();  // Below 0: the bundle's is higher.
  double overlap = std::numeric_limits<double>::quiet_NaN();
  double rms_logit_error = 0;
  double max_logit_error = 0;
  std::string instruction_set = {};  // Of several: the one with the largest logit error.

  // On another instruction set: each number where it is worse.
  void TakeWorst(const PrecisionTrial& other);
};

using MeasureChoice = std::function<absl::StatusOr<PrecisionTrial>(const PrecisionChoice&)>;

struct PrecisionSearch {
  PrecisionTrial exact;  // Everything in its most precise type.
  // By part and type: that part alone in that type; the first type is `exact`.
  std::vector<std::vector<PrecisionTrial>> alone;
  PrecisionChoice choice;
  PrecisionTrial chosen;
  // The step that saves most and is out of the budget: what going further would have cost.
  std::optional<std::pair<PrecisionChoice, PrecisionTrial>> further;
  size_t trials = 0;
};

// Whether what was measured is within the bounds of a budget but those of size and memory.
bool IsAccurate(const PrecisionBudget& budget, const PrecisionTrial& trial);

// Each part is measured alone in each of its types. From the smallest choice on, that part takes
// its next more precise type which saves most of the error for a byte, until all is within the
// budget; then each part is tried in its smaller types once more, the largest saving first. The
// same for the same numbers. Errors: those of `measure`; a budget that no choice meets
// (kResourceExhausted), with the best that was found; a bound on what the rows do not measure.
absl::StatusOr<PrecisionSearch> SearchPrecision(const std::vector<PrecisionPart>& parts,
                                                const PrecisionBudget& budget,
                                                const MeasureChoice& measure);

// Takes types away that a recipe does not allow: "attention.*=f32,item_id=int8" keeps parts whose
// whole name matches a regular expression in one type. Later ones win. Errors: no such form; a
// pattern that no part has; a type that a matching part may not have.
absl::Status KeepParts(absl::string_view recipes, std::vector<PrecisionPart>* parts);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_SEARCH_PRECISION_SEARCH_H_
