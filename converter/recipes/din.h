// Deep Interest Network (Zhou et al., KDD 2018): a network over features and over the history,
// weighted by what each event has to do with the candidate. It may attend to several histories,
// each by a unit of its own.
#ifndef HANDPICK_CONVERTER_RECIPES_DIN_H_
#define HANDPICK_CONVERTER_RECIPES_DIN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = head(layers([deep features, for each unit: sum over the events of attention(q, k_t)
// k_t]))
// + bias. See
// recipes.h and attention.h for the errors.
absl::StatusOr<Graph> BuildDin(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_DIN_H_
