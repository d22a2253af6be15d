// From trained numbers to those of a bundle.
#ifndef HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_
#define HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_

#include <cstdint>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

// Rounds every number of the graph that a bundle keeps as float32: dense weights, biases,
// slopes, scales.
Graph RoundToFloat32(const Graph& graph);

// Makes an int8 graph of a float one:
//   * tables: int8 with one scale per row (largest magnitude / 127). A table of dimension 1 stays
//     float32: an int8 and a scale would be larger.
//   * dense layers: weights int8 with one scale per output channel, and their input rounded row by
//     row at run time (QuantizeOp, one for all layers that read the same value). Layers with a
//     single output stay float32: a head is a few hundred weights, and its error would go straight
//     into the logit.
//   * the state's weights of recurrences stay float32: a state is the next one's input, so that its
//     rounding errors come back over all events of the history, and 3 H * H weights are small.
// Weights then stand for scale * int8, so that the reference interpreter computes what the bundle
// means. Other numbers are rounded to float32.
Graph QuantizeInt8(const Graph& graph);

// A row of numbers as scale * int8, int8 in [-127, 127]: scale = largest magnitude / 127, or 1 for
// a row of zeros.
struct QuantizedRow {
  std::vector<int8_t> values;
  float scale = 1;
};
QuantizedRow QuantizeRow(const std::vector<double>& row);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_
