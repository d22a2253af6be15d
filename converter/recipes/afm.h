// Attentional Factorization Machine (Xiao et al., IJCAI 2017): all pairs of embeddings, weighted by
// attention.
#ifndef HANDPICK_CONVERTER_RECIPES_AFM_H_
#define HANDPICK_CONVERTER_RECIPES_AFM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + p^T sum over all pairs of fields i < j of a_ij (e_i * e_j) + bias (equation 6), a
// being the softmax over the pairs of h^T relu(W (e_i * e_j) + b) (equation 5). See recipes.h for
// the errors; here also fields of different widths, and one field alone.
absl::StatusOr<Graph> BuildAfm(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_AFM_H_
