// Two towers: one makes a vector of the user, one of the item, and the score is how alike they are
// (Huang et al., Learning Deep Structured Semantic Models for Web Search, CIKM 2013, equations 3 to
// 5; the softmax of equation 5 is over what training shows, so that serving takes its argument):
//
//     u = f_n(W_n f_(n-1)(... f_1(W_1 [user features] + b_1)) + b_n), v likewise
//     logit = <u, v> / temperature, or <u, v> / (|u| |v|) / temperature: the cosine
//
// and deep candidate generation (Covington et al., Deep Neural Networks for YouTube
// Recommendations, RecSys 2016, section 3.1), where the item's tower is its row of the softmax's
// weights:
//
//     logit = <u, v_item> / temperature + bias_item
//
// Values have names that tools rely on: `kUserVector`, of the context, and `kItemVector`, of the
// candidate, whose inner product is the logit but for the temperature. Where items have a bias, it
// is the item vector's last column, and the user vector's is the temperature.
#ifndef HANDPICK_CONVERTER_RECIPES_TWO_TOWER_H_
#define HANDPICK_CONVERTER_RECIPES_TWO_TOWER_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

absl::StatusOr<Graph> BuildTwoTower(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_TWO_TOWER_H_
