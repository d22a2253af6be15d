// Towers of residual units: Shan et al., Deep Crossing, KDD 2016.
#ifndef HANDPICK_CONVERTER_RECIPES_RESIDUAL_H_
#define HANDPICK_CONVERTER_RECIPES_RESIDUAL_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// A unit (section 4.3), x' = act(x + W_1 act(W_0 x + b_0) + b_1), has an inner layer as wide as
// deep.hidden_units says, and the tower's width throughout. With batch normalisation each of its
// two sums is normalised, the second before x is added (He et al., CVPR 2016). x is [deep
// features]; the paper's max(0, .) of an embedding of one id is a matter of the table.

// logit = head(units(x))
absl::StatusOr<Graph> BuildDeepCrossing(const Spec& spec, const Archive& weights);

// logit = wide + head(units(x)): Wide & Deep (Cheng et al., DLRS 2016) with units for layers.
absl::StatusOr<Graph> BuildWideResnet(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_RESIDUAL_H_
