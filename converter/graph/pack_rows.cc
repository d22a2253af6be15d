#include "converter/graph/pack_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "hwy/base.h"
#include "schema/table_rows.h"
#include "sdk/base/int8_levels.h"

namespace handpick::converter {
namespace {

void PackHalves(const float* numbers, size_t count, uint8_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const hwy::float16_t half = hwy::F16FromF32(numbers[i]);
    std::memcpy(out + i * sizeof(half), &half, sizeof(half));
  }
}

void PackInt8Row(const float* numbers, uint32_t dimension, size_t row_bytes, uint8_t* out) {
  float largest = 0;
  for (uint32_t j = 0; j < dimension; ++j) largest = std::max(largest, std::abs(numbers[j]));
  const float scale = Int8Scale(double{largest});
  std::memcpy(out, &scale, sizeof(scale));
  uint8_t* const levels = out + schema::kRowScaleBytes;
  for (uint32_t j = 0; j < dimension; ++j) {
    levels[j] = static_cast<uint8_t>(Int8Level(double{numbers[j]}, scale));
  }
  std::memset(levels + dimension, 0, row_bytes - schema::kRowScaleBytes - dimension);
}

constexpr double kMostGroupLevel = 7;

double GroupLevel(float number, float scale) {
  return std::clamp(std::nearbyint(static_cast<double>(number) / static_cast<double>(scale)),
                    -kMostGroupLevel, kMostGroupLevel);
}

// The bfloat16 scale of a group: of some that cut off the largest numbers a little, that with the
// least sum of squared errors.
float GroupScale(const float* numbers, uint32_t count) {
  float largest = 0;
  for (uint32_t j = 0; j < count; ++j) largest = std::max(largest, std::abs(numbers[j]));
  float best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (int part = 20; part >= 10; --part) {
    const double wanted = static_cast<double>(largest) * part / 20 / kMostGroupLevel;
    uint32_t bits;
    const auto exact = static_cast<float>(wanted);
    if (!(exact >= std::numeric_limits<float>::min())) break;  // As good as zero.
    std::memcpy(&bits, &exact, sizeof(bits));
    bits = (bits + 0x8000u) & 0xFFFF0000u;
    float scale;
    std::memcpy(&scale, &bits, sizeof(scale));
    if (!std::isfinite(scale)) continue;
    double squares = 0;
    for (uint32_t j = 0; j < count; ++j) {
      const double error = GroupLevel(numbers[j], scale) * static_cast<double>(scale) -
                           static_cast<double>(numbers[j]);
      squares += error * error;
    }
    if (squares < least) {
      least = squares;
      best = scale;
    }
  }
  return best;
}

void PackInt4Row(const float* numbers, uint32_t dimension, uint8_t* out) {
  for (uint32_t begin = 0; begin < dimension; begin += schema::kGroupNumbers) {
    const uint32_t count = std::min(schema::kGroupNumbers, dimension - begin);
    const float scale = GroupScale(numbers + begin, count);
    uint32_t bits;
    std::memcpy(&bits, &scale, sizeof(bits));
    const auto high = static_cast<uint16_t>(bits >> 16);
    std::memcpy(out, &high, sizeof(high));
    const auto nibble = [&](uint32_t j) {
      return j < count ? static_cast<uint32_t>(GroupLevel(numbers[begin + j], scale) + 8) : 8u;
    };
    for (uint32_t j = 0; j < schema::kGroupNumbers / 2; ++j) {
      out[schema::kGroupScaleBytes + j] = static_cast<uint8_t>(nibble(j) | nibble(8 + j) << 4);
    }
    out += schema::kGroupBytes;
  }
}

}  // namespace

void PackRows(const float* numbers, uint64_t rows, uint32_t dimension, schema::ElementType type,
              uint8_t* out) {
  const size_t row_bytes = schema::TableRowBytes(type, dimension);
  switch (type) {
    case schema::ElementType::Float32:
      std::memcpy(out, numbers, static_cast<size_t>(rows) * row_bytes);
      break;
    case schema::ElementType::Float16:
      PackHalves(numbers, static_cast<size_t>(rows) * dimension, out);
      break;
    case schema::ElementType::Int8PerRow:
      for (uint64_t row = 0; row < rows; ++row) {
        PackInt8Row(numbers + row * dimension, dimension, row_bytes, out + row * row_bytes);
      }
      break;
    case schema::ElementType::Int4PerGroup:
      for (uint64_t row = 0; row < rows; ++row) {
        PackInt4Row(numbers + row * dimension, dimension, out + row * row_bytes);
      }
      break;
    case schema::ElementType::Unknown:
      break;  // Tables have no such rows.
  }
}

}  // namespace handpick::converter
