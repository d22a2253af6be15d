// Gradient-boosted trees, and a logistic regression over their leaves.
#ifndef HANDPICK_CONVERTER_RECIPES_GBDT_H_
#define HANDPICK_CONVERTER_RECIPES_GBDT_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = base + sum over the trees of the value of the leaf that x falls into
//
// (Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 2001,
// equation 11 and algorithm 6), x being the numbers of trees.features, side by side. The trees are
// spec.trees.model.
absl::StatusOr<Graph> BuildGbdt(const Spec& spec, const Archive& weights);

// logit = wide + bias + sum over the trees of w_t[leaf of tree t that x falls into]
//
// (He et al., Practical Lessons from Predicting Clicks on Ads at Facebook, ADKDD 2014,
// section 3.1): each tree is a categorical feature of a logistic regression, its leaves being the
// categories. What the leaves are worth to the trees, and their base, does not count.
absl::StatusOr<Graph> BuildGbdtLr(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_GBDT_H_
