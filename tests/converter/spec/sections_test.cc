// The sections of DCN, neural collaborative filtering, DRN and AutoRec, and what is said about
// them.
#include <string>

#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

Json SpecOf(const std::string& kind, const std::string& sections) {
  Json spec = Json::parse(R"({
    "history": {"max_events": 5},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "hour", "side": "context", "type": "numeric"},
      {"name": "movie", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "tags", "side": "candidate", "type": "multi_categorical", "max_values": 3,
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "seen", "side": "history", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "stars", "side": "history", "type": "numeric"},
      {"name": "pair", "type": "crossed", "of": ["user", "movie"]}]})");
  spec["model"] = {{"name", "m"}, {"kind", kind}};
  spec.update(Json::parse(sections));
  return spec;
}

std::string MessageOf(const std::string& kind, const std::string& sections) {
  const auto spec = ParseSpec(SpecOf(kind, sections).dump(), "s.json");
  EXPECT_FALSE(spec.ok()) << kind << " " << sections;
  return std::string(spec.status().message());
}

constexpr char kDeep[] = R"("deep": {"features": ["user", "movie"], "hidden_units": [3]})";

std::string WithDeep(const std::string& section) {
  return std::string("{") + kDeep + ", " + section + "}";
}

TEST(CrossTest, IsRead) {
  const auto spec = ParseSpec(
      SpecOf("dcn", WithDeep(R"("cross": {"layers": 3, "parameterization": "matrix", "rank": 2,
                                          "structure": "stacked"})"))
          .dump(),
      "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->cross.layers, 3);
  EXPECT_TRUE(spec->cross.matrix);
  EXPECT_EQ(spec->cross.rank, 2);
  EXPECT_TRUE(spec->cross.stacked);
}

TEST(CrossTest, FaultsAreNamed) {
  EXPECT_THAT(MessageOf("dcn", WithDeep(R"("cross": {"layers": 0, "parameterization": "vector"})")),
              HasSubstr("cross.layers"));
  EXPECT_THAT(MessageOf("dcn", WithDeep(R"("cross": {"layers": 2, "parameterization": "mixed"})")),
              HasSubstr("cross.parameterization"));
  EXPECT_THAT(
      MessageOf("dcn",
                WithDeep(R"("cross": {"layers": 2, "parameterization": "vector", "rank": 2})")),
      HasSubstr("cross.rank: is for cross layers of a matrix"));
  EXPECT_THAT(MessageOf("dcn", R"({"deep": {"features": ["user"], "hidden_units": []}})"),
              HasSubstr("there is no 'cross'"));
  EXPECT_THAT(MessageOf("dcn", R"({"deep": {"features": ["user"], "hidden_units": []},
                "cross": {"layers": 1, "parameterization": "vector", "structure": "stacked"}})"),
              HasSubstr("cross.structure: is 'stacked'"));
  for (const char* cross : {R"("parameterization": "matrix", "rank": 2)",
                            R"("parameterization": "vector", "structure": "stacked")"}) {
    EXPECT_THAT(MessageOf("dcn", WithDeep(std::string(R"("layout": "deepctr-torch",
                "cross": {"layers": 2, )") +
                                          cross + "}")),
                HasSubstr("which DeepCTR-Torch's models of kind 'dcn' cannot have"));
  }
  EXPECT_THAT(MessageOf("nfm", WithDeep(R"("cross": {"layers": 2, "parameterization": "vector"})")),
              HasSubstr("models of kind 'nfm' have no such part"));
}

TEST(GmfTest, FaultsAreNamed) {
  EXPECT_THAT(MessageOf("gmf", "{}"), HasSubstr("key 'gmf' is missing"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "user"}})"), HasSubstr("'item' is missing"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "usr", "item": "movie"}})"),
              HasSubstr("gmf.user: there is no feature 'usr' (did you mean 'user'?)"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "movie", "item": "movie"}})"),
              HasSubstr("gmf.user: 'movie' depends on the candidate"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "pair", "item": "movie"}})"),
              HasSubstr("gmf.user: 'pair' depends on the candidate"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "hour", "item": "movie"}})"),
              HasSubstr("gmf.user: 'hour' is numeric, expected ids"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "user", "item": "tags"}})"),
              HasSubstr("expected one id of side candidate"));
  EXPECT_THAT(MessageOf("gmf", R"({"gmf": {"user": "user", "item": "seen"}})"),
              HasSubstr("'seen' is categorical of side history"));
  const std::string gmf = R"("gmf": {"user": "user", "item": "movie"}, )";
  for (const char* over : {R"([])", R"(["gmf", "gmf"])", R"(["wide"])"}) {
    EXPECT_THAT(MessageOf("aneumf", WithDeep(gmf + R"("soft_attention": {"over": )" + over + "}")),
                HasSubstr("soft_attention.over"));
  }
}

TEST(ValueTest, FaultsAreNamed) {
  for (const char* feature : {"movie", "pair"}) {
    EXPECT_THAT(
        MessageOf("drn", WithDeep(std::string(R"("value": {"features": ["user", ")") + feature +
                                  R"("], "hidden_units": [2]})")),
        HasSubstr(std::string("value.features[1]: '") + feature + "' depends on the candidate"));
  }
  EXPECT_THAT(MessageOf("drn", WithDeep(R"("value": {"features": ["user"], "hidden_units": []})")),
              HasSubstr("value.hidden_units: is empty"));
  EXPECT_THAT(MessageOf("drn", WithDeep(R"("value": {"features": [], "hidden_units": [1]})")),
              HasSubstr("value.features: is empty"));
}

TEST(AutorecTest, FaultsAreNamed) {
  const auto autorec = [](const std::string& item, const std::string& rating,
                          const std::string& candidate, const std::string& more = "") {
    return MessageOf("autorec", R"({"autorec": {"item": ")" + item + R"(", "rating": ")" + rating +
                                    R"(", "candidate": ")" + candidate + "\"" + more + "}}");
  };
  EXPECT_THAT(autorec("seen", "stars", "movie", R"(, "form": "item")"),
              HasSubstr("autorec.form: is 'item': that form encodes an item by the ratings of all "
                        "users"));
  EXPECT_THAT(autorec("user", "stars", "movie"), HasSubstr("autorec.item"));
  EXPECT_THAT(autorec("seen", "hour", "movie"),
              HasSubstr("autorec.rating: 'hour' is numeric of side context, expected one number of "
                        "side history"));
  EXPECT_THAT(autorec("seen", "stars", "tags"), HasSubstr("autorec.candidate"));
  EXPECT_THAT(autorec("seen", "stars", "movie", R"(, "activation": "prelu")"),
              HasSubstr("autorec.activation"));
}

}  // namespace
}  // namespace handpick::converter
