// Everything that reads JSON reads it alike: damaged texts are refused by every reader, with a
// place, and none of them crashes.
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "converter/request/features.h"
#include "converter/request/request.h"
#include "converter/spec/spec.h"
#include "converter/trees/read.h"
#include "converter/vectors/eges.h"
#include "converter/weights/weights.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/safetensors.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;

std::string Write(const std::string& text) {
  const std::string path = testing::TempDir() + "/readers.jsonl";
  std::ofstream(path, std::ios::binary) << text << "\n";
  return path;
}

struct Reader {
  const char* name;
  std::function<absl::Status(const std::string& json)> read;
};

std::vector<Reader> Readers() {
  return {
      {"spec", [](const std::string& json) { return ParseSpec(json, "f").status(); }},
      {"request",
       [](const std::string& json) { return ParseRequest(json, FeatureSet(), "f").status(); }},
      {"requests of a file",
       [](const std::string& json) { return ReadRequests(Write(json), FeatureSet()).status(); }},
      {"catalog",
       [](const std::string& json) { return ReadCatalog(Write(json), FeatureSet()).status(); }},
      {"safetensors",
       [](const std::string& json) {
         return ParseSafetensors(SafetensorsFile(json, ""), "f").status();
       }},
      {"side information",
       [](const std::string& json) { return ParseEgesSpec(json, "f").status(); }},
  };
}

struct Damage {
  std::string json;
  const char* message;
};

TEST(JsonReadersTest, AllRefuseTheSame) {
  std::string deep_objects;
  for (int i = 0; i < 5000; ++i) deep_objects += "{\"a\":";
  const Damage damages[] = {
      {std::string(100000, '[') + std::string(100000, ']'),
       "more than 64 arrays and objects inside each other"},
      {deep_objects, "more than 64 arrays and objects inside each other"},
      {"{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}",
       "more than 64 arrays and objects inside each other"},
      {"{\"a\": NaN}", "NaN at line 1, column 7"},
      {"{\"a\": -Infinity}", "Infinity at line 1, column 8"},
      {"{\"a\": 1e999}", "a number is too large to be finite"},
      {"{\"a\": 1, \"a\": 2}", "key 'a' occurs twice in one object"},
      {"{\"a\": {\"b\": 1, \"b\": 1}}", "key 'b' occurs twice in one object"},
      {"{\"a\": \"\xFF\"}", "not JSON"},
      {"{\"a\": 1,}", "not JSON"},
      {"{\"a\": 1", "not JSON"},
      {"{'a': 1}", "not JSON"},
      {"{\"a\": 1} {}", "not JSON"},
  };
  for (const Reader& reader : Readers()) {
    for (const Damage& damage : damages) {
      SCOPED_TRACE(absl::StrCat(reader.name, ": ", damage.json.substr(0, 30)));
      const absl::Status status = reader.read(damage.json);
      EXPECT_FALSE(status.ok());
      EXPECT_THAT(std::string(status.message()), HasSubstr(damage.message));
    }
  }
}

TEST(JsonReadersTest, AllSkipAByteOrderMark) {
  for (const Reader& reader : Readers()) {
    SCOPED_TRACE(reader.name);
    // What is wrong with it, if anything, is not the mark.
    const std::string with(reader.read("\xEF\xBB\xBF{}").message());
    EXPECT_EQ(with, reader.read("{}").message());
  }
}

// XGBoost writes NaN where a threshold is none.
TEST(JsonReadersTest, TreesMayHaveNaN) {
  EXPECT_THAT(std::string(ParseTrees("{\"a\": NaN}", "f").status().message()),
              HasSubstr("'learner' is missing"));
  const std::string deep =
      "{\"learner\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_THAT(std::string(ParseTrees(deep, "f").status().message()),
              HasSubstr("more than 64 arrays and objects inside each other"));
}

}  // namespace
}  // namespace handpick::converter
