// Wide & Deep (Cheng et al. 2016): a linear part over sparse features beside a deep network over
// their embeddings.
#ifndef HANDPICK_CONVERTER_RECIPES_WIDE_DEEP_H_
#define HANDPICK_CONVERTER_RECIPES_WIDE_DEEP_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// logit = sum of the wide part's weights + head(DNN([deep inputs])) + biases. Either part may be
// absent. See recipes.h for the errors.
absl::StatusOr<Graph> BuildWideDeep(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_WIDE_DEEP_H_
