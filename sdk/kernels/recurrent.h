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

// The same of a cell whose reset comes first (schema::ResetFirstGru), in two halves:
//   reset [width]       r h, of which U is to be multiplied then;
//   new_gates [3 width] U (r h) + b, of whose gates the last one counts
void GruReset(const float* gates, const float* state_gates, const float* before, float* reset,
              uint32_t width);
void GruRenew(const float* gates, const float* state_gates, const float* new_gates,
              const float* before, float* after, uint32_t width);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_RECURRENT_H_
