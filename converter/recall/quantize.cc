#include "converter/recall/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sdk/recall/index.h"

namespace handpick::converter {
namespace {

// Told to Progress.
constexpr uint32_t kStep = 1 << 16;

float LargestOf(const float* row, uint32_t dimension) {
  float largest = 0;
  for (uint32_t d = 0; d < dimension; ++d) largest = std::max(largest, std::fabs(row[d]));
  return largest;
}

}  // namespace

QuantizedRows QuantizeRows(const VectorSet& vectors, uint32_t dimension, const Progress& progress) {
  const uint32_t count = vectors.count();
  QuantizedRows rows;
  rows.dimension = dimension;
  float largest = 0;
  for (uint32_t i = 0; i < count; ++i) {
    largest = std::max(largest, LargestOf(vectors.Row(i).data(), dimension));
  }
  // The scale of code 255. All zeros: any.
  rows.scale = largest > 0 ? std::max(largest / 127, 1e-30f) : 1;
  rows.int8.resize(size_t{count} * dimension);
  rows.codes.resize(count);
  rows.squared_norms.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (progress && i % kStep == 0) progress("quantising", double{1.0} * i / count);
    const float* row = vectors.Row(i).data();
    // The smallest code whose scale holds the row's largest number.
    const double steps = double{LargestOf(row, dimension)} / (double{rows.scale} * 127) * 256;
    const double code = std::clamp(std::ceil(steps * (1 - 1e-9)) - 1, 0.0, 255.0);
    rows.codes[i] = static_cast<uint8_t>(code);
    const double scale = rows.ScaleOf(i);
    int64_t squares = 0;
    for (uint32_t d = 0; d < dimension; ++d) {
      const auto q =
          static_cast<int>(std::clamp(std::nearbyint(double{row[d]} / scale), -127.0, 127.0));
      rows.int8[size_t{i} * dimension + d] = static_cast<int8_t>(q);
      squares += q * q;
    }
    rows.squared_norms[i] = static_cast<float>(scale * scale * static_cast<double>(squares));
  }
  return rows;
}

std::vector<uint8_t> RowBytes(const QuantizedRows& rows, const std::vector<uint32_t>& order) {
  const uint32_t stride = RowStride(schema::ElementType::Int8PerRow, rows.dimension);
  std::vector<uint8_t> bytes(order.size() * stride + kRowTailBytes);
  for (size_t p = 0; p < order.size(); ++p) {
    std::memcpy(&bytes[p * stride], &rows.int8[size_t{order[p]} * rows.dimension], rows.dimension);
  }
  return bytes;
}

}  // namespace handpick::converter
