// Operators that work within a row, in each domain, through a bundle and the runtime.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/graph.h"
#include "converter/passes/lower.h"
#include "converter/plan/memory_plan.h"
#include "converter/runtime/bundle_session.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

// A table of six rows; f gives number i.
template <typename F>
TableId AddTableOf(uint32_t dimension, F f, Graph* graph) {
  TableData table;
  table.name = "table";
  table.rows = 6;
  table.dimension = dimension;
  std::vector<float> floats;
  for (uint32_t i = 0; i < 6 * dimension; ++i) floats.push_back(f(i));
  table.floats = std::move(floats);
  return graph->AddTable(std::move(table));
}

float Sine(float step, uint32_t i) { return std::sin(step * static_cast<float>(i)); }

// Rows of three numbers of the context, an event, a candidate and a pair, in one logit, through an
// operator; f gives the table's numbers.
template <typename F>
Graph FourRows(OperatorKind kind, F f) {
  Graph graph = SmallGraph();
  const TableId id = AddTableOf(3, f, &graph);
  const auto of = [&](const char* name, ValueId value) {
    return graph.Append(name, kind, {value}, 3);
  };
  const ValueId context = of("context", Embed(kUser, id, &graph));
  const ValueId event = of("event", Embed(kSeen, id, &graph));
  const ValueId candidate = of("candidate", Embed(kItem, id, &graph));
  const ValueId pair =
      of("pair", graph.Append("product", OperatorKind::Multiply, {event, candidate}, 3));
  const ValueId score =
      graph.Append("score", DenseOp(AddWeights(3, {3, -1, 2}, {}, &graph)), {pair}, 1);
  const ValueId pool = graph.Append("pool", WeightedPoolOp(), {score, event}, 3);
  const ValueId all = graph.Append("all", AddOp(), {pool, candidate, context}, 3);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(3, {1, -2, 4}, {}, &graph)), {all}, 1);
  return graph;
}

Graph FourSoftmaxes() {
  return FourRows(OperatorKind::RowSoftmax, [](uint32_t i) { return Sine(1.7f, i); });
}

// Inner products and weighted sums in each domain, and of each kind of broadcast operand.
Graph Reductions() {
  Graph graph = SmallGraph();
  const TableId id = AddTableOf(
      6, [](uint32_t i) { return Sine(1.3f, i); }, &graph);
  const auto narrow = [&](const char* name, ValueId value) {
    return graph.Append(name,
                        DenseOp(AddWeights(6, {1, 0, 0, 2, 0, 0, 0, -1, 0, 0, 1, 0}, {}, &graph)),
                        {value}, 2);
  };
  // Two groups of three columns each; their products weigh the groups.
  const auto reduce = [&](const std::string& name, ValueId a, ValueId b) {
    const ValueId products =
        graph.Append(name + " products", OperatorKind::InnerProduct, {a, b}, 2);
    const ValueId weighted =
        graph.Append(name + " sum", OperatorKind::WeightedSum, {products, b}, 3);
    return graph.Append(name, DenseOp(AddWeights(3, {1, 2, -1, 0, 1, 3}, {}, &graph)), {weighted},
                        2);
  };
  const ValueId user = Embed(kUser, id, &graph);
  const ValueId seen = Embed(kSeen, id, &graph);
  const ValueId item = Embed(kItem, id, &graph);
  const ValueId tags = Embed(kTags, id, &graph, schema::Combiner::Mean);
  const ValueId event = reduce("event", seen, seen);
  Operator pool = OperatorKind::PoolHistory;
  const ValueId pooled = graph.Append("pool", pool, {event}, 2);
  const ValueId pair = reduce("pair", seen, item);
  const ValueId score =
      graph.Append("score", DenseOp(AddWeights(2, {0.25, -0.5}, {}, &graph)), {pair}, 1);
  const ValueId attended = graph.Append("attended", WeightedPoolOp(), {score, event}, 2);
  const ValueId mixed = reduce("user and item", user, item);
  const ValueId turned = reduce("item and user", item, user);
  // A vector times a number: of the context times the candidate's, and the reverse.
  const ValueId one =
      graph.Append("one", DenseOp(AddWeights(6, {1, 0, 0, 0, 0, -1}, {}, &graph)), {item}, 1);
  const ValueId scaled =
      graph.Append("scaled", OperatorKind::WeightedSum, {one, narrow("narrow user", user)}, 2);
  const ValueId all = graph.Append("all", AddOp(),
                                   {reduce("user", user, user), pooled, attended, mixed, turned,
                                    reduce("items", item, tags), scaled},
                                   2);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(2, {1, -2}, {}, &graph)), {all}, 1);
  return graph;
}

// Row 0 of the table is zeros, which stay zeros.
Graph FourDirections() {
  return FourRows(OperatorKind::RowNormalize,
                  [](uint32_t i) { return i < 3 ? 0 : 1e-3f * Sine(1.7f, i); });
}

class RowOperatorsTest : public ::testing::TestWithParam<Graph (*)()> {};

TEST_P(RowOperatorsTest, TheRuntimeComputesWhatTheReferenceDoes) {
  const Graph graph = GetParam()();
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  const std::vector<double> expected = SmallLogits(graph);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  const absl::StatusOr<MemoryPlan> plan = PlanMemory(*lowered, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto bundle = Emit(*lowered, *plan, schema::Precision::Float32, "test");
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  const absl::StatusOr<std::string> bytes = Serialize(*bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  testing::OnEveryInstructionSet([&] {
    const auto session = BundleSession::Open(*bytes);
    ASSERT_TRUE(session.ok()) << session.status();
    const auto scored = (*session)->Score(SmallRequest());
    ASSERT_TRUE(scored.ok()) << scored.status();
    ASSERT_EQ(scored->logits.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(scored->logits[i], expected[i], 1e-5) << "candidate " << i;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, RowOperatorsTest,
                         ::testing::Values(&FourSoftmaxes, &Reductions, &FourDirections));

}  // namespace
}  // namespace handpick::converter
