// Recurrent cells with attention over the events, for many candidates at a time (schema's
// AttentionRecurrence: Zhou et al., Deep Interest Evolution Network, AAAI 2019, "Interest Evolving
// Layer"). The input side of the gates does not depend on the candidate: it is added to products of
// the state alone.
#ifndef HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_H_
#define HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_H_

#include <cstddef>
#include <cstdint>

#include "sdk/kernels/matrix.h"
#include "sdk/kernels/panel.h"
#include "sdk/program/plan.h"

namespace handpick {

struct AttentionRecurrenceWeights {
  schema::RecurrentCell cell;
  // [3 width, width] of the gates r, z, n; the bias is added to the products. Of Int8PerRow the
  // state is rounded where the processor multiplies whole numbers faster: it has to stay within
  // [-1, 1], as it does where attention is a softmax.
  Matrix matrix;
  const float* input_bias;  // [3 width], where attention scales the input; otherwise null.
};

// Bytes of scratch for panels of `stride` lanes.
size_t AttentionRecurrenceScratch(const AttentionRecurrenceWeights& weights, uint32_t stride);

// state[c][lane]: the state of one panel after the last event of `ring`, from zeros.
//   gates      [capacity, 3 width], rows `gate_stride` numbers apart: input side of r, z, n
//   attention  [events][stride]
// `scratch` is aligned to 64 bytes. Thread-safe for different scratch; allocates nothing.
void AttentionRecurrence(const AttentionRecurrenceWeights& weights, const float* gates,
                         size_t gate_stride, const EventRing& ring, const float* attention,
                         float* state, PanelShape shape, void* scratch);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ATTENTION_RECURRENCE_H_
