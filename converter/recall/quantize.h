// Rows of 8 bits with a scale each.
#ifndef HANDPICK_CONVERTER_RECALL_QUANTIZE_H_
#define HANDPICK_CONVERTER_RECALL_QUANTIZE_H_

#include <cstdint>
#include <vector>

#include "converter/recall/vectors.h"

namespace handpick::converter {

// x = scale * (codes[row] + 1) / 256 * int8: see schema::RecallIndex.
struct QuantizedRows {
  uint32_t dimension = 0;
  float scale = 0;
  std::vector<int8_t> int8;          // [count, dimension]
  std::vector<uint8_t> codes;        // [count]
  std::vector<float> squared_norms;  // [count] Of the rows as they are here.

  double ScaleOf(size_t row) const { return double{scale} * (codes[row] + 1) / 256; }
  float Element(size_t row, uint32_t d) const {
    return static_cast<float>(ScaleOf(row) * int8[row * dimension + d]);
  }
};

// The first `dimension` numbers of each vector.
QuantizedRows QuantizeRows(const VectorSet& vectors, uint32_t dimension, const Progress& progress);

// [count, stride] and the tail behind them, as a bundle has rows; `order` says which row is where.
std::vector<uint8_t> RowBytes(const QuantizedRows& rows, const std::vector<uint32_t>& order);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_RECALL_QUANTIZE_H_
