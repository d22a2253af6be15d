#include "converter/spec/spec.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "converter/spec/kinds.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A spec with a feature of every type.
Json FullSpec() {
  return Json::parse(R"({
    "$schema": "model_spec.schema.json", "description": "all of it",
    "model": {"name": "shop", "version": "7", "kind": "wide_deep", "task": "regression"},
    "layout": "handpick",
    "history": {"max_events": 50},
    "features": [
      {"name": "user_id", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 611, "out_of_vocabulary_row": 0},
       "embedding": {"table": "users", "dimension": 8}, "default": 3},
      {"name": "genre", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "list", "values": ["war", "art"], "first_row": 1, "out_of_vocabulary_row": 0}},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 6,
       "vocabulary": {"kind": "hash", "buckets": 20, "first_row": 1, "seed": 9},
       "combiner": "max", "length": "tags_length", "padding_row": 0, "default": ["a", 7]},
      {"name": "tags_length", "side": "candidate", "type": "length"},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "list", "values": [40, 5, -6]}},
      {"name": "item", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "list", "values": [40, 5, -6]}, "embedding": {"table": "item"}},
      {"name": "year", "side": "candidate", "type": "numeric", "dimension": 1,
       "transform": [{"kind": "clip", "min": 1900, "max": 2030}, {"kind": "log1p"},
                     {"kind": "affine", "subtract": 7.5, "multiply": 2.0}], "default": 1995},
      {"name": "genre_x_tags", "type": "crossed", "of": ["genre", "tags"], "buckets": 100, "seed": 4}
    ],
    "wide": {"features": ["user_id", {"feature": "tags", "combiner": "sum"}, "genre_x_tags"]},
    "deep": {"features": ["user_id", "candidate.item", "history.item", "tags", "year"],
             "hidden_units": [32, 16], "activation": "prelu", "batch_normalization": true},
    "catalog": {"key": "item"}
  })");
}

absl::StatusOr<Spec> Parse(const Json& json) { return ParseSpec(json.dump(), "s.json"); }

std::string MessageOf(const Json& json) {
  const auto spec = Parse(json);
  EXPECT_FALSE(spec.ok()) << "was accepted: " << json;
  return std::string(spec.status().message());
}

// The full spec with one value changed, and what is said about it.
std::string MessageWith(const std::string& pointer, const Json& value) {
  Json json = FullSpec();
  json[Json::json_pointer(pointer)] = value;
  return MessageOf(json);
}

std::string MessageWithout(const std::string& pointer, const std::string& key) {
  Json json = FullSpec();
  json[Json::json_pointer(pointer)].erase(key);
  return MessageOf(json);
}

TEST(SpecTest, ReadsEveryPart) {
  const auto spec = Parse(FullSpec());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->name, "shop");
  EXPECT_EQ(spec->version, "7");
  EXPECT_EQ(spec->kind, "wide_deep");
  EXPECT_EQ(spec->task, schema::Task::Regression);
  EXPECT_EQ(spec->layout, Layout::kHandpick);
  ASSERT_EQ(spec->sequences.size(), 1u);
  EXPECT_EQ(spec->sequences[0].name, "history");
  EXPECT_EQ(spec->sequences[0].max_events, 50);
  ASSERT_EQ(spec->features.size(), 8u);
  const FeatureSpec& user = spec->features[0];
  EXPECT_EQ(user.table, "users");
  EXPECT_EQ(user.embedding_dimension, 8);
  EXPECT_EQ(VocabularyRows(user.vocabulary), 611);
  EXPECT_EQ(user.vocabulary.out_of_vocabulary_row, 0);
  ASSERT_TRUE(user.default_value.has_value());
  EXPECT_EQ(VocabularyRows(spec->features[1].vocabulary), 3);
  const FeatureSpec& tags = spec->features[2];
  EXPECT_EQ(tags.max_values, 6);
  EXPECT_EQ(tags.combiner, schema::Combiner::Max);
  EXPECT_EQ(tags.length, "tags_length");
  EXPECT_EQ(tags.padding_row, 0);
  EXPECT_EQ(tags.table, "tags");
  EXPECT_EQ(VocabularyRows(tags.vocabulary), 21);
  EXPECT_EQ(tags.vocabulary.seed, 9u);
  EXPECT_THAT(spec->features[4].vocabulary.integers, ElementsAre(40, 5, -6));
  EXPECT_EQ(spec->features[6].transform.size(), 3u);
  EXPECT_EQ(spec->features[6].transform[2].a, 7.5);
  EXPECT_EQ(spec->features[6].transform[2].b, 2.0);
  EXPECT_EQ(spec->features[7].side, schema::Side::Unknown);
  EXPECT_EQ(spec->features[7].cross_buckets, 100);
  EXPECT_EQ(spec->features[7].cross_seed, 4u);
  ASSERT_EQ(spec->wide.features.size(), 3u);
  EXPECT_EQ(spec->wide.features[1].combiner, schema::Combiner::Sum);
  EXPECT_EQ(spec->deep.features[1].feature, 4u);
  EXPECT_EQ(spec->deep.features[2].feature, 5u);
  EXPECT_EQ(spec->deep.features[3].combiner, schema::Combiner::Max);
  EXPECT_THAT(spec->deep.hidden_units, ElementsAre(32, 16));
  EXPECT_EQ(spec->deep.activation, "prelu");
  EXPECT_TRUE(spec->deep.batch_normalization);
  EXPECT_EQ(spec->catalog_key, "item");
}

TEST(SpecTest, FillsInWhatIsLeftOut) {
  Json json = FullSpec();
  json["features"][2].erase("combiner");
  json["model"].erase("version");
  json["model"].erase("task");
  json.erase("layout");
  json["deep"].erase("activation");
  json["deep"].erase("batch_normalization");
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->features[2].combiner, schema::Combiner::Mean);
  EXPECT_EQ(spec->features[7].combiner, schema::Combiner::Sum);
  EXPECT_EQ(spec->version, "");
  EXPECT_EQ(spec->task, schema::Task::Binary);
  EXPECT_EQ(spec->layout, Layout::kHandpick);
  EXPECT_EQ(spec->deep.activation, "relu");
  EXPECT_FALSE(spec->deep.batch_normalization);
}

TEST(SpecTest, UnknownKeysAreErrorsWithTheNearestName) {
  EXPECT_EQ(
      MessageWith("/features/0/embeding", Json::object()),
      "s.json: features[0].embeding: unknown key (did you mean 'embedding'?); the keys here "
      "are: description, name, side, sequence, type, vocabulary, embedding, combiner, padding_row, "
      "default");
  EXPECT_THAT(MessageWith("/deep/hiden_units", 3), HasSubstr("deep.hiden_units: unknown key"));
  EXPECT_THAT(MessageWith("/qqqqqqqq", 3), HasSubstr("s.json: qqqqqqqq: unknown key; the keys"));
  EXPECT_THAT(MessageWith("/features/0/vocabulary/buckets", 3),
              HasSubstr("features[0].vocabulary.buckets: unknown key"));
}

TEST(SpecTest, MissingKeysAreNamed) {
  EXPECT_EQ(MessageWithout("", "model"), "s.json: key 'model' is missing");
  EXPECT_EQ(MessageWithout("/model", "kind"), "s.json: model: key 'kind' is missing");
  EXPECT_EQ(MessageWithout("/features/0", "type"), "s.json: features[0]: key 'type' is missing");
  EXPECT_EQ(MessageWithout("/features/0", "vocabulary"),
            "s.json: features[0]: key 'vocabulary' is missing");
  EXPECT_EQ(MessageWithout("/features/2", "max_values"),
            "s.json: features[2]: key 'max_values' is missing");
}

TEST(SpecTest, WrongTypesAndRangesAreShown) {
  EXPECT_EQ(MessageWith("/model/name", 7), "s.json: model.name: expected a string, found 7");
  EXPECT_EQ(MessageWith("/features/0/vocabulary/size", 0),
            "s.json: features[0].vocabulary.size: expected an integer from 1 to 2147483648, found "
            "0");
  EXPECT_THAT(MessageWith("/features/0/vocabulary/size", int64_t{1} << 32),
              HasSubstr("found 4294967296"));
  EXPECT_THAT(MessageWith("/features/0/vocabulary/size", 2.5), HasSubstr("found 2.5"));
  EXPECT_THAT(MessageWith("/features/0/vocabulary/out_of_vocabulary_row", 611),
              HasSubstr("expected an integer from 0 to 610, found 611"));
  EXPECT_THAT(MessageWith("/features/2/padding_row", 21),
              HasSubstr("features[2].padding_row: expected an integer from 0 to 20, found 21"));
  EXPECT_EQ(MessageWith("/model/kind", "wide_dep"),
            absl::StrCat("s.json: model.kind: 'wide_dep' is none of: ",
                         absl::StrJoin(ModelKindNames(), ", "), " (did you mean 'wide_deep'?)"));
  EXPECT_THAT(MessageWith("/features/0/side", "user"),
              HasSubstr("'user' is none of: context, history, candidate"));
  EXPECT_THAT(MessageWith("/deep/hidden_units/1", 0),
              HasSubstr("deep.hidden_units[1]: expected an integer from 1 to 65536, found 0"));
  EXPECT_THAT(MessageWith("/deep/hidden_units/1", 65537), HasSubstr("found 65537"));
  EXPECT_THAT(MessageWith("/deep/hidden_units", Json::array()),
              HasSubstr("deep.hidden_units: is empty"));
  EXPECT_THAT(MessageWith("/features", Json::array()),
              HasSubstr("features: has 0 features; a model takes 1 to 4096"));
  EXPECT_THAT(MessageWith("/features/2/vocabulary/first_row", (int64_t{1} << 31) - 1),
              HasSubstr("features[2].vocabulary: needs 2147483667 rows, the maximum is"));
}

// A spec with a network for each of two tasks.
Json TasksSpec() {
  Json json = FullSpec();
  json["model"]["kind"] = "shared_bottom";
  json["model"].erase("task");
  json["model"]["outputs"] =
      Json::parse(R"([{"name": "ctr"}, {"name": "seconds", "task": "regression"}])");
  json.erase("wide");
  json["tasks"] = {{"hidden_units", Json::array({4})}};
  return json;
}

TEST(SpecTest, OutputsAndWhatRanks) {
  Json json = TasksSpec();
  auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->outputs.size(), 2u);
  EXPECT_EQ(spec->outputs[0].name, "ctr");
  EXPECT_EQ(spec->outputs[0].task, schema::Task::Binary);
  EXPECT_EQ(spec->outputs[1].task, schema::Task::Regression);
  EXPECT_EQ(spec->rank_by.output, "");
  EXPECT_THAT(spec->tasks.hidden_units, ElementsAre(4));
  json["model"]["rank_by"] = "seconds";
  spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->rank_by.output, "seconds");
  json["model"]["rank_by"] = Json::parse(R"({"ctr": 0.5})");
  json["model"]["task"] = "regression";
  spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->outputs[0].task, schema::Task::Regression);
  ASSERT_EQ(spec->rank_by.powers.size(), 1u);
  EXPECT_EQ(spec->rank_by.powers[0].first, "ctr");
  EXPECT_EQ(spec->rank_by.powers[0].second, 0.5);
}

TEST(SpecTest, OutputsThatAKindCannotHaveAreRefused) {
  const auto message = [](const Json& json) { return std::string(Parse(json).status().message()); };
  Json json = TasksSpec();
  json["model"].erase("outputs");
  EXPECT_THAT(message(json), HasSubstr("model.outputs: is missing; models of kind "
                                       "'shared_bottom' have an output for each task"));
  json = TasksSpec();
  json["model"]["outputs"][1]["name"] = "ctr";
  EXPECT_THAT(message(json), HasSubstr("model.outputs[1].name: there is another output 'ctr'"));
  json = TasksSpec();
  json["model"]["outputs"][0]["task"] = "rank";
  EXPECT_THAT(message(json), HasSubstr("model.outputs[0].task: 'rank' is none of: binary"));
  json = TasksSpec();
  json["model"]["outputs"] = Json::array();
  EXPECT_THAT(message(json), HasSubstr("model.outputs: has 0 outputs; a model takes 1 to 63"));
  json = TasksSpec();
  json["model"]["rank_by"] = Json::object();
  EXPECT_THAT(message(json), HasSubstr("model.rank_by: expected the name of an output, or an "
                                       "object with exponents of some, found an object"));
  for (const Json& exponent : {Json(0), Json(-1), Json("1"), Json(1001)}) {
    json["model"]["rank_by"] = {{"ctr", exponent}};
    EXPECT_THAT(message(json),
                HasSubstr("model.rank_by.ctr: expected an exponent above 0 and up to 1000"));
  }
  EXPECT_THAT(MessageWith("/model/outputs", Json::parse(R"([{"name": "a"}, {"name": "b"}])")),
              HasSubstr("model.outputs: has 2 outputs; models of kind 'wide_deep' have one"));
  json = TasksSpec();
  json.erase("tasks");
  json["model"]["kind"] = "esmm";
  EXPECT_THAT(message(json), HasSubstr("model.outputs: is given; models of kind 'esmm' name"));
  json["model"].erase("outputs");
  json["model"]["task"] = "regression";
  EXPECT_THAT(message(json), HasSubstr("model.task: is regression, but what models of kind "
                                       "'esmm' say is probabilities"));
}

TEST(SpecTest, ListsHaveOneTypeAndNoDuplicates) {
  EXPECT_EQ(MessageWith("/features/1/vocabulary/values", {"war", 3}),
            "s.json: features[1].vocabulary.values[1]: expected a string, as the first value is, "
            "found 3");
  EXPECT_THAT(MessageWith("/features/4/vocabulary/values", {1, 2, 1}),
              HasSubstr("features[4].vocabulary.values[2]: 1 occurs twice"));
  EXPECT_THAT(MessageWith("/features/1/vocabulary/values", {"a", "b", "a"}),
              HasSubstr("values[2]: \"a\" occurs twice"));
  // The first that was there before.
  EXPECT_THAT(MessageWith("/features/1/vocabulary/values", {"c", "b", "a", "b", "a", "c"}),
              HasSubstr("values[3]: \"b\" occurs twice"));
  EXPECT_THAT(MessageWith("/features/4/vocabulary/values", {1.5}),
              HasSubstr("expected an integer of 64 bits"));
  EXPECT_THAT(MessageWith("/features/4/vocabulary/values", {9223372036854775808u}),
              HasSubstr("expected an integer of 64 bits"));
  EXPECT_THAT(MessageWith("/features/4/vocabulary/values", Json::array()), HasSubstr("is empty"));
}

TEST(SpecTest, NamesAreUniquePerSide) {
  EXPECT_EQ(MessageWith("/features/1/name", "user_id"),
            "s.json: features[1].name: there is another feature 'user_id' on that side");
  EXPECT_THAT(MessageWith("/features/7/name", "year"),
              HasSubstr("features[7].name: there is another feature 'year'"));
}

TEST(SpecTest, ReferencesThatLeadNowhereAreNamed) {
  EXPECT_EQ(MessageWith("/wide/features/0", "user"),
            "s.json: wide.features[0]: there is no feature 'user'");
  EXPECT_EQ(MessageWith("/wide/features/0", "user_idd"),
            "s.json: wide.features[0]: there is no feature 'user_idd' (did you mean 'user_id'?)");
  EXPECT_EQ(MessageWith("/deep/features/1", "item"),
            "s.json: deep.features[1]: 'item' is on several sides: write 'candidate.item' or "
            "'history.item'");
  EXPECT_THAT(MessageWith("/features/7/of/1", "tag"),
              HasSubstr("features[7].of[1]: there is no feature 'tag' (did you mean 'tags'?)"));
  EXPECT_THAT(MessageWith("/features/2/length", "tags_lenght"),
              HasSubstr("features[2].length: there is no feature 'tags_lenght' of type length on "
                        "side candidate (did you mean 'tags_length'?)"));
  EXPECT_THAT(MessageWith("/features/2/length", "year"),
              HasSubstr("feature 'year' is numeric, not of type length"));
  EXPECT_THAT(MessageWith("/catalog/key", "itm"),
              HasSubstr("catalog.key: there is no candidate feature 'itm' (did you mean 'item'?)"));
  EXPECT_THAT(MessageWith("/catalog/key", "year"), HasSubstr("'year' is numeric"));
}

TEST(SpecTest, FeaturesAreUsedAsTheirTypeAllows) {
  EXPECT_THAT(MessageWith("/deep/features/0", "tags_length"),
              HasSubstr("'tags_length' is a length, which no part of a model reads"));
  EXPECT_THAT(MessageWith("/wide/features/2", "user_id"),
              HasSubstr("wide.features[2]: 'user_id' is in the list twice"));
  EXPECT_THAT(MessageWith("/wide/features/0", {{"feature", "user_id"}, {"combiner", "sum"}}),
              HasSubstr("wide.features[0].combiner: 'user_id' has one value only"));
  EXPECT_THAT(MessageWith("/features/7/of/1", "year"),
              HasSubstr("'year' is numeric; only categorical features can be crossed"));
  EXPECT_THAT(MessageWith("/features/7/of/1", "history.item"), HasSubstr("cannot be crossed"));
  EXPECT_THAT(MessageWith("/features/7/of/1", "genre"), HasSubstr("is crossed with itself"));
  EXPECT_THAT(MessageWith("/features/7/of", {"genre"}),
              HasSubstr("has 1 features; a cross takes 2 to 8"));
  EXPECT_THAT(MessageWith("/features/0/combiner", "sum"),
              HasSubstr("features[0].combiner: is for features of which there are several values"));
  EXPECT_THAT(MessageWith("/features/0/padding_row", 0),
              HasSubstr("is for multi-valued features and for features of the history"));
}

TEST(SpecTest, CrossesTooLargeForATableAreRefused) {
  Json json = FullSpec();
  json["features"][7]["buckets"] = 0;
  json["features"][1]["vocabulary"] = {{"kind", "identity"}, {"size", 2000000000}};
  EXPECT_THAT(MessageOf(json), HasSubstr("crosses to more than 2147483648 rows: give 'buckets'"));
  json = FullSpec();
  json["features"][2]["max_values"] = 65536;
  json["features"].push_back({{"name", "more"},
                              {"side", "candidate"},
                              {"type", "multi_categorical"},
                              {"max_values", 2},
                              {"vocabulary", {{"kind", "identity"}, {"size", 5}}}});
  json["features"][7]["of"] = {"tags", "more"};
  EXPECT_THAT(MessageOf(json), HasSubstr("makes more than 65536 combinations in one row"));
}

TEST(SpecTest, DefaultsMustResolve) {
  Json json = FullSpec();
  json["features"][0]["vocabulary"].erase("out_of_vocabulary_row");
  json["features"][0]["default"] = 611;
  EXPECT_EQ(MessageOf(json),
            "s.json: features[0].default: context feature 'user_id': unknown id 611: ids are 0 to "
            "610, and there is no out-of-vocabulary row");
  EXPECT_THAT(MessageWith("/features/0/default", "x"), HasSubstr("it takes integer ids"));
  EXPECT_THAT(MessageWith("/features/0/default", {1}), HasSubstr("expected one value, found [1]"));
  EXPECT_THAT(MessageWith("/features/2/default", 1), HasSubstr("expected an array, found 1"));
  EXPECT_THAT(MessageWith("/features/2/default", {1, 2, 3, 4, 5, 6, 7}),
              HasSubstr("7 values were given, the maximum is 6"));
  EXPECT_THAT(MessageWith("/features/6/default", nullptr), HasSubstr("found null"));
}

TEST(SpecTest, TransformsAreSane) {
  EXPECT_THAT(MessageWith("/features/6/transform/0/min", 2031),
              HasSubstr("features[6].transform[0]: min 2031 is above max 2030"));
  EXPECT_THAT(MessageWith("/features/6/transform/2/multiply", 0),
              HasSubstr("features[6].transform[2].multiply: is 0"));
  EXPECT_THAT(MessageWith("/features/6/transform/1/kind", "sqrt"),
              HasSubstr("'sqrt' is none of: clip, log1p, affine"));
  std::string text = FullSpec().dump();
  text.replace(text.find("\"multiply\":2.0"), 14, "\"multiply\":1e999");
  const auto spec = ParseSpec(text, "s.json");
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("too large to be finite"));
}

TEST(SpecTest, HistoryAndItsFeaturesBelongTogether) {
  EXPECT_THAT(MessageWithout("", "history"),
              HasSubstr("features[5] is of the history, so 'history': {'max_events': N}"));
  Json json = FullSpec();
  json["features"].erase(5);
  json["deep"]["features"] = {"user_id"};
  EXPECT_THAT(MessageOf(json), HasSubstr("history: no feature is of the history"));
}

TEST(SpecTest, KeysThatOccurTwiceAreRefused) {
  const auto spec = ParseSpec(R"({"model":{"name":"a","name":"b"}})", "s.json");
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.status().message(), "s.json: key 'name' occurs twice in one object");
}

TEST(SpecTest, TablesThatAreSharedHaveOneSize) {
  EXPECT_THAT(MessageWith("/features/5/vocabulary/values", {1, 2}),
              HasSubstr("'item' and 'item' share the table 'item' but have 2 and 3 rows"));
  Json json = FullSpec();
  json["features"][4]["embedding"] = {{"dimension", 4}};
  json["features"][5]["embedding"]["dimension"] = 5;
  EXPECT_THAT(MessageOf(json), HasSubstr("share the table 'item' but have the dimensions 5 and 4"));
}

// Kinds with attention.

Json DienSpec() {
  return Json::parse(R"({
    "model": {"name": "shop", "kind": "dien"},
    "history": {"max_events": 50, "beyond_maximum": "carry"},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 9}},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 3,
       "vocabulary": {"kind": "identity", "size": 9}},
      {"name": "price", "side": "candidate", "type": "numeric"},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}},
      {"name": "shop", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "item", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}},
      {"name": "shop", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}}
    ],
    "deep": {"features": ["user", "candidate.item", "price", "candidate.shop"],
             "hidden_units": [8]},
    "attention": {"query": ["candidate.item", "candidate.shop"],
                  "key": ["history.item", "history.shop"],
                  "hidden_units": [80, 40], "activation": "dice", "softmax": true},
    "evolution": {"cell": "AIGRU", "negative_sampling": true}
  })");
}

std::string DienMessageWith(const std::string& pointer, const Json& value) {
  Json json = DienSpec();
  json[Json::json_pointer(pointer)] = value;
  return MessageOf(json);
}

TEST(AttentionSpecTest, IsReadWithEvolution) {
  const auto spec = Parse(DienSpec());
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->kind, "dien");
  EXPECT_EQ(spec->sequences[0].beyond_maximum, schema::BeyondMaximum::Carry);
  EXPECT_THAT(spec->attention[0].query, ElementsAre(3, 4));
  EXPECT_THAT(spec->attention[0].key, ElementsAre(5, 6));
  EXPECT_THAT(spec->attention[0].hidden_units, ElementsAre(80, 40));
  EXPECT_EQ(spec->attention[0].activation, "dice");
  EXPECT_TRUE(spec->attention[0].softmax);
  EXPECT_EQ(spec->evolution.cell, "AIGRU");
  EXPECT_TRUE(spec->evolution.negative_sampling);
}

TEST(AttentionSpecTest, StatesAreComputedAgainUnlessTheSpecSaysOtherwise) {
  Json json = DienSpec();
  json["history"].erase("beyond_maximum");
  json["evolution"].erase("negative_sampling");
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->sequences[0].beyond_maximum, schema::BeyondMaximum::Recompute);
  EXPECT_FALSE(spec->evolution.negative_sampling);
}

TEST(AttentionSpecTest, KindsHaveTheirPartsAndNoOthers) {
  EXPECT_EQ(DienMessageWith("/model/kind", "din"),
            "s.json: 2 faults:\n"
            "  history.beyond_maximum: is for models with recurrent states; those of kind 'din' "
            "have none\n"
            "  evolution: models of kind 'din' have no such part");
  Json json = DienSpec();
  json["history"].erase("beyond_maximum");
  json["model"]["kind"] = "din";
  EXPECT_EQ(MessageOf(json), "s.json: evolution: models of kind 'din' have no such part");
  json.erase("evolution");
  EXPECT_TRUE(Parse(json).ok());
  json["wide"] = {{"features", {"user"}}};
  EXPECT_EQ(MessageOf(json), "s.json: wide: models of kind 'din' have no such part");
  json.erase("wide");
  json.erase("attention");
  EXPECT_EQ(MessageOf(json), "s.json: key 'attention' is missing");
  json["model"]["kind"] = "nfm";
  EXPECT_TRUE(Parse(json).ok());
  json.erase("deep");
  EXPECT_EQ(MessageOf(json), "s.json: key 'deep' is missing");
}

TEST(AttentionSpecTest, QueryIsOfTheCandidateAndKeyOfTheHistory) {
  EXPECT_EQ(DienMessageWith("/attention/query/0", "user"),
            "s.json: attention.query[0]: 'user' is categorical of side context, expected ids or "
            "numbers of side candidate");
  Json with_number = DienSpec();
  with_number["attention"]["query"][1] = "price";
  EXPECT_TRUE(Parse(with_number).ok()) << Parse(with_number).status();
  EXPECT_THAT(DienMessageWith("/attention/key/0", "candidate.item"),
              HasSubstr("attention.key[0]: 'item' is categorical of side candidate, expected ids "
                        "or numbers of side history"));
  EXPECT_THAT(DienMessageWith("/attention/key/1", "history.item"),
              HasSubstr("attention.key[1]: 'history.item' is in the list twice"));
  EXPECT_THAT(DienMessageWith("/attention/key/1", "history.shops"),
              HasSubstr("attention.key[1]: there is no feature 'history.shops'"));
  EXPECT_THAT(DienMessageWith("/attention/key", Json::array()), HasSubstr("key: is empty"));
  EXPECT_THAT(DienMessageWith("/features/5/padding_row", 0),
              HasSubstr("attention.key[0]: 'item' has a padding_row, but attention counts every "
                        "event"));
}

TEST(AttentionSpecTest, DeepCtrTorchAttendsToIdsAlone) {
  Json json = DienSpec();
  json["layout"] = "deepctr-torch";
  json["attention"]["query"][1] = "price";
  EXPECT_THAT(MessageOf(json), HasSubstr("attention.query[1]: 'price' is numeric of side "
                                         "candidate, expected ids of side candidate"));
  json = DienSpec();
  json["attention"]["pad_query"] = true;
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(spec->attention[0].pads_query);
  json["layout"] = "deepctr-torch";
  EXPECT_THAT(MessageOf(json), HasSubstr("attention.pad_query: is true; DeepCTR-Torch's query is"));
}

TEST(AttentionSpecTest, ChoicesAreNamed) {
  EXPECT_THAT(DienMessageWith("/attention/activation", "gelu"),
              HasSubstr("'gelu' is none of: linear, relu, sigmoid, tanh, prelu, dice"));
  EXPECT_THAT(DienMessageWith("/attention/hidden_units", Json::array()),
              HasSubstr("attention.hidden_units: is empty"));
  EXPECT_THAT(DienMessageWith("/evolution/cell", "LSTM"),
              HasSubstr("'LSTM' is none of: GRU, AIGRU, AGRU, AUGRU"));
  EXPECT_THAT(DienMessageWith("/history/beyond_maximum", "drop"),
              HasSubstr("'drop' is none of: recompute, carry"));
  EXPECT_THAT(DienMessageWith("/deep/activation", "gelu"),
              HasSubstr("'gelu' is none of: linear, relu, sigmoid, tanh, prelu, dice"));
}

TEST(AttentionSpecTest, DeepCtrTorchJoinsTheQueryInTheOrderOfItsColumns) {
  Json json = DienSpec();
  json["layout"] = "deepctr-torch";
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["attention"]["query"] = {"candidate.shop", "candidate.item"};
  EXPECT_THAT(MessageOf(json), HasSubstr("attention.query: is in another order than "
                                         "deep.features"));
  EXPECT_THAT(MessageOf(json), HasSubstr("in the order of the columns: item, shop"));
  json["deep"]["features"] = {"user", "candidate.shop"};
  EXPECT_THAT(MessageOf(json), HasSubstr("has a feature that deep.features has not"));
  json["layout"] = "handpick";
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
}

TEST(AttentionSpecTest, DeepCtrHasKerasEpsilonAndNoNegativeSampling) {
  Json json = DienSpec();
  json["layout"] = "deepctr";
  json["evolution"]["negative_sampling"] = false;
  json["deep"]["batch_normalization"] = true;
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->deep.batch_normalization_epsilon, 1e-3);
  json["deep"]["batch_normalization_epsilon"] = 1e-5;
  EXPECT_THAT(MessageOf(json), HasSubstr("deep.batch_normalization_epsilon: 1e-05 is not "
                                         "DeepCTR's, which is 0.001"));
  json["deep"].erase("batch_normalization_epsilon");
  json["evolution"]["negative_sampling"] = true;
  EXPECT_THAT(MessageOf(json), HasSubstr("evolution.negative_sampling: is true, but what DeepCTR's "
                                         "negative sampling trains has no names of its own"));
}

TEST(AttentionSpecTest, DeepCtrTorchAttendsToOneIdAnEvent) {
  Json json = DienSpec();
  json["attention"]["query"] = {"candidate.item", "tags"};
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["deep"]["features"] = {"candidate.item", "tags"};
  json["layout"] = "deepctr-torch";
  EXPECT_THAT(MessageOf(json), HasSubstr("attention.query[1]: 'tags' is multi-valued"));
}

TEST(DeepFmSpecTest, NeedsIdsButNoLayers) {
  for (const char* layout : {"handpick", "deepctr-torch"}) {
    Json json = FullSpec();
    json["model"]["kind"] = "deepfm";
    json["layout"] = layout;
    json["features"][2].erase("padding_row");
    json["features"][2]["combiner"] = "mean";
    EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
    json["deep"]["hidden_units"] = Json::array();
    EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
    json["deep"]["features"] = {"year"};
    EXPECT_THAT(MessageOf(json), HasSubstr("deep.features: has numbers alone"));
    json.erase("deep");
    EXPECT_EQ(MessageOf(json), "s.json: key 'deep' is missing");
  }
}

TEST(PairsSpecTest, ModelsOfPairsAloneHaveNoLayers) {
  for (const char* kind : {"fm", "ffm", "afm"}) {
    Json json = FullSpec();
    json["model"]["kind"] = kind;
    EXPECT_THAT(MessageOf(json),
                HasSubstr(std::string("deep.hidden_units: has layers, which models "
                                      "of kind '") +
                          kind + "' have not"));
    json["deep"].erase("hidden_units");
    EXPECT_THAT(MessageOf(json), HasSubstr("2 faults:"));
    EXPECT_THAT(MessageOf(json),
                HasSubstr(std::string("deep.activation: is given; models of kind '") + kind +
                          "' have no layers that it could be of"));
    EXPECT_THAT(MessageOf(json), HasSubstr("deep.batch_normalization: is given"));
    json["deep"].erase("activation");
    json["deep"]["batch_normalization"] = false;
    EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
    json["deep"]["features"] = {"year"};
    EXPECT_THAT(MessageOf(json), HasSubstr("deep.features: has numbers alone"));
  }
  Json json = FullSpec();
  json["model"]["kind"] = "ffm";
  for (const char* key : {"hidden_units", "activation", "batch_normalization"}) {
    json["deep"].erase(key);
  }
  json["layout"] = "deepctr-torch";
  EXPECT_EQ(MessageOf(json),
            "s.json: layout: is 'deepctr-torch'; models of kind 'ffm' have: handpick");
}

TEST(PairsSpecTest, LogisticRegressionIsTheWidePartAlone) {
  Json json = FullSpec();
  json["model"]["kind"] = "lr";
  EXPECT_THAT(MessageOf(json), HasSubstr("deep: models of kind 'lr' have no such part"));
  json.erase("deep");
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["wide"]["features"] = Json::array();
  EXPECT_THAT(MessageOf(json), HasSubstr("wide.features: is empty"));
}

TEST(PairsSpecTest, PnnSaysWhichProductsThereAre) {
  Json json = FullSpec();
  json["model"]["kind"] = "pnn";
  json.erase("wide");
  EXPECT_EQ(MessageOf(json), "s.json: key 'products' is missing");
  json["products"] = Json::object();
  EXPECT_THAT(MessageOf(json), HasSubstr("products: has neither inner nor outer products"));
  json["products"]["outer"] = "vec";
  ASSERT_TRUE(Parse(json).ok()) << Parse(json).status();
  EXPECT_FALSE(Parse(json)->products.inner);
  EXPECT_EQ(Parse(json)->products.outer, "vec");
  json["products"]["outer"] = "matrix";
  EXPECT_THAT(MessageOf(json),
              HasSubstr("products.outer: 'matrix' is none of: none, num, vec, mat"));
  json["products"] = {{"inner", true}, {"outer", "superposed"}};
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["layout"] = "deepctr-torch";
  json["features"][2].erase("padding_row");
  json["features"][2]["combiner"] = "mean";
  EXPECT_THAT(MessageOf(json), HasSubstr("deep.batch_normalization: is true"));
  json["deep"]["batch_normalization"] = false;
  EXPECT_THAT(MessageOf(json), HasSubstr("products.outer: is 'superposed', which DeepCTR-Torch's"));
}

TEST(TreesSpecTest, TestNumbersOfContextAndCandidate) {
  Json json = Json::parse(R"({
    "model": {"name": "m", "kind": "gbdt_lr"}, "history": {"max_events": 4},
    "features": [
      {"name": "age", "side": "context", "type": "numeric", "missing": true},
      {"name": "place", "side": "candidate", "type": "numeric", "dimension": 2},
      {"name": "seen", "side": "history", "type": "numeric"},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 3}}],
    "wide": {"features": ["item", "place"]},
    "trees": {"features": ["place", "age"]}})");
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->trees.features, (std::vector<size_t>{1, 0}));
  EXPECT_TRUE(spec->features[0].missing);
  EXPECT_FALSE(spec->features[1].missing);
  EXPECT_EQ(spec->trees.model, nullptr);

  json["trees"]["features"] = {"item"};
  EXPECT_THAT(MessageOf(json), HasSubstr("trees.features[0]: 'item' is categorical"));
  json["trees"]["features"] = {"place", "seen"};
  EXPECT_THAT(MessageOf(json), HasSubstr("trees.features[1]: 'seen' is of the history"));
  json["trees"]["features"] = {"age", "age"};
  EXPECT_THAT(MessageOf(json), HasSubstr("'age' is in the list twice"));
  json["trees"]["features"] = Json::array();
  EXPECT_THAT(MessageOf(json), HasSubstr("trees.features: is empty"));
  json["trees"]["features"] = {"age"};
  json["layout"] = "deepctr-torch";
  EXPECT_THAT(MessageOf(json), HasSubstr("models of kind 'gbdt_lr' have: handpick"));
  json.erase("layout");
  json["wide"]["features"] = {"item", "age"};
  EXPECT_THAT(MessageOf(json),
              HasSubstr("wide.features[1]: 'age' may be missing, which trees can read"));
  json["wide"]["features"] = {"item"};
  json["features"][0]["default"] = 3;
  EXPECT_THAT(MessageOf(json), HasSubstr("features[0].default: is there, and 'missing' is true"));
  json["features"][0].erase("default");
  json["model"]["kind"] = "gbdt";
  EXPECT_THAT(MessageOf(json), HasSubstr("wide: models of kind 'gbdt' have no such part"));
  json.erase("trees");
  json.erase("wide");
  EXPECT_THAT(MessageOf(json), HasSubstr("key 'trees' is missing"));
}

TEST(NfmSpecTest, NeedsIdsAndHasNoNormalisationInDeepCtrTorch) {
  Json json = FullSpec();
  json["model"]["kind"] = "nfm";
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["deep"]["features"] = {"year"};
  EXPECT_THAT(MessageOf(json), HasSubstr("deep.features: has numbers alone"));
  json = FullSpec();
  json["model"]["kind"] = "nfm";
  json["layout"] = "deepctr-torch";
  json["features"][2].erase("padding_row");
  json["features"][2]["combiner"] = "mean";
  EXPECT_THAT(MessageOf(json), HasSubstr("deep.batch_normalization: is true, which "
                                         "DeepCTR-Torch's models of kind 'nfm' cannot have"));
  json["deep"]["batch_normalization"] = false;
  json["deep"]["hidden_units"] = Json::array();
  EXPECT_THAT(MessageOf(json), HasSubstr("deep.hidden_units: is empty; models of kind 'nfm'"));
}

// Layout deepctr-torch.

Json DeepCtrSpec() {
  Json json = FullSpec();
  json["layout"] = "deepctr-torch";
  json["features"][2].erase("padding_row");
  json["features"][2]["combiner"] = "mean";
  return json;
}

TEST(DeepCtrTorchLayoutTest, RowZeroPadsUnlessThereIsALength) {
  Json json = DeepCtrSpec();
  auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->features[2].padding_row, std::nullopt);
  EXPECT_EQ(spec->features[5].padding_row, 0);
  EXPECT_EQ(spec->features[0].padding_row, std::nullopt);
  json["features"][2].erase("length");
  json["features"][5]["padding_row"] = nullptr;
  spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->features[2].padding_row, 0);
  EXPECT_EQ(spec->features[5].padding_row, std::nullopt);
}

TEST(DeepCtrTorchLayoutTest, RefusesPaddingThatUpstreamDoesNotKnow) {
  Json json = DeepCtrSpec();
  json["features"][2]["padding_row"] = 0;
  EXPECT_THAT(MessageOf(json), HasSubstr("counts every position below the length, row 0 included"));
  json["features"][2].erase("length");
  json["features"][2]["padding_row"] = 1;
  EXPECT_THAT(MessageOf(json),
              HasSubstr("features[2].padding_row: is 1; DeepCTR-Torch pads with 0"));
}

TEST(DeepCtrTorchLayoutTest, RefusesMaxWithALength) {
  Json json = DeepCtrSpec();
  json["features"][2]["combiner"] = "max";
  EXPECT_THAT(MessageOf(json), HasSubstr("features[2].combiner: 'tags' has the combiner max and "
                                         "the length 'tags_length', which DeepCTR-Torch cannot"));
  json = DeepCtrSpec();
  json["wide"]["features"][1]["combiner"] = "max";
  EXPECT_THAT(MessageOf(json), HasSubstr("wide.features[1]: 'tags' has the combiner max"));
}

TEST(DeepCtrTorchLayoutTest, RefusesIdsThatCollideInFloat32) {
  Json json = DeepCtrSpec();
  json["features"][0]["vocabulary"]["size"] = (1 << 24) + 1;
  EXPECT_THAT(MessageOf(json), HasSubstr("'user_id' has 16777217 rows"));
  json["features"][0]["vocabulary"]["size"] = 1 << 24;
  EXPECT_TRUE(Parse(json).ok());
}

TEST(DeepCtrTorchLayoutTest, ExplainsWhatUpstreamDoesWithTablesOfTwoSizes) {
  Json json = DeepCtrSpec();
  json["features"][5]["vocabulary"]["values"] = {1, 2};
  EXPECT_THAT(MessageOf(json), HasSubstr("would quietly give both the table of the last one"));
}

Json TowersJson() {
  return Json::parse(R"({
    "model": {"name": "m", "kind": "two_tower"},
    "history": {"max_events": 5},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 10}},
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}},
      {"name": "price", "side": "candidate", "type": "numeric"},
      {"name": "item", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 30}},
      {"name": "both", "type": "crossed", "of": ["user", "candidate.item"]}
    ],
    "towers": {
      "user": {"features": ["user", {"feature": "history.item", "combiner": "sum"}],
               "hidden_units": [8, 4], "activation": "tanh", "output_activation": "linear"},
      "item": {"features": ["candidate.item", "price"], "hidden_units": [4],
               "batch_normalization": true, "batch_normalization_epsilon": 0.001},
      "similarity": "cosine", "temperature": 0.5}
  })");
}

std::string TowersMessageWith(const std::string& pointer, const Json& value) {
  Json json = TowersJson();
  json[Json::json_pointer(pointer)] = value;
  return MessageOf(json);
}

TEST(TowersSpecTest, IsRead) {
  const auto spec = Parse(TowersJson());
  ASSERT_TRUE(spec.ok()) << spec.status();
  const TowersSpec& towers = spec->towers;
  const TowerSpec& user = towers.user;
  const TowerSpec& item = towers.item;
  ASSERT_EQ(user.features.size(), 2u);
  EXPECT_EQ(user.features[1].feature, 3u);
  EXPECT_EQ(user.features[1].combiner, schema::Combiner::Sum);
  EXPECT_THAT(user.hidden_units, ElementsAre(8, 4));
  EXPECT_EQ(user.activation, "tanh");
  EXPECT_EQ(user.output_activation, "linear");
  EXPECT_FALSE(user.batch_normalization);
  EXPECT_EQ(item.features.size(), 2u);
  EXPECT_EQ(item.activation, "relu");
  EXPECT_EQ(item.output_activation, "");
  EXPECT_TRUE(item.batch_normalization);
  EXPECT_EQ(item.batch_normalization_epsilon, 0.001);
  EXPECT_FALSE(towers.item_bias);
  EXPECT_TRUE(towers.cosine);
  EXPECT_EQ(towers.temperature, 0.5);
}

TEST(TowersSpecTest, ATowerHasTheFeaturesOfItsSide) {
  EXPECT_THAT(TowersMessageWith("/towers/user/features/0", "price"),
              HasSubstr("towers.user.features[0]: 'price' has to do with the candidate"));
  EXPECT_THAT(TowersMessageWith("/towers/user/features/0", "both"),
              HasSubstr("towers.user.features[0]: 'both' has to do with the candidate"));
  EXPECT_THAT(TowersMessageWith("/towers/item/features/1", "user"),
              HasSubstr("towers.item.features[1]: 'user' has to do with the user"));
  EXPECT_THAT(TowersMessageWith("/towers/item/features/1", "both"),
              HasSubstr("towers.item.features[1]: 'both' has to do with the user"));
  EXPECT_THAT(TowersMessageWith("/towers/item/features", Json::array()),
              HasSubstr("towers.item.features: is empty"));
}

TEST(TowersSpecTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(TowersMessageWith("/towers/similarity", "dot"),
              HasSubstr("'dot' is none of: inner_product, cosine"));
  EXPECT_THAT(TowersMessageWith("/towers/temperature", 0),
              HasSubstr("towers.temperature: 0 is not above 0"));
  EXPECT_THAT(TowersMessageWith("/towers/user/output_activation", "gelu"),
              HasSubstr("'gelu' is none of: linear, relu"));
  EXPECT_THAT(TowersMessageWith("/towers/item/batch_normalization_epsilon", 2),
              HasSubstr("towers.item.batch_normalization_epsilon: 2 is not above 0"));
  EXPECT_THAT(TowersMessageWith("/towers/item/bias", true),
              HasSubstr("towers.item.bias: is true, but items of models of kind 'two_tower'"));
  EXPECT_THAT(TowersMessageWith("/layout", "deepctr-torch"),
              HasSubstr("models of kind 'two_tower' have: handpick"));
}

TEST(TowersSpecTest, CandidateGenerationHasAnEmbeddingForItsItems) {
  Json json = TowersJson();
  json["model"]["kind"] = "youtube_dnn";
  EXPECT_THAT(MessageOf(json), HasSubstr("towers.item: has 2 features (categorical) and 1 layers; "
                                         "in models of kind 'youtube_dnn' it is one categorical"));
  json["towers"]["item"] = {{"features", {"price"}}};
  EXPECT_THAT(MessageOf(json), HasSubstr("towers.item: has 1 features (numeric)"));
  json["towers"]["item"] = {{"features", {"candidate.item"}}};
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["towers"]["item"]["bias"] = true;
  EXPECT_THAT(MessageOf(json), HasSubstr("towers.item.bias: is true, which a cosine has no place"));
  json["towers"]["similarity"] = "inner_product";
  EXPECT_TRUE(Parse(json).ok()) << Parse(json).status();
  json["towers"]["user"].erase("hidden_units");
  EXPECT_THAT(MessageOf(json), HasSubstr("towers.user.hidden_units: is empty"));
}

TEST(DeepCtrTorchLayoutTest, RefusesDiceWithUpstreamsReason) {
  Json json = DeepCtrSpec();
  json["deep"]["activation"] = "dice";
  EXPECT_THAT(
      MessageOf(json),
      HasSubstr("deep.activation: is 'dice', which DeepCTR-Torch's network cannot have: the "
                "library makes it for the 3-dimensional inputs of its attention"));
  json["deep"]["activation"] = "gelu";
  EXPECT_THAT(MessageOf(json), HasSubstr("'gelu' is none of: linear, relu, sigmoid, tanh, prelu"));
}

TEST(DeepCtrTorchLayoutTest, MayHaveNoHiddenLayersBesideAWidePart) {
  Json json = DeepCtrSpec();
  json["deep"]["hidden_units"] = Json::array();
  EXPECT_TRUE(Parse(json).ok());
  json["wide"]["features"] = Json::array();
  EXPECT_THAT(MessageOf(json), HasSubstr("the model reads no feature"));
}

TEST(DeepCtrTorchLayoutTest, HasItsOwnEpsilon) {
  Json json = DeepCtrSpec();
  json["deep"]["batch_normalization_epsilon"] = 1e-3;
  EXPECT_THAT(MessageOf(json), HasSubstr("0.001 is not DeepCTR-Torch's, which is 1e-05"));
  json["layout"] = "handpick";
  EXPECT_TRUE(Parse(json).ok());
}

// ---- Several sequences, and units over them ----

Json TwoSequences() {
  return Json::parse(R"({
    "model": {"name": "m", "kind": "din"},
    "sequences": [{"name": "clicks", "max_events": 50}, {"name": "purchases", "max_events": 20}],
    "features": [
      {"name": "item", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 10}},
      {"name": "clicked", "side": "history", "sequence": "clicks", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 10}},
      {"name": "dwell", "side": "history", "sequence": "clicks", "type": "numeric"},
      {"name": "bought", "side": "history", "sequence": "purchases", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 10}}],
    "deep": {"features": ["item"], "hidden_units": [4]},
    "attention": [
      {"name": "of_clicks", "query": ["item"], "key": ["clicked"], "hidden_units": [4],
       "activation": "relu", "softmax": false},
      {"name": "of_purchases", "query": ["item"], "key": ["bought"], "hidden_units": [4, 3],
       "activation": "dice", "softmax": true}]
  })");
}

std::string TwoSequencesWith(const std::string& pointer, Json value) {
  Json json = TwoSequences();
  json[Json::json_pointer(pointer)] = std::move(value);
  return MessageOf(json);
}

TEST(SequencesSpecTest, FeaturesAndUnitsBelongToTheirs) {
  const absl::StatusOr<Spec> spec = ParseSpec(TwoSequences().dump(), "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->sequences.size(), 2u);
  EXPECT_EQ(spec->sequences[1].name, "purchases");
  EXPECT_EQ(spec->sequences[1].max_events, 20);
  EXPECT_EQ(spec->features[1].sequence, 0u);
  EXPECT_EQ(spec->features[3].sequence, 1u);
  ASSERT_EQ(spec->attention.size(), 2u);
  EXPECT_EQ(spec->attention[1].name, "of_purchases");
  EXPECT_THAT(spec->attention[1].key, ElementsAre(3));
}

TEST(SequencesSpecTest, FaultsNameTheSequence) {
  EXPECT_EQ(TwoSequencesWith("/history", {{"max_events", 5}}),
            "s.json: sequences: is given beside 'history'; expected one of the two");
  EXPECT_EQ(TwoSequencesWith("/sequences", Json::array()),
            "s.json: sequences: has 0 sequences; a model takes 1 to 8");
  EXPECT_EQ(TwoSequencesWith("/sequences/1/name", "clicks"),
            "s.json: sequences[1].name: there is another sequence 'clicks'");
  EXPECT_THAT(TwoSequencesWith("/features/1/sequence", "clikcs"),
              HasSubstr("features[1].sequence: "));
  EXPECT_EQ(TwoSequencesWith("/features/0/sequence", "clicks"),
            "s.json: features[0].sequence: is for features of the history; this one is of side "
            "candidate");
  EXPECT_EQ(TwoSequencesWith("/features/3/sequence", "clicks"),
            "s.json: sequences[1]: no feature is of sequence 'purchases'");
  Json json = TwoSequences();
  json["features"][3].erase("sequence");
  EXPECT_EQ(MessageOf(json),
            "s.json: features[3].sequence: is missing; the sequences are clicks, purchases");
  json = TwoSequences();
  json["model"]["kind"] = "wide_deep";
  json.erase("attention");
  EXPECT_TRUE(Parse(json).ok());  // Histories that are pooled, or not read at all.
}

TEST(SequencesSpecTest, UnitsOfDienMayBeOfAnyForm) {
  Json json = TwoSequences();
  json["model"]["kind"] = "dien";
  json["evolution"] = {{"cell", "AUGRU"}};
  Json& bilinear = json["attention"][1];
  bilinear = {{"name", "other"},
              {"query", bilinear["query"]},
              {"key", bilinear["key"]},
              {"form", "bilinear"},
              {"softmax", true}};
  const auto spec = Parse(json);
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->attention.size(), 2u);
  EXPECT_EQ(spec->attention[0].form, AttentionForm::kUnit);
  EXPECT_EQ(spec->attention[1].form, AttentionForm::kBilinear);
  bilinear = {
      {"name", "other"}, {"query", bilinear["query"]}, {"key", bilinear["key"]}, {"form", "none"}};
  EXPECT_EQ(MessageOf(json),
            "s.json: attention[1].form: is 'none', but cell AUGRU is led by attention");
}

TEST(SequencesSpecTest, FaultsNameTheUnit) {
  EXPECT_EQ(TwoSequencesWith("/attention/1/key", {"clicked", "bought"}),
            "s.json: attention[1].key[1]: 'bought' is of sequence 'purchases' and 'clicked' of "
            "'clicks'; a key is made of the events of one");
  EXPECT_EQ(TwoSequencesWith("/attention/1/name", "of_clicks"),
            "s.json: attention[1].name: there is another unit 'of_clicks'");
  EXPECT_THAT(TwoSequencesWith("/attention/1/name", "a.b"), HasSubstr("attention[1].name: "));
  EXPECT_THAT(TwoSequencesWith("/attention", Json::array()), HasSubstr("attention: is empty"));
  EXPECT_THAT(TwoSequencesWith("/attention/0/query/0", "clicked"),
              HasSubstr("attention[0].query[0]: 'clicked' is categorical of side history"));
  EXPECT_THAT(TwoSequencesWith("/layout", "deepctr-torch"),
              HasSubstr("attention: is a list; DeepCTR-Torch's models have one unit"));
}

}  // namespace
}  // namespace handpick::converter
