// Logistic regression (Richardson et al., Predicting Clicks, WWW 2007): the linear part alone.
#ifndef HANDPICK_CONVERTER_RECIPES_LR_H_
#define HANDPICK_CONVERTER_RECIPES_LR_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + bias (the exponent of equation 3): a weight for each id, pooled where a feature
// has several, and one for each number. See recipes.h for the errors.
absl::StatusOr<Graph> BuildLr(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_LR_H_
