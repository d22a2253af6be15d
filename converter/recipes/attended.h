// A model that is a network over features and over what attention makes of the history.
#ifndef HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
#define HANDPICK_CONVERTER_RECIPES_ATTENDED_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

// What one attention makes of the history, a value of the candidate.
struct AttendedHistory {
  ValueId value = 0;
  // The features of the key, and how wide each of them is in the value.
  std::vector<size_t> features;
  std::vector<uint32_t> widths;
};

// To the logit: head(layers([deep features and `histories`])), in the order of the layout. Features
// that the layout leaves out are a notice.
absl::Status AddNetworkOverHistory(const std::vector<AttendedHistory>& histories,
                                   ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
