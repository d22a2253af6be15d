#include "converter/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "converter/quantize/outliers.h"
#include "hwy/base.h"
#include "schema/table_rows.h"
#include "sdk/base/int8_levels.h"

namespace handpick::converter {
namespace {

using schema::ElementType;

void Round(std::vector<double>* numbers) {
  for (double& number : *numbers) number = static_cast<float>(number);
}

void Round(ActivationSpec* activation) {
  Round(&activation->alpha);
  Round(&activation->scale);
  Round(&activation->shift);
}

void RoundOperator(Operator* op) {
  for (ActivationSpec& activation : op->activations) Round(&activation);
  Round(&op->numbers);
  Round(&op->bias);
}

// Rows of a bundle may be of fewer bits already: they stay as they are.
bool IsFloat32(const TableData& table) { return table.type == schema::ElementType::Float32; }

// A table of the same numbers, whose rows are packed when they are asked for.
std::shared_ptr<const TableData> PackedTable(const TableData& table, schema::ElementType type) {
  TableData packed = table;
  packed.type = type;
  return std::make_shared<const TableData>(std::move(packed));
}

DenseData HalveDense(const DenseData& dense) {
  DenseData halved = dense;
  halved.type = schema::ElementType::Float16;
  for (double& weight : halved.weights) {
    weight = hwy::F32FromF16(hwy::F16FromF32(static_cast<float>(weight)));
  }
  return halved;
}

// Whether a half keeps the largest number in full precision; smaller ones are then off by no more.
template <typename Numbers>
bool FitFloat16(const Numbers& numbers) {
  constexpr double kSmallestNormal = 1.0 / 16384;
  constexpr double kLargest = 65504;
  double largest = 0;
  for (const auto number : numbers) {
    const double magnitude = std::abs(static_cast<double>(number));
    if (!(magnitude <= kLargest)) return false;
    largest = std::max(largest, magnitude);
  }
  return largest == 0 || largest >= kSmallestNormal;
}

DenseData QuantizeDense(const DenseData& dense) {
  DenseData quantized = dense;
  quantized.type = schema::ElementType::Int8PerRow;
  quantized.weights.clear();
  for (uint32_t j = 0; j < dense.output_width; ++j) {
    const auto begin = dense.weights.begin() + static_cast<std::ptrdiff_t>(j) * dense.input_width;
    const QuantizedRow row = QuantizeRow({begin, begin + dense.input_width});
    quantized.int8.insert(quantized.int8.end(), row.values.begin(), row.values.end());
    quantized.scales.push_back(row.scale);
    for (int8_t value : row.values) {
      quantized.weights.push_back(static_cast<double>(row.scale) * value);
    }
  }
  return quantized;
}

// True when int8 rows with a scale each are smaller than float rows.
bool IsWorthQuantizing(const TableData& table) {
  return schema::TableRowBytes(schema::ElementType::Int8PerRow, table.dimension) <
         schema::TableRowBytes(schema::ElementType::Float32, table.dimension);
}

// Sums of products of 8 bits have to fit into 32; what the runtime takes is in
// sdk/bundle/limits.h.
constexpr uint32_t kMostInt8Inputs = 1u << 16;

bool IsWorthQuantizing(const DenseData& dense) {
  return dense.output_width > 1 && dense.input_width <= kMostInt8Inputs;
}

// A state that is a mean of itself and of tanh stays within [-1, 1]; weights that are not from
// [0, 1] make no mean.
bool StaysWithinOne(const Node& recurrence, const Node& attention) {
  return schema::ScalesInput(recurrence.op.cell) ||
         attention.op.Is(OperatorKind::SoftmaxOverHistory);
}

}  // namespace

QuantizedRow QuantizeRow(const std::vector<double>& row) {
  double largest = 0;
  for (double number : row) largest = std::max(largest, std::abs(number));
  QuantizedRow result;
  result.scale = Int8Scale(largest);
  for (double number : row) result.values.push_back(Int8Level(number, result.scale));
  return result;
}

Graph RoundToFloat32(const Graph& graph) {
  Graph result = graph;
  for (Node& node : result.nodes) RoundOperator(&node.op);
  for (auto& dense : result.dense) {
    DenseData rounded = *dense;
    // Int8 weights are exact already: what they stand for is a product of a float and an int8.
    if (rounded.type == schema::ElementType::Float32) Round(&rounded.weights);
    Round(&rounded.bias);
    dense = std::make_shared<const DenseData>(std::move(rounded));
  }
  for (auto& forest : result.forests) {
    ForestData rounded = *forest;
    rounded.base = static_cast<float>(rounded.base);
    forest = std::make_shared<const ForestData>(std::move(rounded));
  }
  return result;
}

namespace {

// Weights that lose nothing that matters in 8 bits.
std::set<DenseId> Int8Layers(const Graph& graph) {
  const std::vector<size_t> producers = ProducerOfEachValue(graph);
  std::set<DenseId> layers;
  for (const Node& node : graph.nodes) {
    const schema::OperatorRow& row = *FindGraphOperator(node.op.kind);
    // States of an error feed back over all events, for few bytes.
    if (node.op.Is(OperatorKind::Recurrence)) continue;
    // Of a matrix that is made once a request: row by row, 8 bits take three times as long.
    if (node.op.Is(OperatorKind::MixFields)) continue;
    if (node.op.Is(OperatorKind::AttentionRecurrence) &&
        !StaysWithinOne(node, graph.nodes[producers[node.inputs[1]]])) {
      continue;
    }
    // Matrices that are folded for each event stay as they are: what is rounded is their sum.
    for (size_t i = row.folds_second ? 2 : 0; i < node.op.weights.size(); ++i) {
      if (IsWorthQuantizing(*graph.dense[node.op.weights[i]])) layers.insert(node.op.weights[i]);
    }
  }
  return layers;
}

uint64_t DenseBytes(const DenseData& dense, ElementType type) {
  const uint64_t count = uint64_t{dense.output_width} * dense.input_width;
  switch (type) {
    case ElementType::Float16:
      return 2 * count;
    case ElementType::Int8PerRow:
      return count + uint64_t{dense.output_width} * sizeof(float);
    default:
      return sizeof(float) * count;
  }
}

// Every part in the given type, where it may have it.
Graph QuantizeAll(const Graph& graph, ElementType type) {
  const std::vector<PrecisionPart> parts = PrecisionParts(graph);
  std::vector<ElementType> types;
  for (const PrecisionPart& part : parts) {
    const bool may = std::find(part.types.begin(), part.types.end(), type) != part.types.end();
    types.push_back(may ? type : part.types.front());
  }
  return QuantizeParts(graph, parts, types);
}

}  // namespace

std::vector<PrecisionPart> PrecisionParts(const Graph& graph) {
  std::vector<PrecisionPart> parts;
  for (size_t i = 0; i < graph.tables.size(); ++i) {
    const TableData& table = *graph.tables[i];
    PrecisionPart part = {table.name, true, i, {table.type}, {}};
    if (IsFloat32(table)) {
      if (FitFloat16(table.floats)) part.types.push_back(ElementType::Float16);
      if (IsWorthQuantizing(table)) part.types.push_back(ElementType::Int8PerRow);
      // Of a few numbers a row, groups are not smaller.
      if (schema::TableRowBytes(ElementType::Int4PerGroup, table.dimension) <
          schema::TableRowBytes(part.types.back(), table.dimension)) {
        part.types.push_back(ElementType::Int4PerGroup);
      }
    }
    for (const ElementType type : part.types) {
      part.bytes.push_back(table.rows * schema::TableRowBytes(type, table.dimension));
    }
    parts.push_back(std::move(part));
  }
  const std::set<DenseId> int8 = Int8Layers(graph);
  for (size_t i = 0; i < graph.dense.size(); ++i) {
    const DenseData& dense = *graph.dense[i];
    PrecisionPart part = {dense.name, false, i, {dense.type}, {}};
    if (dense.type == ElementType::Float32) {
      if (FitFloat16(dense.weights)) part.types.push_back(ElementType::Float16);
      if (int8.count(static_cast<DenseId>(i)) != 0) part.types.push_back(ElementType::Int8PerRow);
    }
    for (const ElementType type : part.types) part.bytes.push_back(DenseBytes(dense, type));
    parts.push_back(std::move(part));
  }
  return parts;
}

Graph QuantizeParts(const Graph& graph, const std::vector<PrecisionPart>& parts,
                    const std::vector<ElementType>& types) {
  Graph result = RoundToFloat32(graph);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].is_table) {
      auto& table = result.tables[parts[i].index];
      if (table->type == types[i]) continue;
      const bool is_clipped = parts[i].clip.has_value() && types[i] != ElementType::Float16;
      table = is_clipped ? PackedTable(Clipped(*table, *parts[i].clip), types[i])
                         : PackedTable(*table, types[i]);
      continue;
    }
    auto& dense = result.dense[parts[i].index];
    // Of the numbers as trained: rounded once.
    const DenseData& trained = *graph.dense[parts[i].index];
    if (types[i] == trained.type) continue;
    DenseData rounded =
        types[i] == ElementType::Float16 ? HalveDense(trained) : QuantizeDense(trained);
    Round(&rounded.bias);
    dense = std::make_shared<const DenseData>(std::move(rounded));
  }
  return result;
}

Graph RoundToFloat16(const Graph& graph) { return QuantizeAll(graph, ElementType::Float16); }

Graph QuantizeInt8(const Graph& graph) { return QuantizeAll(graph, ElementType::Int8PerRow); }

}  // namespace handpick::converter
