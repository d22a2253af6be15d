// From trained numbers to those of a bundle.
#ifndef HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_
#define HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converter/graph/graph.h"

namespace handpick::converter {

// Rounds every number of the graph that a bundle keeps as float32: dense weights, biases,
// slopes, scales.
Graph RoundToFloat32(const Graph& graph);

// Makes a float16 graph of a float one, with half the bytes and a relative error of 2^-11:
//   * tables whose largest magnitude a half takes in full precision: 2^-14 to 65504, or 0. Others
//     stay float32.
//   * weights of all layers, with the same exception.
// Other numbers are rounded to float32.
Graph RoundToFloat16(const Graph& graph);

// Makes an int8 graph of a float one:
//   * tables: int8 with one scale per row (largest magnitude / 127). A table of dimension 1 or 2
//     stays float32: a row of int8 and its scale would not be smaller.
//   * dense layers: weights int8 with one scale per output channel. A processor may round what such
//     a layer reads as well; the reference does not. Layers with a single output stay float32: a
//     head is a few hundred weights, and its error would go straight into the logit.
//   * the state's weights of recurrences stay float32: a state is the next one's input, so that its
//     rounding errors come back over all events of the history, and 3 H * H weights are small. But
//     those of a recurrence with attention become int8 where the state stays within [-1, 1].
//   * of an attention unit, the two matrices that are folded for each event stay float32.
// Weights then stand for scale * int8, so that the reference interpreter computes what the bundle
// means. Other numbers are rounded to float32.
Graph QuantizeInt8(const Graph& graph);

// A table or the weights of a layer, and the types that a bundle may keep it in.
struct PrecisionPart {
  std::string name;
  bool is_table = false;
  size_t index = 0;                        // Among the graph's tables, or its dense weights.
  std::vector<schema::ElementType> types;  // From the most precise and largest one on.
  std::vector<uint64_t> bytes;             // Of each.
  // Of a table: in int8 and int4, numbers beyond this magnitude are cut off (outliers.h).
  std::optional<double> clip = std::nullopt;
};

// Tables first. Types are left out where the functions above keep a part in another one.
std::vector<PrecisionPart> PrecisionParts(const Graph& graph);

// As the functions above, with a type for each part, which is among its types.
Graph QuantizeParts(const Graph& graph, const std::vector<PrecisionPart>& parts,
                    const std::vector<schema::ElementType>& types);

// A row of numbers as scale * int8, int8 in [-127, 127]: scale = largest magnitude / 127, or 1 for
// a row of zeros.
struct QuantizedRow {
  std::vector<int8_t> values;
  float scale = 1;
};
QuantizedRow QuantizeRow(const std::vector<double>& row);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_QUANTIZE_QUANTIZE_H_
