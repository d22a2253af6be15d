#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "converter/passes/lower.h"
#include "converter/pipeline.h"
#include "converter/plan/arena.h"
#include "converter/plan/memory_plan.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// bytes, alignment, first step, last step
using Buffers = std::vector<ArenaBuffer>;
using Offsets = std::vector<uint64_t>;

TEST(ArenaTest, PlacesNothing) { EXPECT_TRUE(PlanArena({}).empty()); }

TEST(ArenaTest, BuffersThatMeetInTimeLieSideBySide) {
  EXPECT_EQ(PlanArena(Buffers{{100, 4, 0, 1}, {40, 4, 1, 2}}), (Offsets{0, 100}));
}

TEST(ArenaTest, BuffersThatDoNotMeetShareMemory) {
  EXPECT_EQ(PlanArena(Buffers{{100, 4, 0, 1}, {40, 4, 2, 3}}), (Offsets{0, 0}));
}

TEST(ArenaTest, AChainOfLayersTakesTwoBuffers) {
  // Each is made at the step where the one before is read last.
  const Buffers chain = {{64, 4, 0, 1}, {256, 4, 1, 2}, {128, 4, 2, 3}, {4, 4, 3, 4}};
  const Offsets offsets = PlanArena(chain);
  EXPECT_EQ(offsets, (Offsets{256, 0, 256, 0}));
  EXPECT_EQ(ArenaBytes(chain, offsets), 384u);
}

TEST(ArenaTest, AGapIsFilledWhereItIsLargeEnough) {
  // The second is gone when the fourth comes; the third stays beyond it.
  const Buffers buffers = {{100, 4, 0, 9}, {80, 4, 0, 2}, {60, 4, 0, 9}, {40, 4, 3, 9}};
  EXPECT_EQ(PlanArena(buffers), (Offsets{0, 100, 180, 100}));
}

TEST(ArenaTest, OffsetsAreAligned) {
  EXPECT_EQ(PlanArena(Buffers{{100, 64, 0, 9}, {20, 64, 0, 9}, {12, 8, 0, 9}}),
            (Offsets{0, 128, 104}));
}

TEST(ArenaTest, NoTwoLiveBuffersOverlapAndTheArenaIsNoLargerThanAllOfThem) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Random random(seed);
    Buffers buffers;
    uint64_t sum = 0;
    for (int64_t count = random.Between(1, 40); count > 0; --count) {
      ArenaBuffer buffer;
      buffer.bytes = static_cast<uint64_t>(random.Between(1, 300)) * 4;
      buffer.alignment = uint64_t{4} << random.Below(5);
      buffer.first_step = random.Below(20);
      buffer.last_step = buffer.first_step + random.Below(8);
      sum += RoundUp(buffer.bytes, 64);
      buffers.push_back(buffer);
    }
    const Offsets offsets = PlanArena(buffers);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(offsets[i] % buffers[i].alignment, 0u) << "seed " << seed;
      for (size_t j = 0; j < i; ++j) {
        const bool meet = buffers[i].first_step <= buffers[j].last_step &&
                          buffers[j].first_step <= buffers[i].last_step;
        const bool overlap = offsets[i] < offsets[j] + buffers[j].bytes &&
                             offsets[j] < offsets[i] + buffers[i].bytes;
        EXPECT_FALSE(meet && overlap) << "seed " << seed << ", buffers " << i << " and " << j;
      }
    }
    EXPECT_LE(ArenaBytes(buffers, offsets), sum) << "seed " << seed;
  }
}

absl::StatusOr<MemoryPlan> LowerAndPlan(Graph* graph, uint32_t tile) {
  absl::StatusOr<Graph> lowered = Lower(*graph);
  if (!lowered.ok()) return lowered.status();
  *graph = *lowered;
  return PlanMemory(*graph, tile);
}

TEST(MemoryPlanTest, PartsOfAConcatenationAreWrittenInPlace) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {price, item}, 4);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(4, {1, 2, 3, 4}, {}, &graph), {}), {all}, 1);
  const size_t nodes = graph.nodes.size();
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(graph.nodes.size(), nodes) << "a copy was inserted";
  EXPECT_EQ(plan->places[price].buffer, plan->places[all].buffer);
  EXPECT_EQ(plan->places[item].buffer, plan->places[all].buffer);
  EXPECT_EQ(plan->places[price].column, 0u);
  EXPECT_EQ(plan->places[item].column, 1u);
  ASSERT_EQ(plan->buffers.size(), 2u);
  EXPECT_EQ(plan->buffers[0].width, 4u);
  EXPECT_EQ(plan->RowBytes(Domain::Candidate()), 20u);
}

TEST(MemoryPlanTest, AValueLiesInOneConcatenationAndIsCopiedIntoOthers) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId a = graph.Append("a", kConcat, {price, item}, 4);
  const ValueId b = graph.Append("b", kConcat, {item, item}, 6);
  const ValueId x = graph.Append("x", DenseOp(AddWeights(4, {1, 2, 3, 4}, {}, &graph), {}), {a}, 1);
  const ValueId y =
      graph.Append("y", DenseOp(AddWeights(6, {1, 2, 3, 4, 5, 6}, {}, &graph), {}), {b}, 1);
  graph.logit = graph.Append("logit", AddOp(), {x, y}, 1);
  const std::vector<double> before = SmallLogits(graph);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  size_t copies = 0;
  for (const Node& node : graph.nodes) copies += node.op.Is(OperatorKind::Copy);
  EXPECT_EQ(copies, 2u);  // Both places in `b`: the value itself lies in `a`.
  EXPECT_EQ(SmallLogits(graph), before);
}

TEST(MemoryPlanTest, AContextValueInACandidatesConcatenationIsCopied) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {user, price}, 3);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(3, {1, 2, 3}, {}, &graph), {}), {all}, 1);
  const std::vector<double> before = SmallLogits(graph);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(SmallLogits(graph), before);
  EXPECT_EQ(plan->buffers[plan->places[user].buffer].domain, Domain::Context());
  EXPECT_EQ(plan->buffers[plan->places[all].buffer].domain, Domain::Candidate());
}

TEST(MemoryPlanTest, TheTileKeepsTheCandidatesMemoryNear256KiB) {
  const auto tile_of = [](uint32_t width, uint32_t events = 3) {
    Graph graph = SmallGraph();
    graph.sequences = {{"history", events}};
    const ValueId item = Embed(kItem, AddCountingTable(5, width, &graph), &graph);
    graph.logit = graph.Append(
        "logit", DenseOp(AddWeights(width, std::vector<double>(width, 1), {}, &graph), {}), {item},
        1);
    const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
    return plan.ok() ? plan->tile : 0;
  };
  EXPECT_EQ(tile_of(4), 240u);    // No more than five panels.
  EXPECT_EQ(tile_of(4, 0), 96u);  // No more than two without a history.
  EXPECT_EQ(tile_of(682, 0), 48u);
  EXPECT_EQ(tile_of(681), 96u);   // 2728 bytes a row: 96 fit.
  EXPECT_EQ(tile_of(682), 48u);   // 2732: 95 would.
  EXPECT_EQ(tile_of(1364), 48u);  // 5460: 48.
  EXPECT_EQ(tile_of(1365), 32u);  // 5464: 47.
  EXPECT_EQ(tile_of(100000), 16u);
}

// sum over the events of (item * seen) . 1 * seen, with a recurrence beside it; values 2 `width`
// wide per candidate and event.
Graph PairGraph(uint32_t width, uint32_t events) {
  Graph graph = SmallGraph();
  graph.sequences = {{"history", events}};
  const TableId table = AddCountingTable(5, width, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId seen = Embed(kSeen, table, &graph);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {item, seen}, width);
  const ValueId again = graph.Append("again", OperatorKind::Multiply, {product, seen}, width);
  const DenseId sum = AddWeights(width, std::vector<double>(width, 0.001), {}, &graph);
  const ValueId weight = graph.Append("weight", DenseOp(sum, {}), {again}, 1);
  graph.logit = graph.Append("logit", DenseOp(sum, {}),
                             {graph.Append("pool", WeightedPoolOp(), {weight, seen}, width)}, 1);
  return graph;
}

TEST(MemoryPlanTest, PairsReuseTheirMemory) {
  Graph graph = PairGraph(10, 3);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  // Two values of 10; the weight takes the place of the first.
  EXPECT_EQ(plan->RowBytes(Domain::Pair()), 80u);
}

TEST(MemoryPlanTest, TheTileKeepsThePairsMemoryNear640KiB) {
  const auto tile_of = [](uint32_t width, uint32_t events) {
    Graph graph = PairGraph(width, events);
    const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
    return plan.ok() ? plan->tile : 0;
  };
  EXPECT_EQ(tile_of(10, 3), 240u);
  EXPECT_EQ(tile_of(10, 50), 144u);  // 80 bytes * 50 events + 84 a candidate: 160 fit.
  EXPECT_EQ(tile_of(30, 50), 48u);   // 12244: 53.
  EXPECT_EQ(tile_of(40, 50), 32u);   // 16324: 40.
  EXPECT_EQ(tile_of(80, 50), 16u);   // 32644: 20.
  EXPECT_EQ(tile_of(1000, 50), 16u);
}

// States are kept with the events; what a recurrence works in is no value, and no plan's business.
TEST(MemoryPlanTest, RecurrencesTakeTheirStatesAlone) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 6, &graph), &graph);
  const DenseId state = AddWeights(2, std::vector<double>(12, 0.01), {}, &graph);
  const ValueId states = graph.Append("states", RecurrenceOp(state), {seen}, 2);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const DenseId first = AddWeights(2, {1, 0}, {}, &graph);
  const ValueId score = graph.Append("score", DenseOp(first, {}), {states}, 1);
  const ValueId attention = graph.Append("attention", OperatorKind::Multiply, {price, score}, 1);
  const ValueId last =
      graph.Append("last", AttentionRecurrenceOp(schema::RecurrentCell::AttentionGru, state),
                   {seen, attention}, 2);
  graph.logit = graph.Append("logit", DenseOp(first, {}), {last}, 1);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->buffers.size(), graph.values.size());
  EXPECT_EQ(plan->RowBytes(Domain::Context()), 0u);
  EXPECT_EQ(plan->RowBytes(Domain::History()), 4u * (6 + 2 + 1));
  EXPECT_EQ(plan->RowBytes(Domain::Pair()), 4u);
  // Candidates have the last state and the logit beside it; the price was there before.
  EXPECT_EQ(plan->RowBytes(Domain::Candidate()), 12u);
}

TEST(MemoryPlanTest, RefusesMorePairsThanARuntimeTakes) {
  Graph graph = PairGraph(1, 2000);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 65536);
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.status().message().find("tile 65536 times a history of 2000"), std::string::npos)
      << plan.status();
}

TEST(MemoryPlanTest, RefusesATileThatNoRuntimeTakes) {
  Graph graph = SmallGraph();
  graph.logit = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  const absl::StatusOr<MemoryPlan> plan = LowerAndPlan(&graph, 1000000);
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.status().message().find("tile is 1000000"), std::string::npos);
}

// What the runtime relies on, over whole models: offsets aligned, buffers inside their regions, and
// no two that share bytes while both are in use.
TEST(MemoryPlanTest, RandomModelsHaveNoOverlapsInUse) {
  const std::vector<const char*> kinds = EveryKind();
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const RandomModel model = MakeRandomModel(seed, kinds[seed % kinds.size()]);
    for (const auto precision : {schema::Precision::Float32, schema::Precision::Int8}) {
      const absl::StatusOr<Conversion> conversion =
          Convert(model.spec, model.weights, {precision, 0, "test"});
      ASSERT_TRUE(conversion.ok()) << conversion.status();
      const Graph& graph = conversion->program;
      const absl::StatusOr<MemoryPlan> plan = PlanMemory(graph, 0);
      ASSERT_TRUE(plan.ok()) << plan.status();
      std::vector<size_t> first(plan->buffers.size(), SIZE_MAX), last(plan->buffers.size(), 0);
      const auto use = [&](ValueId value, size_t step) {
        const uint32_t buffer = plan->places[value].buffer;
        first[buffer] = std::min(first[buffer], step);
        last[buffer] = std::max(last[buffer], step);
      };
      for (size_t n = 0; n < graph.nodes.size(); ++n) {
        for (ValueId input : graph.nodes[n].inputs) use(input, n);
        use(graph.nodes[n].output, n);
      }
      use(graph.logit, graph.nodes.size());
      for (size_t i = 0; i < plan->buffers.size(); ++i) {
        const PlannedBuffer& a = plan->buffers[i];
        const uint64_t a_bytes = sizeof(float) * uint64_t{a.width};
        EXPECT_EQ(a.offset % (a.domain == Domain::Context() ? 64 : 4), 0u);
        EXPECT_LE(a.offset + a_bytes, plan->RowBytes(a.domain, a.sequence));
        for (size_t j = 0; j < i; ++j) {
          const PlannedBuffer& b = plan->buffers[j];
          if (a.domain != b.domain || a.sequence != b.sequence) continue;
          const bool meet =
              !a.domain.has_candidate() || (first[i] <= last[j] && first[j] <= last[i]);
          const bool overlap =
              a.offset < b.offset + sizeof(float) * b.width && b.offset < a.offset + a_bytes;
          EXPECT_FALSE(meet && overlap) << "seed " << seed << ", buffers " << i << " and " << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace handpick::converter
