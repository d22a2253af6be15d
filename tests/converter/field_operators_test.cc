// Operators over fields side by side, and layers whose matrix is computed, through a bundle and the
// runtime.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/emit/emit.h"
#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/passes/lower.h"
#include "converter/plan/memory_plan.h"
#include "converter/quantize/quantize.h"
#include "converter/runtime/bundle_session.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using schema::ActivationKind;

// `count` fields of `width` numbers each, and layers of `outputs`.
struct Sizes {
  uint32_t count;
  uint32_t width;
  uint32_t outputs;
};

std::vector<double> Numbers(size_t count, double step) {
  std::vector<double> numbers;
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(std::sin(step * static_cast<double>(i + 1)) / 2);
  }
  return numbers;
}

DenseId Layer(uint32_t inputs, uint32_t outputs, double step, bool bias, Graph* graph) {
  return AddWeights(inputs, Numbers(size_t{inputs} * outputs, step),
                    bias ? Numbers(outputs, 2.3) : std::vector<double>(), graph);
}

// A matrix of the context's fields, which a candidate is multiplied with; a layer over the fields
// of both sides; and what a softmax has to know of the context's.
Graph Fields(const Sizes& sizes) {
  const uint32_t all = sizes.count * sizes.width;
  Graph graph = SmallGraph();
  TableData table;
  table.name = "table";
  table.rows = 6;
  table.dimension = all;
  std::vector<float> floats;
  for (uint32_t i = 0; i < 6 * all; ++i) {
    floats.push_back(std::sin(1.3f * static_cast<float>(i)));
  }
  table.floats = std::move(floats);
  const TableId id = graph.AddTable(std::move(table));
  const ValueId user = Embed(kUser, id, &graph);
  const ValueId item = Embed(kItem, id, &graph);
  Operator mix(OperatorKind::MixFields);
  mix.weights = {Layer(sizes.count, sizes.outputs, 0.7, false, &graph)};
  mix.numbers = Numbers(size_t{sizes.width} * sizes.outputs, 1.9);
  const ValueId matrix = graph.Append("matrix", mix, {user}, sizes.width * sizes.outputs);
  const ValueId first = graph.Append("first", SliceOp(0), {item}, sizes.width);
  Operator computed(OperatorKind::ContextDense);
  computed.activations = {{ActivationKind::Relu}};
  const ValueId folded = graph.Append("folded", computed, {first, matrix}, sizes.outputs);
  const ValueId row = graph.Append("row", DenseOp(Layer(all, sizes.outputs, 0.3, true, &graph)),
                                   {user}, sizes.outputs);
  computed.activations = {{ActivationKind::Prelu, Numbers(sizes.outputs, 0.1)}};
  const ValueId with_row =
      graph.Append("folded with row", computed, {first, matrix, row}, sizes.outputs);
  std::vector<ValueId> addends;
  const auto sum = [&](const std::string& name, ValueId value) {
    const uint32_t width = graph.WidthOf(value);
    addends.push_back(graph.Append(absl::StrCat(name, " sum"),
                                   DenseOp(Layer(width, 1, 0.9, false, &graph)), {value}, 1));
  };
  sum("folded", folded);
  sum("folded with row", with_row);
  for (const ValueId value : {user, item}) {
    const std::string name = value == user ? "user" : "item";
    Operator layer(OperatorKind::FieldDense);
    layer.weights = {Layer(sizes.width, sizes.outputs, 1.1, true, &graph)};
    layer.activations = {{ActivationKind::Relu}};
    const ValueId hidden =
        graph.Append(absl::StrCat(name, " layer"), layer, {value}, sizes.count * sizes.outputs);
    layer.weights = {Layer(sizes.outputs, 1, 0.6, false, &graph)};
    layer.activations = {{ActivationKind::Prelu, Numbers(sizes.count, 0.4)}};
    const ValueId scores =
        graph.Append(absl::StrCat(name, " scores"), layer, {hidden}, sizes.count);
    sum(name, scores);
    if (value == user) {
      addends.push_back(graph.Append("log sum", OperatorKind::LogSumExp, {scores}, 1));
    }
  }
  addends.push_back(graph.Append("half", ConstantOp({0.5}), {}, 1));
  graph.logit = graph.Append("logit", AddOp(), addends, 1);
  return graph;
}

std::string BundleOf(const Graph& graph, schema::Precision precision) {
  const absl::StatusOr<Graph> lowered = Lower(graph);
  EXPECT_TRUE(lowered.ok()) << lowered.status();
  const absl::StatusOr<MemoryPlan> plan = PlanMemory(*lowered, 0);
  EXPECT_TRUE(plan.ok()) << plan.status();
  const auto bundle = Emit(*lowered, *plan, precision, "test");
  EXPECT_TRUE(bundle.ok()) << bundle.status();
  return *Serialize(*bundle);
}

class FieldOperatorsTest : public ::testing::TestWithParam<Sizes> {
 protected:
  // The runtime on each instruction set, against the reference on what the bundle holds.
  static void ExpectRuntimeAgrees(const std::string& bytes, double tolerance) {
    const absl::StatusOr<Graph> decoded = DecodeBundle(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    const std::vector<double> expected = SmallLogits(*decoded);
    testing::OnEveryInstructionSet([&] {
      const auto session = BundleSession::Open(bytes);
      ASSERT_TRUE(session.ok()) << session.status();
      const auto scored = (*session)->Score(SmallRequest());
      ASSERT_TRUE(scored.ok()) << scored.status();
      ASSERT_EQ(scored->logits.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(scored->logits[i], expected[i],
                    tolerance * std::max(1.0, std::abs(expected[i])))
            << "candidate " << i;
      }
    });
  }
};

TEST_P(FieldOperatorsTest, TheRuntimeComputesWhatTheReferenceDoes) {
  const Graph graph = Fields(GetParam());
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  const std::string bytes = BundleOf(RoundToFloat32(graph), schema::Precision::Float32);
  const std::vector<double> expected = SmallLogits(graph);
  const std::vector<double> decoded = SmallLogits(*DecodeBundle(bytes));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(decoded[i], expected[i], 1e-5 * std::max(1.0, std::abs(expected[i])));
  }
  ExpectRuntimeAgrees(bytes, 1e-5);
}

TEST_P(FieldOperatorsTest, WithFewerBitsToo) {
  const Graph graph = Fields(GetParam());
  ExpectRuntimeAgrees(BundleOf(RoundToFloat16(graph), schema::Precision::Float16), 1e-5);
  ExpectRuntimeAgrees(BundleOf(QuantizeInt8(graph), schema::Precision::Int8), 3e-2);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FieldOperatorsTest,
                         ::testing::Values(Sizes{1, 1, 1}, Sizes{2, 3, 1}, Sizes{3, 4, 5},
                                           Sizes{7, 1, 8}, Sizes{5, 16, 33}, Sizes{12, 9, 64}));

}  // namespace
}  // namespace handpick::converter
