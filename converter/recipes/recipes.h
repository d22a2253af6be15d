// The models that the converter knows.
//
// A recipe builds the graph of one kind of model, plainly: what the model's paper says, unsplit, in
// the order of the trainer. Making it fast is the passes' business. A new model is a row of
// converter/spec/kinds.h, a recipe here, and its line in recipes.cc.
#ifndef HANDPICK_CONVERTER_RECIPES_RECIPES_H_
#define HANDPICK_CONVERTER_RECIPES_RECIPES_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

// Builds the graph of spec.kind. Errors: an unknown kind; tensors that are missing, of a wrong
// shape or used by nothing; a spec that contradicts the weights.
absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Archive& weights);
// Of weights that are in memory.
absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Weights& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_RECIPES_H_
