#include "sdk/kernels/recurrent.h"

#include "sdk/kernels/elementary.h"

namespace handpick {
namespace {

// after = update(before, n, z), for each unit; `scale` times the input side of the gates plus
// `bias` goes in.
template <typename Input, typename Update>
void UpdateState(Input input, Update update, const float* state_gates, const float* before,
                 float* after, uint32_t width) {
  for (uint32_t i = 0; i < width; ++i) {
    const float r = Sigmoid(input(i) + state_gates[i]);
    const float z = Sigmoid(input(width + i) + state_gates[width + i]);
    const float n = Tanh(input(2 * width + i) + r * state_gates[2 * width + i]);
    after[i] = update(before[i], n, z);
  }
}

}  // namespace

void RecurrentStep(schema::RecurrentCell cell, const float* gates, const float* state_gates,
                   float attention, const float* input_bias, const float* before, float* after,
                   uint32_t width) {
  const auto given = [gates](uint32_t i) { return gates[i]; };
  // PyTorch's GRU keeps the state where z is 1; the attention cells let the new one in. h + u (n -
  // h) would be shorter, but is not exact where u is 0 or 1.
  switch (cell) {
    case schema::RecurrentCell::Gru:
      UpdateState(
          given, [](float h, float n, float z) { return (1 - z) * n + z * h; }, state_gates, before,
          after, width);
      break;
    case schema::RecurrentCell::AttentionInputGru:
      UpdateState([=](uint32_t i) { return attention * gates[i] + input_bias[i]; },
                  [](float h, float n, float z) { return (1 - z) * n + z * h; }, state_gates,
                  before, after, width);
      break;
    case schema::RecurrentCell::AttentionGru:
      UpdateState(
          given,
          [attention](float h, float n, float) { return (1 - attention) * h + attention * n; },
          state_gates, before, after, width);
      break;
    case schema::RecurrentCell::AttentionUpdateGru:
      UpdateState(
          given,
          [attention](float h, float n, float z) {
            const float u = attention * z;
            return (1 - u) * h + u * n;
          },
          state_gates, before, after, width);
      break;
    default:
      break;  // Refused when the bundle is opened.
  }
}

void Softmax(RowsIn scores, RowsOut weights, uint32_t count) {
  if (count == 0) return;
  float largest = scores.data[0];
  for (uint32_t e = 1; e < count; ++e) {
    const float score = scores.data[e * scores.stride];
    largest = score > largest ? score : largest;
  }
  float sum = 0;
  for (uint32_t e = 0; e < count; ++e) {
    const float weight = ExpOfNonPositive(scores.data[e * scores.stride] - largest);
    weights.data[e * weights.stride] = weight;
    sum += weight;
  }
  for (uint32_t e = 0; e < count; ++e) weights.data[e * weights.stride] /= sum;
}

}  // namespace handpick
