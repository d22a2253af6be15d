#include "converter/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "converter/passes/rewriter.h"

namespace handpick::converter {
namespace {

void Round(std::vector<double>* numbers) {
  for (double& number : *numbers) number = static_cast<float>(number);
}

void Round(ActivationSpec* activation) {
  Round(&activation->alpha);
  Round(&activation->scale);
  Round(&activation->shift);
}

void RoundOperator(Operator* op) {
  if (auto* dense = std::get_if<DenseOp>(op)) Round(&dense->activation);
  if (auto* activation = std::get_if<ActivationOp>(op)) Round(&activation->activation);
  if (auto* pool = std::get_if<WeightedPoolOp>(op)) Round(&pool->empty_value);
  if (auto* recurrence = std::get_if<AttentionRecurrenceOp>(op)) Round(&recurrence->input_bias);
  if (auto* unit = std::get_if<AttentionUnitOp>(op)) {
    Round(&unit->activation);
    for (AttentionLayerSpec& layer : unit->layers) Round(&layer.activation);
  }
  if (auto* constant = std::get_if<ConstantOp>(op)) Round(&constant->values);
  if (auto* add = std::get_if<AddOp>(op)) {
    Round(&add->bias);
    Round(&add->activation);
  }
}

TableData QuantizeTable(const TableData& table) {
  TableData quantized;
  quantized.name = table.name;
  quantized.rows = table.rows;
  quantized.dimension = table.dimension;
  quantized.type = schema::ElementType::Int8PerRow;
  quantized.int8.reserve(table.floats.size());
  quantized.scales.reserve(table.rows);
  std::vector<double> numbers(table.dimension);
  for (uint32_t row = 0; row < table.rows; ++row) {
    for (uint32_t j = 0; j < table.dimension; ++j) numbers[j] = table.At(row, j);
    const QuantizedRow result = QuantizeRow(numbers);
    quantized.int8.insert(quantized.int8.end(), result.values.begin(), result.values.end());
    quantized.scales.push_back(result.scale);
  }
  return quantized;
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
  return table.dimension + sizeof(float) < table.dimension * sizeof(float);
}

// Sums of products of 8 bits have to fit into 32; what the runtime takes is in
// sdk/bundle/limits.h.
constexpr uint32_t kMostInt8Inputs = 1u << 16;

bool IsWorthQuantizing(const DenseData& dense) {
  return dense.output_width > 1 && dense.input_width <= kMostInt8Inputs;
}

// A state that is a mean of itself and of tanh stays within [-1, 1]; weights that are not from
// [0, 1] make no mean.
bool StaysWithinOne(Rewriter& rewriter, const Node& recurrence) {
  const Node& attention = rewriter.ProducerOf(recurrence.inputs[1]);
  return std::get<AttentionRecurrenceOp>(recurrence.op).cell ==
             schema::RecurrentCell::AttentionInputGru ||
         std::holds_alternative<SoftmaxOverHistoryOp>(attention.op);
}

}  // namespace

QuantizedRow QuantizeRow(const std::vector<double>& row) {
  constexpr double kMost = 127;
  double largest = 0;
  for (double number : row) largest = std::max(largest, std::abs(number));
  QuantizedRow result;
  result.scale = static_cast<float>(largest / kMost);
  // Numbers so small that the scale would be 0 or lose its precision are as good as zero.
  if (result.scale < std::numeric_limits<float>::min()) result.scale = 1;
  for (double number : row) {
    const double level = std::nearbyint(number / static_cast<double>(result.scale));
    result.values.push_back(static_cast<int8_t>(std::clamp(level, -kMost, kMost)));
  }
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
  return result;
}

Graph QuantizeInt8(const Graph& graph) {
  Rewriter rewriter(graph);
  std::map<ValueId, ValueId> quantized;  // Values and their rounded copies.
  std::set<DenseId> layers;              // Weights to quantise.
  for (const Node& source : graph.nodes) {
    Node node = rewriter.Current(source);
    const auto* dense = std::get_if<DenseOp>(&node.op);
    if (dense != nullptr && IsWorthQuantizing(*graph.dense[dense->weights])) {
      const ValueId input = node.inputs[0];
      auto [entry, is_new] = quantized.try_emplace(input, 0);
      if (is_new) {
        entry->second = rewriter.Append(absl::StrCat(graph.values[input].name, ".int8"),
                                        QuantizeOp{}, {input}, graph.WidthOf(input));
      }
      node.inputs[0] = entry->second;
      layers.insert(dense->weights);
    }
    if (auto* unit = std::get_if<AttentionUnitOp>(&node.op)) {
      // The first layer's weights stay as they are: their matrix is rounded for each event.
      unit->fold_int8 = IsWorthQuantizing(*graph.dense[unit->query_weights]);
      for (const AttentionLayerSpec& layer : unit->layers) {
        if (IsWorthQuantizing(*graph.dense[layer.weights])) layers.insert(layer.weights);
      }
    }
    const auto* recurrence = std::get_if<AttentionRecurrenceOp>(&node.op);
    if (recurrence != nullptr && StaysWithinOne(rewriter, node) &&
        IsWorthQuantizing(*graph.dense[recurrence->weights])) {
      layers.insert(recurrence->weights);
    }
    rewriter.Add(std::move(node));
  }
  Graph result = rewriter.Finish();
  for (const DenseId layer : layers) {
    result.dense[layer] = std::make_shared<const DenseData>(QuantizeDense(*result.dense[layer]));
  }
  for (auto& table : result.tables) {
    if (IsWorthQuantizing(*table)) table = std::make_shared<const TableData>(QuantizeTable(*table));
  }
  return RoundToFloat32(result);
}

}  // namespace handpick::converter
