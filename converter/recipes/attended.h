// A model that is a network over features and over what attention makes of the history.
#ifndef HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
#define HANDPICK_CONVERTER_RECIPES_ATTENDED_H_

#include <vector>

#include "absl/status/status.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

// To the logit: head(layers([deep features and `histories`])), in the order of the layout;
// `histories` are values of the candidate. Features that the layout leaves out are a notice.
absl::Status AddNetworkOverHistory(const std::vector<ValueId>& histories, ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
