// Weights inside a graph: what was trained, or what is left of it after quantisation.
#ifndef HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
#define HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "converter/io/shared_array.h"
#include "schema/bundle_enums_generated.h"
#include "schema/forest.h"

namespace handpick::converter {

// An embedding table [rows, dimension], row-major. Tables are what is big: the numbers are there
// once, as they were trained, and rows of other types are packed when they are asked for.
struct TableData {
  std::string name;
  uint32_t rows = 0;
  uint32_t dimension = 0;
  schema::ElementType type = schema::ElementType::Float32;
  SharedArray<float> floats;    // As trained. Float32: the rows.
  SharedArray<uint8_t> packed;  // Other types, of a bundle: rows as schema/table_rows.h has them.

  uint64_t row_bytes() const;
  // All rows as they lie in a bundle, which is little-endian, as is every machine that this runs
  // on. Null: they lie nowhere, and CopyRows packs them.
  const uint8_t* bytes() const;
  uint64_t byte_count() const;
  // Puts `count` rows into `out` [count * row_bytes()], as they lie in a bundle. Thread-safe,
  // allocates nothing.
  void CopyRows(uint64_t first, uint64_t count, uint8_t* out) const;

  // The numbers that a row stands for [dimension], and one of them.
  std::vector<double> Row(uint64_t row) const;
  double At(uint64_t row, uint32_t column) const;
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

// "f32", "f16", "int8" or "int4", as flags, messages and reports name it.
const char* ElementTypeName(schema::ElementType type);

}  // namespace handpick::converter

#endif  // HANDPICK_CONVERTER_GRAPH_WEIGHTS_H_
