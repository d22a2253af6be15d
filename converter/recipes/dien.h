// Deep Interest Evolution Network (Zhou et al., AAAI 2019): a GRU makes interests of the events,
// and a second recurrence, led by attention, what has become of those that matter to the candidate.
#ifndef HANDPICK_CONVERTER_RECIPES_DIEN_H_
#define HANDPICK_CONVERTER_RECIPES_DIEN_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = head(layers([deep features, evolution(q, GRU(k_1 .. k_t))])) + bias. See recipes.h and
// attention.h for the errors. What only training needs is left out, with a notice.
absl::StatusOr<Graph> BuildDien(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_DIEN_H_
