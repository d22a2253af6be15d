// A row divided by its length, in each domain, through a bundle and the runtime.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/graph.h"
#include "converter/passes/lower.h"
#include "converter/plan/memory_plan.h"
#include "converter/reference/interpreter.h"
#include "converter/runtime/bundle_session.h"
#include "tests/support/instruction_sets.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

// Directions of the context, an event, a candidate and a pair, in one logit. Row 0 of the table is
// zeros, which stay zeros.
Graph FourDirections() {
  Graph graph = SmallGraph();
  TableData table;
  table.name = "table";
  table.rows = 6;
  table.dimension = 3;
  for (int i = 0; i < 18; ++i) {
    table.floats.push_back(i < 3 ? 0 : 1e-3f * std::sin(1.7f * static_cast<float>(i)));
  }
  const TableId id = graph.AddTable(std::move(table));
  const auto direction = [&](const char* name, ValueId value) {
    return graph.Append(name, OperatorKind::RowNormalize, {value}, 3);
  };
  const ValueId context = direction("context", Embed(kUser, id, &graph));
  const ValueId event = direction("event", Embed(kSeen, id, &graph));
  const ValueId candidate = direction("candidate", Embed(kItem, id, &graph));
  const ValueId pair =
      direction("pair", graph.Append("product", OperatorKind::Multiply, {event, candidate}, 3));
  const ValueId score =
      graph.Append("score", DenseOp(AddWeights(3, {3, -1, 2}, {}, &graph)), {pair}, 1);
  const ValueId pool = graph.Append("pool", WeightedPoolOp(), {score, event}, 3);
  const ValueId all = graph.Append("all", AddOp(), {pool, candidate, context}, 3);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(3, {1, -2, 4}, {}, &graph)), {all}, 1);
  return graph;
}

TEST(RowNormalizeTest, TheRuntimeComputesWhatTheReferenceDoes) {
  const Graph graph = FourDirections();
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

}  // namespace
}  // namespace handpick::converter
