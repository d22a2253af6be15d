// Forests in graphs: what is checked, how they are split by domain, and what the runtime makes of
// them.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "converter/emit/emit.h"
#include "converter/graph/cost.h"
#include "converter/graph/decode.h"
#include "converter/graph/graph.h"
#include "converter/graph/infer_domains.h"
#include "converter/passes/remove_dead_code.h"
#include "converter/passes/split_by_domain.h"
#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "converter/runtime/bundle_session.h"
#include "tests/support/change_features.h"
#include "tests/support/random_model.h"
#include "tests/support/small_graph.h"

namespace handpick::converter {
namespace {

constexpr uint16_t kInner = schema::kInnerNode;

// One test of a column, worth -`worth` at the left and `worth` at the right.
void AddStump(uint16_t column, float threshold, float worth, ForestData* forest) {
  const auto at = static_cast<uint32_t>(forest->nodes.size());
  forest->nodes.push_back({threshold, at + 1, column, kInner});
  forest->nodes.push_back({-worth, at + 1, 0, 0});
  forest->nodes.push_back({worth, at + 2, 0, 0});
  forest->tree_begins.push_back(at + 3);
}

// Over [price, age (2)]: stumps of the context and of the candidate, a tree of both, and a leaf.
Graph ThreeDomains() {
  Graph graph = SmallGraph();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId all = graph.Append("all", kConcat, {price, age}, 3);
  ForestData forest;
  forest.name = "forest";
  forest.input_width = 3;
  forest.base = 0.5;
  AddStump(1, 0.5f, 1, &forest);
  AddStump(0, 2.0f, 4, &forest);
  const uint32_t at = 6;
  forest.nodes.insert(forest.nodes.end(), {{-1.0f, at + 1, 2, kInner},
                                           {16.0f, at + 1, 0, 0},
                                           {0.0f, at + 3, 0, kInner | schema::kCategories},
                                           {32.0f, at + 3, 0, 0},
                                           {64.0f, at + 4, 0, 0}});
  forest.tree_begins.push_back(at + 5);
  forest.set_begins = {0, 1};
  forest.set_words = {4};  // Category 2.
  forest.nodes.push_back({128.0f, at + 5, 0, 0});
  forest.tree_begins.push_back(at + 6);
  const ForestId id = graph.AddForest(std::move(forest));
  graph.logit = graph.Append("trees", ForestOp(id), {all}, 1);
  return graph;
}

TEST(ForestGraphTest, TheReferenceWalksEveryTree) {
  const Graph graph = ThreeDomains();
  ASSERT_TRUE(Verify(graph).ok()) << Verify(graph);
  // Age (0.5, -1): at the thresholds, so to the right. Price 2 is category 2, and not below 2.
  EXPECT_EQ(SmallLogits(graph),
            (std::vector<double>{0.5 + 1 + 4 + 32 + 128, 0.5 + 1 - 4 + 64 + 128}));
}

TEST(ForestGraphTest, TreesAreSplitByWhatTheyTest) {
  const Graph graph = ThreeDomains();
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  ASSERT_TRUE(Verify(split).ok()) << Verify(split);
  EXPECT_EQ(SmallLogits(split), SmallLogits(graph));
  const std::vector<Domain> domains = InferDomains(split);
  size_t context = 0, candidate = 0;
  for (const Node& node : split.nodes) {
    if (!node.op.Is(OperatorKind::Forest)) continue;
    const ForestData& forest = *split.forests[*node.op.forest];
    if (domains[node.output] == Domain::Context()) {
      ++context;
      EXPECT_EQ(split.NameOf(node), "trees.context");
      EXPECT_EQ(forest.tree_count(), 1u);
      EXPECT_EQ(forest.input_width, 2u);
      EXPECT_EQ(forest.base, 128.5);  // With the tree that is a leaf.
    } else {
      ++candidate;
      EXPECT_EQ(forest.base, 0);
    }
  }
  EXPECT_EQ(context, 1u);
  EXPECT_EQ(candidate, 1u);
  const Cost before = CountWork(graph);
  const Cost after = CountWork(split);
  EXPECT_EQ(before.candidate.tree_nodes, 8u);  // 2 + 2 + 8 / 3 + 1
  EXPECT_EQ(after.context.tree_nodes, 2u);
  EXPECT_EQ(after.candidate.tree_nodes, 5u);
}

TEST(ForestGraphTest, TreesOfOneSideReadThatSideAlone) {
  Graph graph = ThreeDomains();
  ForestData of_price;
  of_price.name = "price alone";
  of_price.input_width = 3;
  AddStump(0, 1.0f, 4, &of_price);
  graph.forests[0] = std::make_shared<const ForestData>(std::move(of_price));
  const Graph split = RemoveDeadCode(SplitByDomain(graph));
  EXPECT_EQ(SmallLogits(split), SmallLogits(graph));
  ASSERT_EQ(split.forests.size(), 1u);
  EXPECT_EQ(split.forests[0]->input_width, 1u);
  for (const Node& node : split.nodes) EXPECT_NE(split.NameOf(node), "age");
}

TEST(ForestGraphTest, TreesOfOneDomainStayAsTheyAre) {
  Graph graph = SmallGraph();
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  ForestData forest;
  forest.name = "forest";
  forest.input_width = 2;
  AddStump(0, 1.0f, 4, &forest);
  AddStump(1, 1.0f, 8, &forest);
  graph.logit = graph.Append("trees", ForestOp(graph.AddForest(std::move(forest))), {age}, 1);
  EXPECT_EQ(SplitByDomain(graph).nodes.size(), graph.nodes.size());
}

TEST(ForestGraphTest, WhatIsWrongWithAForestIsNamed) {
  struct Case {
    std::function<void(Graph*)> damage;
    const char* message;
  };
  const auto change = [](const std::function<void(ForestData*)>& damage) {
    return [damage](Graph* graph) {
      ForestData forest = *graph->forests[0];
      damage(&forest);
      graph->forests[0] = std::make_shared<const ForestData>(std::move(forest));
    };
  };
  const Case cases[] = {
      {[](Graph* g) { g->nodes.back().op.forest = 1; }, "reads forest 1, which does not exist"},
      {[](Graph* g) { g->nodes.back().op.forest.reset(); }, "its forest is missing"},
      {[](Graph* g) { g->nodes[0].op.forest = 0; }, "a forest is there"},
      {change([](ForestData* f) { f->input_width = 4; }),
       "the input width of 'forest' is 4, expected 3"},
      {change([](ForestData* f) { f->nodes[3].left = 3; }),
       "its forest: tree 1, node 0: has children out of their place"},
      {change([](ForestData* f) { f->set_words.clear(); }),
       "its forest: a set is not within its words"},
  };
  for (const Case& fault : cases) {
    Graph graph = ThreeDomains();
    fault.damage(&graph);
    const absl::Status status = Verify(graph);
    ASSERT_FALSE(status.ok()) << fault.message;
    EXPECT_TRUE(absl::StrContains(status.message(), fault.message)) << status;
  }
}

// SmallGraph whose price may be missing.
Graph WithMissingPrice() {
  Graph graph = SmallGraph();
  ChangeFeatures(&graph,
                 [](FeatureSet* features) { features->features[kPrice]->may_be_missing = true; });
  return graph;
}

TEST(MissingNumbersTest, AreReadByForestsAndNothingElse) {
  Graph graph = WithMissingPrice();
  const ValueId price = graph.Append("price", NumericOp(kPrice), {}, 1);
  const ValueId age = graph.Append("age", NumericOp(kAge), {}, 2);
  const ValueId all = graph.Append("all", kConcat, {age, price}, 3);
  ForestData forest;
  forest.name = "forest";
  forest.input_width = 3;
  AddStump(2, 1.0f, 4, &forest);
  const ForestId id = graph.AddForest(std::move(forest));
  const ValueId trees = graph.Append("trees", ForestOp(id), {all}, 1);
  // A layer may read the columns beside those.
  const ValueId slice = graph.Append("slice", SliceOp(0), {all}, 2);
  const ValueId layer =
      graph.Append("layer", DenseOp(AddWeights(2, {1, 2}, {}, &graph)), {slice}, 1);
  graph.logit = graph.Append("logit", AddOp(), {trees, layer}, 1);
  EXPECT_TRUE(Verify(graph).ok()) << Verify(graph);

  Graph of_all = graph;
  of_all.Append("layer of all", DenseOp(AddWeights(3, {1, 2, 3}, {}, &of_all)), {all}, 1);
  EXPECT_TRUE(absl::StrContains(
      Verify(of_all).message(),
      "the numbers of feature 'price' may be missing, which trees can read and nothing else can: "
      "'layer of all' (dense) reads them"))
      << Verify(of_all);
  Graph alone = graph;
  alone.logit = price;
  EXPECT_TRUE(absl::StrContains(Verify(alone).message(), "they are the logit")) << Verify(alone);
}

// Through the whole of it: random trees, numbers among which some are missing, and the same split
// and unsplit, in the runtime and in the reference.
TEST(ForestPipelineTest, SplittingChangesNoScore) {
  for (const char* kind : {"gbdt", "gbdt_lr"}) {
    size_t split_in_two = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(seed);
      const RandomModel model = MakeRandomModel(seed, kind);
      const auto whole = Convert(model.spec, model.weights,
                                 {schema::Precision::Float32, 0, "test", "split by domain"});
      const auto split =
          Convert(model.spec, model.weights, {schema::Precision::Float32, 0, "test"});
      ASSERT_TRUE(whole.ok()) << whole.status();
      ASSERT_TRUE(split.ok()) << split.status();
      ASSERT_EQ(whole->program.forests.size(), 1u);
      const Cost cost = CountWork(split->program);
      if (cost.context.tree_nodes != 0 && cost.candidate.tree_nodes != 0) ++split_in_two;
      const auto bytes = Serialize(split->bundle);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      const auto session = BundleSession::Open(*bytes);
      ASSERT_TRUE(session.ok()) << session.status();
      const auto decoded = DecodeBundle(*bytes);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      const Request request = MakeRandomRequest(model, seed, 37);
      const auto expected = EvaluateReference(whole->program, request);
      const auto again = EvaluateReference(*decoded, request);
      const auto scored = (*session)->Score(request);
      ASSERT_TRUE(expected.ok()) << expected.status();
      ASSERT_TRUE(again.ok()) << again.status();
      ASSERT_TRUE(scored.ok()) << scored.status();
      for (size_t i = 0; i < expected->size(); ++i) {
        EXPECT_NEAR((*again)[i], (*expected)[i], 1e-5 * std::fmax(1, std::fabs((*expected)[i])));
        EXPECT_NEAR(scored->logits[i], (*expected)[i],
                    1e-5 * std::fmax(1, std::fabs((*expected)[i])));
      }
    }
    EXPECT_GT(split_in_two, 5u) << kind;
  }
}

TEST(ForestPipelineTest, ModelsAndTreesThatDoNotFitAreRefused) {
  const RandomModel model = MakeRandomModel(3, "gbdt_lr");
  const auto message = [](const Spec& spec, const Weights& weights) {
    return std::string(
        Convert(spec, weights, {schema::Precision::Float32, 0, "test"}).status().message());
  };
  Spec spec = model.spec;
  spec.trees.model = nullptr;
  EXPECT_TRUE(absl::StrContains(message(spec, model.weights), "(--trees)"));

  TreeModel trees = *model.spec.trees.model;
  ++trees.column_count;
  spec.trees.model = std::make_shared<const TreeModel>(trees);
  EXPECT_TRUE(absl::StrContains(message(spec, model.weights), "columns, and the spec's"));

  Weights weights = model.weights;
  weights["trees.0.weight"].shape[0] += 1;
  weights["trees.0.weight"].data.push_back(0);
  EXPECT_TRUE(absl::StrContains(message(model.spec, weights), "trees.0.weight"));
  weights = model.weights;
  weights["trees.99.weight"] = weights["trees.0.weight"];
  EXPECT_TRUE(absl::StrContains(message(model.spec, weights), "'trees.99.weight'"));
}

TEST(ForestPipelineTest, ColumnsInAnotherOrderAreRefused) {
  RandomModel model = MakeRandomModel(3, "gbdt");
  TreeModel trees = *model.spec.trees.model;
  std::vector<std::string> names;
  for (const size_t f : model.spec.trees.features) {
    const FeatureSpec& feature = model.spec.features[f];
    for (int64_t c = 0; c < feature.dimension; ++c) {
      names.push_back(feature.dimension == 1 ? feature.name
                                             : feature.name + "[" + std::to_string(c) + "]");
    }
  }
  trees.column_names = names;
  model.spec.trees.model = std::make_shared<const TreeModel>(trees);
  const ConvertOptions options = {schema::Precision::Float32, 0, "test"};
  EXPECT_TRUE(Convert(model.spec, model.weights, options).ok());
  std::swap(trees.column_names.front(), trees.column_names.back());
  model.spec.trees.model = std::make_shared<const TreeModel>(trees);
  const absl::Status status = Convert(model.spec, model.weights, options).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "expected the order of the model")) << status;
  // Names that the spec does not know say nothing.
  trees.column_names.assign(names.size(), "Column_0");
  model.spec.trees.model = std::make_shared<const TreeModel>(trees);
  EXPECT_TRUE(Convert(model.spec, model.weights, options).ok());
}

}  // namespace
}  // namespace handpick::converter
