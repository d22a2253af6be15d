// Weights inside a graph: what was trained, or what is left of it after quantisation.
#ifndef HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
#define HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "schema/bundle_generated.h"
#include "schema/table_rows.h"

namespace handpick::converter {

// An embedding table [rows, dimension], row-major. Its numbers are stored as they will lie in the
// bundle, since tables are what is big.
struct TableData {
  std::string name;
  uint32_t rows = 0;
  uint32_t dimension = 0;
  schema::ElementType type = schema::ElementType::Float32;
  std::vector<float> floats;    // Float32
  std::vector<uint8_t> packed;  // Other types: rows as schema/table_rows.h has them.

  // The number that the element stands for.
  double At(uint64_t row, uint32_t column) const {
    if (type == schema::ElementType::Float32) return floats[row * dimension + column];
    return schema::NumberOfRow(type, packed.data() + row * schema::TableRowBytes(type, dimension),
                               column);
  }
};

// The weights of a dense layer, y = x W^T + b. `weights` and `bias` are the numbers to compute
// with, in double so that rewriting them loses nothing; `int8` and `scales` are what they came from
// when the layer is quantised. Weights of Float16 are such numbers already.
struct DenseData {
  std::string name;
  uint32_t input_width = 0;
  uint32_t output_width = 0;
  std::vector<double> weights;  // [output_width, input_width]
  std::vector<double> bias;     // [output_width] or empty
  schema::ElementType type = schema::ElementType::Float32;
  std::vector<int8_t> int8;   // Int8PerRow: as weights
  std::vector<float> scales;  // Int8PerRow: [output_width]

  double At(uint32_t output, uint32_t input) const {
    return weights[static_cast<uint64_t>(output) * input_width + input];
  }
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
