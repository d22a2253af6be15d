// DRN's dueling network: Zheng et al., DRN: A Deep Reinforcement Learning Framework for News
// Recommendation, WWW 2018.
#ifndef HANDPICK_CONVERTER_RECIPES_DRN_H_
#define HANDPICK_CONVERTER_RECIPES_DRN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

//   Q(s, a) = V(s) + A(s, a)                                        (section 4.3, figure 4)
//   V = value.head(value.layers([value features]))   features of user and context, the state
//   A = head(layers([deep features]))                features of user, context, item and both
//
// Both read the same tables. V is the same for all candidates: it says how good the moment is.
absl::StatusOr<Graph> BuildDrn(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_DRN_H_
