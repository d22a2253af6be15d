// Deep & Cross Network: Wang et al., Deep & Cross Network for Ad Click Predictions, ADKDD 2017; and
// DCN V2, WWW 2021.
#ifndef HANDPICK_CONVERTER_RECIPES_DCN_H_
#define HANDPICK_CONVERTER_RECIPES_DCN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

//   x = [deep features]
//   logit = wide + head([cross(x), layers(x)])   (parallel; without cross or layers: the other
//   alone)
//         = wide + head(layers(cross(x)))        (stacked: WWW 2021, figure 1a)
//
// A cross layer of a vector (ADKDD 2017, equation 3) or of a matrix (WWW 2021, equation 1; of low
// rank, with U V^T in W's place, equation 2), x_0 = x:
//
//   x_{l+1} = x_0 (x_l . w_l) + b_l + x_l
//   x_{l+1} = x_0 * (W_l x_l + b_l) + x_l
absl::StatusOr<Graph> BuildDcn(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_DCN_H_
