// Product-based Neural Network (Qu et al., ICDM 2016): layers over embeddings and products of their
// pairs.
#ifndef HANDPICK_CONVERTER_RECIPES_PNN_H_
#define HANDPICK_CONVERTER_RECIPES_PNN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = head(layers([embeddings, inner products, outer products, numbers])) + bias. Inner
// products (section III-B) are those of pairs of fields i < j; outer ones (section III-C) are e_i^T
// K e_j with a kernel for each pair, as DeepCTR-Torch has them, or equation 13's superposition: the
// outer product of the sum of the embeddings. See recipes.h for the errors; here also fields of
// different widths.
absl::StatusOr<Graph> BuildPnn(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_PNN_H_
