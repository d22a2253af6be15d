// Kernels over rows of float32 values. A view is a pointer to the first row and a stride in
// elements. An output never overlaps
// an input. None allocates; all are thread-safe.
//
// Every element is computed by the same operations in the same order wherever its row stands, so
// that results do not depend on how rows are grouped into tiles.
#ifndef HANDPICK_SDK_KERNELS_ROWS_H_
#define HANDPICK_SDK_KERNELS_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "sdk/program/plan.h"

namespace handpick {

struct RowsIn {
  const float* data;
  size_t stride;
};

struct RowsOut {
  float* data;
  size_t stride;
};

// out[r][c] = activation(out[r][c] + row[c]), in place; `row` null: nothing is added. `out` is
// [rows, width].
void AddRowAndActivate(RowsOut out, const float* row, const Activation& activation, uint32_t rows,
                       uint32_t width);

// One row each. out = in; out += in; out += scale * in; out = a * b; out = (sum * sum - squares)
// / 2.
void CopyRow(const float* in, float* out, uint32_t width);
void AddRow(const float* in, float* out, uint32_t width);
void AddScaledRow(float scale, const float* in, float* out, uint32_t width);
void MultiplyRows(const float* a, const float* b, float* out, uint32_t width);
void BiInteractionRow(const float* sum, const float* squares, float* out, uint32_t width);

// Quantises each row to int8: q = clamp(round(x / scale) + zero_point), with the row's range
// widened to hold 0. One {zero_point, scale} pair per row goes to `parameters`, in the layout of
// XNNPACK's xnn_quantization_params. The rows of `out` are `out_stride` bytes apart.
struct QuantizationParameters {
  int32_t zero_point;
  float scale;
};
void QuantizeRows(RowsIn in, int8_t* out, size_t out_stride, QuantizationParameters* parameters,
                  uint32_t rows, uint32_t width);

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ROWS_H_
