// Models of pairs of fields: what the passes make of them, counted by domain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "converter/graph/cost.h"
#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/fold_inner_products.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/pipeline.h"
#include "converter/recipes/recipes.h"
#include "converter/recipes/tensor_reader.h"
#include "converter/weights/weights.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

size_t Count(OperatorKind kind, Domain domain, const Graph& graph) {
  const std::vector<Domain> domains = InferDomains(graph);
  size_t count = 0;
  for (const Node& node : graph.nodes) {
    count += node.op.Is(kind) && domains[node.output] == domain;
  }
  return count;
}

void ExpectSameLogits(const Graph& a, const Graph& b) {
  const std::vector<double> before = SmallLogits(a);
  const std::vector<double> after = SmallLogits(b);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-9);
}

Conversion ConvertWorkload(WorkloadOptions options) {
  options.vocabulary = 20;
  const RandomModel model = WideDeepWorkload(options);
  auto conversion = Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return conversion.ok() ? *std::move(conversion) : Conversion();
}

// The usual shape: 18 fields of the context, 8 of a candidate, 16 numbers each, 128 and 64 units.
constexpr uint64_t kContextFields = 18, kItemFields = 8, kWidth = 16, kUnits = 128;
constexpr uint64_t kRest = 128 * 64 + 64;  // Second layer and head.
constexpr uint64_t kPairsOf = kItemFields * (kItemFields - 1) / 2;
constexpr uint64_t kContextPairs = kContextFields * (kContextFields - 1) / 2;
constexpr uint64_t kAllPairs =
    (kContextFields + kItemFields) * (kContextFields + kItemFields - 1) / 2;

TEST(PnnCostTest, PairsWithTheContextCostACandidateNothing) {
  WorkloadOptions options;
  options.kind = "pnn";
  const Conversion conversion = ConvertWorkload(options);
  const Cost before = CountWork(conversion.source);
  const Cost after = CountWork(conversion.program);
  const uint64_t embeddings = (kContextFields + kItemFields) * kWidth;
  EXPECT_EQ(before.candidate.multiply_accumulates,
            (embeddings + kAllPairs) * kUnits + kAllPairs * kWidth + kRest);
  // Its own embeddings, and its own pairs.
  EXPECT_EQ(after.candidate.multiply_accumulates,
            kItemFields * kWidth * kUnits + kPairsOf * (kWidth + kUnits) + kRest);
  // The context's columns and pairs; and the matrices.
  EXPECT_EQ(after.context.multiply_accumulates, (kContextFields * kWidth + kContextPairs) * kUnits +
                                                    kContextPairs * kWidth +
                                                    kContextFields * kItemFields * kWidth * kUnits);
  EXPECT_EQ(Count(OperatorKind::InnerProduct, Domain::Candidate(), conversion.program), kPairsOf);
  EXPECT_EQ(Count(OperatorKind::ContextDense, Domain::Candidate(), conversion.program), 1u);
}

TEST(PnnCostTest, AMatrixOfAPairGoesWithTheContext) {
  WorkloadOptions options;
  options.kind = "pnn";
  options.products = {true, "mat"};
  const Conversion conversion = ConvertWorkload(options);
  // Of both kinds of products: the candidate's own alone, with their matrices.
  EXPECT_EQ(
      CountWork(conversion.program).candidate.multiply_accumulates,
      kItemFields * kWidth * kUnits + kPairsOf * (2 * (kWidth + kUnits) + kWidth * kWidth) + kRest);
}

TEST(PnnCostTest, TheSquareOfASumIsMultipliedByHalf) {
  WorkloadOptions options;
  options.kind = "pnn";
  options.products = {false, "superposed"};
  const Conversion conversion = ConvertWorkload(options);
  const uint64_t half = kWidth * (kWidth + 1) / 2;
  EXPECT_EQ(CountWork(conversion.program).candidate.multiply_accumulates,
            (kItemFields * kWidth + half) * kUnits + half + kRest);
}

TEST(FmCostTest, ACandidateAddsItsOwnVectorsToTheContextsSums) {
  WorkloadOptions options;
  options.kind = "fm";
  const Conversion conversion = ConvertWorkload(options);
  const Cost after = CountWork(conversion.program);
  EXPECT_EQ(after.candidate.rows_gathered, 2 * kItemFields);
  EXPECT_EQ(after.context.rows_gathered, kContextFields * 3)
      << "the sums, the squares and the weights";
  EXPECT_EQ(after.candidate.multiply_accumulates, kWidth) << "the sum of the columns";
}

TEST(FfmCostTest, ACandidateMultipliesPairsWithItsOwnFieldsAlone) {
  WorkloadOptions options;
  options.kind = "ffm";
  options.dimension = 4;
  const Conversion conversion = ConvertWorkload(options);
  EXPECT_EQ(CountWork(conversion.source).candidate.multiply_accumulates, kAllPairs * 4);
  const Cost after = CountWork(conversion.program);
  EXPECT_EQ(after.candidate.multiply_accumulates, (kContextFields * kItemFields + kPairsOf) * 4);
  // And the bias, where a layer of one number adds it.
  EXPECT_LE(after.context.multiply_accumulates, kContextPairs * 4 + 1);
  // What stands in the way of a slice is copied: of a candidate, what later fields have for earlier
  // ones.
  EXPECT_EQ(Count(OperatorKind::InnerProduct, Domain::Candidate(), conversion.program),
            kItemFields + kItemFields - 1);
  EXPECT_LE(Count(OperatorKind::Copy, Domain::Candidate(), conversion.program), kPairsOf);
  // No row holds what nobody reads: its vector for itself.
  for (const auto& table : conversion.program.tables) {
    EXPECT_TRUE(table->dimension == 1 || table->dimension == (kContextFields + kItemFields - 1) * 4)
        << table->name << " has " << table->dimension;
  }
}

TEST(AfmCostTest, TheContextsPairsAreOneEntryOfTheSoftmax) {
  WorkloadOptions options;
  options.kind = "afm";
  const Conversion conversion = ConvertWorkload(options);
  uint64_t units = 0;
  for (const auto& dense : conversion.program.dense) {
    if (dense->name == "attention.layers.0") units = dense->output_width;
  }
  ASSERT_GT(units, 0u);
  const uint64_t layers = units * (kWidth + 1);
  const uint64_t own = kAllPairs - kContextPairs;
  EXPECT_EQ(CountWork(conversion.source).candidate.multiply_accumulates,
            kAllPairs * (layers + kWidth) + kWidth);
  EXPECT_EQ(CountWork(conversion.program).candidate.multiply_accumulates,
            own * (layers + kWidth) + 2 * kWidth);
  const std::vector<Domain> domains = InferDomains(conversion.program);
  for (const Node& node : conversion.program.nodes) {
    if (!node.op.Is(OperatorKind::RowSoftmax)) continue;
    EXPECT_EQ(conversion.program.WidthOf(node.output),
              domains[node.output] == Domain::Context() ? kContextPairs : own + 1);
  }
}

TEST(LrCostTest, ACandidateReadsItsOwnWeights) {
  WorkloadOptions options;
  options.kind = "lr";
  const Conversion conversion = ConvertWorkload(options);
  const Cost after = CountWork(conversion.program);
  EXPECT_EQ(after.candidate.rows_gathered, kItemFields);
  EXPECT_EQ(after.context.rows_gathered, kContextFields);
  EXPECT_LE(after.candidate.multiply_accumulates, 1u);
}

// layer([user, item, <user, item>, <age, item>, price]) with `units` outputs, of vectors of two.
Graph LayerOfProducts(uint32_t units) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 2, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId one = graph.Append("one", OperatorKind::InnerProduct, {user, item}, 1);
  const ValueId two = graph.Append("two", OperatorKind::InnerProduct, {item, age}, 1);
  const ValueId all = graph.Append("all", kConcat, {user, item, one, two, price}, 7);
  std::vector<double> weights, bias(units, 0.25);
  for (uint32_t i = 0; i < 7 * units; ++i) weights.push_back(0.01 * (i % 13) - 0.05);
  const ValueId layer =
      graph.Append("layer", DenseOp(AddWeights(7, weights, bias, &graph)), {all}, units);
  graph.logit = graph.Append(
      "logit", DenseOp(AddWeights(units, std::vector<double>(units, 0.5), {}, &graph)), {layer}, 1);
  return graph;
}

TEST(FoldInnerProductsTest, ProductsBecomeAMatrixOfTheContext) {
  const Graph graph = LayerOfProducts(3);
  const Graph folded = RemoveDeadCode(FoldInnerProducts(graph));
  ASSERT_TRUE(Verify(folded).ok()) << Verify(folded);
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(OperatorKind::InnerProduct, Domain::Candidate(), folded), 0u);
  EXPECT_EQ(Count(OperatorKind::ContextDense, Domain::Candidate(), folded), 1u);
  EXPECT_EQ(Count(OperatorKind::MixFields, Domain::Context(), folded), 1u);
}

TEST(FoldInnerProductsTest, AProductThatIsReadElsewhereStays) {
  Graph graph = LayerOfProducts(3);
  for (const Node& node : graph.nodes) {
    if (graph.NameOf(node) != "one") continue;
    graph.logit = graph.Append("both", AddOp(), {graph.logit, node.output}, 1);
    break;
  }
  const Graph folded = RemoveDeadCode(FoldInnerProducts(graph));
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(OperatorKind::InnerProduct, Domain::Candidate(), folded), 1u);
}

TEST(FoldInnerProductsTest, ALayerOfProductsAloneKeepsThemForItsBias) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 2, &graph);
  const ValueId one = graph.Append("one", OperatorKind::InnerProduct,
                                   {Embed(kUser, table, &graph), Embed(kItem, table, &graph)}, 1);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(1, {2}, {1}, &graph)), {one}, 1);
  const Graph folded = FoldInnerProducts(graph);
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(folded.nodes.size(), graph.nodes.size());
}

// One product of a wide vector that the layer does not read itself: a product and a weight for each
// output are less than a matrix.
TEST(FoldInnerProductsTest, CountingDecides) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 8, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId one =
      graph.Append("one", OperatorKind::InnerProduct, {user, Embed(kItem, table, &graph)}, 1);
  const ValueId all = graph.Append("all", kConcat, {user, one}, 9);
  const ValueId layer = graph.Append(
      "layer", DenseOp(AddWeights(9, std::vector<double>(36, 0.125), {}, &graph)), {all}, 4);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(4, {1, 2, 3, 4}, {}, &graph)), {layer}, 1);
  EXPECT_EQ(Count(OperatorKind::ContextDense, Domain::Candidate(), FoldInnerProducts(graph)), 0u);
}

// Every form of kernel, with the candidate's field before and behind the context's.
TEST(SplitPairsTest, KernelsStayWhereTheyBelong) {
  for (const size_t each : {0u, 1u, 2u, 4u}) {
    Graph graph = SmallGraph();
    const TableId table = AddCountingTable(6, 2, &graph);
    const ValueId user = Embed(kUser, table, &graph);
    const ValueId item = Embed(kItem, table, &graph);
    const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
    const ValueId tags = Embed(kTags, table, &graph, schema::Combiner::Mean);
    Operator products(kPairProducts);
    for (size_t i = 0; i < 6 * each; ++i) products.numbers.push_back(0.1 * (i % 7) - 0.2);
    const ValueId pairs = graph.Append("pairs", products, {user, item, age, tags}, 6);
    graph.logit =
        graph.Append("logit", DenseOp(AddWeights(6, {1, -2, 3, 4, -5, 6}, {}, &graph)), {pairs}, 1);
    ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
    Graph split = graph;
    for (const Pass& pass : RewritingPasses()) split = pass.run(split);
    ExpectSameLogits(graph, split);
    // Nothing but the pair of candidates has a kernel that is theirs.
    EXPECT_EQ(Count(OperatorKind::Multiply, Domain::Candidate(), split),
              each == 1 || each == 2 ? 1u : 0u);
    // A matrix of the context, and the candidate's own pair.
    EXPECT_EQ(CountWork(split).candidate.multiply_accumulates,
              4u + 2u + 1u + (each == 4 ? 4u : 0u));
  }
}

// What a recipe says about weights that are not its model's.
std::string RecipeError(const std::string& kind, const std::string& tensor, Shape shape) {
  WorkloadOptions options;
  options.kind = kind;
  options.context_fields = 2;
  options.candidate_fields = 2;
  options.dimension = 3;
  options.vocabulary = 5;
  options.products = {false, "mat"};
  RandomModel model = WideDeepWorkload(options);
  Tensor& damaged = model.weights.at(tensor);
  int64_t size = 1;
  for (const int64_t n : shape) size *= n;
  damaged.shape = std::move(shape);
  damaged.data.resize(static_cast<size_t>(size), 0.5f);
  return std::string(BuildGraph(model.spec, model.weights).status().message());
}

TEST(RecipeTest, TensorsOfOtherShapesAreNamed) {
  using ::testing::HasSubstr;
  EXPECT_THAT(RecipeError("pnn", "products.outer.weight", {6, 3}),
              HasSubstr("'products.outer.weight' has shape [6, 3], expected [6, 3, 3]"));
  EXPECT_THAT(RecipeError("afm", "attention.layers.0.weight", {4, 5}),
              HasSubstr("'attention.layers.0.weight' has shape [4, 5], expected [?, 3]"));
  EXPECT_THAT(RecipeError("ffm", "deep.embedding.context_0.weight", {5, 16}),
              HasSubstr("all of them must be of one width"));
}

TEST(RecipeTest, ARowOfFfmHoldsAVectorForEachField) {
  WorkloadOptions options;
  options.kind = "ffm";
  options.context_fields = 2;
  options.candidate_fields = 1;
  options.vocabulary = 5;
  RandomModel model = WideDeepWorkload(options);
  model.spec.deep.features.pop_back();
  model.weights.erase("deep.embedding.candidate_0.weight");
  for (auto& [name, tensor] : model.weights) {
    if (tensor.shape[1] != 1) {
      tensor.shape = {5, 5};
      tensor.data.resize(25);
    }
  }
  EXPECT_EQ(std::string(BuildGraph(model.spec, model.weights).status().message()),
            "weights: the embeddings of deep.features have rows of 5 numbers, expected a multiple "
            "of 2: a vector for each of the features with ids");
}

TEST(VerifyTest, PairsHaveTheirWidths) {
  Graph graph = SmallGraph();
  const TableId table = AddCountingTable(6, 3, &graph);
  const ValueId user = Embed(kUser, table, &graph);
  const ValueId item = Embed(kItem, table, &graph);
  const auto refused = [&](Operator op, std::vector<ValueId> inputs, uint32_t width) {
    Graph damaged = graph;
    damaged.logit = damaged.Append("pairs", std::move(op), std::move(inputs), width);
    return std::string(Verify(damaged).message());
  };
  EXPECT_EQ(refused(kPairProducts, {user, item}, 2),
            "node 'pairs' (products of pairs): its output is 2 wide, expected 1");
  Operator numbers(kPairProducts);
  numbers.numbers = {1, 2};
  EXPECT_EQ(refused(numbers, {user, item}, 1),
            "node 'pairs' (products of pairs): has 2 numbers for 1 pairs");
  EXPECT_EQ(refused(kSquareOfSum, {user, item}, 3),
            "node 'pairs' (outer product of the sum): its output is 3 wide, expected 9");
  EXPECT_EQ(refused(kFieldAwarePairs, {user, item}, 1),
            "node 'pairs' (field-aware pairs): has vectors of 3 numbers for 2 fields");
}

}  // namespace
}  // namespace handpick::converter
