#include "converter/quantize/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "converter/graph/pack_rows.h"
#include "schema/table_rows.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

TEST(QuantizeRowTest, TheLargestMagnitudeIs127) {
  const QuantizedRow row = QuantizeRow({0.5, -2.54, 1.27});
  EXPECT_FLOAT_EQ(row.scale, 0.02f);
  EXPECT_EQ(row.values, (std::vector<int8_t>{25, -127, 64}));
}

TEST(QuantizeRowTest, ZerosStayZerosWithAUsableScale) {
  for (const double tiny : {0.0, 1e-44, std::numeric_limits<double>::denorm_min()}) {
    const QuantizedRow row = QuantizeRow({0, tiny, -tiny});
    EXPECT_EQ(row.scale, 1);
    EXPECT_EQ(row.values, (std::vector<int8_t>{0, 0, 0}));
  }
}

TEST(QuantizeRowTest, NoNumberIsOffByMoreThanHalfAStep) {
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    std::vector<double> numbers;
    const double size = std::pow(10, random.Between(-20, 20));
    for (int j = 0; j < 33; ++j) numbers.push_back(size * random.Signed());
    const QuantizedRow row = QuantizeRow(numbers);
    for (int j = 0; j < 33; ++j) {
      EXPECT_NEAR(row.values[j] * static_cast<double>(row.scale), numbers[j], row.scale * 0.50001);
    }
  }
}

// Of each group the largest numbers may be cut off, if the sum of squares is less then.
TEST(Int4RowsTest, NoGroupIsOffByMoreThanWithTheLargestNumberAtSeven) {
  Random random(8);
  for (uint32_t dimension = 1; dimension < 70; ++dimension) {
    std::vector<float> numbers;
    const double size = std::pow(10, random.Between(-20, 20));
    for (uint32_t j = 0; j < dimension; ++j) {
      numbers.push_back(static_cast<float>(size * random.Signed()));
    }
    std::vector<uint8_t> row(schema::TableRowBytes(schema::ElementType::Int4PerGroup, dimension));
    PackRows(numbers.data(), 1, dimension, schema::ElementType::Int4PerGroup, row.data());
    for (uint32_t begin = 0; begin < dimension; begin += 16) {
      double squares = 0, plain = 0, largest = 0;
      const uint32_t end = std::min(dimension, begin + 16);
      for (uint32_t j = begin; j < end; ++j) {
        largest = std::max(largest, std::abs(static_cast<double>(numbers[j])));
      }
      for (uint32_t j = begin; j < end; ++j) {
        const double x = numbers[j];
        const double error =
            schema::NumberOfRow(schema::ElementType::Int4PerGroup, row.data(), j) - x;
        squares += error * error;
        const double step = largest / 7;
        const double rounded = std::nearbyint(x / step) * step - x;
        plain += rounded * rounded;
      }
      // A bfloat16 scale is off by 2^-9 of itself.
      EXPECT_LE(std::sqrt(squares), std::sqrt(plain) + largest * 0.008) << dimension;
    }
  }
}

TEST(Int4RowsTest, ZerosStayZeros) {
  const float numbers[20] = {};
  uint8_t row[20];
  PackRows(numbers, 1, 20, schema::ElementType::Int4PerGroup, row);
  for (uint32_t j = 0; j < 20; ++j) {
    EXPECT_EQ(schema::NumberOfRow(schema::ElementType::Int4PerGroup, row, j), 0);
  }
}

// head(relu(layer(item))) + other(item)
Graph TwoLayers() {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const DenseId first = AddWeights(3, {1, 2, 3, -4, 0.1, 0.7}, {0.1, 0.2}, &graph);
  const DenseId second = AddWeights(3, {3, 1, 2, 1, 1, 1}, {}, &graph);
  const ValueId a =
      graph.Append("a", DenseOp(first, {schema::ActivationKind::Relu, {}}), {item}, 2);
  const ValueId b = graph.Append("b", DenseOp(second, {}), {item}, 2);
  const ValueId sum = graph.Append("sum", AddOp(), {a, b}, 2);
  graph.logit =
      graph.Append("head", DenseOp(AddWeights(2, {0.3, -0.7}, {1}, &graph), {}), {sum}, 1);
  return graph;
}

// Int8 is how numbers are stored: what is computed, and from what, stays.
TEST(QuantizeInt8Test, TheNodesStayAsTheyAre) {
  const Graph graph = TwoLayers();
  const Graph quantized = QuantizeInt8(graph);
  EXPECT_TRUE(Verify(quantized).ok()) << Verify(quantized);
  ASSERT_EQ(quantized.nodes.size(), graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    EXPECT_EQ(quantized.nodes[i].op.kind, graph.nodes[i].op.kind);
    EXPECT_EQ(quantized.nodes[i].op.weights, graph.nodes[i].op.weights);
    EXPECT_EQ(quantized.nodes[i].inputs, graph.nodes[i].inputs);
    EXPECT_EQ(quantized.nodes[i].output, graph.nodes[i].output);
  }
}

TEST(QuantizeInt8Test, TheHeadStaysFloat) {
  const Graph graph = QuantizeInt8(TwoLayers());
  EXPECT_EQ(graph.dense[0]->type, schema::ElementType::Int8PerRow);
  EXPECT_EQ(graph.dense[1]->type, schema::ElementType::Int8PerRow);
  EXPECT_EQ(graph.dense[2]->type, schema::ElementType::Float32);
  const Node& head = graph.nodes.back();
  EXPECT_EQ(graph.values[head.inputs[0]].name, "sum");
}

TEST(QuantizeInt8Test, WhatAStateIsMultipliedWithStaysFloat) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 2, &graph), &graph);
  const ValueId gates = graph.Append(
      "gates", DenseOp(AddWeights(2, std::vector<double>(12, 0.01), {}, &graph), {}), {seen}, 6);
  const DenseId state = AddWeights(2, std::vector<double>(12, 0.1), {}, &graph);
  const ValueId states = graph.Append("states", RecurrenceOp(state), {gates}, 2);
  const ValueId pooled = graph.Append("pooled", OperatorKind::PoolHistory, {states}, 2);
  graph.logit = graph.Append("head", DenseOp(AddWeights(2, {1, 1}, {}, &graph), {}), {pooled}, 1);
  const Graph quantized = QuantizeInt8(graph);
  EXPECT_TRUE(Verify(quantized).ok()) << Verify(quantized);
  EXPECT_EQ(quantized.dense[0]->type, schema::ElementType::Int8PerRow);
  EXPECT_EQ(quantized.dense[1]->type, schema::ElementType::Float32);
  EXPECT_EQ(quantized.dense[1]->weights[0], static_cast<double>(0.1f));
}

TEST(QuantizeInt8Test, WeightsStandForWhatIsStored) {
  const Graph graph = QuantizeInt8(TwoLayers());
  const DenseData& dense = *graph.dense[0];
  ASSERT_EQ(dense.int8.size(), 6u);
  ASSERT_EQ(dense.scales.size(), 2u);
  for (uint32_t j = 0; j < 2; ++j) {
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(dense.At(j, i), static_cast<double>(dense.scales[j]) * dense.int8[j * 3 + i]);
    }
  }
}

TEST(QuantizeInt8Test, TheLogitMovesByLittle) {
  const Graph graph = TwoLayers();
  const std::vector<double> before = SmallLogits(graph);
  const std::vector<double> after = SmallLogits(QuantizeInt8(graph));
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(after[i], before[i], 0.02 * std::abs(before[i]));
    EXPECT_NE(after[i], before[i]);  // Else nothing was quantised.
  }
}

TEST(QuantizeInt8Test, ATableStaysFloatWhenInt8WouldNotBeSmaller) {
  Graph graph = SmallGraph();
  const ValueId narrow = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId wide = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId all = graph.Append("all", kConcat, {narrow, wide}, 5);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(5, {1, 1, 1, 1, 1}, {}, &graph), {}), {all}, 1);
  const Graph quantized = QuantizeInt8(graph);
  EXPECT_EQ(quantized.tables[0]->type, schema::ElementType::Float32);
  EXPECT_EQ(quantized.tables[1]->type, schema::ElementType::Int8PerRow);
  EXPECT_EQ(quantized.tables[1]->floats.data(), graph.tables[1]->floats.data());
  // Rows of a scale, three numbers and a zero. Row 4 is (40, 41, 42): 42 is 127 steps.
  ASSERT_EQ(quantized.tables[1]->byte_count(), 5u * 8);
  std::vector<uint8_t> packed(5 * 8, 0xff);
  quantized.tables[1]->CopyRows(0, 5, packed.data());
  float scale;
  std::memcpy(&scale, packed.data() + 4 * 8, sizeof(scale));
  EXPECT_EQ(scale, 42.0f / 127);
  EXPECT_EQ(packed[4 * 8 + 4 + 2], 127);
  EXPECT_EQ(packed[4 * 8 + 7], 0);
  EXPECT_NEAR(quantized.tables[1]->At(4, 2), 42, 1e-5);
  EXPECT_NEAR(quantized.tables[1]->At(4, 0), 40, 42.0 / 127 / 2);
}

// head(layer(item)) + sum over events of layer(seen), of which the last stands in the context.
Graph LayersOfEveryDomain() {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 3, &graph), &graph);
  const std::vector<double> weights = {1, 2, 3, -4, 0.1, 0.7};
  const ValueId of_item =
      graph.Append("of_item", DenseOp(AddWeights(3, weights, {}, &graph), {}), {item}, 2);
  const ValueId of_seen =
      graph.Append("of_seen", DenseOp(AddWeights(3, weights, {}, &graph), {}), {seen}, 2);
  const ValueId pooled = graph.Append("pooled", OperatorKind::PoolHistory, {of_seen}, 2);
  const ValueId of_context = graph.Append(
      "of_context", DenseOp(AddWeights(2, {0.1, 2, 0.3, 0.4}, {}, &graph), {}), {pooled}, 2);
  const ValueId sum = graph.Append("sum", AddOp(), {of_item, of_context}, 2);
  graph.logit =
      graph.Append("head", DenseOp(AddWeights(2, {0.3, -0.7}, {1}, &graph), {}), {sum}, 1);
  return graph;
}

TEST(QuantizeInt8Test, LayersOfEveryDomainAreStoredIn8Bits) {
  const Graph graph = QuantizeInt8(LayersOfEveryDomain());
  EXPECT_TRUE(Verify(graph).ok()) << Verify(graph);
  for (const size_t layer : {0u, 1u, 2u}) {
    EXPECT_EQ(graph.dense[layer]->type, schema::ElementType::Int8PerRow) << layer;
  }
  EXPECT_EQ(graph.dense[3]->type, schema::ElementType::Float32);  // The head.
}

TEST(RoundToFloat16Test, TablesAndLayersAreHalves) {
  const Graph graph = LayersOfEveryDomain();
  const Graph halved = RoundToFloat16(graph);
  EXPECT_TRUE(Verify(halved).ok()) << Verify(halved);
  for (const auto& table : halved.tables) {
    EXPECT_EQ(table->type, schema::ElementType::Float16);
    EXPECT_EQ(table->byte_count(), 5u * 3 * 2);
    EXPECT_EQ(table->At(4, 2), 42);
  }
  for (const auto& dense : halved.dense) EXPECT_EQ(dense->type, schema::ElementType::Float16);
  EXPECT_EQ(halved.dense[1]->At(1, 1), 0.0999755859375);
  const std::vector<double> before = SmallLogits(graph);
  const std::vector<double> after = SmallLogits(halved);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(after[i], before[i], 1e-3 * std::abs(before[i]));
    EXPECT_NE(after[i], before[i]);  // Else nothing was rounded.
  }
}

TEST(RoundToFloat16Test, NumbersThatAHalfDoesNotTakeStayFloat32) {
  const struct {
    double largest;
    schema::ElementType type;
  } cases[] = {{0, schema::ElementType::Float16},          {65504, schema::ElementType::Float16},
               {-65504, schema::ElementType::Float16},     {65505, schema::ElementType::Float32},
               {-1e30, schema::ElementType::Float32},      {0x1p-14, schema::ElementType::Float16},
               {0x1.ffp-15, schema::ElementType::Float32}, {1e-30, schema::ElementType::Float32},
               {INFINITY, schema::ElementType::Float32}};
  for (const auto& [largest, type] : cases) {
    SCOPED_TRACE(largest);
    Graph graph = LayersOfEveryDomain();
    TableData table = *graph.tables[0];
    std::vector<float> floats(table.floats.size(), 0);
    floats[7] = static_cast<float>(largest);
    table.floats = std::move(floats);
    graph.tables[0] = std::make_shared<const TableData>(table);
    DenseData dense = *graph.dense[1];
    dense.weights.assign(dense.weights.size(), 0);
    dense.weights[2] = largest;
    graph.dense[1] = std::make_shared<const DenseData>(dense);
    const Graph halved = RoundToFloat16(graph);
    EXPECT_EQ(halved.tables[0]->type, type);
    EXPECT_EQ(halved.dense[1]->type, type);
    EXPECT_EQ(halved.tables[0]->At(2, 1), static_cast<double>(table.floats[7]));
    EXPECT_EQ(halved.tables[1]->type, schema::ElementType::Float16);
  }
}

TEST(RoundToFloat32Test, RoundsWhatABundleKeeps) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId dense = graph.Append(
      "dense", DenseOp(AddWeights(1, {0.1}, {0.3}, &graph), {schema::ActivationKind::Prelu, {0.7}}),
      {price}, 1);
  graph.logit = graph.Append("logit", AddOp({}, {0.9}), {dense}, 1);
  graph.Append("dice", ActivationOp({schema::ActivationKind::Dice, {0.1}, {0.2}, {0.3}}), {dense},
               1);
  const Graph rounded = RoundToFloat32(graph);
  EXPECT_EQ(rounded.dense[0]->weights[0], static_cast<double>(0.1f));
  EXPECT_EQ(rounded.dense[0]->bias[0], static_cast<double>(0.3f));
  EXPECT_EQ(rounded.nodes[1].op.activation().alpha[0], static_cast<double>(0.7f));
  EXPECT_EQ(rounded.nodes[2].op.bias[0], static_cast<double>(0.9f));
  const ActivationSpec& dice = rounded.nodes[3].op.activation();
  EXPECT_EQ(dice.alpha[0], static_cast<double>(0.1f));
  EXPECT_EQ(dice.scale[0], static_cast<double>(0.2f));
  EXPECT_EQ(dice.shift[0], static_cast<double>(0.3f));
}

}  // namespace
}  // namespace handpick::converter
