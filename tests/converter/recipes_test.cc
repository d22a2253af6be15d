// What the Wide&Deep recipe reads, and what it says when spec and weights contradict each other.
// That it computes what the trainers do is shown by the golden tests.
#include "converter/recipes/recipes.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "converter/reference/interpreter.h"

namespace handpick::converter {
namespace {

using schema::Combiner;
using schema::FeatureType;
using schema::Side;

Tensor MakeTensor(std::vector<int64_t> shape, std::vector<float> data) {
  return {std::move(shape), std::move(data)};
}

Tensor Filled(std::vector<int64_t> shape, float value) {
  size_t count = 1;
  for (int64_t size : shape) count *= static_cast<size_t>(size);
  return {std::move(shape), std::vector<float>(count, value)};
}

FeatureSpec Categorical(const std::string& name, Side side, int64_t size) {
  FeatureSpec feature;
  feature.name = feature.table = name;
  feature.side = side;
  feature.type = FeatureType::Categorical;
  feature.vocabulary.kind = schema::VocabularyKind::Identity;
  feature.vocabulary.size = size;
  return feature;
}

FeatureSpec Numeric(const std::string& name, Side side, int64_t dimension) {
  FeatureSpec feature;
  feature.name = feature.table = name;
  feature.side = side;
  feature.type = FeatureType::Numeric;
  feature.dimension = dimension;
  return feature;
}

FeatureSpec Multi(const std::string& name, Side side, int64_t size) {
  FeatureSpec feature = Categorical(name, side, size);
  feature.type = FeatureType::MultiCategorical;
  feature.max_values = 3;
  return feature;
}

// Features: 0 price (1 number, candidate), 1 tags (4 rows, candidate), 2 user (3 rows, context),
// all of them in both parts; one layer of 2 units.
Spec SmallSpec(Layout layout) {
  Spec spec;
  spec.name = "small";
  spec.version = "1";
  spec.kind = "wide_deep";
  spec.layout = layout;
  spec.features = {Numeric("price", Side::Candidate, 1), Multi("tags", Side::Candidate, 4),
                   Categorical("user", Side::Context, 3)};
  for (size_t f = 0; f < 3; ++f) {
    spec.wide.features.push_back({f, Combiner::Sum});
    spec.deep.features.push_back({f, Combiner::Max});
  }
  spec.deep.hidden_units = {2};
  spec.deep.activation = "linear";
  return spec;
}

// Deep input in the order of the spec: price (1), tags (2), user (1).
Weights HandpickWeights() {
  return {{"wide.embedding.tags.weight", MakeTensor({4, 1}, {1, 2, 3, 4})},
          {"wide.embedding.user.weight", MakeTensor({3, 1}, {10, 20, 30})},
          {"wide.numeric.weight", MakeTensor({1}, {100})},
          {"wide.bias", MakeTensor({1}, {1000})},
          {"deep.embedding.tags.weight", MakeTensor({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
          {"deep.embedding.user.weight", MakeTensor({3, 1}, {0.5f, 0.25f, 0.125f})},
          {"deep.layers.0.weight", MakeTensor({2, 4}, {1, 10, 100, 1000, 0, 0, 0, 1})},
          {"deep.layers.0.bias", MakeTensor({2}, {0, 2})},
          {"head.weight", MakeTensor({1, 2}, {1, 4})},
          {"head.bias", MakeTensor({1}, {0.75f})}};
}

// Deep input grouped by kind: user (1), tags (2), price (1).
Weights DeepCtrWeights() {
  return {{"linear_model.embedding_dict.tags.weight", MakeTensor({4, 1}, {1, 2, 3, 4})},
          {"linear_model.embedding_dict.user.weight", MakeTensor({3, 1}, {10, 20, 30})},
          {"linear_model.weight", MakeTensor({1, 1}, {100})},
          {"embedding_dict.tags.weight", MakeTensor({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})},
          {"embedding_dict.user.weight", MakeTensor({3, 1}, {0.5f, 0.25f, 0.125f})},
          {"dnn.linears.0.weight", MakeTensor({2, 4}, {1000, 10, 100, 1, 1, 0, 0, 0})},
          {"dnn.linears.0.bias", MakeTensor({2}, {0, 2})},
          {"dnn_linear.weight", MakeTensor({1, 2}, {1, 4})},
          {"out.bias", MakeTensor({1}, {1000.75f})}};
}

// price 2; tags as given; user 1
double LogitOf(const Spec& spec, const Weights& weights, const RawCell& tags) {
  const absl::StatusOr<Graph> graph = BuildGraph(spec, weights);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return 0;
  Request request;
  request.context = {{2, {{RawScalar(int64_t{1})}}}};
  request.candidate_count = 1;
  request.candidates = {{0, {{RawScalar(2.0)}}}, {1, {tags}}};
  const absl::StatusOr<std::vector<double>> logits = EvaluateReference(*graph, request);
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? logits->at(0) : 0;
}

const RawCell kTwoTags = {RawScalar(int64_t{0}), RawScalar(int64_t{3})};

// wide: tags 1 + 4, user 20, price 2 * 100, bias 1000.
// deep: tags max (7, 8), user 0.25: layer (2 + 70 + 800 + 250, 0.25 + 2); head 1122 + 9 + 0.75.
constexpr double kLogitOfTwoTags = 5 + 20 + 200 + 1000 + 1122 + 9 + 0.75;

TEST(WideDeepTest, HandpickLayoutConcatenatesInTheOrderOfTheSpec) {
  EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kHandpick), HandpickWeights(), kTwoTags),
                   kLogitOfTwoTags);
}

TEST(WideDeepTest, DeepCtrTorchLayoutConcatenatesByKind) {
  EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kDeepCtrTorch), DeepCtrWeights(), kTwoTags),
                   kLogitOfTwoTags);
}

TEST(WideDeepTest, TheMaximumOfNothingIsTheLayouts) {
  // No tags: wide loses 5; deep has (m, m) for (7, 8).
  const auto expected = [](double m) { return 20 + 200 + 1000 + (2 + 110 * m + 250) + 9 + 0.75; };
  EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kHandpick), HandpickWeights(), {}), expected(0));
  EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kDeepCtrTorch), DeepCtrWeights(), {}), expected(-1e9));
}

TEST(WideDeepTest, TheBiasOfTheWidePartIsOptional) {
  Weights weights = HandpickWeights();
  weights.erase("wide.bias");
  EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kHandpick), weights, kTwoTags),
                   kLogitOfTwoTags - 1000);
}

TEST(WideDeepTest, NumericWeightsMayHaveEitherShape) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, 1}, {1}}) {
    Weights weights = HandpickWeights();
    weights["wide.numeric.weight"].shape = shape;
    EXPECT_DOUBLE_EQ(LogitOf(SmallSpec(Layout::kHandpick), weights, kTwoTags), kLogitOfTwoTags);
  }
}

TEST(WideDeepTest, EitherPartMayBeAbsent) {
  Spec wide = SmallSpec(Layout::kHandpick);
  wide.deep = {};
  EXPECT_DOUBLE_EQ(LogitOf(wide,
                           {{"wide.embedding.tags.weight", MakeTensor({4, 1}, {1, 2, 3, 4})},
                            {"wide.embedding.user.weight", MakeTensor({3, 1}, {10, 20, 30})},
                            {"wide.numeric.weight", MakeTensor({1}, {100})}},
                           kTwoTags),
                   225);
  Spec deep = SmallSpec(Layout::kHandpick);
  deep.wide = {};
  Weights weights = HandpickWeights();
  for (const char* name : {"wide.embedding.tags.weight", "wide.embedding.user.weight",
                           "wide.numeric.weight", "wide.bias"}) {
    weights.erase(name);
  }
  EXPECT_DOUBLE_EQ(LogitOf(deep, weights, kTwoTags), 1131.75);
}

TEST(WideDeepTest, DeepCtrTorchWithoutHiddenLayersHasNoDeepPart) {
  Spec spec = SmallSpec(Layout::kDeepCtrTorch);
  spec.deep.hidden_units.clear();
  Weights weights = DeepCtrWeights();
  for (const char* name : {"dnn.linears.0.weight", "dnn.linears.0.bias", "dnn_linear.weight"}) {
    weights.erase(name);
  }
  EXPECT_DOUBLE_EQ(LogitOf(spec, weights, kTwoTags), 5 + 20 + 200 + 1000.75);
}

TEST(WideDeepTest, TrainingStateIsNoPartOfTheModel) {
  Spec spec = SmallSpec(Layout::kDeepCtrTorch);
  spec.deep.batch_normalization = true;
  Weights weights = DeepCtrWeights();
  weights["dnn.bn.0.weight"] = Filled({2}, 1);
  weights["dnn.bn.0.bias"] = Filled({2}, 0);
  weights["dnn.bn.0.running_mean"] = Filled({2}, 0);
  weights["dnn.bn.0.running_var"] = Filled({2}, 1);
  weights["dnn.bn.0.num_batches_tracked"] = MakeTensor({}, {17});
  EXPECT_TRUE(BuildGraph(spec, weights).ok());
}

// ---- Errors ----

struct Contradiction {
  const char* name;
  std::function<void(Spec*, Weights*)> make;
  // All of them are in the message.
  std::vector<std::string> words;
};

class ContradictionTest : public ::testing::TestWithParam<Contradiction> {};

TEST_P(ContradictionTest, IsNamed) {
  Spec spec = SmallSpec(Layout::kHandpick);
  Weights weights = HandpickWeights();
  GetParam().make(&spec, &weights);
  const absl::StatusOr<Graph> graph = BuildGraph(spec, weights);
  ASSERT_FALSE(graph.ok());
  for (const std::string& word : GetParam().words) {
    EXPECT_NE(graph.status().message().find(word), std::string::npos)
        << "no '" << word << "' in: " << graph.status();
  }
}

const Contradiction kContradictions[] = {
    {"MissingTensor",
     [](Spec*, Weights* w) { w->erase("head.weight"); },
     {"'head.weight' is missing", "[1, 2]", "deep.hidden_units"}},
    {"MisspeltTensor",
     [](Spec*, Weights* w) {
       w->insert({"head.wieght", w->at("head.weight")});
       w->erase("head.weight");
     },
     {"'head.weight' is missing", "did you mean 'head.wieght'"}},
    {"TooFewRows",
     [](Spec*, Weights* w) {
       (*w)["deep.embedding.tags.weight"] = Filled({3, 2}, 1);
     },
     {"'deep.embedding.tags.weight' has shape [3, 2]", "[4, ?]", "feature 'tags'"}},
    {"WideTableThatIsNoColumn",
     [](Spec*, Weights* w) {
       (*w)["wide.embedding.user.weight"] = Filled({3, 2}, 1);
     },
     {"'wide.embedding.user.weight' has shape [3, 2]", "[3, 1]"}},
    {"WrongDimension",
     [](Spec* s, Weights*) { s->features[1].embedding_dimension = 8; },
     {"'deep.embedding.tags.weight'", "rows of 2 numbers", "expected 8", "embedding.dimension"}},
    {"WrongInputWidth",
     [](Spec*, Weights* w) {
       (*w)["deep.layers.0.weight"] = Filled({2, 5}, 1);
     },
     {"'deep.layers.0.weight' has shape [2, 5]", "[2, 4]", "deep.hidden_units[0]",
      "widths of deep.features"}},
    {"WrongHiddenUnits",
     [](Spec* s, Weights*) { s->deep.hidden_units = {3}; },
     {"'deep.layers.0.weight' has shape [2, 4]", "[3, 4]", "deep.hidden_units[0]"}},
    {"TooManyLayers",
     [](Spec* s, Weights*) {
       s->deep.hidden_units = {2, 2};
     },
     {"'deep.layers.1.weight' is missing", "deep.hidden_units[1]"}},
    {"TooFewNumbers",
     [](Spec*, Weights* w) {
       (*w)["wide.numeric.weight"] = Filled({1, 2}, 1);
     },
     {"'wide.numeric.weight' has shape [1, 2]", "[1] or [1, 1] or [1, 1]",
      "numeric features of wide.features"}},
    {"BatchNormalizationThatIsAbsent",
     [](Spec* s, Weights*) { s->deep.batch_normalization = true; },
     {"'deep.layers.0.batch_norm.weight' is missing", "deep.batch_normalization is true"}},
    {"BatchNormalizationThatIsPresent",
     [](Spec*, Weights* w) { (*w)["deep.layers.0.batch_norm.weight"] = Filled({2}, 1); },
     {"'deep.layers.0.batch_norm.weight'", "expected none", "deep.batch_normalization is false"}},
    {"PreluThatIsAbsent",
     [](Spec* s, Weights*) { s->deep.activation = "prelu"; },
     {"'deep.layers.0.prelu.weight' is missing", "[1] or [2]", "deep.activation is prelu"}},
    {"PreluThatIsPresent",
     [](Spec*, Weights* w) { (*w)["deep.layers.0.prelu.weight"] = Filled({1}, 1); },
     {"'deep.layers.0.prelu.weight'", "expected none", "deep.activation is linear"}},
    {"NegativeVariance",
     [](Spec* s, Weights* w) {
       s->deep.batch_normalization = true;
       for (const char* end : {"weight", "bias", "running_mean", "running_var"}) {
         (*w)[std::string("deep.layers.0.batch_norm.") + end] = Filled({2}, -1);
       }
     },
     {"'deep.layers.0.batch_norm.running_var' has -1 at [0]", "not negative"}},
    {"TensorsThatNothingUses",
     [](Spec*, Weights* w) {
       (*w)["deep.layers.1.weight"] = Filled({2, 2}, 1);
       (*w)["tower.weight"] = Filled({1}, 1);
     },
     {"nothing in the spec uses 'deep.layers.1.weight', 'tower.weight'"}},
    {"LayersWithoutFeatures",
     [](Spec* s, Weights*) { s->deep.features.clear(); },
     {"deep.features has 0 entries", "deep.hidden_units has 1"}},
    {"FeaturesWithoutLayers",
     [](Spec* s, Weights*) { s->deep.hidden_units.clear(); },
     {"deep.features has 3 entries", "deep.hidden_units has 0"}},
    {"NoInputAtAll",
     [](Spec* s, Weights*) {
       s->wide = {};
       s->deep = {};
     },
     {"the model has no input"}},
    {"UnknownActivation",
     [](Spec* s, Weights*) { s->deep.activation = "gelu"; },
     {"deep.activation is 'gelu'", "linear, relu, sigmoid, tanh, prelu"}},
    {"UnknownKind",
     [](Spec* s, Weights*) { s->kind = "deep_wide"; },
     {"model.kind is 'deep_wide'", "wide_deep"}},
};

INSTANTIATE_TEST_SUITE_P(All, ContradictionTest, ::testing::ValuesIn(kContradictions),
                         [](const ::testing::TestParamInfo<Contradiction>& test) {
                           return std::string(test.param.name);
                         });

TEST(FaultsOfWeightsTest, AllAreListed) {
  Weights weights = HandpickWeights();
  weights["deep.embedding.tags.weight"] = Filled({3, 2}, 1);
  weights["deep.layers.0.weight"] = Filled({2, 5}, 1);
  weights.erase("deep.layers.0.bias");
  weights["offset"] = Filled({2}, 1);
  weights["head.wieght"] = weights.at("head.weight");
  weights.erase("head.weight");
  weights["tower.weight"] = Filled({7}, 1);
  const absl::StatusOr<Graph> graph = BuildGraph(SmallSpec(Layout::kHandpick), weights);
  EXPECT_EQ(graph.status().message(),
            "weights: 5 faults:\n"
            "  tensor 'deep.embedding.tags.weight' has shape [3, 2], expected [4, ?] (spec: the "
            "vocabulary of feature 'tags')\n"
            "  tensor 'deep.layers.0.weight' has shape [2, 5], expected [2, 4] (spec: "
            "deep.hidden_units[0] and the widths of deep.features)\n"
            "  tensor 'deep.layers.0.bias' is missing (only 'offset' has that shape), expected "
            "with shape [2] (spec: deep.hidden_units[0])\n"
            "  tensor 'head.weight' is missing (did you mean 'head.wieght'?), expected with shape "
            "[1, 2] (spec: the last of deep.hidden_units)\n"
            "  nothing in the spec uses 'tower.weight'; expected a spec that describes the whole "
            "model (its wide.features, deep.features and deep.hidden_units)");
}

// How wide the layers' input is nobody knows, so that nothing is said about that.
TEST(FaultsOfWeightsTest, AMissingTableIsNoFaultOfTheLayers) {
  Weights weights = HandpickWeights();
  weights.erase("deep.embedding.tags.weight");
  weights.erase("deep.layers.0.bias");
  const absl::StatusOr<Graph> graph = BuildGraph(SmallSpec(Layout::kHandpick), weights);
  EXPECT_EQ(graph.status().message(),
            "weights: 2 faults:\n"
            "  tensor 'deep.embedding.tags.weight' is missing (did you mean "
            "'deep.embedding.user.weight'?), expected with shape [4, ?] (spec: the vocabulary of "
            "feature 'tags')\n"
            "  tensor 'deep.layers.0.bias' is missing, expected with shape [?] (spec: "
            "deep.hidden_units[0])");
}

TEST(FaultsOfWeightsTest, WhatIsMissingTakesNoMemory) {
  Spec spec = SmallSpec(Layout::kHandpick);
  spec.features[1].vocabulary.size = int64_t{1} << 31;
  spec.features[1].embedding_dimension = 65536;
  spec.deep.hidden_units = {65536, 65536};
  const absl::StatusOr<Graph> graph = BuildGraph(spec, Weights());
  ASSERT_FALSE(graph.ok());
  const std::string message(graph.status().message());
  for (const char* name : {"wide.embedding.tags.weight", "deep.embedding.user.weight",
                           "deep.layers.0.weight", "deep.layers.1.weight"}) {
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
}

TEST(DeepCtrTorchTest, RefusesAMaximumWithALength) {
  Spec spec = SmallSpec(Layout::kDeepCtrTorch);
  FeatureSpec length;
  length.name = "tag_count";
  length.side = Side::Candidate;
  length.type = FeatureType::Length;
  spec.features.push_back(length);
  spec.features[1].length = "tag_count";
  const absl::StatusOr<Graph> graph = BuildGraph(spec, DeepCtrWeights());
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.status().message().find("'tags' has combiner max and a length"),
            std::string::npos)
      << graph.status();
}

}  // namespace
}  // namespace handpick::converter
