// All faults of a spec are found at once, and nothing that merely follows from one.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "converter/spec/kinds.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A spec without a fault, whose parts refer to each other.
Json WholeSpec() {
  return Json::parse(R"({
    "model": {"name": "shop", "kind": "wide_deep"},
    "history": {"max_events": 20},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 9, "out_of_vocabulary_row": 0},
       "embedding": {"table": "users", "dimension": 4}},
      {"name": "genre", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "list", "values": ["war", "art"]}, "default": "art"},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}},
      {"name": "item", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}, "padding_row": 0, "combiner": "sum"},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 3,
       "vocabulary": {"kind": "hash", "buckets": 20, "first_row": 1}, "length": "tag_count",
       "default": ["x"]},
      {"name": "tag_count", "side": "candidate", "type": "length"},
      {"name": "price", "side": "candidate", "type": "numeric", "dimension": 2,
       "transform": [{"kind": "clip", "min": 0, "max": 100}, {"kind": "log1p"}],
       "default": [1, 2]},
      {"name": "both", "type": "crossed", "of": ["user", "genre"]}
    ],
    "wide": {"features": ["user", "both", {"feature": "tags", "combiner": "sum"}]},
    "deep": {"features": ["user", "candidate.item", "history.item", "tags", "price"],
             "hidden_units": [8, 4], "activation": "relu"},
    "catalog": {"key": "item"}
  })");
}

// What is said of a spec, one fault each, without the file's name.
std::vector<std::string> FaultsOf(const Json& json) {
  const auto spec = ParseSpec(json.dump(), "s.json");
  if (spec.ok()) return {};
  std::vector<std::string> lines = absl::StrSplit(std::string(spec.status().message()), '\n');
  if (lines.size() == 1) return {lines[0].substr(std::string("s.json: ").size())};
  EXPECT_EQ(lines[0], absl::StrCat("s.json: ", lines.size() - 1, " faults:"));
  lines.erase(lines.begin());
  for (std::string& line : lines) {
    EXPECT_EQ(line.substr(0, 2), "  ");
    line.erase(0, 2);
  }
  return lines;
}

TEST(FaultsTest, AWholeSpecHasNone) { EXPECT_THAT(FaultsOf(WholeSpec()), IsEmpty()); }

TEST(FaultsTest, AllAreListedAndNothingElse) {
  Json json = WholeSpec();
  json["model"]["kind"] = "WDL";
  json["history"]["max_events"] = 0;
  json["features"][0]["vocabulary"].erase("size");
  json["features"][0]["vocabulary"]["sise"] = 9;
  json["features"][1]["vocabulary"]["values"] = {"war", "art", "war"};
  json["features"][2]["type"] = "categoricl";
  json["features"][6]["transform"][0]["min"] = 101;
  json["wide"]["features"][1] = "bothe";
  json["deep"]["hidden_units"] = {8, 0};
  json["deep"]["activation"] = "ReLU";
  EXPECT_THAT(
      FaultsOf(json),
      ElementsAre(
          absl::StrCat("model.kind: 'WDL' is none of: ", absl::StrJoin(ModelKindNames(), ", "),
                       " (did you mean 'wide_deep'?)"),
          "history.max_events: expected an integer from 1 to 65536, found 0",
          "features[0].vocabulary.sise: unknown key (did you mean 'size'?); the keys here are: "
          "description, kind, size, out_of_vocabulary_row",
          "features[1].vocabulary.values[2]: \"war\" occurs twice",
          "features[2].type: 'categoricl' is none of: categorical, multi_categorical, length, "
          "numeric, crossed (did you mean 'categorical'?)",
          "features[6].transform[0]: min 101 is above max 100",
          "wide.features[1]: there is no feature 'bothe' (did you mean 'both'?)",
          "deep.hidden_units[1]: expected an integer from 1 to 65536, found 0",
          "deep.activation: 'ReLU' is none of: linear, relu, sigmoid, tanh, prelu, dice (did you "
          "mean 'relu'?)"));
}

struct OneFault {
  const char* pointer;  // Of what is set; a null value takes it away.
  Json value;
  const char* expected;
};

TEST(FaultsTest, OneFaultHasNoOthers) {
  const OneFault faults[] = {
      {"/model", nullptr, "key 'model' is missing"},
      {"/model", 3, "model: expected an object, found 3"},
      {"/model/kind", nullptr, "model: key 'kind' is missing"},
      {"/model/kind", "deepFN", "model.kind: 'deepFN' is none of"},
      {"/features", nullptr, "key 'features' is missing"},
      {"/features", Json::array(), "features: has 0 features"},
      {"/features", "x", "features: expected an array"},
      {"/features/0", 7, "features[0]: expected an object, found 7"},
      {"/features/0/name", nullptr, "features[0]: key 'name' is missing"},
      {"/features/0/name", "", "features[0].name: is empty"},
      {"/features/0/name", "genre", "features[1].name: there is another feature 'genre'"},
      {"/features/0/type", nullptr, "features[0]: key 'type' is missing"},
      {"/features/0/side", "contxt", "features[0].side: 'contxt' is none of"},
      {"/features/3/side", nullptr, "features[3]: key 'side' is missing"},
      {"/features/3/side", 5, "features[3].side: expected a string, found 5"},
      {"/features/0/vocabulary", nullptr, "features[0]: key 'vocabulary' is missing"},
      {"/features/0/vocabulary", "identity", "features[0].vocabulary: expected an object"},
      {"/features/0/vocabulary/kind", "id", "features[0].vocabulary.kind: 'id' is none of"},
      {"/features/0/vocabulary/size", 0, "features[0].vocabulary.size: expected an integer"},
      {"/features/1/vocabulary/values", Json::array(), "features[1].vocabulary.values: is empty"},
      {"/features/1/vocabulary/values", 1, "features[1].vocabulary.values: expected an array"},
      {"/features/2/vocabulary/size", "x", "features[2].vocabulary.size: expected an integer"},
      {"/features/4/max_values", 0, "features[4].max_values: expected an integer"},
      {"/features/4/length", "tag_cont", "features[4].length: there is no feature 'tag_cont'"},
      {"/features/4/combiner", "avg", "features[4].combiner: 'avg' is none of: sum, mean, max"},
      {"/features/5/type", "lenght", "features[5].type: 'lenght' is none of"},
      {"/features/6/dimension", 0, "features[6].dimension: expected an integer"},
      {"/features/7/of", nullptr, "features[7]: key 'of' is missing"},
      {"/features/7/of/1", "gnre", "features[7].of[1]: there is no feature 'gnre'"},
      {"/features/7/of/1", "price", "features[7].of[1]: 'price' is numeric"},
      {"/history", nullptr, "features[3] is of the history"},
      {"/history", 3, "history: expected an object"},
      {"/wide", "x", "wide: expected an object"},
      {"/wide/features", nullptr, "wide: key 'features' is missing"},
      {"/deep/features", nullptr, "deep: key 'features' is missing"},
      {"/deep/features/0", "usr", "deep.features[0]: there is no feature 'usr'"},
      {"/deep/features/1", "item", "deep.features[1]: 'item' is on several sides"},
      {"/deep/hidden_units", nullptr, "deep: key 'hidden_units' is missing"},
      {"/deep/hidden_units/0", -1, "deep.hidden_units[0]: expected an integer"},
      {"/catalog/key", "itm", "catalog.key: there is no candidate feature 'itm'"},
      {"/layout", "handpik", "layout: 'handpik' is none of"},
  };
  for (const OneFault& fault : faults) {
    SCOPED_TRACE(absl::StrCat(fault.pointer, " ", fault.value.dump()));
    Json json = WholeSpec();
    const Json::json_pointer pointer(fault.pointer);
    if (fault.value.is_null()) {
      json[pointer.parent_pointer()].erase(pointer.back());
    } else {
      json[pointer] = fault.value;
    }
    EXPECT_THAT(FaultsOf(json), ElementsAre(HasSubstr(fault.expected)));
  }
}

TEST(FaultsTest, AMisspeltKeyIsNotMissed) {
  const std::tuple<const char*, const char*, const char*> keys[] = {
      {"", "features", "feature"},
      {"", "deep", "dep"},
      {"/deep", "hidden_units", "hidden_unit"},
      {"/features/0", "vocabulary", "vocab"},
      {"/features/4", "max_values", "maxlen"},
      {"/catalog", "key", "keys"}};
  for (const auto& [pointer, key, misspelt] : keys) {
    SCOPED_TRACE(misspelt);
    Json json = WholeSpec();
    Json& object = json[Json::json_pointer(pointer)];
    object[misspelt] = object[key];
    object.erase(key);
    EXPECT_THAT(FaultsOf(json), ElementsAre(HasSubstr(absl::StrCat(
                                    misspelt, ": unknown key (did you mean '", key, "'?)"))));
  }
}

TEST(FaultsTest, SeveralOfOneSectionAreThere) {
  Json json = WholeSpec();
  json["model"]["kind"] = "dien";
  json.erase("wide");
  json["attention"] = {{"query", {"user"}},
                       {"key", {"history.item", "tags"}},
                       {"hidden_units", Json::array()},
                       {"activation", "gelu"},
                       {"softmax", "yes"}};
  json["evolution"] = {{"cell", "augru"}};
  json["features"][3].erase("padding_row");
  EXPECT_THAT(FaultsOf(json),
              ElementsAre(HasSubstr("attention.hidden_units: is empty"),
                          "attention.activation: 'gelu' is none of: linear, relu, sigmoid, tanh, "
                          "prelu, dice",
                          "attention.softmax: expected true or false, found \"yes\"",
                          "evolution.cell: 'augru' is none of: GRU, AIGRU, AGRU, AUGRU (did you "
                          "mean 'AUGRU'?)",
                          HasSubstr("attention.query[0]: 'user' is categorical of side context"),
                          HasSubstr("attention.key[1]: 'tags' is multi_categorical of side")));
}

TEST(FaultsTest, DefaultsOfAllFeaturesAreTried) {
  Json json = WholeSpec();
  json["features"][1]["default"] = "love";
  json["features"][4]["default"] = {"a", "b", "c", "d"};
  json["features"][6]["default"] = {1};
  json["deep"]["hidden_units"] = {"8"};
  EXPECT_THAT(FaultsOf(json),
              ElementsAre(HasSubstr("deep.hidden_units[0]: expected an integer"),
                          HasSubstr("features[1].default: context feature 'genre': unknown id"),
                          HasSubstr("features[4].default: "), HasSubstr("features[6].default: ")));
}

TEST(FaultsTest, OfManyTheFirstAreShown) {
  Json json = WholeSpec();
  json["deep"]["hidden_units"] = Json::array();
  for (int i = 0; i < 2000; ++i) json["deep"]["hidden_units"].push_back(-i);
  const auto spec = ParseSpec(json.dump(), "s.json");
  ASSERT_FALSE(spec.ok());
  const std::string message(spec.status().message());
  EXPECT_THAT(message, HasSubstr("s.json: 2000 faults:\n  deep.hidden_units[0]: "));
  EXPECT_THAT(message, HasSubstr("deep.hidden_units[49]"));
  EXPECT_THAT(message, HasSubstr("\n  and 1950 more"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 51);
}

TEST(FaultsTest, WhatNoLayersReadIsRefused) {
  Json json = WholeSpec();
  json["model"]["kind"] = "fm";
  json["deep"] = {{"features", {"user", "candidate.item"}},
                  {"activation", "relu"},
                  {"batch_normalization", true},
                  {"batch_normalization_epsilon", 1e-3}};
  EXPECT_THAT(FaultsOf(json),
              ElementsAre(HasSubstr("deep.activation: is given; models of kind 'fm' have no"),
                          HasSubstr("deep.batch_normalization: is given"),
                          HasSubstr("deep.batch_normalization_epsilon: is given")));
}

TEST(FaultsTest, ATransformThatNoNumberPassesIsRefused) {
  Json json = WholeSpec();
  json["features"][6]["transform"] =
      Json::parse(R"([{"kind": "clip", "min": 0, "max": 9}, {"kind": "affine", "multiply": -1},
                      {"kind": "affine", "subtract": 1}, {"kind": "log1p"}])");
  EXPECT_THAT(FaultsOf(json),
              ElementsAre("features[6].transform[3]: takes numbers above -1, and the steps before "
                          "it give none above -1"));
  json["features"][6]["transform"][2]["subtract"] = 0.5;
  json["features"][6]["default"] = {0, 0};
  EXPECT_THAT(FaultsOf(json), IsEmpty());
}

TEST(FaultsTest, FeaturesThatNothingReadsAreFound) {
  Json json = WholeSpec();
  auto spec = ParseSpec(json.dump(), "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(UnusedFeatures(*spec), IsEmpty());
  json["deep"]["features"] = {"user", "tags"};
  spec = ParseSpec(json.dump(), "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(UnusedFeatures(*spec), ElementsAre(3, 6));  // The key of the catalog is used.
  // Nor what is read by them alone: the operands of a cross, the length of a list.
  json["wide"]["features"] = {"user"};
  json["deep"]["features"] = {"user"};
  spec = ParseSpec(json.dump(), "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(UnusedFeatures(*spec), ElementsAre(1, 3, 4, 5, 6, 7));
}

}  // namespace
}  // namespace handpick::converter
