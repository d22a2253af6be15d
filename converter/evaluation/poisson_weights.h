// The Poisson bootstrap: in each replicate of a sample a user counts as often as a Poisson number
// of mean 1 says, instead of as often as he was drawn (Chamandy et al., Estimating Uncertainty for
// Massive Data Streams, 2012, section 2). The number follows from the user and the replicate alone,
// so that files and machines agree on it without talking.
#ifndef HANDPICK_CONVERTER_EVALUATION_POISSON_WEIGHTS_H_
#define HANDPICK_CONVERTER_EVALUATION_POISSON_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace handpick::converter {

// A number for a user, of the bytes that name him.
uint64_t UserKey(absl::string_view bytes);

// How often the user counts in each replicate; 0 to 8 (of a million users, one would count more
// often in a replicate).
void PoissonWeights(uint64_t user, std::vector<uint8_t>* weights);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_EVALUATION_POISSON_WEIGHTS_H_
