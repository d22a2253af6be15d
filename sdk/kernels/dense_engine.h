// Dense layers on XNNPACK's fully connected operators.
//
// An operator is made once per model, with its weights packed; what it changes while it runs is
// copied to the caller's stack first, so that any number of threads run one operator at a time and
// a session keeps nothing of the engine.
#ifndef HANDPICK_SDK_KERNELS_DENSE_ENGINE_H_
#define HANDPICK_SDK_KERNELS_DENSE_ENGINE_H_

#include <cstddef>
#include <cstdint>

#include "handpick/handpick.h"
#include "sdk/kernels/rows.h"
#include "sdk/program/plan.h"

struct xnn_operator;

namespace handpick {

// A dense layer with its strides, ready to run.
struct DenseOperator {
  xnn_operator* engine;  // Null: not made yet.
  bool int8;
  size_t input_stride;  // Elements.
  size_t output_stride;
};

// Makes an operator for weights [output_width, input_width]; rows of the input are `input_stride`
// elements apart, those of the output `output_stride`. Packed weights come from `allocator` (its
// bytes are added to `engine_bytes`) and are released by DestroyDense. Takes a process-wide lock.
// HP_UNSUPPORTED, HP_OUT_OF_MEMORY, HP_INTERNAL.
hp_status CreateDense(const DenseWeights& weights, size_t input_stride, size_t output_stride,
                      const hp_allocator& allocator, uint64_t* engine_bytes, DenseOperator* dense,
                      hp_error* error);

void DestroyDense(const DenseOperator& dense);

// output = input W^T + b for `rows` rows (at least 1). One row runs another kernel than many, which
// may round differently: for equal bits whatever the number of rows, give at least 2. Input rows
// may be read 16 bytes past their end (and parameters of up to 10 rows more). Thread-safe;
// allocates nothing.
hp_status RunDense(const DenseOperator& dense, const float* input, uint32_t rows, float* output);
hp_status RunDenseInt8(const DenseOperator& dense, const int8_t* input,
                       const QuantizationParameters* parameters, uint32_t rows, float* output);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_DENSE_ENGINE_H_
