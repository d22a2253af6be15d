// A model that is a network over features and over what attention makes of the history.
#ifndef HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
#define HANDPICK_CONVERTER_RECIPES_ATTENDED_H_

#include "absl/status/status.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"

namespace handpick::converter {

// To the logit: head(layers([deep features and `history`])), in the order of the layout; `history`
// is a value of the candidate. Features that the layout leaves out are a notice.
absl::Status AddNetworkOverHistory(ValueId history, ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ATTENDED_H_
