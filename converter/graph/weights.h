// Weights inside a graph: what was trained, or what is left of it after quantisation.
#ifndef HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
#define HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/io/shared_array.h"
#include "schema/bundle_generated.h"
#include "schema/forest.h"
#include "schema/table_rows.h"

namespace handpick::converter {

// An embedding table [rows, dimension], row-major. Its numbers are stored as they will lie in the
// bundle, since tables are what is big.
struct TableData {
  std::string name;
  uint32_t rows = 0;
  uint32_t dimension = 0;
  schema::ElementType type = schema::ElementType::Float32;
  SharedArray<float> floats;    // Float32
  SharedArray<uint8_t> packed;  // Other types: rows as schema/table_rows.h has them.

  // As they lie in the bundle, which is little-endian, as is every machine that this runs on.
  const uint8_t* bytes() const {
    return type == schema::ElementType::Float32 ? reinterpret_cast<const uint8_t*>(floats.data())
                                                : packed.data();
  }
  uint64_t byte_count() const {
    return type == schema::ElementType::Float32 ? uint64_t{floats.size()} * sizeof(float)
                                                : packed.size();
  }

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

// Decision trees as they will lie in the bundle (schema::Forest, schema/forest.h).
struct ForestData {
  std::string name;
  uint32_t input_width = 0;
  std::vector<uint32_t> tree_begins = {0};
  std::vector<schema::ForestNode> nodes;
  std::vector<uint32_t> set_begins;
  std::vector<uint32_t> set_words;
  double base = 0;

  size_t tree_count() const { return tree_begins.size() - 1; }
  schema::ForestView View() const {
    return {input_width,       tree_begins.data(), tree_begins.size(),
            nodes.data(),      nodes.size(),       set_begins.data(),
            set_begins.size(), set_words.data(),   set_words.size()};
  }
};

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
