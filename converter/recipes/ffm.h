// Field-aware Factorization Machine (Juan et al., RecSys 2016): an embedding of each field for each
// other field.
#ifndef HANDPICK_CONVERTER_RECIPES_FFM_H_
#define HANDPICK_CONVERTER_RECIPES_FFM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = wide + sum over all pairs of fields i < j of <v_i toward j, v_j toward i> (equation 4). A
// table's row holds a vector toward every field, in the order of the deep features with ids; that
// toward the field itself is not read. Several ids are pooled first. See recipes.h for the errors;
// here also rows that are no whole number of vectors.
absl::StatusOr<Graph> BuildFfm(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_FFM_H_
