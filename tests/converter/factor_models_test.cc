// DCN, NeuMF and FNN beyond their goldens: what the passes promise of them, tensors of other names,
// and tables from other archives.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "converter/graph/cost.h"
#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/fold_constants.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/passes/split_cross.h"
#include "converter/passes/weigh_products.h"
#include "converter/pipeline.h"
#include "converter/recipes/join_embeddings.h"
#include "converter/recipes/recipes.h"
#include "converter/reference/interpreter.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectSameLogits(const Graph& a, const Graph& b) {
  const std::vector<double> before = SmallLogits(a);
  const std::vector<double> after = SmallLogits(b);
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-9);
}

size_t Count(OperatorKind kind, const Graph& graph) {
  size_t count = 0;
  for (const Node& node : graph.nodes) count += node.op.Is(kind);
  return count;
}

// Cross layers over [user (2), price (1)], and a layer over their end, and price again.
Graph Crossed(size_t layers, uint32_t outputs, bool with_bias) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId x0 = graph.Append("x0", kConcat, {user, price}, 3);
  ValueId x = x0;
  for (size_t l = 0; l < layers; ++l) {
    const double number = 0.01 * static_cast<double>(l + 1);
    const ValueId dot =
        graph.Append("dot", DenseOp(AddWeights(3, {number, -2 * number, 0.1}, {}, &graph)), {x}, 1);
    const ValueId product = graph.Append("product", OperatorKind::WeightedSum, {dot, x0}, 3);
    std::vector<double> bias;
    if (with_bias) bias = {1, number, -0.5};
    x = graph.Append(absl::StrCat("x", l + 1), AddOp({}, bias), {product, x}, 3);
  }
  const ValueId all = graph.Append("all", kConcat, {x, price}, 4);
  std::vector<double> weights;
  for (uint32_t i = 0; i < 4 * outputs; ++i) weights.push_back(0.3 * i - 1);
  const ValueId layer = graph.Append(
      "layer", DenseOp(AddWeights(4, weights, std::vector<double>(outputs, 0.25), &graph)), {all},
      outputs);
  graph.logit = graph.Append(
      "head", DenseOp(AddWeights(outputs, std::vector<double>(outputs, 1), {}, &graph)), {layer},
      1);
  return graph;
}

TEST(SplitCrossTest, OneLayerOverTheInputIsLeft) {
  for (const size_t layers : {1, 2, 4}) {
    for (const uint32_t outputs : {1, 3}) {
      for (const bool with_bias : {false, true}) {
        SCOPED_TRACE(absl::StrCat(layers, " layers, ", outputs, " outputs, bias ", with_bias));
        const Graph graph = Crossed(layers, outputs, with_bias);
        const Graph split = RemoveDeadCode(SplitCross(graph));
        ASSERT_TRUE(Verify(split).ok()) << Verify(split);
        ExpectSameLogits(graph, split);
        // The layer's sum of terms, that of price, and the head.
        EXPECT_EQ(Count(OperatorKind::Dense, split), 3u);
        EXPECT_EQ(Count(OperatorKind::WeightedSum, split), 1u);
        EXPECT_EQ(Count(OperatorKind::Multiply, split), layers - 1);
      }
    }
  }
}

TEST(SplitCrossTest, SumsThatAreNoCrossLayersStay) {
  Graph graph = Crossed(2, 1, true);
  // The second layer's product is not with x0.
  for (Node& node : graph.nodes) {
    if (node.op.Is(OperatorKind::WeightedSum) && graph.NameOf(node) == "product") {
      node.inputs[1] = graph.nodes[5].output;
    }
  }
  Graph other = SmallGraph();
  const ValueId price = other.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId dot =
      other.Append("dot", DenseOp(AddWeights(1, {2}, {1}, &other)), {price}, 1);  // A bias.
  const ValueId product = other.Append("product", OperatorKind::WeightedSum, {dot, price}, 1);
  const ValueId sum = other.Append("sum", AddOp(), {product, price}, 1);
  other.logit = other.Append("head", DenseOp(AddWeights(1, {3}, {}, &other)), {sum}, 1);
  EXPECT_EQ(RemoveDeadCode(SplitCross(other)).nodes.size(), other.nodes.size());
  ExpectSameLogits(other, SplitCross(other));
}

// Of the layout that people train with: 18 fields of the user, 8 of an item, 16 numbers each.
TEST(SplitCrossTest, ACandidateMultipliesItsOwnColumnsAlone) {
  RandomModel model = WideDeepWorkload({"dcn"});
  Spec& spec = model.spec;
  spec.deep.hidden_units.clear();
  spec.cross = {};
  spec.cross.layers = 3;
  constexpr int64_t kWidth = 26 * 16, kOwn = 8 * 16;
  for (const char* name : {"deep.layers.0.weight", "deep.layers.0.bias", "deep.layers.1.weight",
                           "deep.layers.1.bias", "head.weight"}) {
    model.weights.erase(name);
  }
  const auto filled = [](std::vector<int64_t> shape) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    return Tensor{std::move(shape), std::vector<float>(count, 0.01f)};
  };
  for (int i = 0; i < 3; ++i) {
    model.weights[absl::StrCat("cross.layers.", i, ".weight")] = filled({1, kWidth});
    model.weights[absl::StrCat("cross.layers.", i, ".bias")] = filled({kWidth});
  }
  model.weights["head.weight"] = filled({1, kWidth});
  const auto conversion = Convert(spec, model.weights, {schema::Precision::Float32, 0, "test"});
  ASSERT_TRUE(conversion.ok()) << conversion.status();
  // As written, the head's columns and each layer's dot product and product with a number.
  EXPECT_EQ(CountWork(conversion->source).candidate.multiply_accumulates, 7u * kWidth);
  // Three dot products and the head; and the scale's, which are numbers.
  const uint64_t work = CountWork(conversion->program).candidate.multiply_accumulates;
  EXPECT_GE(work, 4u * kOwn);
  EXPECT_LE(work, 4u * kOwn + 8);
}

TEST(WeighProductsTest, TheWeightsGoToTheUser) {
  Graph graph = SmallGraph();
  const ValueId user = Embed(kUser, AddCountingTable(4, 2, &graph), &graph);
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId product = graph.Append("gmf", OperatorKind::Multiply, {user, item}, 2);
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId all = graph.Append("all", kConcat, {price, product}, 3);
  graph.logit = graph.Append("head", DenseOp(AddWeights(3, {2, 3, -4}, {5}, &graph)), {all}, 1);
  const Graph weighed = RemoveDeadCode(WeighProducts(graph));
  ASSERT_TRUE(Verify(weighed).ok()) << Verify(weighed);
  ExpectSameLogits(graph, weighed);
  EXPECT_EQ(Count(OperatorKind::Multiply, weighed), 0u);
  EXPECT_EQ(Count(OperatorKind::InnerProduct, weighed), 1u);
  const std::vector<Domain> domains = InferDomains(weighed);
  size_t found = 0;
  for (const Node& node : weighed.nodes) {
    if (weighed.NameOf(node) != "gmf.user") continue;
    ++found;
    EXPECT_EQ(domains[node.output], Domain::Context());
  }
  EXPECT_EQ(found, 1u);
}

TEST(WeighProductsTest, OtherProductsStay) {
  Graph graph = SmallGraph();
  const ValueId tags = Embed(kTags, AddCountingTable(6, 2, &graph), &graph);
  const ValueId item = Embed(kItem, AddCountingTable(5, 2, &graph), &graph);
  const ValueId product = graph.Append("product", OperatorKind::Multiply, {tags, item}, 2);
  graph.logit = graph.Append("head", DenseOp(AddWeights(2, {3, -4}, {5}, &graph)), {product}, 1);
  EXPECT_EQ(WeighProducts(graph).nodes.size(), graph.nodes.size());
}

TEST(FoldConstantsTest, PartsOfAnInputBecomeBiases) {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId two = graph.Append("two", ConstantOp({2, 7}), {}, 2);
  const ValueId all = graph.Append("all", kConcat, {price, two, price}, 4);
  graph.logit = graph.Append("logit", DenseOp(AddWeights(4, {4, 3, 2, 1}, {1}, &graph)), {all}, 1);
  const Graph folded = RemoveDeadCode(FoldConstants(graph));
  ExpectSameLogits(graph, folded);
  EXPECT_EQ(Count(kConstant, folded), 0u);
}

// ---- Tensors of other names ----

std::vector<double> LogitsOf(const RandomModel& model) {
  const absl::StatusOr<Graph> graph = BuildGraph(model.spec, model.weights);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return {};
  const auto logits = EvaluateReference(*graph, MakeRandomRequest(model, 1, 4));
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? *logits : std::vector<double>();
}

Tensor Transposed(const Tensor& tensor) {
  Tensor result = {{tensor.shape[1], tensor.shape[0]}, tensor.data};
  for (int64_t i = 0; i < tensor.shape[0]; ++i) {
    for (int64_t j = 0; j < tensor.shape[1]; ++j) {
      result.data[static_cast<size_t>(j * tensor.shape[0] + i)] =
          tensor.data[static_cast<size_t>(i * tensor.shape[1] + j)];
    }
  }
  return result;
}

TEST(OwnNamesTest, EveryKindIsReadFromAnyNames) {
  for (const char* kind : EveryKind()) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      SCOPED_TRACE(absl::StrCat(kind, ", seed ", seed));
      RandomModel model = MakeRandomModel(seed, kind);
      const std::vector<double> expected = LogitsOf(model);
      Weights theirs;
      for (const auto& [name, tensor] : model.weights) {
        const bool transpose = tensor.shape.size() == 2;
        const std::string own = absl::StrCat("net/", absl::StrReplaceAll(name, {{".", "/"}}), ":0");
        model.spec.renames.push_back({name, own, transpose});
        theirs[own] = transpose ? Transposed(tensor) : tensor;
      }
      model.weights = std::move(theirs);
      EXPECT_EQ(LogitsOf(model), expected);
    }
  }
}

std::string FaultOf(const RandomModel& model) {
  const absl::StatusOr<Graph> graph = BuildGraph(model.spec, model.weights);
  EXPECT_FALSE(graph.ok());
  return std::string(graph.status().message());
}

TEST(OwnNamesTest, FaultsHaveBothNames) {
  const RandomModel model = MakeRandomModel(3, "gmf");
  RandomModel wrong = model;
  wrong.spec.renames = {{"head.weight", "dense/kernel", true}};
  EXPECT_THAT(FaultOf(wrong), HasSubstr("tensor 'dense/kernel' (layout.names of 'head.weight') is "
                                        "missing"));
  wrong = model;
  wrong.spec.renames = {{"head.bias", "head.bias", true}};
  EXPECT_THAT(FaultOf(wrong), HasSubstr("only a matrix can be transposed"));
  wrong = model;
  wrong.spec.renames = {{"head.weight", "head.weight", true}};
  if (model.weights.at("head.weight").shape[1] != 1) {
    EXPECT_THAT(FaultOf(wrong), HasSubstr("1] when transposed, expected [1,"));
  }
  wrong = model;
  wrong.spec.renames = {{"deep.layers.<i>.weight", "dense_<i>", false}};
  EXPECT_THAT(FaultOf(wrong), HasSubstr("layout.names has 'deep.layers.<i>.weight', but this model "
                                        "has no such tensor"));
}

// ---- Tables of another archive ----

// Gives the model `weights` with the tables that they lack; returns what `tables` has besides.
std::vector<std::string> JoinTo(RandomModel* model, const Weights& weights, const Weights& tables) {
  const std::unique_ptr<Archive> own = ArchiveOf(weights), others = ArchiveOf(tables);
  const auto joined = JoinEmbeddings(model->spec, *own, *others);
  EXPECT_TRUE(joined.ok()) << joined.status();
  if (!joined.ok()) return {};
  Weights all;
  for (const auto& [name, info] : joined->archive->tensors()) {
    all[name] = *joined->archive->Read(name);
    EXPECT_EQ(all[name].is_optional, info.is_optional);
  }
  model->weights = std::move(all);
  return joined->others;
}

TEST(JoinEmbeddingsTest, TablesThatAreMissingComeFromTheOther) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    RandomModel model = MakeRandomModel(seed, "fnn");
    const std::vector<double> expected = LogitsOf(model);
    Weights tables, others;
    for (const auto& [name, tensor] : model.weights) {
      const bool is_table = name.find(".embedding.") != name.npos || name == "wide.bias";
      (is_table ? tables : others)[name] = tensor;
    }
    // What a factorization machine has besides: a table of a feature that the model does not read.
    tables["deep.embedding.elsewhere.weight"] = {{1, 1}, {1}};
    tables["head.bias"] = {{1}, {1000}};
    EXPECT_THAT(JoinTo(&model, others, tables),
                ElementsAre("deep.embedding.elsewhere.weight", "head.bias"));
    EXPECT_EQ(LogitsOf(model), expected);
  }
}

TEST(JoinEmbeddingsTest, TablesThatNothingReadsAreNoFault) {
  RandomModel model = MakeRandomModel(1, "gmf");
  const std::vector<double> expected = LogitsOf(model);
  const std::string& table = model.spec.features[model.spec.gmf->item.feature].table;
  Weights tables;
  tables[absl::StrCat("wide.embedding.", table, ".weight")] = {{1, 1}, {1}};
  EXPECT_THAT(JoinTo(&model, model.weights, tables), IsEmpty());
  EXPECT_EQ(LogitsOf(model), expected);
}

TEST(JoinEmbeddingsTest, ATableOfBothMustBeTheSame) {
  RandomModel model = MakeRandomModel(2, "gmf");
  const std::vector<double> expected = LogitsOf(model);
  const std::string name = absl::StrCat(
      "gmf.embedding.", model.spec.features[model.spec.gmf->item.feature].table, ".weight");
  Weights tables = {{name, model.weights.at(name)}};
  JoinTo(&model, model.weights, tables);
  EXPECT_EQ(LogitsOf(model), expected);
  tables[name].data[0] += 1;
  const auto joined = JoinEmbeddings(model.spec, *ArchiveOf(model.weights), *ArchiveOf(tables));
  ASSERT_FALSE(joined.ok());
  EXPECT_THAT(std::string(joined.status().message()),
              HasSubstr(absl::StrCat("table '", name,
                                     "' is in weights and in weights, with different "
                                     "numbers")));
}

}  // namespace
}  // namespace handpick::converter
