// Piece-wise linear model, or mixed logistic regression (Gai et al., Learning Piece-wise Linear
// Models from Large Scale Data for Ad Click Prediction, arXiv:1704.05194, 2017).
#ifndef HANDPICK_CONVERTER_RECIPES_MLR_H_
#define HANDPICK_CONVERTER_RECIPES_MLR_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// p = sum over pieces i of softmax(u x)_i sigmoid(w_i x) (equation 2), x being the features of
// spec.piecewise, and w_i x over the base features; times sigmoid(v x) over the bias features, if
// there are some. The output is that probability; of a regression the pieces are linear, and it is
// their mean. See recipes.h for the errors.
absl::StatusOr<Graph> BuildMlr(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_MLR_H_
