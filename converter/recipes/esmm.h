// Entire Space Multi-Task Model (Ma et al., SIGIR 2018): what is clicked, and bought after the
// click.
#ifndef HANDPICK_CONVERTER_RECIPES_ESMM_H_
#define HANDPICK_CONVERTER_RECIPES_ESMM_H_

#include "absl/status/statusor.h"
#include "converter/graph/graph.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"

namespace handpick::converter {

// Two networks over one input, x = [deep features]: the logits of a click, `ctr`, and of a
// conversion after it, `cvr`. What ranks is `ctcvr`, the logarithm of the probability of both
// (section 2.2, equation 1: pCTCVR = pCTR pCVR). See recipes.h for the errors.
absl::StatusOr<Graph> BuildEsmm(const Spec& spec, const Archive& weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECIPES_ESMM_H_
