#include "converter/graph/graph.h"

#include <gtest/gtest.h>

#include <string>

#include "converter/graph/cost.h"
#include "converter/graph/infer_domains.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

// dense([item embedding (2), price (1)]) -> 1
Graph GoodGraph() {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {item, price}, 3);
  const DenseId weights = AddWeights(3, {1, 2, 3}, {0.5}, &graph);
  graph.logit = graph.Append("logit", DenseOp(weights, {}), {all}, 1);
  return graph;
}

void ExpectRefused(const Graph& graph, const std::string& message) {
  const absl::Status status = Verify(graph);
  ASSERT_FALSE(status.ok()) << "expected: " << message;
  EXPECT_NE(status.message().find(message), std::string::npos) << status;
}

TEST(VerifyTest, AcceptsAGoodGraph) {
  const absl::Status status = Verify(GoodGraph());
  EXPECT_TRUE(status.ok()) << status;
}

TEST(VerifyTest, RefusesAnOperandThatComesLater) {
  Graph graph = GoodGraph();
  std::swap(graph.nodes[1], graph.nodes[2]);
  ExpectRefused(graph, "'all' reads value price before it is made");
}

TEST(VerifyTest, RefusesAValueMadeTwice) {
  Graph graph = GoodGraph();
  graph.nodes.push_back(graph.nodes[1]);
  ExpectRefused(graph, "'price' is made twice");
}

TEST(VerifyTest, RefusesWidthsThatDisagree) {
  Graph graph = GoodGraph();
  graph.values[graph.nodes[2].output].width = 4;
  ExpectRefused(graph, "'all' (concat): its output is 4 wide, expected 3");
  graph = GoodGraph();
  graph.nodes[3].inputs = {graph.nodes[0].output};
  ExpectRefused(graph, "'logit' (dense): the input width of 'weights' is 3, expected 2");
}

TEST(VerifyTest, RefusesRecurrencesThatDoNotFit) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 3, &graph), &graph);
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const DenseId weights = AddWeights(1, {1, 2, 3}, {}, &graph);
  const ValueId states = graph.Append("states", RecurrenceOp(weights), {seen}, 1);
  graph.logit = graph.Append("logit", OperatorKind::PoolHistory, {states}, 1);
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  Graph bad = graph;
  bad.nodes[2].inputs = {item};
  ExpectRefused(bad, "'states' (recurrence): an input does not vary along the history");
  bad = graph;
  bad.nodes[2].op.weights = {AddWeights(1, {1, 2}, {}, &bad)};
  ExpectRefused(bad, "the output width of 'state weights' is 2, expected 3");
}

TEST(VerifyTest, RefusesAnActivationWithoutItsNumbers) {
  Graph graph = GoodGraph();
  auto& activation = graph.nodes[3].op.activation();
  activation = {schema::ActivationKind::Dice, {0.5}, {1}, {0}};
  EXPECT_TRUE(Verify(graph).ok()) << Verify(graph);
  activation.shift.clear();
  ExpectRefused(graph, "the number of an activation's shifts is 0, expected 1");
  activation = {schema::ActivationKind::Relu, {}, {1}, {1}};
  ExpectRefused(graph, "the number of an activation's scales is 1, expected 0");
}

TEST(VerifyTest, RefusesTablesWeightsAndFeaturesThatDoNotExist) {
  Graph graph = GoodGraph();
  graph.nodes[0].op.lookups[0].table = 7;
  ExpectRefused(graph, "reads table 7, which does not exist");
  graph = GoodGraph();
  graph.nodes[3].op.weights = {9};
  ExpectRefused(graph, "reads weights 9, which do not exist");
  graph = GoodGraph();
  graph.nodes[1].op.features = {99};
  ExpectRefused(graph, "reads feature 99, which does not exist");
}

TEST(VerifyTest, RefusesAFeatureOfTheWrongType) {
  Graph graph = GoodGraph();
  graph.nodes[1].op.features = {kItem};
  ExpectRefused(graph, "cannot read feature 'item'");
}

TEST(VerifyTest, RefusesATableWithTooFewRows) {
  Graph graph = SmallGraph();
  graph.logit = Embed(kItem, AddCountingTable(4, 1, &graph), &graph);
  ExpectRefused(graph, "has 4 rows, feature 'item' needs 5");
}

TEST(VerifyTest, RefusesALogitThatIsNoNumber) {
  Graph graph = GoodGraph();
  graph.logit = graph.nodes[2].output;
  ExpectRefused(graph, "the logit is 3 wide");
}

TEST(VerifyTest, RefusesTheWrongNumberOfSlopes) {
  Graph graph = GoodGraph();
  const ValueId active = graph.Append(
      "active", ActivationOp({schema::ActivationKind::Prelu, {1, 2}}), {graph.logit}, 1);
  graph.logit = active;
  ExpectRefused(graph, "the number of an activation's slopes is 2, expected 1");
}

TEST(DomainTest, UnionAndSubsetFollowTheAxes) {
  EXPECT_EQ(Domain::History().Union(Domain::Candidate()), Domain::Pair());
  EXPECT_EQ(Domain::Pair().WithoutEvent(), Domain::Candidate());
  EXPECT_TRUE(Domain::Context().SubsetOf(Domain::History()));
  EXPECT_FALSE(Domain::History().SubsetOf(Domain::Candidate()));
  EXPECT_EQ(Domain::Context().ToSchema(), schema::Domain::Context);
  EXPECT_EQ(Domain::Pair().ToSchema(), schema::Domain::Pair);
}

TEST(DomainTest, IsInferredFromFeaturesUpwards) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 2, &graph), &graph);
  const ValueId item = Embed(kItem, 1, &graph);
  const ValueId both = graph.Append("both", AddOp(), {seen, item}, 2);
  const ValueId pooled = graph.Append("pooled", OperatorKind::PoolHistory, {seen}, 2);
  const ValueId attended = graph.Append("attended", OperatorKind::PoolHistory, {both}, 2);
  const ValueId all = graph.Append("all", kConcat, {user, pooled}, 4);
  const std::vector<Domain> domains = InferDomains(graph);
  EXPECT_EQ(domains[user], Domain::Context());
  EXPECT_EQ(domains[seen], Domain::History());
  EXPECT_EQ(domains[item], Domain::Candidate());
  EXPECT_EQ(domains[both], Domain::Pair());
  EXPECT_EQ(domains[pooled], Domain::Context());
  EXPECT_EQ(domains[attended], Domain::Candidate());
  EXPECT_EQ(domains[all], Domain::Context());
}

TEST(CostTest, CountsMultiplicationsAndRowsByDomain) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 4, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId seen = Embed(kSeen, table, &graph);
  const ValueId tags = Embed(kTags, table, &graph);
  const DenseId weights = AddWeights(4, std::vector<double>(12, 1), {}, &graph);
  graph.Append("user.dense", DenseOp(weights, {}), {user}, 3);
  graph.Append("seen.dense", DenseOp(weights, {}), {seen}, 3);
  graph.Append("tags.dense", DenseOp(weights, {}), {tags}, 3);
  graph.Append("tags.dense2", DenseOp(weights, {}), {tags}, 3);
  const Cost cost = CountWork(graph);
  EXPECT_EQ(cost.context.multiply_accumulates, 12u);
  EXPECT_EQ(cost.event.multiply_accumulates, 12u);
  EXPECT_EQ(cost.candidate.multiply_accumulates, 24u);
  EXPECT_EQ(cost.pair.multiply_accumulates, 0u);
  EXPECT_EQ(cost.context.rows_gathered, 1u);
  EXPECT_EQ(cost.event.rows_gathered, 1u);
  EXPECT_EQ(cost.candidate.rows_gathered, 3u);
}

TEST(InferDomainsTest, ReductionsOverTheEventsOfPairsAreTheCandidates) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {price, seen}, 1);
  const ValueId weight = graph.Append("weight", OperatorKind::SoftmaxOverHistory, {product}, 1);
  const ValueId pool = graph.Append("pool", WeightedPoolOp(), {weight, seen}, 1);
  const ValueId gates =
      graph.Append("gates", DenseOp(AddWeights(1, {1, 2, 3}, {}, &graph), {}), {seen}, 3);
  const DenseId weights = AddWeights(1, {1, 2, 3}, {}, &graph);
  const ValueId states = graph.Append("states", RecurrenceOp(weights), {gates}, 1);
  const ValueId last =
      graph.Append("last", AttentionRecurrenceOp(schema::RecurrentCell::AttentionGru, weights),
                   {gates, weight}, 1);
  graph.logit = graph.Append("logit", AddOp(), {pool, last}, 1);
  const std::vector<Domain> domains = InferDomains(graph);
  EXPECT_EQ(domains[product], Domain::Pair());
  EXPECT_EQ(domains[weight], Domain::Pair());
  EXPECT_EQ(domains[pool], Domain::Candidate());
  EXPECT_EQ(domains[states], Domain::History());
  EXPECT_EQ(domains[last], Domain::Candidate());
  // 3 H * H of the recurrences, H of the pool; the gates once an event.
  const Cost cost = CountWork(graph);
  EXPECT_EQ(cost.event.multiply_accumulates, 3u + 3);
  EXPECT_EQ(cost.pair.multiply_accumulates, 3u + 1);
  EXPECT_EQ(cost.candidate.multiply_accumulates, 0u);
  EXPECT_EQ(cost.CandidateMultiplyAccumulates(2), 8u);
  EXPECT_EQ(cost.CandidateMultiplyAccumulates(10), 12u);  // A history keeps 3 events.
}

}  // namespace
}  // namespace handpick::converter
