// What the recipes of NFM, DIN and DIEN read in either layout, and what they say about it. That
// layout deepctr-torch computes what the trainer does is shown by the golden tests; here layout
// handpick is held to it.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "converter/recipes/recipes.h"
#include "converter/reference/interpreter.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Features: user [2], item [3] and shop [2] of candidate and events, and (in `deep` of layout
// deepctr-torch's DIEN: forgotten) tags [2]. Attention [20] -> 4 -> 1; network -> 5 -> 1.
Json SpecJson(const std::string& kind) {
  Json spec = Json::parse(R"({
    "model": {"name": "shop"},
    "layout": "deepctr-torch",
    "history": {"max_events": 4},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 4}},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 3,
       "vocabulary": {"kind": "identity", "size": 4}},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 6}},
      {"name": "shop", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 3}},
      {"name": "item", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 6}},
      {"name": "shop", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 3}}
    ],
    "deep": {"features": ["user", "candidate.item", "candidate.shop"], "hidden_units": [5],
             "activation": "tanh"},
    "attention": {"query": ["candidate.item", "candidate.shop"],
                  "key": ["history.item", "history.shop"],
                  "hidden_units": [4], "activation": "dice", "softmax": true}
  })");
  spec["model"]["kind"] = kind;
  if (kind == "dien") spec["evolution"] = {{"cell", "GRU"}};
  return spec;
}

Spec Parsed(const Json& json) {
  const auto spec = ParseSpec(json.dump(), "spec");
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : Spec();
}

Tensor RandomTensor(std::vector<int64_t> shape, Random* random, double least = -1) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  Tensor tensor = {std::move(shape), {}};
  for (int64_t i = 0; i < count; ++i) {
    const double unit = 0.5 * (random->Signed() + 1);
    tensor.data.push_back(static_cast<float>(least + (1 - least) * unit));
  }
  return tensor;
}

constexpr int64_t kKey = 5;               // Width of query and key.
constexpr int64_t kInput = 2 + 2 * kKey;  // user, item, shop, history.

// Of SpecJson(kind) in layout deepctr-torch.
Weights RandomWeights(const std::string& kind, const std::string& cell = "") {
  Random random(7);
  Weights weights;
  const auto add = [&](const std::string& name, std::vector<int64_t> shape, double least = -1) {
    weights[name] = RandomTensor(std::move(shape), &random, least);
  };
  add("embedding_dict.user.weight", {4, 2});
  add("embedding_dict.item.weight", {6, 3});
  add("embedding_dict.shop.weight", {3, 2});
  add("dnn.linears.0.weight", {5, kInput});
  add("dnn.linears.0.bias", {5});
  add(kind == "dien" ? "linear.weight" : "dnn_linear.weight", {1, 5});
  add("out.bias", {1});
  const std::string unit =
      absl::StrCat(kind == "dien" ? "interest_evolution." : "", "attention.local_att.");
  add(unit + "dnn.linears.0.weight", {4, 4 * kKey});
  add(unit + "dnn.linears.0.bias", {4});
  const std::string dice = unit + "dnn.activation_layers.0.";
  add(dice + "alpha", {4, 1});
  add(dice + "bn.weight", {4});
  add(dice + "bn.bias", {4});
  add(dice + "bn.running_mean", {4});
  add(dice + "bn.running_var", {4}, 0.1);
  add(unit + "dense.weight", {1, 4});
  add(unit + "dense.bias", {1});
  if (kind != "dien") return weights;
  const bool is_torch_gru = cell == "GRU" || cell == "AIGRU";
  const std::string evolution =
      absl::StrCat("interest_evolution.interest_evolution.", is_torch_gru ? "" : "rnn.");
  for (const auto& [prefix, suffix] :
       {std::pair<std::string, std::string>("interest_extractor.gru.", "_l0"),
        {evolution, is_torch_gru ? "_l0" : ""}}) {
    add(prefix + "weight_ih" + suffix, {3 * kKey, kKey});
    add(prefix + "weight_hh" + suffix, {3 * kKey, kKey});
    add(prefix + "bias_ih" + suffix, {3 * kKey});
    add(prefix + "bias_hh" + suffix, {3 * kKey});
  }
  // One vector under two names.
  if (cell == "AUGRU") weights[evolution + "bias_ih"] = weights[evolution + "bias_hh"];
  return weights;
}

// The same weights under the names of layout handpick.
Weights Renamed(const Weights& weights) {
  const std::pair<const char*, const char*> kNames[] = {
      {"embedding_dict.", "deep.embedding."},
      {"linear_model.embedding_dict.", "wide.embedding."},
      {"dnn.linears.0.", "deep.layers.0."},
      {"dnn_linear.weight", "head.weight"},
      {"linear.weight", "head.weight"},
      {"out.bias", "head.bias"},
      {"local_att.dnn.linears.0.", "attention.layers.0."},
      {"local_att.dnn.activation_layers.0.alpha", "attention.layers.0.dice.alpha"},
      {"local_att.dnn.activation_layers.0.bn.", "attention.layers.0.dice."},
      {"local_att.dense.", "attention.head."},
      {"interest_extractor.gru.", "gru."},
      {"interest_evolution.interest_evolution.", "evolution."}};
  Weights renamed;
  for (const auto& [old_name, tensor] : weights) {
    std::string name = old_name;
    for (const char* prefix : {"attention.local_att.", "interest_evolution.attention.local_att."}) {
      if (absl::StartsWith(name, prefix)) name = name.substr(name.find("local_att."));
    }
    for (const auto& [from, to] : kNames) {
      if (!absl::StartsWith(name, from)) continue;
      name = to + name.substr(std::string(from).size());
      break;
    }
    if (absl::StartsWith(name, "evolution.rnn.")) name = "evolution." + name.substr(14);
    if (absl::EndsWith(name, "_l0")) name.resize(name.size() - 3);
    renamed[name] = tensor;
  }
  return renamed;
}

// DIEN has the history first in layout deepctr-torch and last in layout handpick.
void MoveHistoryLast(Weights* weights) {
  std::vector<float>& columns = weights->at("deep.layers.0.weight").data;
  for (auto row = columns.begin(); row != columns.end(); row += kInput) {
    std::rotate(row, row + kKey, row + kInput);
  }
}

// User 1, the first events of (2, 0), (5, 1), (0, 2), and candidates (5, 1) and (3, 0).
Request RequestOf(size_t events) {
  const auto column = [](const std::vector<int64_t>& ids) {
    std::vector<RawCell> cells;
    for (const int64_t id : ids) cells.push_back({RawScalar(id)});
    return cells;
  };
  std::vector<int64_t> items = {2, 5, 0}, shops = {0, 1, 2};
  items.resize(events);
  shops.resize(events);
  Request request;
  request.context = {{0, column({1})}};
  request.event_counts = {events};
  request.history = {{4, column(items)}, {5, column(shops)}};
  request.candidate_count = 2;
  request.candidates = {
      {1, {{RawScalar(int64_t{1})}, {}}}, {2, column({5, 3})}, {3, column({1, 0})}};
  return request;
}

std::vector<double> LogitsOf(const Json& json, const Weights& weights, size_t events) {
  const absl::StatusOr<Graph> graph = BuildGraph(Parsed(json), weights);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return {};
  const auto logits = EvaluateReference(*graph, RequestOf(events));
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? *logits : std::vector<double>();
}

void ExpectSame(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-12);
}

std::vector<std::string> NoticesOf(const Json& json, const Weights& weights) {
  const absl::StatusOr<Graph> graph = BuildGraph(Parsed(json), weights);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? graph->notices : std::vector<std::string>();
}

TEST(DinRecipeTest, LayoutsComputeTheSameFromTheSameWeights) {
  for (const bool softmax : {false, true}) {
    Json json = SpecJson("din");
    json["attention"]["softmax"] = softmax;
    const Weights weights = RandomWeights("din");
    for (const size_t events : {1u, 2u, 3u}) {
      SCOPED_TRACE(events);
      const std::vector<double> logits = LogitsOf(json, weights, events);
      Json handpick = json;
      handpick["layout"] = "handpick";
      ExpectSame(LogitsOf(handpick, Renamed(weights), events), logits);
      EXPECT_NE(logits, LogitsOf(json, weights, 0));
    }
  }
}

// Without events, DeepCTR-Torch's softmax weighs its padding: the key is that of row 0.
TEST(DinRecipeTest, NoEventsAreRowZeroForDeepCtrTorchsSoftmaxAndZerosElsewhere) {
  const Weights weights = RandomWeights("din");
  const Json padded = SpecJson("din");
  Json plain = padded;
  plain["attention"]["softmax"] = false;
  Json handpick = padded;
  handpick["layout"] = "handpick";
  const std::vector<double> zeros = LogitsOf(plain, weights, 0);
  ExpectSame(LogitsOf(handpick, Renamed(weights), 0), zeros);
  EXPECT_NE(LogitsOf(padded, weights, 0), zeros);

  // One event of row 0, whose weight is 1, is the same.
  const auto graph = BuildGraph(Parsed(padded), weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  Request request = RequestOf(1);
  for (auto& column : request.history) column.rows = {{RawScalar(int64_t{0})}};
  const auto row_zero = EvaluateReference(*graph, request);
  ASSERT_TRUE(row_zero.ok()) << row_zero.status();
  ExpectSame(LogitsOf(padded, weights, 0), *row_zero);
}

TEST(DinRecipeTest, PooledHistoryMayStandBesideTheAttendedOne) {
  Json json = SpecJson("din");
  json["deep"]["features"].push_back("history.item");
  Weights weights = RandomWeights("din");
  Random random(3);
  weights["dnn.linears.0.weight"] = RandomTensor({5, kInput + 3}, &random);
  EXPECT_NE(LogitsOf(json, weights, 2), LogitsOf(json, weights, 3));
}

TEST(DienRecipeTest, LayoutsComputeTheSameFromTheSameWeights) {
  for (const char* cell : {"GRU", "AIGRU", "AGRU", "AUGRU"}) {
    for (const bool softmax : {false, true}) {
      Json json = SpecJson("dien");
      json["attention"]["softmax"] = softmax;
      json["evolution"]["cell"] = cell;
      const Weights weights = RandomWeights("dien", cell);
      Json handpick = json;
      handpick["layout"] = "handpick";
      Weights renamed = Renamed(weights);
      MoveHistoryLast(&renamed);
      for (const size_t events : {0u, 1u, 3u}) {
        SCOPED_TRACE(absl::StrCat(cell, ", ", events, " events"));
        ExpectSame(LogitsOf(handpick, renamed, events), LogitsOf(json, weights, events));
      }
      EXPECT_THAT(NoticesOf(json, weights), IsEmpty());
    }
  }
}

TEST(DienRecipeTest, AugruOfLayoutHandpickHasTwoBiases) {
  Json json = SpecJson("dien");
  json["layout"] = "handpick";
  json["evolution"]["cell"] = "AUGRU";
  Weights weights = Renamed(RandomWeights("dien", "AUGRU"));
  const std::vector<double> before = LogitsOf(json, weights, 2);
  weights["evolution.bias_ih"].data[12] += 1;
  EXPECT_NE(LogitsOf(json, weights, 2), before);
  EXPECT_THAT(NoticesOf(json, weights), IsEmpty());
}

TEST(DienRecipeTest, OfTwoDifferentAliasesTheSecondCounts) {
  Json json = SpecJson("dien");
  json["evolution"]["cell"] = "AUGRU";
  const Weights weights = RandomWeights("dien", "AUGRU");
  Weights unequal = weights;
  const std::string prefix = "interest_evolution.interest_evolution.rnn.";
  unequal[prefix + "bias_ih"].data[12] += 1;
  ExpectSame(LogitsOf(json, unequal, 3), LogitsOf(json, weights, 3));
  EXPECT_THAT(NoticesOf(json, unequal),
              ElementsAre(HasSubstr(
                  absl::StrCat("'", prefix, "bias_ih' and '", prefix, "bias_hh' differ"))));
}

TEST(DienRecipeTest, WhatTrainingAloneNeedsIsLeftOutWithANotice) {
  Json json = SpecJson("dien");
  Weights weights = RandomWeights("dien", "GRU");
  const std::vector<double> before = LogitsOf(json, weights, 3);
  Random random(5);
  weights["interest_extractor.auxiliary_net.linears.0.weight"] = RandomTensor({100, 10}, &random);
  weights["interest_extractor.auxiliary_net.linears.0.bias"] = RandomTensor({100}, &random);
  json["evolution"]["negative_sampling"] = true;
  EXPECT_EQ(LogitsOf(json, weights, 3), before);
  EXPECT_THAT(NoticesOf(json, weights),
              ElementsAre(HasSubstr("the 2 tensors 'interest_extractor.auxiliary_net.")));
  json["evolution"]["negative_sampling"] = false;
  const auto graph = BuildGraph(Parsed(json), weights);
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(std::string(graph.status().message()),
              HasSubstr("'interest_extractor.auxiliary_net.linears.0.bias' of shape [100] is "
                        "there, expected none (spec: evolution.negative_sampling is false)"));
}

TEST(DienRecipeTest, DeepCtrTorchForgetsSequencesThatAreNoHistory) {
  Json json = SpecJson("dien");
  Weights weights = RandomWeights("dien", "GRU");
  const std::vector<double> before = LogitsOf(json, weights, 3);
  Random random(5);
  weights["embedding_dict.tags.weight"] = RandomTensor({4, 2}, &random);
  json["deep"]["features"].push_back("tags");
  EXPECT_EQ(LogitsOf(json, weights, 3), before);
  EXPECT_THAT(NoticesOf(json, weights), ElementsAre(HasSubstr("feature 'tags' changes nothing")));
}

TEST(AttentionRecipeTest, OrdersThatDifferAreReproducedWithANotice) {
  const Weights weights = RandomWeights("din");
  Json json = SpecJson("din");
  EXPECT_THAT(NoticesOf(json, weights), IsEmpty());
  json["attention"]["key"] = {"history.shop", "history.item"};
  EXPECT_THAT(NoticesOf(json, weights),
              ElementsAre(HasSubstr("attention compares item, shop of a candidate with shop, item "
                                    "of an event")));
  EXPECT_NE(LogitsOf(json, weights, 2), LogitsOf(SpecJson("din"), weights, 2));
}

TEST(NfmRecipeTest, SumsTheProductsOfAllPairs) {
  const Json json = Json::parse(R"({
    "model": {"name": "n", "kind": "nfm"},
    "features": [
      {"name": "a", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 1}},
      {"name": "price", "side": "candidate", "type": "numeric"},
      {"name": "b", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 1}},
      {"name": "c", "side": "candidate", "type": "multi_categorical", "max_values": 2,
       "combiner": "sum", "vocabulary": {"kind": "identity", "size": 2}}],
    "wide": {"features": ["b"]},
    "deep": {"features": ["a", "price", "b", "c"], "hidden_units": [2], "activation": "linear"}})");
  const Weights weights = {{"wide.embedding.b.weight", {{1, 1}, {1000}}},
                           {"deep.embedding.a.weight", {{1, 2}, {1, 2}}},
                           {"deep.embedding.b.weight", {{1, 2}, {3, 4}}},
                           {"deep.embedding.c.weight", {{2, 2}, {2, 2, 3, 4}}},
                           {"deep.layers.0.weight", {{2, 3}, {1, 0, 0, 0, 1, 10}}},
                           {"deep.layers.0.bias", {{2}, {0, 0}}},
                           {"head.weight", {{1, 2}, {1, 100}}},
                           {"head.bias", {{1}, {0.5f}}}};
  const auto graph = BuildGraph(Parsed(json), weights);
  ASSERT_TRUE(graph.ok()) << graph.status();
  Request request;
  request.context = {{0, {{RawScalar(int64_t{0})}}}};
  request.candidate_count = 1;
  request.candidates = {{1, {{RawScalar(0.5)}}},
                        {2, {{RawScalar(int64_t{0})}}},
                        {3, {{RawScalar(int64_t{0}), RawScalar(int64_t{1})}}}};
  const auto logits = EvaluateReference(*graph, request);
  ASSERT_TRUE(logits.ok()) << logits.status();
  // (1, 2), (3, 4), (5, 6): 1 * 3 + 1 * 5 + 3 * 5 and 2 * 4 + 2 * 6 + 4 * 6.
  EXPECT_THAT(*logits, ElementsAre(1000 + 23 + 100 * (44 + 10 * 0.5) + 0.5));
}

// Two fields of the candidate, one of the context and a number; `units` of the layers.
Json DeepFmSpec(std::vector<int> units) {
  Json json = Json::parse(R"({
    "model": {"name": "n", "kind": "deepfm"},
    "features": [
      {"name": "a", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 1}},
      {"name": "price", "side": "candidate", "type": "numeric"},
      {"name": "b", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 1}},
      {"name": "c", "side": "candidate", "type": "multi_categorical", "max_values": 2,
       "combiner": "sum", "vocabulary": {"kind": "identity", "size": 2}}],
    "wide": {"features": ["b", "price"]},
    "deep": {"features": ["a", "price", "b", "c"], "activation": "linear"}})");
  json["deep"]["hidden_units"] = units;
  return json;
}

// a is (1, 2), b (3, 4), c (2, 2) + (3, 4), of width 2 both.
Weights DeepFmWeights() {
  return {{"wide.embedding.b.weight", {{1, 1}, {1000}}},
          {"wide.numeric.weight", {{1}, {7}}},
          {"wide.bias", {{1}, {0.25f}}},
          {"deep.embedding.a.weight", {{1, 2}, {1, 2}}},
          {"deep.embedding.b.weight", {{1, 2}, {3, 4}}},
          {"deep.embedding.c.weight", {{2, 2}, {2, 2, 3, 4}}}};
}

double DeepFmLogit(const Json& json, const Weights& weights) {
  const auto graph = BuildGraph(Parsed(json), weights);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return 0;
  Request request;
  request.context = {{0, {{RawScalar(int64_t{0})}}}};
  request.candidate_count = 1;
  request.candidates = {{1, {{RawScalar(0.5)}}},
                        {2, {{RawScalar(int64_t{0})}}},
                        {3, {{RawScalar(int64_t{0}), RawScalar(int64_t{1})}}}};
  const auto logits = EvaluateReference(*graph, request);
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? (*logits)[0] : 0;
}

// The wide part, and the inner products of (1, 2), (3, 4) and (5, 6).
constexpr double kLinearAndPairs =
    (1000 + 7 * 0.5 + 0.25) + (1 * 3 + 2 * 4) + (1 * 5 + 2 * 6) + (3 * 5 + 4 * 6);

TEST(DeepFmRecipeTest, AddsTheInnerProductsOfAllPairsAndTheTower) {
  Weights weights = DeepFmWeights();
  // [a (2), price, b (2), c (2)]
  weights["deep.layers.0.weight"] = {{2, 7}, {1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 3}};
  weights["deep.layers.0.bias"] = {{2}, {0, 1}};
  weights["head.weight"] = {{1, 2}, {10, 100}};
  weights["head.bias"] = {{1}, {0.5f}};
  EXPECT_DOUBLE_EQ(DeepFmLogit(DeepFmSpec({2}), weights),
                   kLinearAndPairs + 10 * 1 + 100 * (2 * 0.5 + 4 + 3 * 6 + 1) + 0.5);
}

TEST(DeepFmRecipeTest, IsAFactorizationMachineWithoutLayers) {
  EXPECT_DOUBLE_EQ(DeepFmLogit(DeepFmSpec({}), DeepFmWeights()), kLinearAndPairs);
  EXPECT_THAT(NoticesOf(DeepFmSpec({}), DeepFmWeights()),
              ElementsAre(HasSubstr("numbers of deep.features change nothing")));
  // Without layers there is no head.
  Weights weights = DeepFmWeights();
  weights["head.bias"] = {{1}, {0.5f}};
  const absl::StatusOr<Graph> graph = BuildGraph(Parsed(DeepFmSpec({})), weights);
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(std::string(graph.status().message()),
              HasSubstr("nothing in the spec uses 'head.bias'"));
}

TEST(DeepFmRecipeTest, FieldsThatInteractAreOfOneWidth) {
  Weights weights = DeepFmWeights();
  weights["deep.embedding.a.weight"] = {{1, 3}, {1, 2, 3}};
  const absl::StatusOr<Graph> graph = BuildGraph(Parsed(DeepFmSpec({})), weights);
  ASSERT_FALSE(graph.ok());
  EXPECT_THAT(std::string(graph.status().message()), HasSubstr("'a' 3, 'b' 2, 'c' 2"));
}

// ---- Errors ----

struct Contradiction {
  const char* name;
  const char* kind;
  std::function<void(Json*, Weights*)> make;
  std::vector<std::string> words;  // All of them are in the message.
};

class SequenceContradictionTest : public ::testing::TestWithParam<Contradiction> {};

TEST_P(SequenceContradictionTest, IsNamed) {
  Json json = SpecJson(GetParam().kind);
  json["layout"] = "handpick";
  Weights weights = Renamed(RandomWeights(GetParam().kind, "GRU"));
  if (std::string(GetParam().kind) == "nfm") json.erase("attention");
  GetParam().make(&json, &weights);
  const absl::StatusOr<Graph> graph = BuildGraph(Parsed(json), weights);
  ASSERT_FALSE(graph.ok());
  for (const std::string& word : GetParam().words) {
    EXPECT_THAT(std::string(graph.status().message()), HasSubstr(word));
  }
}

const Contradiction kContradictions[] = {
    {"QueryAndKeyOfTwoWidths",
     "din",
     [](Json* s, Weights*) { (*s)["attention"]["key"] = {"history.item"}; },
     {"attention.query (item, shop) are 5 wide", "attention.key (item) 3", "expected one width"}},
    {"WrongUnit",
     "din",
     [](Json* s, Weights*) { (*s)["attention"]["hidden_units"] = {3}; },
     {"'attention.layers.0.weight' has shape [4, 20]", "[3, 20]", "attention.hidden_units[0]",
      "four times the width of attention.key"}},
    {"DiceThatIsAbsent",
     "din",
     [](Json*, Weights* w) { w->erase("attention.layers.0.dice.running_var"); },
     {"'attention.layers.0.dice.running_var' is missing", "attention.activation is dice"}},
    {"DiceThatIsPresent",
     "din",
     [](Json* s, Weights*) { (*s)["attention"]["activation"] = "sigmoid"; },
     {"'attention.layers.0.dice.alpha'", "expected none", "attention.activation is sigmoid"}},
    {"NegativeVariance",
     "din",
     [](Json*, Weights* w) { (*w)["attention.layers.0.dice.running_var"].data[1] = -1; },
     {"'attention.layers.0.dice.running_var' has -1 at [1]"}},
    {"MissingHead",
     "din",
     [](Json*, Weights* w) { w->erase("attention.head.bias"); },
     {"'attention.head.bias' is missing", "[1]"}},
    {"NetworkWithoutHistory",
     "din",
     [](Json*, Weights* w) {
       (*w)["deep.layers.0.weight"] = {{5, 7}, std::vector<float>(35, 1)};
     },
     {"'deep.layers.0.weight' has shape [5, 7]", "[5, 12]",
      "the widths of deep.features and attention.key"}},
    {"DienAsDin",
     "dien",
     [](Json* s, Weights*) {
       (*s)["model"]["kind"] = "din";
       s->erase("evolution");
     },
     {"nothing in the spec uses", "'evolution.weight_hh'", "'gru.weight_ih'",
      "deep.features, deep.hidden_units and attention"}},
    {"WrongGru",
     "dien",
     [](Json*, Weights* w) {
       (*w)["gru.weight_hh"] = {{15, 4}, std::vector<float>(60, 1)};
     },
     {"'gru.weight_hh' has shape [15, 4]", "[15, 5]", "width of attention.key"}},
    {"MissingEvolution",
     "dien",
     [](Json*, Weights* w) { w->erase("evolution.bias_ih"); },
     {"'evolution.bias_ih' is missing"}},
    {"FieldsOfSeveralWidths",
     "nfm",
     [](Json*, Weights*) {},
     {"all of them must be of one width", "'user' 2, 'item' 3, 'shop' 2"}},
};

INSTANTIATE_TEST_SUITE_P(All, SequenceContradictionTest, ::testing::ValuesIn(kContradictions),
                         [](const ::testing::TestParamInfo<Contradiction>& test) {
                           return std::string(test.param.name);
                         });

}  // namespace
}  // namespace handpick::converter
