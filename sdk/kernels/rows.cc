#include "sdk/kernels/rows.h"

#include <algorithm>
#include <cstring>

#include "sdk/kernels/elementary.h"

namespace handpick {
namespace {

// Applies `f` to every element of every row, adding `row` before when there is one.
template <typename F>
void ForEach(RowsOut out, const float* row, uint32_t rows, uint32_t width, F f) {
  for (uint32_t r = 0; r < rows; ++r) {
    float* __restrict to = out.data + r * out.stride;
    if (row != nullptr) {
      const float* __restrict add = row;
      for (uint32_t c = 0; c < width; ++c) to[c] = f(to[c] + add[c], c);
    } else {
      for (uint32_t c = 0; c < width; ++c) to[c] = f(to[c], c);
    }
  }
}

}  // namespace

void AddRowAndActivate(RowsOut out, const float* row, const Activation& activation, uint32_t rows,
                       uint32_t width) {
  const float* alpha = activation.alpha.data();
  switch (activation.kind) {
    case schema::ActivationKind::Linear:
      if (row != nullptr) ForEach(out, row, rows, width, [](float x, uint32_t) { return x; });
      break;
    case schema::ActivationKind::Relu:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return x < 0 ? 0.0f : x; });
      break;
    case schema::ActivationKind::Sigmoid:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return Sigmoid(x); });
      break;
    case schema::ActivationKind::Tanh:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return Tanh(x); });
      break;
    case schema::ActivationKind::LogSigmoid:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return LogSigmoid(x); });
      break;
    case schema::ActivationKind::Dice: {
      const float* scale = activation.scale.data();
      const float* shift = activation.shift.data();
      ForEach(out, row, rows, width, [=](float x, uint32_t c) {
        const float p = Sigmoid(scale[c] * x + shift[c]);
        return p * x + (1 - p) * alpha[c] * x;
      });
      break;
    }
    case schema::ActivationKind::Prelu:
      if (activation.alpha.size() == 1) {
        const float slope = alpha[0];
        ForEach(out, row, rows, width,
                [slope](float x, uint32_t) { return x > 0 ? x : slope * x; });
      } else {
        ForEach(out, row, rows, width,
                [alpha](float x, uint32_t c) { return x > 0 ? x : alpha[c] * x; });
      }
      break;
  }
}

void CopyRow(const float* in, float* out, uint32_t width) {
  std::memcpy(out, in, width * sizeof(float));
}

void AddRow(const float* __restrict in, float* __restrict out, uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] += in[c];
}

void MultiplyRows(const float* a, const float* b, float* __restrict out, uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] = a[c] * b[c];
}

void BiInteractionRow(const float* sum, const float* squares, float* __restrict out,
                      uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] = 0.5f * (sum[c] * sum[c] - squares[c]);
}

void InnerProductRow(const float* a, const float* b, uint32_t width, uint32_t groups, float* out) {
  const uint32_t group = width / groups;
  for (uint32_t g = 0; g < groups; ++g, a += group, b += group) {
    float sum = 0;
    for (uint32_t c = 0; c < group; ++c) sum += a[c] * b[c];
    out[g] = sum;
  }
}

void WeightedSumRow(const float* weights, const float* values, uint32_t count, uint32_t width,
                    float* out) {
  std::fill_n(out, width, 0.0f);
  for (uint32_t i = 0; i < count; ++i, values += width) {
    for (uint32_t c = 0; c < width; ++c) out[c] += weights[i] * values[c];
  }
}

}  // namespace handpick
