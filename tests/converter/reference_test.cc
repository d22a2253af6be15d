// The reference interpreter against numbers computed by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "converter/graph/graph.h"
#include "converter/reference/interpreter.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using Logits = std::vector<double>;

// The logit is the sum of the value's columns, weighted.
Graph WithLogit(Graph graph, ValueId value, std::vector<double> weights) {
  const DenseId dense = AddWeights(graph.WidthOf(value), std::move(weights), {}, &graph);
  graph.logit = graph.Append("logit", DenseOp{dense, {}}, {value}, 1);
  return graph;
}

TEST(ReferenceTest, EmbeddingReadsTheRowOfTheId) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  // Rows 4 and 1 are (40, 41) and (10, 11).
  EXPECT_EQ(SmallLogits(WithLogit(graph, item, {1, 1000})), (Logits{41040, 11010}));
}

TEST(ReferenceTest, ContextIsTheSameForEveryCandidate) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  EXPECT_EQ(SmallLogits(WithLogit(graph, user, {1})), (Logits{20, 20}));
}

TEST(ReferenceTest, PoolsTheValuesOfARow) {
  struct Case {
    schema::Combiner combiner;
    Logits expected;
  };
  // Rows 1 and 5 are 10 and 50; the second candidate has none.
  for (const Case& c : {Case{schema::Combiner::Sum, {60, 0}}, Case{schema::Combiner::Mean, {30, 0}},
                        Case{schema::Combiner::Max, {50, -7}}}) {
    Graph graph = SmallGraph();
    const ValueId tags =
        Embed(kTags, AddCountingTable(6, 1, &graph), &graph, c.combiner, /*empty_value=*/-7);
    EXPECT_EQ(SmallLogits(WithLogit(graph, tags, {1})), c.expected);
  }
}

TEST(ReferenceTest, EmbeddingSumAddsItsLookupsAndItsAddend) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  graph.logit = graph.Append("sum",
                             EmbeddingSumOp{{{kItem, table, schema::Combiner::Sum, 0},
                                             {kTags, table, schema::Combiner::Mean, 0}}},
                             {user}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{20 + 40 + 30, 20 + 10 + 0}));
}

TEST(ReferenceTest, ConcatAndSliceAreInverse) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp{kPrice}, {}, 1);
  const ValueId age = graph.Append("age", NumericOp{kAge}, {}, 2);
  const ValueId all = graph.Append("all", ConcatOp{}, {price, age}, 3);
  const ValueId last = graph.Append("last", SliceOp{1}, {all}, 2);
  EXPECT_EQ(SmallLogits(WithLogit(graph, all, {1, 10, 100})), (Logits{2 + 5 - 100, -3 + 5 - 100}));
  EXPECT_EQ(SmallLogits(WithLogit(graph, last, {10, 100})), (Logits{-95, -95}));
}

TEST(ReferenceTest, DenseMultipliesAddsBiasAndRowThenActivates) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp{kPrice}, {}, 1);
  const ValueId age = graph.Append("age", NumericOp{kAge}, {}, 2);
  const DenseId weights = AddWeights(1, {2, -2}, {1, 0.25}, &graph);
  const ValueId hidden =
      graph.Append("hidden", DenseOp{weights, {schema::ActivationKind::Relu, {}}}, {price, age}, 2);
  // (2 p + 1 + 0.5, -2 p + 0.25 - 1): (5.5, -4.75) and (-4.5, 5.25).
  EXPECT_EQ(SmallLogits(WithLogit(graph, hidden, {1, 100})), (Logits{5.5, 525}));
}

TEST(ReferenceTest, BatchNormNormalizesByColumn) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp{kAge}, {}, 2);
  BatchNormOp norm;
  norm.mean = {0.25, 1};
  norm.variance = {3.5, 0.0625 - 0.5};
  norm.scale = {2, 3};
  norm.offset = {0.5, -1};
  norm.epsilon = 0.5;
  const ValueId normal = graph.Append("normal", norm, {age}, 2);
  // (0.5 - 0.25) / 2 * 2 + 0.5 = 0.75;  (-1 - 1) / 0.25 * 3 - 1 = -25
  EXPECT_EQ(SmallLogits(WithLogit(graph, normal, {100, 1})), (Logits{50, 50}));
}

TEST(ReferenceTest, ActivationsAreTheirDefinitions) {
  struct Case {
    ActivationSpec activation;
    double at_half;
    double at_minus_one;
  };
  const Case cases[] = {
      {{schema::ActivationKind::Linear, {}}, 0.5, -1},
      {{schema::ActivationKind::Relu, {}}, 0.5, 0},
      {{schema::ActivationKind::Sigmoid, {}}, 1 / (1 + std::exp(-0.5)), 1 / (1 + std::exp(1))},
      {{schema::ActivationKind::Tanh, {}}, std::tanh(0.5), std::tanh(-1)},
      {{schema::ActivationKind::Prelu, {0.25}}, 0.5, -0.25},
      {{schema::ActivationKind::Prelu, {9, 0.125}}, 0.5, -0.125},
  };
  for (const Case& c : cases) {
    Graph graph = SmallGraph();
    const ValueId age = graph.Append("age", NumericOp{kAge}, {}, 2);
    const ValueId active = graph.Append("active", ActivationOp{c.activation}, {age}, 2);
    EXPECT_DOUBLE_EQ(SmallLogits(WithLogit(graph, active, {1, 0}))[0], c.at_half);
    EXPECT_DOUBLE_EQ(SmallLogits(WithLogit(graph, active, {0, 1}))[0], c.at_minus_one);
  }
}

TEST(ReferenceTest, AddBroadcastsTheContextAndAddsItsBias) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp{kPrice}, {}, 1);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId one = graph.Append("one", ConstantOp{{1}}, {}, 1);
  graph.logit = graph.Append("sum", AddOp{{}, {100}}, {price, user, one}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{123, 118}));
}

TEST(ReferenceTest, HistoryIsPooledOverTheEventsThatCount) {
  struct Case {
    schema::Combiner combiner;
    bool masked;
    double expected;
  };
  // Events 1, 0, 3; event 0 is the padding row. Their rows are 10, 0, 30.
  for (const Case& c :
       {Case{schema::Combiner::Sum, false, 40}, Case{schema::Combiner::Mean, false, 40.0 / 3},
        Case{schema::Combiner::Mean, true, 20}, Case{schema::Combiner::Max, true, 30}}) {
    Graph graph = SmallGraph();
    const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
    PoolHistoryOp pool;
    pool.combiner = c.combiner;
    if (c.masked) pool.mask_feature = kSeen;
    graph.logit = graph.Append("pooled", pool, {seen}, 1);
    EXPECT_EQ(SmallLogits(graph), (Logits{c.expected, c.expected}));
  }
}

TEST(ReferenceTest, AnEmptyHistoryPoolsToItsEmptyValue) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  PoolHistoryOp pool;
  pool.combiner = schema::Combiner::Max;
  pool.empty_value = -1e9;
  graph.logit = graph.Append("pooled", pool, {seen}, 1);
  Request request = SmallRequest();
  request.event_count = 0;
  request.history.clear();
  const auto logits = EvaluateReference(graph, request);
  ASSERT_TRUE(logits.ok()) << logits.status();
  EXPECT_EQ(*logits, (Logits{-1e9, -1e9}));
}

TEST(ReferenceTest, EventsBeyondTheMaximumDropTheOldest) {
  Graph graph = SmallGraph();
  graph.max_history = 2;
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  graph.logit = graph.Append("pooled", PoolHistoryOp{}, {seen}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{30, 30}));
}

TEST(ReferenceTest, QuantizeKeepsExtremesAndZero) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp{kAge}, {}, 2);
  const ValueId price = graph.Append("price", NumericOp{kPrice}, {}, 1);
  const ValueId all = graph.Append("all", ConcatOp{}, {age, price}, 3);
  const ValueId rounded = graph.Append("rounded", QuantizeOp{}, {all}, 3);
  // The first candidate's row is (0.5, -1, 2): steps of 3 / 255.
  const double step = 3.0 / 255;
  const double rounded_half = SmallLogits(WithLogit(graph, rounded, {1, 0, 0}))[0];
  EXPECT_NEAR(rounded_half, 0.5, step / 2 + 1e-12);
  EXPECT_NEAR(rounded_half / step, std::round(rounded_half / step), 1e-9);
  EXPECT_NEAR(SmallLogits(WithLogit(graph, rounded, {0, 1, 0}))[0], -1, 1e-12);
  EXPECT_NEAR(SmallLogits(WithLogit(graph, rounded, {0, 0, 1}))[0], 2, 1e-12);
}

TEST(ReferenceTest, NamesAFeatureThatIsMissing) {
  Graph graph = SmallGraph();
  graph.logit = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  Request request = SmallRequest();
  request.candidates.erase(request.candidates.begin());
  const auto logits = EvaluateReference(graph, request);
  ASSERT_FALSE(logits.ok());
  EXPECT_NE(logits.status().message().find("'item'"), std::string::npos) << logits.status();
}

}  // namespace
}  // namespace handpick::converter
