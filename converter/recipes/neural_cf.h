// Neural collaborative filtering: He et al., WWW 2017.
#ifndef HANDPICK_CONVERTER_RECIPES_NEURAL_CF_H_
#define HANDPICK_CONVERTER_RECIPES_NEURAL_CF_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Generalized matrix factorization (equations 8 and 9): head(p * q), with the embeddings of user
// and item of the spec's gmf.
absl::StatusOr<Graph> BuildGmf(const Spec& spec, const Archive& weights);

// The multi-layer perceptron (equation 10): head(layers([deep features])).
absl::StatusOr<Graph> BuildNcfMlp(const Spec& spec, const Archive& weights);

// NeuMF (equation 12): head([p * q, layers([deep features])]), each with embeddings of its own.
absl::StatusOr<Graph> BuildNeuMf(const Spec& spec, const Archive& weights);

// NeuMF over what soft attention makes of [p, q], of [deep features], or of each:
// x' = softmax(W x + b) * x.
absl::StatusOr<Graph> BuildANeuMf(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_NEURAL_CF_H_
