// Neural Factorization Machine (He and Chua, SIGIR 2017): a linear part beside a network over the
// sum of the products of all pairs of embeddings.
#ifndef HANDPICK_CONVERTER_RECIPES_NFM_H_
#define HANDPICK_CONVERTER_RECIPES_NFM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + head(layers([bi-interaction of the fields, numbers])) + biases. Fields are the
// deep features that have ids, pooled where they have several. See recipes.h for the errors; here
// also fields of different widths.
absl::StatusOr<Graph> BuildNfm(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_NFM_H_
