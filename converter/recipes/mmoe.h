// Multi-gate Mixture-of-Experts (Ma et al., Modeling Task Relationships in Multi-task Learning with
// Multi-gate Mixture-of-Experts, KDD 2018).
#ifndef HANDPICK_CONVERTER_RECIPES_MMOE_H_
#define HANDPICK_CONVERTER_RECIPES_MMOE_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Of task t, with x = [deep features] (section 4.2, equations 5 to 7):
//
//     logit = head_t(layers_t(sum over experts e of g_t(x)_e f_e(x)))
//     g_t(x) = softmax(W_t x)
//
// The experts f_e are networks of the deep part's layers, and a gate may have layers before W_t. An
// output for each of spec.outputs. See recipes.h for the errors.
absl::StatusOr<Graph> BuildMmoe(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_MMOE_H_
