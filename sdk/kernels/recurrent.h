// The element-wise part of a recurrent cell over the history, one event at a time.
// Gates lie in the order r, z, n; U h has been computed. Allocates nothing; thread-safe.
#ifndef HANDPICK_SDK_KERNELS_RECURRENT_H_
#define HANDPICK_SDK_KERNELS_RECURRENT_H_

#include <cstdint>

namespace handpick {

// One step of a GRU, as schema::RecurrentCell has the formula:
//   gates [3 width]       input side, with its biases
//   state_gates [3 width] U h + b
//   before, after [width] the state; may be the same
void GruStep(const float* gates, const float* state_gates, const float* before, float* after,
             uint32_t width);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_RECURRENT_H_
