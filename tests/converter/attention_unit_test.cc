// The activation unit as one node: what becomes one, what it computes, how it is stored, and its
// way through a bundle.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/passes/fuse_attention_unit.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/pipeline.h"
#include "converter/quantize/quantize.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using schema::ActivationKind;
using schema::ElementType;

size_t Count(OperatorKind kind, const Graph& graph) {
  size_t count = 0;
  for (const Node& node : graph.nodes) count += node.op.Is(kind);
  return count;
}

const Operator& UnitOf(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (const auto* unit = node.op.As(OperatorKind::AttentionUnit)) return *unit;
  }
  ADD_FAILURE() << "the graph has no unit";
  static const auto* none = new Operator();
  return *none;
}

// A unit as the passes before leave it, over the items, 2 wide: layers of `widths`, the last of
// which has one output, over query layer + product layer + key row.
struct UnitGraph {
  std::vector<uint32_t> widths = {3, 1};
  bool query_bias = false;
  bool product_bias = false;
  std::vector<double> sum_bias = {};
  bool hidden_is_read_elsewhere = false;
  bool query_layer_is_read_elsewhere = false;
  bool other_factor = false;  // The product is of another value than the query.
  bool softmax = false;
  ActivationKind activation = ActivationKind::Sigmoid;

  static DenseId Layer(uint32_t in, uint32_t out, int salt, bool bias, Graph* graph) {
    std::vector<double> weights;
    for (uint32_t i = 0; i < in * out; ++i) weights.push_back(0.1 * std::sin(1.3 * i + salt));
    std::vector<double> biases;
    for (uint32_t i = 0; bias && i < out; ++i) biases.push_back(0.2 * std::cos(i + salt));
    return AddWeights(in, weights, biases, graph);
  }

  Graph Make() const {
    Graph graph = SmallGraph();
    const TableId table = AddCountingTable(5, 2, &graph);
    const ValueId q = Embed(kItem, table, &graph);
    const ValueId k = Embed(kSeen, table, &graph);
    const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
    const ValueId prices = graph.Append("prices", kConcat, {price, price}, 2);
    const ValueId product =
        graph.Append("product", OperatorKind::Multiply, {k, other_factor ? prices : q}, 2);
    const uint32_t width = widths[0];
    const ValueId from_query =
        graph.Append("from query", DenseOp(Layer(2, width, 1, query_bias, &graph), {}), {q}, width);
    const ValueId from_product = graph.Append(
        "from product", DenseOp(Layer(2, width, 2, product_bias, &graph), {}), {product}, width);
    const ValueId from_key =
        graph.Append("from key", DenseOp(Layer(2, width, 3, true, &graph), {}), {k}, width);
    ValueId x = graph.Append("sum", AddOp({activation, {}}, sum_bias),
                             {from_key, from_product, from_query}, width);
    std::vector<ValueId> logits;
    if (hidden_is_read_elsewhere) {
      const ValueId other =
          graph.Append("other", DenseOp(Layer(width, 1, 7, false, &graph), {}), {x}, 1);
      logits.push_back(graph.Append("other pool", WeightedPoolOp(), {other, k}, 2));
    }
    if (query_layer_is_read_elsewhere) {
      logits.push_back(graph.Append("query again", DenseOp(Layer(width, 2, 8, false, &graph), {}),
                                    {from_query}, 2));
    }
    for (size_t i = 1; i < widths.size(); ++i) {
      const bool last = i + 1 == widths.size();
      Operator layer =
          DenseOp(Layer(widths[i - 1], widths[i], 10 + static_cast<int>(i), true, &graph));
      if (!last) layer.activation().kind = ActivationKind::Relu;
      x = graph.Append("layer " + std::to_string(i), layer, {x}, widths[i]);
    }
    if (softmax) x = graph.Append("softmax", OperatorKind::SoftmaxOverHistory, {x}, 1);
    logits.push_back(graph.Append("pool", WeightedPoolOp(), {x, k}, 2));
    const ValueId all =
        logits.size() == 1 ? logits[0] : graph.Append("all", AddOp(), std::move(logits), 2);
    graph.logit =
        graph.Append("logit", DenseOp(AddWeights(2, {0.5, -0.25}, {}, &graph), {}), {all}, 1);
    return graph;
  }
};

void ExpectSameLogits(const Graph& a, const Graph& b) {
  const std::vector<double> before = SmallLogits(a);
  const std::vector<double> after = SmallLogits(b);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-9);
}

Graph Fused(const Graph& graph) {
  const Graph fused = RemoveDeadCode(FuseAttentionUnit(graph));
  EXPECT_TRUE(Verify(fused).ok()) << Verify(fused);
  ExpectSameLogits(graph, fused);
  return fused;
}

TEST(FuseAttentionUnitTest, AllLayersBecomeOneNode) {
  for (const std::vector<uint32_t>& widths :
       {std::vector<uint32_t>{3, 1}, {1, 1}, {5, 4, 1}, {4, 1, 1}, {3, 3, 3, 3, 1}}) {
    UnitGraph unit;
    unit.widths = widths;
    const Graph graph = unit.Make();
    const Graph fused = Fused(graph);
    EXPECT_EQ(Count(OperatorKind::AttentionUnit, fused), 1u);
    EXPECT_EQ(Count(OperatorKind::Multiply, fused), 0u);
    EXPECT_EQ(Count(OperatorKind::Add, fused), 0u);
    EXPECT_EQ(UnitOf(fused).activation().kind, ActivationKind::Sigmoid);
    // The query's layer and the product's are one for each event.
    uint64_t pair = 2 * widths[0] + 2;
    for (size_t i = 1; i < widths.size(); ++i) pair += widths[i - 1] * widths[i];
    const Cost cost = CountWork(fused);
    EXPECT_EQ(cost.pair.multiply_accumulates, pair);
    EXPECT_EQ(cost.candidate.multiply_accumulates, 2u);
    EXPECT_EQ(cost.event.multiply_accumulates, 2u * widths[0]);
  }
}

TEST(FuseAttentionUnitTest, AUnitEndsAtItsFirstLayerOfOneOutput) {
  UnitGraph unit;
  unit.widths = {4, 1, 1};
  const Graph fused = Fused(unit.Make());
  EXPECT_EQ(UnitOf(fused).weights.size(), 2u + 1);
  EXPECT_EQ(Count(OperatorKind::Dense, fused), 3u);  // The key's, the layer behind, the logit.
}

TEST(FuseAttentionUnitTest, AQueryLayerThatIsReadElsewhereStaysForItsOtherReader) {
  UnitGraph unit;
  unit.query_layer_is_read_elsewhere = true;
  const Graph fused = Fused(unit.Make());
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, fused), 1u);
  EXPECT_EQ(CountWork(fused).candidate.multiply_accumulates, 2u * 3 + 3 * 2 + 2);
}

TEST(FuseAttentionUnitTest, LayersThatAreReadElsewhereStayApart) {
  UnitGraph unit;
  unit.hidden_is_read_elsewhere = true;
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(unit.Make())), 0u);
}

TEST(FuseAttentionUnitTest, BiasesBesideTheKeysRowStayApart) {
  UnitGraph of_query;
  of_query.query_bias = true;
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(of_query.Make())), 0u);
  UnitGraph of_product;
  of_product.product_bias = true;
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(of_product.Make())), 0u);
  UnitGraph of_sum;
  of_sum.sum_bias = {1, 2, 3};
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(of_sum.Make())), 0u);
}

TEST(FuseAttentionUnitTest, AUnitOfOneLayerStaysAsItIs) {
  UnitGraph unit;
  unit.widths = {1};
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(unit.Make())), 0u);
}

TEST(FuseAttentionUnitTest, AProductWithAnotherValueThanTheQueryStaysApart) {
  UnitGraph unit;
  unit.other_factor = true;
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(unit.Make())), 0u);
}

TEST(FuseAttentionUnitTest, MoreLayersThanARuntimeTakesStayApart) {
  UnitGraph unit;
  unit.widths.assign(17, 2);
  unit.widths.back() = 1;
  EXPECT_EQ(UnitOf(Fused(unit.Make())).weights.size(), 2u + 16);
  unit.widths.insert(unit.widths.begin(), 2);
  EXPECT_EQ(Count(OperatorKind::AttentionUnit, Fused(unit.Make())), 0u);
}

// ---- the reference interpreter ----

// Items 4 (40, 41) and 1 (10, 11) beside the event 3 of an int8 unit, straight from the schema's
// description: a processor may round more, the reference rounds nothing but what is stored.
TEST(AttentionUnitReferenceTest, ComputesWithTheStoredWeights) {
  Graph graph = SmallGraph();
  graph.sequences[0].max_events = 1;  // Of the request's three events the last, seen 3: (30, 31).
  const TableId table = AddCountingTable(5, 2, &graph);
  const ValueId q = Embed(kItem, table, &graph);
  const ValueId k = Embed(kSeen, table, &graph);
  const ValueId row = graph.Append(
      "row", DenseOp(AddWeights(2, {0.01, 0.02, -0.01, 0.03}, {}, &graph), {}), {k}, 2);
  Operator op = OperatorKind::AttentionUnit;
  op.weights = {AddWeights(2, {0.012, -0.007, 0.003, 0.011}, {}, &graph),
                AddWeights(2, {0.0004, 0.0003, -0.0002, 0.0001}, {}, &graph),
                AddWeights(2, {0.3, -0.6}, {0.05}, &graph)};
  op.activations = {{ActivationKind::Sigmoid}, {}};
  graph.dense[op.weights[2]] = [&] {
    DenseData int8 = *graph.dense[op.weights[2]];
    int8.type = ElementType::Int8PerRow;
    int8.int8 = {50, -100};
    int8.scales = {0.006f};
    return std::make_shared<const DenseData>(int8);
  }();
  const ValueId score = graph.Append("score", op, {q, k, row}, 1);
  const ValueId pool = graph.Append("pool", WeightedPoolOp(), {score, k}, 2);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(2, {1, 0}, {}, &graph), {}), {pool}, 1);
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  const std::vector<double> logits = SmallLogits(graph);
  ASSERT_EQ(logits.size(), 2u);

  const double query_weights[2][2] = {{0.012, -0.007}, {0.003, 0.011}};
  const double product_weights[2][2] = {{0.0004, 0.0003}, {-0.0002, 0.0001}};
  const double key_row[2] = {0.01 * 30 + 0.02 * 31, -0.01 * 30 + 0.03 * 31};
  const double key[2] = {30, 31};
  const double items[2][2] = {{40, 41}, {10, 11}};
  for (int candidate = 0; candidate < 2; ++candidate) {
    const double* item = items[candidate];
    double hidden[2];
    for (int j = 0; j < 2; ++j) {
      double sum = key_row[j];
      for (int i = 0; i < 2; ++i) {
        sum += (query_weights[j][i] + product_weights[j][i] * key[i]) * item[i];
      }
      hidden[j] = 1 / (1 + std::exp(-sum));
    }
    const double expected = (0.3 * hidden[0] - 0.6 * hidden[1] + 0.05) * 30;
    EXPECT_NEAR(logits[candidate], expected, 1e-9) << "candidate " << candidate;
  }
}

// ---- int8 ----

TEST(QuantizeAttentionTest, TheFirstMatrixStaysFloatAndTheLayersBehindAreStoredAsInt8) {
  UnitGraph unit;
  unit.widths = {4, 3, 1};
  const Graph graph = QuantizeInt8(Fused(unit.Make()));
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  const Operator& op = UnitOf(graph);
  ASSERT_EQ(op.weights.size(), 4u);
  EXPECT_EQ(graph.dense[op.weights[0]]->type, ElementType::Float32);
  EXPECT_EQ(graph.dense[op.weights[1]]->type, ElementType::Float32);
  EXPECT_EQ(graph.dense[op.weights[2]]->type, ElementType::Int8PerRow);
  EXPECT_EQ(graph.dense[op.weights[3]]->type, ElementType::Float32);  // One output.
}

TEST(QuantizeAttentionTest, AUnitsLogitsMoveByLittle) {
  UnitGraph unit;
  unit.widths = {6, 4, 1};
  unit.softmax = true;
  for (const auto activation :
       {ActivationKind::Sigmoid, ActivationKind::Relu, ActivationKind::Tanh}) {
    unit.activation = activation;
    const Graph graph = Fused(unit.Make());
    const std::vector<double> before = SmallLogits(graph);
    const std::vector<double> after = SmallLogits(QuantizeInt8(graph));
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_NE(before[i], after[i]);
      EXPECT_NEAR(before[i], after[i], 0.05 * std::abs(before[i]));
    }
  }
}

// The recurrence of `cell` over a unit's scores, with or without a softmax over them.
ElementType RecurrenceWeightsAfterQuantization(schema::RecurrentCell cell, bool softmax) {
  UnitGraph unit;
  unit.softmax = softmax;
  Graph graph = unit.Make();
  ValueId attention = 0;
  ValueId keys = 0;
  for (const Node& node : graph.nodes) {
    if (!node.op.Is(OperatorKind::WeightedPool)) continue;
    attention = node.inputs[0];
    keys = node.inputs[1];
  }
  const DenseId state = UnitGraph::Layer(2, 6, 20, true, &graph);
  const ValueId gates =
      graph.Append("gates", DenseOp(UnitGraph::Layer(2, 6, 21, false, &graph), {}), {keys}, 6);
  Operator op = AttentionRecurrenceOp(cell, state);
  if (cell == schema::RecurrentCell::AttentionInputGru) op.numbers.assign(6, 0.1);
  const ValueId last = graph.Append("last", op, {gates, attention}, 2);
  graph.logit = graph.Append("of last", DenseOp(AddWeights(2, {1, 1}, {}, &graph), {}), {last}, 1);
  const Graph quantized = QuantizeInt8(RemoveDeadCode(graph));
  EXPECT_TRUE(Verify(quantized).ok()) << Verify(quantized);
  for (const Node& node : quantized.nodes) {
    if (const auto* recurrence = node.op.As(OperatorKind::AttentionRecurrence)) {
      return quantized.dense[recurrence->weights[0]]->type;
    }
  }
  ADD_FAILURE() << "no recurrence";
  return ElementType::Unknown;
}

TEST(QuantizeAttentionTest, AStateThatStaysWithinOneIsMultipliedAsInt8) {
  using schema::RecurrentCell;
  // A softmax makes of each new state a mean, and the gates of AIGRU do so by themselves.
  for (const auto cell : {RecurrentCell::AttentionGru, RecurrentCell::AttentionUpdateGru,
                          RecurrentCell::AttentionInputGru}) {
    EXPECT_EQ(RecurrenceWeightsAfterQuantization(cell, true), ElementType::Int8PerRow);
  }
  EXPECT_EQ(RecurrenceWeightsAfterQuantization(RecurrentCell::AttentionInputGru, false),
            ElementType::Int8PerRow);
  EXPECT_EQ(RecurrenceWeightsAfterQuantization(RecurrentCell::AttentionGru, false),
            ElementType::Float32);
  EXPECT_EQ(RecurrenceWeightsAfterQuantization(RecurrentCell::AttentionUpdateGru, false),
            ElementType::Float32);
}

TEST(QuantizeAttentionTest, LayersTooWideForSumsOf32BitsStayFloat) {
  for (const uint32_t width : {65536u, 65537u}) {
    Graph graph = SmallGraph();
    const ValueId item = Embed(kItem, AddCountingTable(5, width, &graph), &graph);
    const DenseId layer = AddWeights(width, std::vector<double>(2 * width, 0.01), {}, &graph);
    const ValueId x = graph.Append("layer", DenseOp(layer, {}), {item}, 2);
    graph.logit = graph.Append("logit", DenseOp(AddWeights(2, {1, 1}, {}, &graph), {}), {x}, 1);
    EXPECT_EQ(QuantizeInt8(graph).dense[layer]->type,
              width == 65536 ? ElementType::Int8PerRow : ElementType::Float32);
  }
}

// ---- the bundle ----

TEST(AttentionUnitBundleTest, ComesBackAsItWentIn) {
  for (const auto precision : {schema::Precision::Float32, schema::Precision::Int8}) {
    for (const char* kind : {"din", "dien"}) {
      const RandomModel model = AttentionWorkload(kind, {5, 3, 4, 2, 20, {6, 4}, {8}});
      const absl::StatusOr<Conversion> conversion =
          Convert(model.spec, model.weights, {precision, 0, "test"});
      ASSERT_TRUE(conversion.ok()) << conversion.status();
      const absl::StatusOr<std::string> bytes = Serialize(conversion->bundle);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      const absl::StatusOr<Graph> decoded = DecodeBundle(*bytes);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      const Graph& program = conversion->program;
      const Operator& before = UnitOf(program);
      const Operator& after = UnitOf(*decoded);
      ASSERT_EQ(after.activations.size(), before.activations.size());
      ASSERT_EQ(after.activations.size(), 3u);
      for (size_t i = 0; i < after.activations.size(); ++i) {
        EXPECT_EQ(after.activations[i].kind, before.activations[i].kind);
        EXPECT_EQ(after.activations[i].alpha, before.activations[i].alpha);
        EXPECT_EQ(after.activations[i].scale, before.activations[i].scale);
        EXPECT_EQ(after.activations[i].shift, before.activations[i].shift);
      }
      const auto expect_same = [&](DenseId a, DenseId b) {
        const DenseData& x = *program.dense[a];
        const DenseData& y = *decoded->dense[b];
        EXPECT_EQ(x.type, y.type);
        ASSERT_EQ(x.input_width, y.input_width);
        ASSERT_EQ(x.output_width, y.output_width);
        EXPECT_EQ(x.bias, y.bias);
        for (uint32_t j = 0; j < x.output_width; ++j) {
          for (uint32_t i = 0; i < x.input_width; ++i) ASSERT_EQ(x.At(j, i), y.At(j, i));
        }
      };
      ASSERT_EQ(after.weights.size(), before.weights.size());
      ASSERT_EQ(after.weights.size(), 4u);
      for (size_t i = 0; i < after.weights.size(); ++i) {
        expect_same(before.weights[i], after.weights[i]);
      }
    }
  }
}

}  // namespace
}  // namespace handpick::converter
