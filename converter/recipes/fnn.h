// FNN: Zhang et al., Deep Learning over Multi-field Categorical Data, ECIR 2016.
#ifndef HANDPICK_CONVERTER_RECIPES_FNN_H_
#define HANDPICK_CONVERTER_RECIPES_FNN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

//   logit = head(layers([w_0, w_1, v_1, w_2, v_2, ...]))     (equations 2 to 5)
//
// w_i and v_i are the weight and the vector that a factorization machine, trained before, has for
// deep feature i: tables of the wide and of the deep part. w_0 is its scalar, wide.bias, if the
// weights have one. Features that are numbers go in as they are, at their places.
absl::StatusOr<Graph> BuildFnn(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_FNN_H_
