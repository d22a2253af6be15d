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
      ForEach(out, row, rows, width, [](float x, uint32_t) { return x > 0 ? x : 0.0f; });
      break;
    case schema::ActivationKind::Sigmoid:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return Sigmoid(x); });
      break;
    case schema::ActivationKind::Tanh:
      ForEach(out, row, rows, width, [](float x, uint32_t) { return Tanh(x); });
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

void AddScaledRow(float scale, const float* __restrict in, float* __restrict out, uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] += scale * in[c];
}

void MultiplyRows(const float* a, const float* b, float* __restrict out, uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] = a[c] * b[c];
}

void BiInteractionRow(const float* sum, const float* squares, float* __restrict out,
                      uint32_t width) {
  for (uint32_t c = 0; c < width; ++c) out[c] = 0.5f * (sum[c] * sum[c] - squares[c]);
}

void QuantizeRows(RowsIn in, int8_t* out, size_t out_stride, QuantizationParameters* parameters,
                  uint32_t rows, uint32_t width) {
  constexpr float kLowest = -128;
  constexpr float kHighest = 127;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23, see ExpOfNonPositive.
  for (uint32_t r = 0; r < rows; ++r) {
    const float* __restrict from = in.data + r * in.stride;
    int8_t* __restrict to = out + r * out_stride;
    float low = 0;
    float high = 0;
    for (uint32_t c = 0; c < width; ++c) {
      low = from[c] < low ? from[c] : low;
      high = from[c] > high ? from[c] : high;
    }
    const float range = high - low;
    const float scale = range > 0 ? range / (kHighest - kLowest) : 1.0f;
    const float inverse = 1.0f / scale;
    // 0 must be exact: padding and relu make many of them. Of NaN and infinity the clamps make some
    // number.
    float zero = kLowest - low * inverse;
    zero = zero > kLowest ? zero : kLowest;
    zero = zero < kHighest ? zero : kHighest;
    const float zero_point = (zero + kRound) - kRound;
    for (uint32_t c = 0; c < width; ++c) {
      float q = from[c] * inverse + zero_point;
      q = q > kLowest ? q : kLowest;
      q = q < kHighest ? q : kHighest;
      const float rounded = q + kRound;
      int32_t bits;
      std::memcpy(&bits, &rounded, sizeof(bits));
      to[c] = static_cast<int8_t>(bits);  // The low byte is the integer, in two's complement.
    }
    parameters[r].zero_point = static_cast<int32_t>(zero_point);
    parameters[r].scale = scale;
  }
}

}  // namespace handpick
