// The element-wise part of recurrent cells. Gates lie in the order r, z, n; U h has been computed.
// Allocates nothing; thread-safe.
#ifndef HANDPICK_SDK_KERNELS_RECURRENT_H_
#define HANDPICK_SDK_KERNELS_RECURRENT_H_

#include <cstdint>

#include "sdk/kernels/rows.h"
#include "sdk/program/plan.h"

namespace handpick {

// One step of a cell, as schema::RecurrentCell has the formulas:
//   gates [3 width]       input side, with its biases (AttentionInputGru: without)
//   state_gates [3 width] U h + b
//   attention             of this event (Gru: not read)
//   input_bias [3 width]  AttentionInputGru only, otherwise null
//   before, after [width] the state; may be the same
void RecurrentStep(schema::RecurrentCell cell, const float* gates, const float* state_gates,
                   float attention, const float* input_bias, const float* before, float* after,
                   uint32_t width);

// weights[e] = exp(scores[e] - max) / sum, over `count` rows of width 1; any count.
void Softmax(RowsIn scores, RowsOut weights, uint32_t count);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_RECURRENT_H_
