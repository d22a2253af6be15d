// The JSON Schemas say what the parsers take.
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "converter/request/request.h"
#include "converter/spec/spec.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;

Json ReadSchema(const std::string& name) {
  std::ifstream file("schema/" + name);
  return Json::parse(file);
}

std::set<std::string> PropertiesOf(const Json& object) {
  std::set<std::string> names;
  for (const auto& [name, unused] : object.at("properties").items()) names.insert(name);
  return names;
}

// Every property and definition, at any depth, with its path.
void CollectFields(const Json& schema, const std::string& path, std::map<std::string, Json>* out) {
  if (!schema.is_structured()) return;
  for (const auto& [key, value] : schema.items()) {
    const std::string at = path + "/" + key;
    if (key == "properties" || key == "$defs") {
      for (const auto& [name, field] : value.items()) {
        (*out)[at + "/" + name] = field;
        CollectFields(field, at + "/" + name, out);
      }
    } else {
      CollectFields(value, at, out);
    }
  }
}

TEST(SchemaTest, SpecHasTheKeysThatTheParserTakes) {
  const Json schema = ReadSchema("model_spec.schema.json");
  std::set<std::string> definitions = {""};
  for (const auto& [name, unused] : schema.at("$defs").items()) definitions.insert(name);
  std::set<std::string> parsed;
  for (const auto& [name, keys] : SpecKeys()) {
    SCOPED_TRACE(name);
    parsed.insert(name);
    ASSERT_EQ(definitions.count(name), 1u);
    const Json& object = name.empty() ? schema : schema.at("$defs").at(name);
    EXPECT_EQ(PropertiesOf(object), std::set<std::string>(keys.begin(), keys.end()));
    EXPECT_EQ(object.at("additionalProperties"), false);
    for (const Json& required : object.at("required")) {
      EXPECT_TRUE(object.at("properties").contains(required.get<std::string>())) << required;
    }
  }
  EXPECT_EQ(parsed, definitions);
}

TEST(SchemaTest, RequestHasTheKeysThatTheParserTakes) {
  const Json schema = ReadSchema("request.schema.json");
  EXPECT_EQ(PropertiesOf(schema),
            std::set<std::string>(RequestKeys().begin(), RequestKeys().end()));
  EXPECT_EQ(schema.at("additionalProperties"), false);
}

TEST(SchemaTest, EveryFieldIsDescribed) {
  for (const char* name : {"model_spec.schema.json", "request.schema.json"}) {
    std::map<std::string, Json> fields;
    CollectFields(ReadSchema(name), name, &fields);
    EXPECT_GE(fields.size(), 5u);
    for (const auto& [path, field] : fields) {
      EXPECT_TRUE(field.contains("description") || field.contains("$ref")) << path;
    }
  }
}

// One spec per key: taking a required key away must be an error of the parser as well, and the
// choices of a key must be those of the parser.
TEST(SchemaTest, ParserRefusesWhatTheSchemaRequires) {
  const Json spec = Json::parse(R"({
    "model": {"name": "m", "kind": "wide_deep"}, "history": {"max_events": 5},
    "features": [
      {"name": "a", "side": "context", "type": "categorical", "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "b", "side": "context", "type": "multi_categorical", "max_values": 2,
       "vocabulary": {"kind": "list", "values": [1]}},
      {"name": "c", "side": "context", "type": "length"},
      {"name": "d", "side": "context", "type": "numeric",
       "transform": [{"kind": "clip", "min": 0, "max": 1}, {"kind": "log1p"}, {"kind": "affine"}]},
      {"name": "e", "type": "crossed", "of": ["a", "b"]},
      {"name": "f", "side": "history", "type": "categorical", "vocabulary": {"kind": "hash", "buckets": 3}}],
    "wide": {"features": [{"feature": "a"}]}, "deep": {"features": ["a"], "hidden_units": [1]},
    "catalog": {"key": "g"}})");
  Json full = spec;
  full["features"].push_back(Json::parse(
      R"({"name": "g", "side": "candidate", "type": "categorical", "vocabulary": {"kind": "identity", "size": 5}})"));
  Json evolving = full;
  evolving["model"]["kind"] = "dien";
  evolving.erase("wide");
  evolving["attention"] = Json::parse(R"({"query": ["g"], "key": ["f"], "hidden_units": [1],
                                          "activation": "dice", "softmax": true})");
  evolving["evolution"] = Json::parse(R"({"cell": "AUGRU", "negative_sampling": true})");
  Json tasks = full;
  tasks["model"]["kind"] = "mmoe";
  tasks["model"]["outputs"] = Json::parse(R"([{"name": "o", "task": "regression"}])");
  tasks["model"]["rank_by"] = "o";
  tasks.erase("wide");
  tasks["tasks"] = Json::parse(R"({"hidden_units": [1]})");
  tasks["experts"] = Json::parse(R"({"count": 2, "gate_hidden_units": [1]})");
  Json pieces = full;
  pieces["model"]["kind"] = "mlr";
  pieces.erase("wide");
  pieces.erase("deep");
  pieces["piecewise"] = Json::parse(
      R"({"count": 2, "features": ["a"], "base_features": ["b"], "bias_features": ["d"]})");
  for (const Json& example : {full, evolving, tasks, pieces}) {
    const auto whole = ParseSpec(example.dump(), "s");
    ASSERT_TRUE(whole.ok()) << whole.status();
  }

  const Json schema = ReadSchema("model_spec.schema.json");
  const std::map<std::string, std::string> examples = {
      {"", ""},
      {"model", "/model"},
      {"history", "/history"},
      {"feature_categorical", "/features/0"},
      {"feature_multi_categorical", "/features/1"},
      {"feature_length", "/features/2"},
      {"feature_numeric", "/features/3"},
      {"feature_crossed", "/features/4"},
      {"vocabulary_identity", "/features/0/vocabulary"},
      {"vocabulary_list", "/features/1/vocabulary"},
      {"vocabulary_hash", "/features/5/vocabulary"},
      {"transform_clip", "/features/3/transform/0"},
      {"transform_log1p", "/features/3/transform/1"},
      {"transform_affine", "/features/3/transform/2"},
      {"feature_use", "/wide/features/0"},
      {"wide", "/wide"},
      {"deep", "/deep"},
      {"attention", "/attention"},
      {"evolution", "/evolution"},
      {"output", "/model/outputs/0"},
      {"tasks", "/tasks"},
      {"experts", "/experts"},
      {"piecewise", "/piecewise"},
      {"catalog", "/catalog"}};
  for (const auto& [definition, pointer] : examples) {
    const Json& object = definition.empty() ? schema : schema.at("$defs").at(definition);
    std::set<std::string> required;
    for (const Json& key : object.at("required")) required.insert(key.get<std::string>());
    const Json& whole = definition == "attention" || definition == "evolution" ? evolving
                        : definition == "output" || definition == "tasks" || definition == "experts"
                            ? tasks
                        : definition == "piecewise" ? pieces
                                                    : full;
    const Json example = whole.at(Json::json_pointer(pointer));
    for (const auto& [key, unused] : example.items()) {
      Json less = whole;
      less[Json::json_pointer(pointer)].erase(key);
      const auto parsed = ParseSpec(less.dump(), "s");
      if (required.count(key) == 1) {
        EXPECT_FALSE(parsed.ok()) << definition << " needs " << key;
        EXPECT_NE(std::string(parsed.status().message()).find("key '" + key + "' is missing"),
                  std::string::npos)
            << parsed.status();
      }
    }
    for (const std::string& key : required) EXPECT_TRUE(example.contains(key)) << key;
  }
}

}  // namespace
}  // namespace handpick::converter
