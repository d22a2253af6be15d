// DeepFM (Guo et al., IJCAI 2017): a linear part and the products of all pairs of embeddings beside
// a network over the same embeddings.
#ifndef HANDPICK_CONVERTER_RECIPES_DEEPFM_H_
#define HANDPICK_CONVERTER_RECIPES_DEEPFM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + sum over all pairs of fields of their inner product + head(layers([deep
// features])) + biases (equations 1 to 4). Fields are the deep features that have ids, pooled where
// they have several. Without layers it is a factorization machine (Rendle, ICDM 2010). See
// recipes.h for the errors; here also fields of different widths.
absl::StatusOr<Graph> BuildDeepFm(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_DEEPFM_H_
