// Kernels over rows of float32 values. A view is a pointer to the first row and a stride in
// elements. An output never overlaps an input. None allocates; all are thread-safe.
//
// Every element is computed by the same operations in the same order wherever its row stands, so
// that results do not depend on how rows are grouped into tiles.
#ifndef HANDPICK_SDK_KERNELS_ROWS_H_
#define HANDPICK_SDK_KERNELS_ROWS_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "sdk/kernels/elementary.h"
#include "sdk/program/plan.h"

namespace handpick {

struct RowsOut {
  float* data;
  size_t stride;
};

// out[r][c] = activation(out[r][c] + row[c]), in place; `row` null: nothing is added. `out` is
// [rows, width]. NaN stays NaN.
void AddRowAndActivate(RowsOut out, const float* row, const Activation& activation, uint32_t rows,
                       uint32_t width);

// One row each. out = in; out += in; out = a * b; out = (sum * sum - squares) / 2.
void CopyRow(const float* in, float* out, uint32_t width);
void AddRow(const float* in, float* out, uint32_t width);
void MultiplyRows(const float* a, const float* b, float* out, uint32_t width);
void BiInteractionRow(const float* sum, const float* squares, float* out, uint32_t width);

// out = softmax(in); `width` is at least 1. NaN makes the whole row NaN.
inline void SoftmaxRow(const float* in, float* out, uint32_t width) {
  const float most = *std::max_element(in, in + width);
  float sum = 0;
  for (uint32_t c = 0; c < width; ++c) sum += out[c] = ExpOfNonPositive(in[c] - most);
  for (uint32_t c = 0; c < width; ++c) out[c] /= sum;
}

// log(sum over the columns of exp(in)); `width` is at least 1. NaN where one of them is.
inline float LogSumExpOfRow(const float* in, uint32_t width) {
  const float most = *std::max_element(in, in + width);
  float sum = 0;
  for (uint32_t c = 0; c < width; ++c) sum += ExpOfNonPositive(in[c] - most);
  return most + std::log(sum);
}

// out[g] = sum over the columns c of group g of a[c] * b[c]: `groups` of them, of equal size, in
// `width` columns.
void InnerProductRow(const float* a, const float* b, uint32_t width, uint32_t groups, float* out);

// out = sum over i below `count` of weights[i] * (the vector of `width` numbers at i * width).
void WeightedSumRow(const float* weights, const float* values, uint32_t count, uint32_t width,
                    float* out);

// out = in / max(|in|, 1e-12). NaN makes the whole row NaN, and so do numbers whose squares
// overflow.
inline void NormalizeRow(const float* in, float* out, uint32_t width) {
  float sum = 0;
  for (uint32_t c = 0; c < width; ++c) sum += in[c] * in[c];
  const float square = std::max(sum, 1e-24f);
  const float inverse = std::sqrt(square) / square;
  for (uint32_t c = 0; c < width; ++c) out[c] = in[c] * inverse;
}

}  // namespace handpick

#endif  // HANDPICK_SDK_KERNELS_ROWS_H_
