#include "sdk/recall/rotation.h"

#include <algorithm>
#include <cmath>

#include "sdk/recall/index.h"

namespace handpick {

void FlipSigns(const uint8_t* bits, uint32_t width, float* x) {
  for (uint32_t i = 0; i < width; i += 8) {
    const uint8_t byte = bits[i / 8];
    for (uint32_t b = 0; b < 8; ++b) x[i + b] = (byte >> b & 1) != 0 ? -x[i + b] : x[i + b];
  }
}

void Hadamard(uint32_t width, float* x) {
  for (uint32_t half = 1; half < width; half *= 2) {
    for (uint32_t begin = 0; begin < width; begin += 2 * half) {
      float* a = x + begin;
      float* b = a + half;
      for (uint32_t i = 0; i < half; ++i) {
        const float sum = a[i] + b[i];
        b[i] = a[i] - b[i];
        a[i] = sum;
      }
    }
  }
}

void RotateForPlane(const uint8_t* signs, uint32_t width, const float* in, uint32_t count,
                    float* out) {
  uint32_t part = 1;
  while (part * 2 <= width) part *= 2;
  const float factor = 1 / std::sqrt(static_cast<float>(part));
  std::copy(in, in + count, out);
  std::fill(out + count, out + width, 0.0f);
  for (uint32_t round = 0; round < kPlaneRounds; ++round, signs += width / 8) {
    FlipSigns(signs, width, out);
    // The two parts overlap, for each is more than half of the whole.
    float* x = round % 2 == 0 ? out : out + (width - part);
    Hadamard(part, x);
    for (uint32_t i = 0; i < part; ++i) x[i] *= factor;
  }
}

}  // namespace handpick
