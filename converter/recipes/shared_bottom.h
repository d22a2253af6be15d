// Multi-task learning with a shared bottom (Caruana, Multitask Learning, Machine Learning 28,
// 1997).
#ifndef HANDPICK_CONVERTER_RECIPES_SHARED_BOTTOM_H_
#define HANDPICK_CONVERTER_RECIPES_SHARED_BOTTOM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Of task t: logit = head_t(layers_t(layers([deep features]))). One network that all tasks share,
// and a smaller one for each task, which may be its head alone. An output for each of spec.outputs.
// See recipes.h for the errors.
absl::StatusOr<Graph> BuildSharedBottom(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_SHARED_BOTTOM_H_
