#include "converter/graph/pack_rows.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "hwy/base.h"
#include "schema/table_rows.h"

namespace handpick::converter {
namespace {

constexpr double kMostLevel = 127;

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

}  // namespace

float Int8Scale(double largest) {
  const auto scale = static_cast<float>(largest / kMostLevel);
  // Numbers so small that the scale would be 0 or lose its precision are as good as zero.
  return scale < std::numeric_limits<float>::min() ? 1 : scale;
}

int8_t Int8Level(double number, float scale) {
  const double level = std::nearbyint(number / static_cast<double>(scale));
  return static_cast<int8_t>(std::clamp(level, -kMostLevel, kMostLevel));
}

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
    case schema::ElementType::Unknown:
      break;  // Tables have no such rows.
  }
}

}  // namespace handpick::converter
