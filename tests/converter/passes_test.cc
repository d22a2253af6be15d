// Each rewriting pass: the value stays, and the work that it promises to save is gone.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/fold_batch_norm.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/fuse.h"
#include "converter/passes/fuse_bi_interaction.h"
#include "converter/passes/gather_fields.h"
#include "converter/passes/lower.h"
#include "converter/passes/merge_dense.h"
#include "converter/passes/merge_sums.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/passes/share_equal_values.h"
#include "converter/passes/split_bi_interaction.h"
#include "converter/passes/split_by_domain.h"
#include "converter/pipeline.h"
#include "converter/recipes/recipes.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

size_t Count(OperatorKind kind, const Graph& graph) {
  size_t count = 0;
  for (const Node& node : graph.nodes) count += node.op.Is(kind);
  return count;
}

void ExpectSameLogits(const Graph& a, const Graph& b) {
  const std::vector<double> before = SmallLogits(a);
  const std::vector<double> after = SmallLogits(b);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-9);
}

// layer([user (2), price (1), age (2), item (3)]) -> 2, then a head.
Graph MixedLayer() {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId all = graph.Append("all", kConcat, {user, price, age, item}, 8);
  const DenseId weights = AddWeights(
      8, {1, -2, 3, 4, 5, -6, 7, 8, 0.1, 0.2, -0.3, 0.4, 0.5, 0.6, -0.7, 0.8}, {10, 20}, &graph);
  const ValueId layer = graph.Append("layer", DenseOp(weights, {}), {all}, 2);
  const ValueId active =
      graph.Append("active", ActivationOp({schema::ActivationKind::Prelu, {0.1, 0.2}}), {layer}, 2);
  graph.logit =
      graph.Append("head", DenseOp(AddWeights(2, {0.5, -1}, {}, &graph), {}), {active}, 1);
  return graph;
}

TEST(SplitByDomainTest, ContextColumnsAreMultipliedOnceARequest) {
  const Graph graph = MixedLayer();
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  // The layer is 8 x 2, of which 4 columns are the context's; the head is 2 x 1.
  EXPECT_EQ(CountWork(graph).candidate.multiply_accumulates, 16u + 2);
  EXPECT_EQ(CountWork(split).candidate.multiply_accumulates, 8u + 2);
  EXPECT_EQ(CountWork(split).context.multiply_accumulates, 8u);
}

TEST(SplitByDomainTest, TheBiasGoesWithTheContext) {
  const Graph split = SplitByDomain(MixedLayer());
  for (const Node& node : split.nodes) {
    const auto* dense = node.op.As(OperatorKind::Dense);
    if (dense == nullptr) continue;
    const std::vector<double>& bias = split.dense[dense->weights[0]]->bias;
    if (split.NameOf(node) == "layer.context") {
      EXPECT_EQ(bias, (std::vector<double>{10, 20}));
    } else {
      EXPECT_TRUE(bias.empty()) << split.NameOf(node);
    }
  }
}

TEST(SplitByDomainTest, EmbeddingsOfTheContextAreSummedOnceARequest) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  graph.logit = graph.Append("sum",
                             EmbeddingSumOp({{kItem, table, schema::Combiner::Sum, 0},
                                             {kUser, table, schema::Combiner::Sum, 0},
                                             {kTags, table, schema::Combiner::Mean, 0}}),
                             {}, 1);
  const Graph split = SplitByDomain(graph);
  ExpectSameLogits(graph, split);
  EXPECT_EQ(CountWork(graph).candidate.rows_gathered, 5u);
  EXPECT_EQ(CountWork(split).candidate.rows_gathered, 4u);
  EXPECT_EQ(CountWork(split).context.rows_gathered, 1u);
}

TEST(SplitByDomainTest, ALayerOfOneDomainStaysWhole) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId item = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  const ValueId all = graph.Append("all", kConcat, {price, item}, 2);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(2, {1, 2}, {3}, &graph), {}), {all}, 1);
  EXPECT_EQ(SplitByDomain(graph).nodes.size(), graph.nodes.size());
}

TEST(SplitByDomainTest, ThreeDomainsMakeThreeParts) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  const ValueId item = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  const ValueId all = graph.Append("all", kConcat, {item, seen, user}, 3);
  const ValueId unit =
      graph.Append("unit", DenseOp(AddWeights(3, {1, 2, 3}, {4}, &graph), {}), {all}, 1);
  graph.logit = graph.Append("pooled", OperatorKind::PoolHistory, {unit}, 1);
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(CountWork(graph).pair.multiply_accumulates, 3u);
  const Cost cost = CountWork(split);
  EXPECT_EQ(cost.pair.multiply_accumulates, 0u);
  EXPECT_EQ(cost.event.multiply_accumulates, 1u);
  EXPECT_EQ(cost.candidate.multiply_accumulates, 1u);
  EXPECT_EQ(cost.context.multiply_accumulates, 1u);
}

Graph NormalizedLayer() {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId layer =
      graph.Append("layer", DenseOp(AddWeights(2, {1, 2, 3, 4}, {5, 6}, &graph), {}), {item}, 2);
  const ValueId normal = graph.Append(
      "normal", BatchNormOp({{1, 2}, {0.5, 4}, {2, -3}, {0.25, 0.75}, 1e-5}), {layer}, 2);
  graph.logit = graph.Append("head", DenseOp(AddWeights(2, {1, 1}, {}, &graph), {}), {normal}, 1);
  return graph;
}

TEST(FoldBatchNormTest, TheLayerNormalizesByItself) {
  const Graph graph = NormalizedLayer();
  const Graph folded = FoldBatchNorm(graph);
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(kBatchNormalization, folded), 0u);
}

TEST(FoldBatchNormTest, ALayerThatIsReadElsewhereStaysAsItIs) {
  Graph graph = NormalizedLayer();
  const ValueId layer = graph.nodes[1].output;
  const ValueId other =
      graph.Append("other", DenseOp(AddWeights(2, {7, 7}, {}, &graph), {}), {layer}, 1);
  graph.logit = graph.Append("logit", AddOp(), {graph.logit, other}, 1);
  const Graph folded = FoldBatchNorm(graph);
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(kBatchNormalization, folded), 1u);
}

TEST(FoldConstantsTest, ConstantsBecomeBiases) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId two = graph.Append("two", ConstantOp({2}), {}, 1);
  const ValueId three = graph.Append("three", ConstantOp({3}), {}, 1);
  const ValueId five = graph.Append("five", AddOp(), {two, three}, 1);
  const ValueId dense =
      graph.Append("dense", DenseOp(AddWeights(1, {4}, {1}, &graph), {}), {price, five}, 1);
  graph.logit = graph.Append("logit", AddOp(), {two, dense, five}, 1);
  const Graph folded = RemoveDeadCode(FoldConstants(graph));
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(kConstant, folded), 0u);
  EXPECT_EQ(folded.nodes.size(), 3u);  // price, dense, logit
}

TEST(MergeSumsTest, TheContextIsAddedUpFirst) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId seen = Embed(kSeen, table, &graph);
  const ValueId pooled = graph.Append("pooled", OperatorKind::PoolHistory, {seen}, 1);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId tags = Embed(kTags, table, &graph);
  const ValueId inner = graph.Append("inner", AddOp({}, {0.5}), {user, item}, 1);
  graph.logit = graph.Append("logit", AddOp(), {inner, pooled, tags}, 1);
  const Graph merged = MergeSums(graph);
  ExpectSameLogits(graph, merged);
  EXPECT_EQ(Count(OperatorKind::Add, merged), 2u);
  const Node& logit = merged.nodes.back();
  EXPECT_EQ(logit.inputs.size(), 3u);  // The context's sum, item, tags.
  const std::vector<Domain> domains = InferDomains(merged);
  EXPECT_EQ(domains[logit.inputs[0]], Domain::Context());
  EXPECT_EQ(merged.values[logit.inputs[0]].name, "logit.context");
}

// DIN's activation unit over the items, 2 wide: layer([q, k, q - k, q * k]) -> 3, and a head; the
// logit is what its weights make of the events.
Graph ActivationUnit() {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(5, 2, &graph);
  const ValueId q = Embed(kItem, table, &graph);
  const ValueId k = Embed(kSeen, table, &graph);
  const ValueId difference = graph.Append("difference", kSubtract, {q, k}, 2);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {q, k}, 2);
  const ValueId all = graph.Append("all", kConcat, {q, k, difference, product}, 8);
  std::vector<double> weights;
  for (int i = 0; i < 24; ++i) weights.push_back(0.01 * i - 0.1 * (i % 3));
  const ValueId layer =
      graph.Append("layer", DenseOp(AddWeights(8, weights, {1, 2, 3}, &graph), {}), {all}, 3);
  const ValueId active = graph.Append(
      "active",
      ActivationOp({schema::ActivationKind::Dice, {0.1, 0.2, 0.3}, {1, 2, 3}, {0.3, 0.2, 0.1}}),
      {layer}, 3);
  const ValueId score = graph.Append(
      "score", DenseOp(AddWeights(3, {0.01, 0.02, -0.03}, {0.5}, &graph), {}), {active}, 1);
  const ValueId pool = graph.Append("pool", WeightedPoolOp(), {score, k}, 2);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(2, {0.5, -0.25}, {}, &graph), {}), {pool}, 1);
  return graph;
}

TEST(SplitByDomainTest, AnActivationUnitMultipliesTheProductAlonePerPair) {
  const Graph graph = ActivationUnit();
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(Count(kSubtract, split), 0u);
  // Layer, head, pool.
  EXPECT_EQ(CountWork(graph).pair.multiply_accumulates, 8u * 3 + 3 + 2);
  const Cost cost = CountWork(split);
  EXPECT_EQ(cost.pair.multiply_accumulates, 2u * 3 + 3 + 2);
  EXPECT_EQ(cost.candidate.multiply_accumulates, 2u * 3 + 2);
  EXPECT_EQ(cost.event.multiply_accumulates, 2u * 3);
}

TEST(SplitByDomainTest, TheUnitsBiasIsAddedOnceAnEvent) {
  const Graph split = SplitByDomain(ActivationUnit());
  size_t parts = 0;
  for (const Node& node : split.nodes) {
    const auto* dense = node.op.As(OperatorKind::Dense);
    if (dense == nullptr || split.WidthOf(node.output) != 3) continue;
    ++parts;
    EXPECT_EQ(split.dense[dense->weights[0]]->bias.size(),
              split.NameOf(node) == "layer.history" ? 3u : 0u)
        << split.NameOf(node);
  }
  EXPECT_EQ(parts, 3u);
}

TEST(SplitByDomainTest, PartsThatAreTheSameValueAreMultipliedOnce) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId twice = graph.Append("twice", kConcat, {item, item}, 4);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(4, {1, 2, 30, 40}, {5}, &graph), {}), {twice}, 1);
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(CountWork(split).candidate.multiply_accumulates, 2u);
  EXPECT_EQ(Count(kConcat, split), 0u);
}

TEST(SplitByDomainTest, ADifferenceStaysWhereTakingItApartWouldAddWork) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 2, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId tags = Embed(kTags, table, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId difference = graph.Append("difference", kSubtract, {item, tags}, 2);
  const ValueId all = graph.Append("all", kConcat, {difference, user}, 4);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(4, {1, 2, 3, 4}, {}, &graph), {}), {all}, 1);
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(Count(kSubtract, split), 1u);
  EXPECT_EQ(CountWork(split).candidate.multiply_accumulates, 2u);
}

TEST(SplitByDomainTest, WhatIsConcatenatedAlreadyIsReadFromThere) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId tags = Embed(kTags, AddCountingTable(6, 1, &graph), &graph);
  const ValueId query = graph.Append("query", kConcat, {item, price}, 3);
  const ValueId square = graph.Append("square", OperatorKind::Multiply, {query, query}, 3);
  const ValueId a =
      graph.Append("a", DenseOp(AddWeights(3, {1, 2, 3}, {}, &graph), {}), {square}, 1);
  const ValueId all = graph.Append("all", kConcat, {user, item, price, tags}, 5);
  const ValueId b =
      graph.Append("b", DenseOp(AddWeights(5, {1, 2, 3, 4, 5}, {}, &graph), {}), {all}, 1);
  graph.logit = graph.Append("logit", AddOp(), {a, b}, 1);
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ExpectSameLogits(graph, split);
  const absl::StatusOr<Graph> lowered = Lower(split);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  ExpectSameLogits(graph, *lowered);
  EXPECT_EQ(Count(OperatorKind::Copy, *lowered), 0u);
}

// item * user * tags ... of all pairs, with the user's age (which is no embedding) among them.
Graph Interaction() {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 2, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId tags = Embed(kTags, table, &graph, schema::Combiner::Mean);
  const ValueId pairs = graph.Append("pairs", kBiInteractionOfAll, {item, user, age, tags}, 2);
  graph.logit =
      graph.Append("logit", DenseOp(AddWeights(2, {0.5, -0.25}, {}, &graph), {}), {pairs}, 1);
  return graph;
}

TEST(SplitBiInteractionTest, TwoSumsTakeThePlaceOfAllPairs) {
  const Graph graph = Interaction();
  const Graph split = RemoveDeadCode(SplitBiInteraction(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(Count(kBiInteractionOfAll, split), 0u);
  EXPECT_EQ(Count(OperatorKind::BiInteraction, split), 1u);
  EXPECT_EQ(Count(OperatorKind::Embedding, split), 0u);
}

TEST(SplitBiInteractionTest, ACandidateAddsItsOwnVectorsAlone) {
  const Graph graph = Interaction();
  const Graph source = RemoveDeadCode(graph);
  EXPECT_EQ(CountWork(source).candidate.rows_gathered, 4u);  // item 1, tags 3.
  Graph split = graph;
  for (const Pass& pass : RewritingPasses()) split = pass.run(split);
  ExpectSameLogits(graph, split);
  // Each row once: the sum and the squares are one node.
  EXPECT_EQ(CountWork(split).candidate.rows_gathered, 4u);
  EXPECT_EQ(CountWork(split).context.rows_gathered, 2u);
  // The interaction, which goes on from the context's sums, and the logit: nothing else is done for
  // a candidate.
  EXPECT_EQ(Count(OperatorKind::EmbeddingBiInteraction, split), 1u);
  const std::vector<Domain> domains = InferDomains(split);
  size_t steps = 0;
  for (const Node& node : split.nodes) steps += domains[node.output] == Domain::Candidate();
  EXPECT_EQ(steps, 2u);
}

// ---- Equal values ----

TEST(ShareEqualValuesTest, EqualNodesBecomeOneWithAllTheirReaders) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const DenseId weights = AddWeights(1, {3}, {1}, &graph);
  // Twice the same, from the lookup to the layer: each is equal only once what it reads is shared.
  std::vector<ValueId> layers;
  for (int i = 0; i < 2; ++i) {
    const ValueId item = Embed(kItem, table, &graph);
    const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
    const ValueId product = graph.Append("product", OperatorKind::Multiply, {item, price}, 1);
    layers.push_back(graph.Append("layer", DenseOp(weights, {}), {product}, 1));
  }
  graph.logit = graph.Append("logit", AddOp(), {layers[0], layers[1]}, 1);
  const Graph shared = ShareEqualValues(graph);
  ASSERT_TRUE(Verify(shared).ok()) << Verify(shared);
  EXPECT_EQ(SmallLogits(shared), SmallLogits(graph));
  EXPECT_EQ(shared.nodes.size(), 5u);
  EXPECT_EQ(shared.nodes.back().inputs, (std::vector<ValueId>{layers[0], layers[0]}));
}

TEST(ShareEqualValuesTest, TheLogitItselfMayBeAnEqualValue) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(5, 1, &graph);
  const ValueId first = Embed(kItem, table, &graph);
  graph.logit = Embed(kItem, table, &graph);
  const Graph shared = ShareEqualValues(graph);
  EXPECT_EQ(shared.logit, first);
  EXPECT_EQ(shared.nodes.size(), 1u);
}

TEST(ShareEqualValuesTest, WhatDiffersInAnythingStays) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const TableId other = AddCountingTable(6, 1, &graph);
  std::vector<ValueId> values = {
      Embed(kTags, table, &graph),
      Embed(kTags, other, &graph),
      Embed(kItem, table, &graph),
      Embed(kTags, table, &graph, schema::Combiner::Mean),
      Embed(kTags, table, &graph, schema::Combiner::Max),
      Embed(kTags, table, &graph, schema::Combiner::Max, 0.5),
      graph.Append("sum", EmbeddingSumOp({{kTags, table, schema::Combiner::Sum, 0}}), {}, 1),
      graph.Append("squares", EmbeddingSumOp({{kTags, table, schema::Combiner::Sum, 0}}, true), {},
                   1)};
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  values.push_back(graph.Append("first", SliceOp(0), {age}, 1));
  values.push_back(graph.Append("second", SliceOp(1), {age}, 1));
  const ValueId x = values[0];
  const ValueId y = values[1];
  for (const DenseId weights : {AddWeights(1, {2}, {}, &graph), AddWeights(1, {2}, {}, &graph)}) {
    values.push_back(graph.Append("dense", DenseOp(weights, {}), {x}, 1));
    values.push_back(
        graph.Append("relu", DenseOp(weights, {schema::ActivationKind::Relu}), {x}, 1));
  }
  values.push_back(graph.Append("x - y", kSubtract, {x, y}, 1));
  values.push_back(graph.Append("y - x", kSubtract, {y, x}, 1));
  values.push_back(graph.Append("biased", AddOp({}, {1}), {x, y}, 1));
  values.push_back(graph.Append("biased more", AddOp({}, {2}), {x, y}, 1));
  values.push_back(
      graph.Append("prelu", ActivationOp({schema::ActivationKind::Prelu, {0.1}}), {x}, 1));
  values.push_back(
      graph.Append("steeper", ActivationOp({schema::ActivationKind::Prelu, {0.2}}), {x}, 1));
  graph.logit = graph.Append("logit", AddOp(), values, 1);
  const Graph shared = ShareEqualValues(graph);
  EXPECT_EQ(shared.nodes.size(), graph.nodes.size());
  EXPECT_EQ(SmallLogits(shared), SmallLogits(graph));
}

// ---- A whole DeepFM ----

// Ids and numbers of both sides, all of them in both parts, as the trainer has them.
RandomModel DeepFm() {
  WorkloadOptions options;
  options.context_fields = 3;
  options.candidate_fields = 2;
  options.dimension = 4;
  options.vocabulary = 10;
  options.hidden_units = {8, 4};
  options.kind = "deepfm";
  options.numbers = 2;
  return WideDeepWorkload(options);
}

struct DeepFmProgram {
  Graph graph;
  std::vector<Domain> domains;

  DeepFmProgram() {
    const RandomModel model = DeepFm();
    absl::StatusOr<Conversion> conversion =
        Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
    EXPECT_TRUE(conversion.ok()) << conversion.status();
    if (!conversion.ok()) return;
    graph = std::move(conversion->program);
    domains = InferDomains(graph);
  }

  size_t PerCandidate(OperatorKind kind) const {
    size_t count = 0;
    for (const Node& node : graph.nodes) {
      count += domains[node.output] == Domain::Candidate() && node.op.Is(kind);
    }
    return count;
  }
};

TEST(DeepFmProgramTest, NumbersOfBothPartsAreReadOnce) {
  const RandomModel model = DeepFm();
  const auto source = BuildGraph(model.spec, model.weights);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(Count(OperatorKind::Numeric, *source), 8u);
  size_t read = 0;
  for (const Node& node : DeepFmProgram().graph.nodes) read += node.op.features.size();
  EXPECT_EQ(read, 4u);
}

TEST(DeepFmProgramTest, NothingIsCopiedForACandidate) {
  const DeepFmProgram program;
  EXPECT_EQ(Count(OperatorKind::Copy, program.graph), 0u);
}

TEST(DeepFmProgramTest, ACandidatesRowsAreReadOnceForTowerAndPairs) {
  const DeepFmProgram program;
  const Work candidate = CountWork(program.graph).candidate;
  // Two fields, each in the deep part's table and in the wide part's.
  EXPECT_EQ(candidate.rows_gathered, 4u);
  // The first layer over the candidate's columns (8 of embeddings, 2 numbers), the second, the
  // head, the wide part's numbers, the sum of the interaction's columns.
  EXPECT_EQ(candidate.multiply_accumulates, 10 * 8 + 8 * 4 + 4 + 2 + 4u);
}

TEST(DeepFmProgramTest, TheContextsPairsAreMadeOnceARequest) {
  const DeepFmProgram program;
  EXPECT_EQ(program.PerCandidate(OperatorKind::BiInteraction), 1u);
  // Each field's square; the sums of vectors and of squares go on from the context's.
  EXPECT_EQ(program.PerCandidate(OperatorKind::Multiply), 2u);
}

// Bi-interaction of the sums of item and tags, with or without addends.
struct Sums {
  Graph graph = SmallGraph();
  Operator sum = OperatorKind::EmbeddingSum;
  Operator squares = OperatorKind::EmbeddingSum;
  std::vector<ValueId> sum_inputs, squares_inputs;

  Sums() {
    const TableId table = AddCountingTable(6, 2, &graph);
    sum.lookups = {{kItem, table, schema::Combiner::Sum, 0},
                   {kTags, table, schema::Combiner::Max, 0.5}};
    squares.lookups = sum.lookups;
    squares.squared = true;
  }

  ValueId Context() { return graph.Append("age", NumericOp(kAge), {}, 2); }
  ValueId Candidate() { return Embed(kItem, AddCountingTable(5, 2, &graph), &graph); }

  Graph Build(bool read_sum_again = false) {
    const ValueId a = graph.Append("sum", sum, sum_inputs, 2);
    const ValueId b = graph.Append("squares", squares, squares_inputs, 2);
    ValueId pairs = graph.Append("pairs", OperatorKind::BiInteraction, {a, b}, 2);
    if (read_sum_again) pairs = graph.Append("both", AddOp(), {pairs, a}, 2);
    graph.logit =
        graph.Append("logit", DenseOp(AddWeights(2, {0.5, -0.25}, {}, &graph), {}), {pairs}, 1);
    return graph;
  }
};

void ExpectFused(const Graph& graph, size_t expected) {
  const Graph fused = RemoveDeadCode(FuseBiInteraction(graph));
  ASSERT_TRUE(Verify(fused).ok()) << Verify(fused);
  ExpectSameLogits(graph, fused);
  EXPECT_EQ(Count(OperatorKind::EmbeddingBiInteraction, fused), expected);
  EXPECT_EQ(Count(OperatorKind::BiInteraction, fused), 1 - expected);
  EXPECT_EQ(Count(OperatorKind::EmbeddingSum, fused), 2 * (1 - expected));
}

TEST(FuseBiInteractionTest, SumsOverTheSameLookupsBecomeOneNode) { ExpectFused(Sums().Build(), 1); }

TEST(FuseBiInteractionTest, TheContextsSumsBecomeItsOperands) {
  Sums sums;
  sums.sum_inputs = {sums.Context()};
  sums.squares_inputs = {sums.Context()};
  ExpectFused(sums.Build(), 1);
}

TEST(FuseBiInteractionTest, OneAddendAloneIsNotFused) {
  Sums sums;
  sums.squares_inputs = {sums.Context()};
  ExpectFused(sums.Build(), 0);
}

TEST(FuseBiInteractionTest, AddendsOfTheCandidateAreNotFused) {
  Sums sums;
  sums.sum_inputs = {sums.Candidate()};
  sums.squares_inputs = {sums.Candidate()};
  ExpectFused(sums.Build(), 0);
}

TEST(FuseBiInteractionTest, OtherLookupsAreNotFused) {
  Sums order, combiner, empty_value, fewer;
  std::swap(order.squares.lookups[0], order.squares.lookups[1]);
  ExpectFused(order.Build(), 0);
  combiner.squares.lookups[1].combiner = schema::Combiner::Mean;
  ExpectFused(combiner.Build(), 0);
  empty_value.squares.lookups[1].empty_value = 0.25;
  ExpectFused(empty_value.Build(), 0);
  fewer.squares.lookups.pop_back();
  ExpectFused(fewer.Build(), 0);
}

TEST(FuseBiInteractionTest, OtherSumsThanThePlainAndTheSquaredAreNotFused) {
  Sums plain, squared;
  plain.squares.squared = false;
  ExpectFused(plain.Build(), 0);
  squared.sum.squared = true;
  ExpectFused(squared.Build(), 0);
}

TEST(FuseBiInteractionTest, SumsThatAreReadElsewhereAreNotFused) {
  ExpectFused(Sums().Build(/*read_sum_again=*/true), 0);
}

TEST(FuseBiInteractionTest, TheContextsInteractionIsNotFused) {
  Sums sums;
  sums.sum.lookups = {{kUser, 0, schema::Combiner::Sum, 0}};
  sums.squares.lookups = sums.sum.lookups;
  ExpectFused(sums.Build(), 0);
}

TEST(SplitBiInteractionTest, AnEmbeddingThatIsReadElsewhereIsLookedUpOnce) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId pairs = graph.Append("pairs", kBiInteractionOfAll, {item, user}, 1);
  graph.logit = graph.Append("logit", AddOp(), {pairs, item}, 1);
  const Graph split = RemoveDeadCode(SplitBiInteraction(graph));
  ExpectSameLogits(graph, split);
  EXPECT_EQ(CountWork(split).candidate.rows_gathered, 1u);
}

TEST(MergeSumsTest, InASumOfPairsTheContextIsAddedToTheCandidate) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId tags = Embed(kTags, table, &graph);
  const ValueId seen = Embed(kSeen, table, &graph);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId first = graph.Append("first", SliceOp(0), {age}, 1);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {item, seen}, 1);
  const ValueId sum = graph.Append("sum", AddOp(), {user, product, item, seen, first, tags}, 1);
  graph.logit = graph.Append("pool", WeightedPoolOp(), {sum, seen}, 1);
  const Graph merged = MergeSums(graph);
  ExpectSameLogits(graph, merged);
  const std::vector<Domain> domains = InferDomains(merged);
  for (const Node& node : merged.nodes) {
    if (merged.NameOf(node) != "sum") continue;
    // Event, candidate and pair; the context is inside the second.
    ASSERT_EQ(node.inputs.size(), 3u);
    for (ValueId input : node.inputs) EXPECT_NE(domains[input], Domain::Context());
  }
  EXPECT_EQ(Count(OperatorKind::Add, merged), 3u);
}

TEST(MergeDenseTest, LayersThatAreAddedBecomeOne) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId a = graph.Append("a", DenseOp(AddWeights(2, {1, 2}, {3}, &graph), {}), {item}, 1);
  const ValueId b = graph.Append("b", DenseOp(AddWeights(1, {4}, {5}, &graph), {}), {price}, 1);
  graph.logit = graph.Append("logit", AddOp(), {a, b}, 1);
  const Graph merged = MergeDense(graph);
  ExpectSameLogits(graph, merged);
  EXPECT_EQ(Count(OperatorKind::Dense, merged), 1u);
  EXPECT_EQ(CountWork(merged).candidate.multiply_accumulates, 3u);
}

TEST(MergeDenseTest, LayersWhoseInputIsReadElsewhereStayApart) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const DenseId weights = AddWeights(2, {1, 2}, {3}, &graph);
  const ValueId a = graph.Append("a", DenseOp(weights, {}), {item}, 1);
  const ValueId b = graph.Append("b", DenseOp(weights, {}), {item}, 1);
  graph.logit = graph.Append("logit", AddOp(), {a, b}, 1);
  EXPECT_EQ(Count(OperatorKind::Dense, MergeDense(graph)), 2u);
}

TEST(FuseTest, ALayerTakesRowBiasAndActivationOfTheSumAfterIt) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId dense =
      graph.Append("dense", DenseOp(AddWeights(1, {4}, {1}, &graph), {}), {price}, 1);
  const ValueId sum = graph.Append("sum", AddOp({}, {-20}), {user, dense}, 1);
  graph.logit = graph.Append("active", ActivationOp({schema::ActivationKind::Relu, {}}), {sum}, 1);
  const Graph fused = Fuse(graph);
  ExpectSameLogits(graph, fused);
  ASSERT_EQ(fused.nodes.size(), 3u);
  const Node& layer = fused.nodes.back();
  EXPECT_EQ(fused.NameOf(layer), "sum");
  EXPECT_EQ(layer.inputs.size(), 2u);
  EXPECT_EQ(layer.op.activation().kind, schema::ActivationKind::Relu);
}

TEST(FuseTest, ASumOfEmbeddingsTakesTheOtherAddend) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId sum =
      graph.Append("sum", EmbeddingSumOp({{kItem, table, schema::Combiner::Sum, 0}}), {}, 1);
  graph.logit = graph.Append("logit", AddOp(), {sum, price}, 1);
  const Graph fused = Fuse(graph);
  ExpectSameLogits(graph, fused);
  EXPECT_EQ(Count(OperatorKind::Add, fused), 0u);
  EXPECT_EQ(fused.nodes.size(), 2u);
}

TEST(FuseTest, AnActivationIsNotMovedPastAnotherReader) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId dense =
      graph.Append("dense", DenseOp(AddWeights(1, {4}, {1}, &graph), {}), {price}, 1);
  const ValueId active =
      graph.Append("active", ActivationOp({schema::ActivationKind::Relu, {}}), {dense}, 1);
  graph.logit = graph.Append("logit", AddOp(), {active, dense}, 1);
  const Graph fused = Fuse(graph);
  ExpectSameLogits(graph, fused);
  EXPECT_EQ(Count(kActivation, fused), 1u);
}

TEST(GatherFieldsTest, NeighboursOfOneKindAndDomainAreOneNode) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId again = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {user, item, again, price}, 7);
  graph.logit =
      graph.Append("head", DenseOp(AddWeights(7, {1, 2, 3, 4, 5, 6, 7}, {}, &graph), {}), {all}, 1);
  const Graph gathered = RemoveDeadCode(GatherFields(graph));
  ASSERT_TRUE(Verify(gathered).ok()) << Verify(gathered);
  ExpectSameLogits(graph, gathered);
  // The user's is of the context.
  EXPECT_EQ(Count(OperatorKind::Embedding, gathered), 2u);
  EXPECT_EQ(gathered.nodes.size(), 5u);
}

TEST(GatherFieldsTest, WhatElseReadsAFieldReadsItsPart) {
  Graph graph = SmallGraph();
  const ValueId item = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId other = Embed(kItem, AddCountingTable(5, 3, &graph), &graph);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {item, other}, 3);
  const ValueId all = graph.Append("all", kConcat, {item, other}, 6);
  const ValueId twice = graph.Append("twice", kConcat, {other, product, item}, 9);
  const ValueId a =
      graph.Append("a", DenseOp(AddWeights(6, {1, -2, 3, 4, 5, -6}, {}, &graph), {}), {all}, 1);
  const ValueId b = graph.Append(
      "b", DenseOp(AddWeights(9, {9, -8, 7, 6, 5, -4, 3, 2, 1}, {}, &graph), {}), {twice}, 1);
  graph.logit = graph.Append("logit", AddOp(), {a, b}, 1);
  const Graph gathered = RemoveDeadCode(GatherFields(graph));
  ASSERT_TRUE(Verify(gathered).ok()) << Verify(gathered);
  ExpectSameLogits(graph, gathered);
  EXPECT_EQ(Count(OperatorKind::Embedding, gathered), 1u);
  const absl::StatusOr<Graph> lowered = Lower(gathered);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  ExpectSameLogits(graph, *lowered);
}

TEST(GatherFieldsTest, APlaceBetweenFieldsKeepsTheOrder) {
  Graph graph = SmallGraph();
  const ValueId a = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId b = Embed(kItem, AddCountingTable(5, 1, &graph), &graph);
  const ValueId c = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId all = graph.Append("all", kConcat, {a, price, b, c, a}, 8);
  graph.logit = graph.Append(
      "head", DenseOp(AddWeights(8, {1, 2, 3, 4, 5, 6, 7, 8}, {}, &graph), {}), {all}, 1);
  const Graph gathered = RemoveDeadCode(GatherFields(graph));
  ASSERT_TRUE(Verify(gathered).ok()) << Verify(gathered);
  ExpectSameLogits(graph, gathered);
  // b, c and the last a are neighbours; the first a is read from them.
  EXPECT_EQ(Count(OperatorKind::Embedding, gathered), 1u);
}

TEST(RemoveDeadCodeTest, DropsNodesTablesAndWeightsThatNothingReads) {
  Graph graph = SmallGraph();
  AddCountingTable(7, 7, &graph);
  AddWeights(3, {1, 2, 3}, {}, &graph);
  Embed(kItem, 0, &graph);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  graph.Append("unused", NumericOp(kPrice), {}, 1);
  graph.logit = graph.Append("logit", AddOp(), {user}, 1);
  const Graph live = RemoveDeadCode(graph);
  ExpectSameLogits(graph, live);
  EXPECT_EQ(live.nodes.size(), 2u);
  EXPECT_EQ(live.values.size(), 2u);
  EXPECT_EQ(live.tables.size(), 1u);
  EXPECT_TRUE(live.dense.empty());
  EXPECT_EQ(live.features->features.size(), graph.features->features.size());
}

TEST(LowerTest, ALoneActivationBecomesASum) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  graph.logit =
      graph.Append("active", ActivationOp({schema::ActivationKind::Relu, {}}), {price}, 1);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  ExpectSameLogits(graph, *lowered);
  EXPECT_EQ(Count(OperatorKind::Add, *lowered), 1u);
}

TEST(LowerTest, ABiasWithoutADenseLayerGetsOneOfUnitWeights) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 1, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  for (const std::vector<ValueId>& addends : {std::vector<ValueId>{user, item}, {item}, {user}}) {
    graph.logit =
        graph.Append("logit", AddOp({schema::ActivationKind::Prelu, {0.5}}, {-25}), addends, 1);
    const absl::StatusOr<Graph> lowered = Lower(RemoveDeadCode(graph));
    ASSERT_TRUE(lowered.ok()) << lowered.status();
    ExpectSameLogits(graph, *lowered);
    EXPECT_EQ(Count(OperatorKind::Dense, *lowered), 1u);
    for (const Node& node : lowered->nodes) {
      const auto* add = node.op.As(OperatorKind::Add);
      EXPECT_TRUE(add == nullptr || add->bias.empty());
    }
  }
}

TEST(LowerTest, ADifferenceBecomesASumWithTheNegative) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 2, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId difference = graph.Append("difference", kSubtract, {item, user}, 2);
  const ValueId square =
      graph.Append("square", OperatorKind::Multiply, {difference, difference}, 2);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(2, {1, 2}, {}, &graph), {}), {square}, 1);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  ExpectSameLogits(graph, *lowered);
  EXPECT_EQ(Count(kSubtract, *lowered), 0u);
  EXPECT_EQ(CountWork(*lowered).context.multiply_accumulates, 4u);
}

TEST(LowerTest, RefusesABiInteractionOfVectors) {
  const absl::StatusOr<Graph> lowered = Lower(Interaction());
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.status().message().find("'pairs'"), std::string::npos) << lowered.status();
}

TEST(LowerTest, RefusesAPoolWhoseWeightsAreNoCandidates) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  graph.logit = graph.Append("pool", WeightedPoolOp(), {seen, seen}, 1);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.status().message().find(
                "'pool' (weighted pool) is computed per context and reads 'seen', which is "
                "computed per history"),
            std::string::npos)
      << lowered.status();
}

TEST(LowerTest, RefusesWhatABundleHasNoOperatorFor) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  graph.logit = graph.Append("normal", BatchNormOp({{0}, {1}, {1}, {0}, 0}), {price}, 1);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.status().message().find("'normal'"), std::string::npos) << lowered.status();
}

TEST(LowerTest, RefusesEventsThatDependOnTheContext) {
  Graph graph = SmallGraph();
  const ValueId seen = Embed(kSeen, AddCountingTable(5, 1, &graph), &graph);
  const ValueId user = Embed(kUser, AddCountingTable(4, 1, &graph), &graph);
  const ValueId both = graph.Append("both", AddOp(), {seen, user}, 1);
  graph.logit = graph.Append("pooled", OperatorKind::PoolHistory, {both}, 1);
  const absl::StatusOr<Graph> lowered = Lower(graph);
  ASSERT_FALSE(lowered.ok());
  EXPECT_NE(lowered.status().message().find("reads 'user', which is computed per context"),
            std::string::npos)
      << lowered.status();
}

// The promise of the whole pipeline, on the usual shape: a candidate pays for its own fields.
TEST(PipelineCostTest, ACandidateMultipliesItsOwnColumnsAlone) {
  WorkloadOptions options;
  options.vocabulary = 20;
  const RandomModel model = WideDeepWorkload(options);
  const absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  const Cost before = CountWork(conversion->source);
  const Cost after = CountWork(conversion->program);
  const uint64_t rest = 128 * 64 + 64;  // Second layer and head.
  EXPECT_EQ(before.candidate.multiply_accumulates, 26u * 16 * 128 + rest);
  EXPECT_EQ(after.candidate.multiply_accumulates, 8u * 16 * 128 + rest);
  EXPECT_EQ(after.context.multiply_accumulates, 18u * 16 * 128);
  EXPECT_EQ(after.candidate.rows_gathered, 16u);  // Wide and deep.
  EXPECT_EQ(after.context.rows_gathered, 36u);
}

// The bars of the product, for 50 events, keys of 64, an activation unit of 80, 40, 1 and a network
// of 200, 80, 1: counted from the steps of the bundle.
Cost CostOfBundle(const std::string& kind) {
  AttentionWorkloadOptions options;
  options.vocabulary = 20;
  const RandomModel model = AttentionWorkload(kind, options);
  const absl::StatusOr<Conversion> conversion =
      Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  if (!conversion.ok()) return {};
  const absl::StatusOr<std::string> bytes = Serialize(conversion->bundle);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  const absl::StatusOr<Graph> decoded = DecodeBundle(*bytes);
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? CountWork(*decoded) : Cost();
}

// Of the unit's first layer an event's matrix is left, which is made once for a tile of candidates.
constexpr uint64_t kUnitPerPair = 64 * 80 + 80 * 40 + 40;
// The history as the candidate sees it, and the candidate itself; the user is the context's.
constexpr uint64_t kNetwork = (64 + 64) * 200 + 200 * 80 + 80;

TEST(PipelineCostTest, ACandidateOfDinMultipliesAQuarterOfTheUnitsFirstLayerPerEvent) {
  const Cost cost = CostOfBundle("din");
  EXPECT_EQ(cost.pair.multiply_accumulates, kUnitPerPair + 64);
  EXPECT_EQ(cost.candidate.multiply_accumulates, kNetwork);
  EXPECT_EQ(cost.event.multiply_accumulates, 64u * 80);
  EXPECT_EQ(cost.context.multiply_accumulates, 32u * 200);
  EXPECT_LE(cost.CandidateMultiplyAccumulates(50), 470000u);
}

TEST(PipelineCostTest, ACandidateOfDienMultipliesStatesAloneBesidesTheUnit) {
  const Cost cost = CostOfBundle("dien");
  EXPECT_EQ(cost.pair.multiply_accumulates, kUnitPerPair + 3 * 64 * 64);
  EXPECT_EQ(cost.candidate.multiply_accumulates, kNetwork);
  // Gates and state of the first GRU, gates of the second, the unit's part of an interest.
  EXPECT_EQ(cost.event.multiply_accumulates, 3u * 3 * 64 * 64 + 64 * 80);
  EXPECT_EQ(cost.context.multiply_accumulates, 32u * 200);
  EXPECT_LE(cost.CandidateMultiplyAccumulates(50), 1100000u);
}

}  // namespace
}  // namespace handpick::converter
