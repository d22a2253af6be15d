// Layout fuxictr: what it reads, and what it refuses by name. That it computes what the library
// does is shown by the golden tests.
#include <string>
#include <vector>

#include "converter/recipes/recipes.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

Json Features() {
  return Json::parse(R"([
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 3}},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 2,
       "vocabulary": {"kind": "identity", "size": 4}},
      {"name": "price", "side": "candidate", "type": "numeric"},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "clicks", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}, "embedding": {"table": "item"}}])");
}

Json WideDeep() {
  Json spec = Json::parse(R"({
    "model": {"name": "m", "kind": "wide_deep"}, "layout": "fuxictr",
    "wide": {"features": ["user", "tags", "price"]},
    "deep": {"features": ["user", "tags", "price"], "hidden_units": [2]}})");
  spec["features"] = Features();
  spec["features"].erase(4);
  spec["features"].erase(3);
  return spec;
}

// With a dropout behind the hidden layer.
Weights WideDeepWeights(const std::string& head = "dnn.mlp.3") {
  const std::string deep = "embedding_layer.embedding_layer.embedding_layers.";
  const std::string wide = "lr_layer." + deep;
  return {{deep + "user.weight", {{3, 2}, {1, 2, 3, 4, 5, 6}}},
          {deep + "tags.weight", {{4, 2}, {0, 0, 1, 2, 3, 4, 5, 6}}},
          {deep + "price.weight", {{2, 1}, {1, 2}}},
          {wide + "user.weight", {{3, 1}, {1, 2, 3}}},
          {wide + "tags.weight", {{4, 1}, {0, 1, -1, 2}}},
          {wide + "price.weight", {{1, 1}, {2}}},
          {"dnn.mlp.0.weight", {{2, 6}, std::vector<float>(12, 0.5f)}},
          {"dnn.mlp.0.bias", {{2}, {1, 2}}},
          {head + ".weight", {{1, 2}, {3, 4}}},
          {head + ".bias", {{1}, {5}}}};
}

std::string BuildError(const Json& json, const Weights& weights) {
  const absl::StatusOr<Spec> spec = ParseSpec(json.dump(), "s");
  EXPECT_TRUE(spec.ok()) << spec.status();
  if (!spec.ok()) return "";
  const absl::StatusOr<Graph> graph = BuildGraph(*spec, weights);
  return graph.ok() ? "" : std::string(graph.status().message());
}

TEST(FuxiCtrTest, LayersAreFoundWhereverTheyStand) {
  EXPECT_EQ(BuildError(WideDeep(), WideDeepWeights()), "");
  EXPECT_EQ(BuildError(WideDeep(), WideDeepWeights("dnn.mlp.2")), "");
  EXPECT_EQ(BuildError(WideDeep(), WideDeepWeights("dnn.mlp.10")), "");
}

TEST(FuxiCtrTest, LayersThatTheSpecDoesNotHaveAreNamed) {
  Json spec = WideDeep();
  spec["deep"]["batch_normalization"] = true;
  const std::string missing = BuildError(spec, WideDeepWeights());
  EXPECT_THAT(missing, HasSubstr("'dnn.mlp.<n>.weight' is missing"));
  EXPECT_THAT(missing, HasSubstr("deep.batch_normalization is true"));
  Weights weights = WideDeepWeights();
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
    weights[std::string("dnn.mlp.1.") + part] = {{2}, {1, 1}};
  }
  EXPECT_EQ(BuildError(spec, weights), "");
  EXPECT_THAT(BuildError(WideDeep(), weights),
              HasSubstr("'dnn.mlp.1.weight' of shape [2] is there, expected none"));
}

TEST(FuxiCtrTest, RowZeroOfWhatIsPaddedIsZeros) {
  const std::string table = "embedding_layer.embedding_layer.embedding_layers.tags.weight";
  Weights weights = WideDeepWeights();
  weights[table].data[1] = 0.5f;
  EXPECT_THAT(BuildError(WideDeep(), weights),
              HasSubstr("'" + table + "' has 0.5 at [0, 1], expected 0: row 0 pads"));
  weights = WideDeepWeights();
  weights["lr_layer." + table].data[0] = 1;
  EXPECT_THAT(BuildError(WideDeep(), weights), HasSubstr("'lr_layer." + table + "' has 1"));
  // Of `user` nothing is padding.
  weights = WideDeepWeights();
  weights["embedding_layer.embedding_layer.embedding_layers.user.weight"].data[0] = 7;
  EXPECT_EQ(BuildError(WideDeep(), weights), "");
}

TEST(FuxiCtrTest, MeansLeaveOutRowsThatAddUpToZero) {
  Weights weights = WideDeepWeights();
  Tensor& tags = weights["embedding_layer.embedding_layer.embedding_layers.tags.weight"];
  tags.data[4] = 1;
  tags.data[5] = -1;
  EXPECT_THAT(BuildError(WideDeep(), weights), HasSubstr("add up to 0 in row 2"));
  Json sums = WideDeep();
  sums["features"][1]["combiner"] = "sum";
  EXPECT_EQ(BuildError(sums, weights), "");
}

TEST(FuxiCtrTest, OtherNamesOfATableAreLeftOut) {
  const std::string tables = "embedding_layer.embedding_layer.embedding_layers.";
  Weights weights = WideDeepWeights();
  weights[tables + "likes.weight"] = weights[tables + "tags.weight"];
  EXPECT_EQ(BuildError(WideDeep(), weights), "");
  weights[tables + "likes.weight"].data[7] = 9;
  EXPECT_THAT(BuildError(WideDeep(), weights),
              HasSubstr("its numbers are not those of '" + tables + "tags.weight'"));
  weights[tables + "likes.weight"] = {{9, 2}, std::vector<float>(18, 1)};
  EXPECT_THAT(BuildError(WideDeep(), weights),
              HasSubstr("nothing in the spec uses '" + tables + "likes.weight'"));
}

TEST(FuxiCtrTest, WhatNoSpecCanSayIsRefusedByItsTensors) {
  Weights weights = WideDeepWeights();
  weights["crossnet.U_list.0"] = {{4, 6, 2}, std::vector<float>(48, 1)};
  EXPECT_THAT(BuildError(WideDeep(), weights),
              HasSubstr("'crossnet.U_list.0' is of use_low_rank_mixture"));
  weights = WideDeepWeights();
  weights["embedding_layer.embedding_layer.embedding_layers.user.pretrain_embedding.weight"] = {
      {3, 2}, std::vector<float>(6, 1)};
  EXPECT_THAT(BuildError(WideDeep(), weights), HasSubstr("is of a pretrained embedding"));
}

// ---- Specs ----

Json Attended(const std::string& kind) {
  Json spec = Json::parse(R"({
    "model": {"name": "m"}, "layout": "fuxictr", "history": {"max_events": 3},
    "deep": {"features": ["user", "item", "clicks"], "hidden_units": [2]},
    "attention": {"query": ["item"], "key": ["clicks"], "hidden_units": [2], "activation": "dice",
                  "softmax": true}})");
  spec["model"]["kind"] = kind;
  spec["features"] = Features();
  if (kind == "dien") {
    spec["evolution"]["cell"] = "AUGRU";
    spec["deep"]["features"].erase(2);
  }
  return spec;
}

struct Refused {
  const char* name;
  const char* kind;
  const char* patch;  // RFC 7396, onto a spec that is none the worse for it otherwise.
  const char* words;
};

class FuxiCtrSpecTest : public ::testing::TestWithParam<Refused> {};

TEST_P(FuxiCtrSpecTest, IsRefused) {
  const std::string kind = GetParam().kind;
  Json spec = kind == "din" || kind == "dien" ? Attended(kind) : WideDeep();
  if (kind != "din" && kind != "dien") {
    spec["model"]["kind"] = kind;
    if (kind == "dcn" || kind == "pnn") spec.erase("wide");
    if (kind == "dcn") spec["cross"] = {{"layers", 1}, {"parameterization", "matrix"}};
    if (kind == "pnn") spec["products"]["inner"] = true;
  }
  const auto whole = ParseSpec(spec.dump(), "s");
  ASSERT_TRUE(whole.ok()) << whole.status();
  spec.merge_patch(Json::parse(GetParam().patch));
  const auto parsed = ParseSpec(spec.dump(), "s");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(GetParam().words));
}

const Refused kRefused[] = {
    {"WideMean", "wide_deep",
     R"({"wide": {"features": [{"feature": "tags", "combiner": "mean"}]}})",
     "FuxiCTR's linear part adds ids up"},
    {"Max", "wide_deep", R"({"deep": {"features": [{"feature": "tags", "combiner": "max"}]}})",
     "pooled by max, which FuxiCTR does not have"},
    {"OtherEpsilon", "wide_deep", R"({"deep": {"batch_normalization_epsilon": 0.001}})",
     "is not FuxiCTR's"},
    {"VectorCross", "dcn", R"({"cross": {"parameterization": "vector"}})",
     "cross.parameterization: is 'vector'"},
    {"LowRank", "dcn", R"({"cross": {"rank": 2}})", "cross.rank: is 2"},
    {"StackedAlone", "dcn", R"({"cross": {"hidden_units": [3]}})", "cross.hidden_units: is for"},
    {"NothingUponTheCross", "dcn",
     R"({"cross": {"structure": "stacked_parallel", "hidden_units": []}})",
     "cross.hidden_units: is empty"},
    {"OuterProducts", "pnn", R"({"products": {"outer": "mat"}})", "models have inner products"},
    {"NoPlace", "din", R"({"deep": {"features": ["user", "item"]}})",
     "'clicks' is not in deep.features"},
    {"FormOfDin", "din",
     R"({"attention": {"form": "dot", "hidden_units": null, "activation": null}})",
     "attention.form: is not 'unit'"},
    {"PooledKey", "dien", R"({"deep": {"features": ["user", "item", "clicks"]}})",
     "'clicks' is in deep.features too"},
    {"Aigru", "dien", R"({"evolution": {"cell": "AIGRU"}})", "which FuxiCTR cannot run"},
    {"GruWithAttention", "dien", R"({"evolution": {"cell": "GRU"}})", "expected 'none'"},
    {"GruWithAttentionOfOneUnit", "dien",
     R"({"evolution": {"cell": "GRU"}, "attention": [
          {"name": "a", "query": ["item"], "key": ["clicks"], "form": "none"},
          {"name": "b", "query": ["item"], "key": ["clicks"], "form": "dot", "softmax": true}]})",
     "attention[1].form: is for models with attention"},
    {"AugruWithout", "dien",
     R"({"attention": {"form": "none", "hidden_units": null, "activation": null}})",
     "cell AUGRU is led by attention"},
    {"UnitsOfABilinear", "dien", R"({"attention": {"form": "bilinear"}})",
     "attention.hidden_units: is for attention of the form 'unit'"},
};

INSTANTIATE_TEST_SUITE_P(All, FuxiCtrSpecTest, ::testing::ValuesIn(kRefused),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace handpick::converter
