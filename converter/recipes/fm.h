// Factorization Machine (Rendle, Factorization Machines, ICDM 2010): a linear part and all pairs of
// embeddings.
#ifndef HANDPICK_CONVERTER_RECIPES_FM_H_
#define HANDPICK_CONVERTER_RECIPES_FM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/recipes/model_builder.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + sum over all pairs of fields of the inner product of their embeddings (equation 1;
// equation 5 makes two sums of it). Fields are the deep features that have ids, pooled where they
// have several. See recipes.h for the errors; here also fields of different widths.
absl::StatusOr<Graph> BuildFm(const Spec& spec, const Archive& weights);

// Begins a model with that, the linear part and the pairs; returns the fields, and the numbers
// beside them.
absl::StatusOr<DeepValues> BeginFm(ModelBuilder* model);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_FM_H_
