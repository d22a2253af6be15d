// A dense layer over one row, in Highway.
#ifndef HANDPICK_SDK_KERNELS_ROW_KERNEL_H_
#define HANDPICK_SDK_KERNELS_ROW_KERNEL_H_

#include "sdk/program/plan.h"

namespace handpick {

// y = W x + b with weights of any type, read where they lie. Floats and halves are multiplied in
// float32. Int8 weights meet the row in 16 bits: each number of x may be off by 2^-16 of the
// largest of its 1,024, which is a 256th of what rounding to 8 bits costs; a row that is not finite
// gives NaNs. x: [input_width], y: [output_width], apart from x; nothing else is read or written.
// Chooses among instruction sets at run time; thread-safe; allocates nothing.
void MultiplyRow(const DenseWeights& weights, const float* x, float* y);

// The same for each of `rows` rows, without gaps.
inline void MultiplyRows(const DenseWeights& weights, const float* x, float* y, uint32_t rows) {
  for (uint32_t r = 0; r < rows; ++r, x += weights.input_width, y += weights.output_width) {
    MultiplyRow(weights, x, y);
  }
}

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ROW_KERNEL_H_
