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
  graph.logit = graph.Append("logit", DenseOp(dense, {}), {value}, 1);
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
                             EmbeddingSumOp({{kItem, table, schema::Combiner::Sum, 0},
                                             {kTags, table, schema::Combiner::Mean, 0}}),
                             {user}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{20 + 40 + 30, 20 + 10 + 0}));
}

TEST(ReferenceTest, ConcatAndSliceAreInverse) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId all = graph.Append("all", kConcat, {price, age}, 3);
  const ValueId last = graph.Append("last", SliceOp(1), {all}, 2);
  EXPECT_EQ(SmallLogits(WithLogit(graph, all, {1, 10, 100})), (Logits{2 + 5 - 100, -3 + 5 - 100}));
  EXPECT_EQ(SmallLogits(WithLogit(graph, last, {10, 100})), (Logits{-95, -95}));
}

TEST(ReferenceTest, DenseMultipliesAddsBiasAndRowThenActivates) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const DenseId weights = AddWeights(1, {2, -2}, {1, 0.25}, &graph);
  const ValueId hidden =
      graph.Append("hidden", DenseOp(weights, {schema::ActivationKind::Relu, {}}), {price, age}, 2);
  // (2 p + 1 + 0.5, -2 p + 0.25 - 1): (5.5, -4.75) and (-4.5, 5.25).
  EXPECT_EQ(SmallLogits(WithLogit(graph, hidden, {1, 100})), (Logits{5.5, 525}));
}

TEST(ReferenceTest, BatchNormNormalizesByColumn) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  BatchNormStatistics norm;
  norm.mean = {0.25, 1};
  norm.variance = {3.5, 0.0625 - 0.5};
  norm.scale = {2, 3};
  norm.offset = {0.5, -1};
  norm.epsilon = 0.5;
  const ValueId normal = graph.Append("normal", BatchNormOp(norm), {age}, 2);
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
      {{schema::ActivationKind::LogSigmoid, {}},
       -std::log1p(std::exp(-0.5)),
       -1 - std::log1p(std::exp(-1))},
      {{schema::ActivationKind::Prelu, {0.25}}, 0.5, -0.25},
      {{schema::ActivationKind::Prelu, {9, 0.125}}, 0.5, -0.125},
  };
  for (const Case& c : cases) {
    Graph graph = SmallGraph();
    const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
    const ValueId active = graph.Append("active", ActivationOp(c.activation), {age}, 2);
    EXPECT_DOUBLE_EQ(SmallLogits(WithLogit(graph, active, {1, 0}))[0], c.at_half);
    EXPECT_DOUBLE_EQ(SmallLogits(WithLogit(graph, active, {0, 1}))[0], c.at_minus_one);
  }
}

TEST(ReferenceTest, AddBroadcastsTheContextAndAddsItsBias) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId one = graph.Append("one", ConstantOp({1}), {}, 1);
  graph.logit = graph.Append("sum", AddOp({}, {100}), {price, user, one}, 1);
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
    Operator pool = OperatorKind::PoolHistory;
    pool.combiner = c.combiner;
    if (c.masked) pool.features = {kSeen};
    graph.logit = graph.Append("pooled", pool, {seen}, 1);
    EXPECT_EQ(SmallLogits(graph), (Logits{c.expected, c.expected}));
  }
}

TEST(ReferenceTest, AnEmptyHistoryPoolsToItsEmptyValue) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  Operator pool = OperatorKind::PoolHistory;
  pool.combiner = schema::Combiner::Max;
  pool.empty_value = -1e9;
  graph.logit = graph.Append("pooled", pool, {seen}, 1);
  Request request = SmallRequest();
  request.event_counts = {0};
  request.history.clear();
  const auto logits = EvaluateReference(graph, request);
  ASSERT_TRUE(logits.ok()) << logits.status();
  EXPECT_EQ(*logits, (Logits{-1e9, -1e9}));
}

TEST(ReferenceTest, EventsBeyondTheMaximumDropTheOldest) {
  Graph graph = SmallGraph();
  graph.sequences[0].max_events = 2;
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  graph.logit = graph.Append("pooled", OperatorKind::PoolHistory, {seen}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{30, 30}));
}

// What a processor rounds is its own business: a layer in 8 bits computes with the weights that are
// stored, and with what it reads as it is.
TEST(ReferenceTest, LayersIn8BitsReadTheirInputsAsTheyAre) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {age, price}, 3);
  DenseData int8;
  int8.name = "int8";
  int8.input_width = 3;
  int8.output_width = 1;
  int8.type = schema::ElementType::Int8PerRow;
  int8.int8 = {127, 2, -3};
  int8.scales = {0.5f};
  int8.weights = {63.5, 1, -1.5};
  graph.logit = graph.Append("logit", DenseOp(graph.AddDense(int8)), {all}, 1);
  // (0.5, -1, 2) and (0.5, -1, -3): no multiples of 1 / 255 of what is between their extremes.
  EXPECT_EQ(SmallLogits(graph), (Logits{31.75 - 1 - 3, 31.75 - 1 + 4.5}));
}

// Events of SmallRequest() have prices of 10, 0 and 30 in a counting table of width 1.
ValueId Seen(Graph* graph) { return Embed(kSeen, AddCountingTable(5, 1, graph), graph); }

// price * seen, which is (20, 0, 60) and (-30, 0, -90).
ValueId PriceOfEachEvent(ValueId seen, Graph* graph) {
  const ValueId price = graph->Append("price", NumericOp(kPrice), {}, 1);
  return graph->Append("priced", OperatorKind::Multiply, {price, seen}, 1);
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

void ExpectNear(const Logits& logits, const Logits& expected) {
  ASSERT_EQ(logits.size(), expected.size());
  for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-12);
}

TEST(ReferenceTest, MultiplyAndSubtractGoColumnByColumn) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {item, age}, 2);
  const ValueId difference = graph.Append("difference", kSubtract, {product, item}, 2);
  // (40, 41) * (0.5, -1) - (40, 41) = (-20, -82); (10, 11): (-5, -22).
  EXPECT_EQ(SmallLogits(WithLogit(graph, difference, {1, 1000})), (Logits{-82020, -22005}));
}

TEST(ReferenceTest, BiInteractionIsTheSumOfTheProductsOfAllPairs) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(5, 2, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId pairs = graph.Append("pairs", kBiInteractionOfAll, {user, item, age}, 2);
  const ValueId sum = graph.Append("sum", AddOp(), {user, item, age}, 2);
  std::vector<ValueId> squared;
  for (ValueId v : {user, item, age}) {
    squared.push_back(graph.Append("square", OperatorKind::Multiply, {v, v}, 2));
  }
  const ValueId squares = graph.Append("squares", AddOp(), squared, 2);
  const ValueId of_sums = graph.Append("of sums", OperatorKind::BiInteraction, {sum, squares}, 2);
  // Candidate 0: 20 * 40 + 20 * 0.5 + 40 * 0.5 = 830; 21 * 41 - 21 - 41 = 799.
  // Candidate 1: 200 + 10 + 5 = 215; 231 - 21 - 11 = 199.
  EXPECT_EQ(SmallLogits(WithLogit(graph, pairs, {1, 0})), (Logits{830, 215}));
  EXPECT_EQ(SmallLogits(WithLogit(graph, pairs, {0, 1})), (Logits{799, 199}));
  EXPECT_EQ(SmallLogits(WithLogit(graph, of_sums, {1, 1000})), (Logits{799830, 199215}));
}

TEST(ReferenceTest, EmbeddingSumSquaresWhatWasPooled) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  graph.logit = graph.Append("sum",
                             EmbeddingSumOp({{kItem, table, schema::Combiner::Sum, 0},
                                             {kTags, table, schema::Combiner::Mean, 0}},
                                            /*squared=*/true),
                             {user}, 1);
  EXPECT_EQ(SmallLogits(graph), (Logits{20 + 1600 + 900, 20 + 100}));
}

TEST(ReferenceTest, DiceLeansTowardsTheSlopeWhereItsSigmoidIsSmall) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  graph.logit = graph.Append(
      "dice", ActivationOp({schema::ActivationKind::Dice, {0.25}, {0.5}, {-1}}), {price}, 1);
  const double p = Sigmoid(-3 * 0.5 - 1);
  ExpectNear(SmallLogits(graph), {0.5 * 2 + 0.5 * 0.25 * 2, p * -3 + (1 - p) * 0.25 * -3});
}

TEST(ReferenceTest, PairsAreEvaluatedPerCandidateAndEvent) {
  Graph graph = SmallGraph();
  const ValueId seen = Seen(&graph);
  const ValueId priced = PriceOfEachEvent(seen, &graph);
  graph.logit = graph.Append("pool", WeightedPoolOp(), {priced, seen}, 1);
  // 20 * 10 + 60 * 30; -30 * 10 - 90 * 30.
  EXPECT_EQ(SmallLogits(graph), (Logits{2000, -3000}));
}

TEST(ReferenceTest, SoftmaxGoesOverTheEventsOfACandidate) {
  Graph graph = SmallGraph();
  const ValueId seen = Seen(&graph);
  const ValueId score = graph.Append("score", DenseOp(AddWeights(1, {0.01}, {3}, &graph), {}),
                                     {PriceOfEachEvent(seen, &graph)}, 1);
  const ValueId weight = graph.Append("weight", OperatorKind::SoftmaxOverHistory, {score}, 1);
  graph.logit = graph.Append("pool", WeightedPoolOp(), {weight, seen}, 1);
  const auto pooled = [](double a, double b, double c) {
    return (std::exp(a) * 10 + std::exp(c) * 30) / (std::exp(a) + std::exp(b) + std::exp(c));
  };
  ExpectNear(SmallLogits(graph), {pooled(0.2, 0, 0.6), pooled(-0.3, 0, -0.9)});
}

TEST(ReferenceTest, AWeightedPoolOfNoEventsIsItsEmptyValue) {
  Graph graph = SmallGraph();
  const ValueId seen = Seen(&graph);
  const ValueId priced = PriceOfEachEvent(seen, &graph);
  Request request = SmallRequest();
  request.event_counts = {0};
  request.history = {{kSeen, {}}};
  graph.logit = graph.Append("pool", WeightedPoolOp({-5}), {priced, seen}, 1);
  EXPECT_EQ(*EvaluateReference(graph, request), (Logits{-5, -5}));
  graph.logit = graph.Append("pool", WeightedPoolOp(), {priced, seen}, 1);
  EXPECT_EQ(*EvaluateReference(graph, request), (Logits{0, 0}));
}

// Of a state of width 1: input sides (0.01, 0.02, -0.03) * seen, state weights (0.4, -0.5, 0.6) and
// their bias (0.1, 0.2, 0.3).
struct SmallCell {
  explicit SmallCell(Graph* graph)
      : seen(Seen(graph)),
        gates(graph->Append("gates", DenseOp(AddWeights(1, {0.01, 0.02, -0.03}, {}, graph), {}),
                            {seen}, 3)),
        weights(AddWeights(1, {0.4, -0.5, 0.6}, {0.1, 0.2, 0.3}, graph)) {}
  ValueId seen, gates;
  DenseId weights;
};

// The cell's r, z and n for an event and a state.
struct Gates {
  Gates(double r_in, double z_in, double n_in, double h)
      : z(Sigmoid(z_in - 0.5 * h + 0.2)),
        n(std::tanh(n_in + Sigmoid(r_in + 0.4 * h + 0.1) * (0.6 * h + 0.3))) {}
  Gates(double seen, double h) : Gates(0.01 * seen, 0.02 * seen, -0.03 * seen, h) {}
  double z, n;
};

TEST(ReferenceTest, ARecurrenceCarriesItsStateFromEventToEvent) {
  Graph graph = SmallGraph();
  const SmallCell cell(&graph);
  const ValueId states = graph.Append("states", RecurrenceOp(cell.weights), {cell.gates}, 1);
  graph.logit = graph.Append("sum", OperatorKind::PoolHistory, {states}, 1);
  double h = 0, sum = 0;
  for (const double seen : {10, 0, 30}) {
    const Gates gates(seen, h);
    h = (1 - gates.z) * gates.n + gates.z * h;
    sum += h;
  }
  ExpectNear(SmallLogits(graph), {sum, sum});
}

TEST(ReferenceTest, StatesBeyondTheMaximumAreComputedAgainOrCarriedOn) {
  Graph graph = SmallGraph();
  graph.sequences[0].max_events = 2;
  const SmallCell cell(&graph);
  const ValueId states = graph.Append("states", RecurrenceOp(cell.weights), {cell.gates}, 1);
  graph.logit = graph.Append("sum", OperatorKind::PoolHistory, {states}, 1);
  const auto sum_of_last_two = [](std::vector<double> events) {
    double h = 0;
    std::vector<double> all;
    for (const double seen : events) {
      const Gates gates(seen, h);
      all.push_back(h = (1 - gates.z) * gates.n + gates.z * h);
    }
    return all[all.size() - 2] + all.back();
  };
  const double again = sum_of_last_two({0, 30});
  const double carried = sum_of_last_two({10, 0, 30});
  ASSERT_NE(again, carried);
  ExpectNear(SmallLogits(graph), {again, again});
  graph.sequences[0].beyond_maximum = schema::BeyondMaximum::Carry;
  ExpectNear(SmallLogits(graph), {carried, carried});
}

// With attention 0.01 * price * seen + 0.4, and the biases (0.7, -0.8, 0.9) of an input that it
// scales.
Graph SmallAttentionRecurrence(schema::RecurrentCell kind) {
  Graph graph = SmallGraph();
  const SmallCell cell(&graph);
  const ValueId attention =
      graph.Append("attention", DenseOp(AddWeights(1, {0.01}, {0.4}, &graph), {}),
                   {PriceOfEachEvent(cell.seen, &graph)}, 1);
  Operator op = AttentionRecurrenceOp(kind, cell.weights);
  if (kind == schema::RecurrentCell::AttentionInputGru ||
      kind == schema::RecurrentCell::ResetFirstAttentionInputGru) {
    op.numbers = {0.7, -0.8, 0.9};
  }
  graph.logit = graph.Append("state", op, {cell.gates, attention}, 1);
  return graph;
}

TEST(ReferenceTest, EachCellOfARecurrenceWithAttention) {
  for (const auto kind :
       {schema::RecurrentCell::AttentionInputGru, schema::RecurrentCell::AttentionGru,
        schema::RecurrentCell::AttentionUpdateGru}) {
    const Graph graph = SmallAttentionRecurrence(kind);
    const bool has_bias = kind == schema::RecurrentCell::AttentionInputGru;
    Logits expected;
    for (const double price : {2, -3}) {
      double h = 0;
      for (const double seen : {10, 0, 30}) {
        const double a = 0.01 * price * seen + 0.4;
        if (has_bias) {
          const Gates gates(a * 0.01 * seen + 0.7, a * 0.02 * seen - 0.8, a * -0.03 * seen + 0.9,
                            h);
          h = (1 - gates.z) * gates.n + gates.z * h;
        } else {
          const Gates gates(seen, h);
          const double u = kind == schema::RecurrentCell::AttentionGru ? a : a * gates.z;
          h = (1 - u) * h + u * gates.n;
        }
      }
      expected.push_back(h);
    }
    ExpectNear(SmallLogits(graph), expected);
  }
}

// The same with the reset before the product.
struct ResetFirstGates {
  ResetFirstGates(double r_in, double z_in, double n_in, double h)
      : z(Sigmoid(z_in - 0.5 * h + 0.2)),
        n(std::tanh(n_in + 0.6 * (Sigmoid(r_in + 0.4 * h + 0.1) * h) + 0.3)) {}
  double z, n;
};

TEST(ReferenceTest, ARecurrenceMayResetFirst) {
  Graph graph = SmallGraph();
  const SmallCell cell(&graph);
  const ValueId states = graph.Append(
      "states", RecurrenceOp(cell.weights, schema::RecurrentCell::ResetFirstGru), {cell.gates}, 1);
  graph.logit = graph.Append("sum", OperatorKind::PoolHistory, {states}, 1);
  double h = 0, sum = 0;
  for (const double seen : {10, 0, 30}) {
    const ResetFirstGates gates(0.01 * seen, 0.02 * seen, -0.03 * seen, h);
    h = (1 - gates.z) * gates.n + gates.z * h;
    sum += h;
  }
  ExpectNear(SmallLogits(graph), {sum, sum});
}

TEST(ReferenceTest, EachCellWithAttentionThatResetsFirst) {
  for (const auto kind : {schema::RecurrentCell::ResetFirstAttentionInputGru,
                          schema::RecurrentCell::ResetFirstAttentionGru,
                          schema::RecurrentCell::ResetFirstAttentionKeepGru}) {
    const Graph graph = SmallAttentionRecurrence(kind);
    const bool scales = kind == schema::RecurrentCell::ResetFirstAttentionInputGru;
    Logits expected;
    for (const double price : {2, -3}) {
      double h = 0;
      for (const double seen : {10, 0, 30}) {
        const double a = 0.01 * price * seen + 0.4;
        const double x = scales ? a * seen : seen;
        const double bias[] = {scales ? 0.7 : 0, scales ? -0.8 : 0, scales ? 0.9 : 0};
        const ResetFirstGates gates(0.01 * x + bias[0], 0.02 * x + bias[1], -0.03 * x + bias[2], h);
        double keep = gates.z;
        if (kind == schema::RecurrentCell::ResetFirstAttentionGru) keep = 1 - a;
        if (kind == schema::RecurrentCell::ResetFirstAttentionKeepGru) keep = (1 - a) * gates.z;
        h = keep * h + (1 - keep) * gates.n;
      }
      expected.push_back(h);
    }
    ExpectNear(SmallLogits(graph), expected);
  }
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
