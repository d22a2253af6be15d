// The models that the converter knows.
//
// A recipe builds the graph of one kind of model, plainly: what the model's paper says, unsplit, in
// the order of the trainer. Making it fast is the passes' business. A new model is a new recipe
// here and a line in the list.
#ifndef HANDPICK_CONVERTER_RECIPES_RECIPES_H_
#define HANDPICK_CONVERTER_RECIPES_RECIPES_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"

namespace handpick::converter {

struct Recipe {
  const char* kind;         // As in a spec.
  const char* description;  // One line, for --help.
  absl::StatusOr<Graph> (*build)(const Spec& spec, const Weights& weights);
};

// Every recipe. Never empty.
absl::Span<const Recipe> Recipes();

// Builds the graph of spec.kind. Errors: an unknown kind; tensors that are missing, of a wrong
// shape or used by nothing; a spec that contradicts the weights.
absl::StatusOr<Graph> BuildGraph(const Spec& spec, const Weights& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_RECIPES_H_
