#include "sdk/recall/hash.h"

#include <algorithm>
#include <cmath>

#include "sdk/recall/rotation.h"

namespace handpick {
namespace {

using schema::HashFamily;

const float* OffsetsOf(const HashShape& shape, const RecallTable& table, uint32_t f) {
  return table.offsets.empty() ? nullptr : table.offsets.data() + size_t{f} * shape.outputs;
}

// Coordinate j of function f.
float Coordinate(const float* coordinates, const float* offsets, uint32_t j) {
  return offsets == nullptr ? coordinates[j] : coordinates[j] + offsets[j];
}

// Finite, whatever a bundle's offsets and bin width are: sums of penalties are sorted.
float Penalty(float distance) {
  constexpr float kLargest = 1e30f;
  return std::min(distance * distance, kLargest);
}

// In bins from the left end of bin 0: finite, since all three are in their ranges.
float InBins(const HashShape& shape, float z) {
  return z / shape.bin_width + static_cast<float>(shape.values / 2);
}

uint32_t BinOf(const HashShape& shape, float z) {
  const float bin = std::floor(InBins(shape, z));
  if (!(bin > 0)) return 0;
  const auto last = static_cast<float>(shape.values - 1);
  return bin >= last ? shape.values - 1 : static_cast<uint32_t>(bin);
}

uint32_t VertexOf(const HashShape& shape, const float* coordinates, const float* offsets,
                  float* largest) {
  *largest = -1;
  uint32_t vertex = 0;
  for (uint32_t j = 0; j < shape.outputs; ++j) {
    const float z = Coordinate(coordinates, offsets, j);
    if (std::fabs(z) > *largest) {
      *largest = std::fabs(z);
      vertex = 2 * j + (z < 0 ? 1 : 0);
    }
  }
  return vertex;
}

}  // namespace

void Rotate(const HashShape& shape, const RecallTable& table, const float* in, uint32_t count,
            float* out) {
  const uint32_t width = shape.rotation_width;
  const float factor = 1 / (std::sqrt(static_cast<float>(width)) * static_cast<float>(width));
  const uint8_t* signs = table.signs.data();
  for (uint32_t r = 0; r < shape.rotations; ++r, out += width) {
    std::copy(in, in + count, out);
    std::fill(out + count, out + width, 0.0f);
    for (uint32_t round = 0; round < kRotationRounds; ++round, signs += width / 8) {
      FlipSigns(signs, width, out);
      Hadamard(width, out);
    }
    for (uint32_t i = 0; i < width; ++i) out[i] *= factor;
  }
}

uint32_t BucketOf(const HashShape& shape, const RecallTable& table, const float* coordinates) {
  uint32_t bucket = 0;
  for (uint32_t f = 0; f < shape.functions; ++f) {
    const float* z = coordinates + size_t{f} * shape.outputs;
    const float* offsets = OffsetsOf(shape, table, f);
    uint32_t value = 0;
    float largest;
    switch (shape.family) {
      case HashFamily::CrossPolytope:
        value = VertexOf(shape, z, offsets, &largest);
        break;
      case HashFamily::Hyperplane:
        value = Coordinate(z, offsets, 0) >= 0 ? 1 : 0;
        break;
      default:
        value = BinOf(shape, Coordinate(z, offsets, 0));
        break;
    }
    bucket = bucket * shape.values + value;
  }
  return bucket;
}

void AnswersOf(const HashShape& shape, const RecallTable& table, const float* coordinates,
               uint32_t f, HashAnswer* answers) {
  const float* z = coordinates + size_t{f} * shape.outputs;
  const float* offsets = OffsetsOf(shape, table, f);
  switch (shape.family) {
    case HashFamily::CrossPolytope: {
      float largest;
      const uint32_t own = VertexOf(shape, z, offsets, &largest);
      for (uint32_t j = 0; j < shape.outputs; ++j) {
        const float x = Coordinate(z, offsets, j);
        answers[2 * j] = {Penalty(largest - x), 2 * j};
        answers[2 * j + 1] = {Penalty(largest + x), 2 * j + 1};
      }
      // Its own comes first, also where others are as near.
      std::swap(answers[0], answers[own]);
      break;
    }
    case HashFamily::Hyperplane: {
      const float x = Coordinate(z, offsets, 0);
      const uint32_t own = x >= 0 ? 1 : 0;
      answers[0] = {0, own};
      answers[1] = {Penalty(x), 1 - own};
      break;
    }
    default: {
      const float x = Coordinate(z, offsets, 0);
      const float at = InBins(shape, x);
      const uint32_t own = BinOf(shape, x);
      for (uint32_t bin = 0; bin < shape.values; ++bin) {
        // To the nearer end of the bin. The outer bins are open.
        float distance = 0;
        if (bin > own) distance = static_cast<float>(bin) - at;
        if (bin < own) distance = at - static_cast<float>(bin + 1);
        answers[bin] = {Penalty(distance), bin};
      }
      std::swap(answers[0], answers[own]);
      break;
    }
  }
}

}  // namespace handpick
