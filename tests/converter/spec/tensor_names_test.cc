// Tensors by the user's own names.
#include "converter/spec/tensor_names.h"

#include <string>
#include <vector>

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

TEST(TensorNamesTest, PlacesStandForWhatFits) {
  TensorNames names({{"deep.embedding.<table>.weight", "<table>/embeddings:0", false},
                     {"deep.layers.<i>.weight", "dense_<i>/kernel:0", true},
                     {"deep.layers.<i>.batch_norm.<part>", "norm/<part>/<i>", false}});
  EXPECT_EQ(names.Find("deep.embedding.item.id.weight").name, "item.id/embeddings:0");
  EXPECT_FALSE(names.Find("deep.embedding.item.id.weight").transpose);
  EXPECT_EQ(names.Find("deep.layers.12.weight").name, "dense_12/kernel:0");
  EXPECT_TRUE(names.Find("deep.layers.12.weight").transpose);
  EXPECT_EQ(names.Find("deep.layers.1.batch_norm.running_var").name, "norm/running_var/1");
  // No layer has this number, and no part a dot.
  EXPECT_EQ(names.Find("deep.layers.first.weight").name, "deep.layers.first.weight");
  EXPECT_EQ(names.Find("deep.layers.1.batch_norm.a.b").name, "deep.layers.1.batch_norm.a.b");
  EXPECT_EQ(names.Find("head.weight").name, "head.weight");
}

TEST(TensorNamesTest, TheFewestPlacesCount) {
  for (const bool reversed : {false, true}) {
    std::vector<TensorRename> renames = {{"deep.layers.<i>.weight", "any/<i>", false},
                                         {"deep.layers.1.weight", "second", true}};
    if (reversed) std::swap(renames[0], renames[1]);
    TensorNames names(renames);
    EXPECT_EQ(names.Find("deep.layers.0.weight").name, "any/0");
    EXPECT_EQ(names.Find("deep.layers.1.weight").name, "second");
  }
}

TEST(TensorNamesTest, KnowsWhatWasOfNoUse) {
  TensorNames names({{"head.weight", "w", false}, {"deep.layers.<i>.bias", "b<i>", false}});
  EXPECT_THAT(names.Unused(), ElementsAre("head.weight", "deep.layers.<i>.bias"));
  names.Find("deep.layers.3.bias");
  EXPECT_THAT(names.Unused(), ElementsAre("head.weight"));
  names.Find("head.weight");
  EXPECT_THAT(names.Unused(), IsEmpty());
}

Json SpecWith(const Json& layout) {
  Json spec = Json::parse(R"({
    "model": {"name": "m", "kind": "ncf_mlp"},
    "features": [
      {"name": "user", "side": "context", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}},
      {"name": "movie", "side": "candidate", "type": "categorical",
       "vocabulary": {"kind": "identity", "size": 5}}],
    "deep": {"features": ["user", "movie"], "hidden_units": [3]}})");
  spec["layout"] = layout;
  return spec;
}

TEST(LayoutNamesTest, AreReadFromTheSpec) {
  const auto spec = ParseSpec(SpecWith(Json::parse(R"({"description": "Keras", "names": {
    "deep.embedding.<table>.weight": "<table>_embedding",
    "head.weight": {"name": "prediction/kernel", "transpose": true, "description": "one"}}})"))
                                  .dump(),
                              "s.json");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->layout, Layout::kHandpick);
  ASSERT_EQ(spec->renames.size(), 2u);
  EXPECT_EQ(spec->renames[0].ours, "deep.embedding.<table>.weight");
  EXPECT_EQ(spec->renames[0].theirs, "<table>_embedding");
  EXPECT_EQ(spec->renames[1].theirs, "prediction/kernel");
  EXPECT_TRUE(spec->renames[1].transpose);
}

std::string MessageOf(const std::string& layout) {
  const auto spec = ParseSpec(SpecWith(Json::parse(layout)).dump(), "s.json");
  EXPECT_FALSE(spec.ok()) << layout;
  return std::string(spec.status().message());
}

TEST(LayoutNamesTest, FaultsAreNamed) {
  EXPECT_THAT(MessageOf(R"({})"), HasSubstr("layout: key 'names' is missing"));
  EXPECT_THAT(MessageOf(R"({"names": {}})"), HasSubstr("layout.names: expected an object"));
  EXPECT_THAT(MessageOf(R"({"names": ["a"]})"), HasSubstr("layout.names: expected an object"));
  EXPECT_THAT(MessageOf(R"({"names": {"head.weight": 3}})"),
              HasSubstr("layout.names['head.weight']: expected an object"));
  EXPECT_THAT(MessageOf(R"({"names": {"head.weight": {"nome": "x"}}})"),
              HasSubstr("did you mean 'name'"));
  EXPECT_THAT(MessageOf(R"({"names": {"head.weight": ""}})"),
              HasSubstr("layout.names['head.weight']: is empty"));
  EXPECT_THAT(MessageOf(R"({"names": {"head.wieght": "x"}})"),
              HasSubstr("no tensor of that name (did you mean 'head.weight'?)"));
  EXPECT_THAT(MessageOf(R"({"names": {"deep.embeding.movie.weight": "x"}})"),
              HasSubstr("did you mean 'deep.embedding.movie.weight'"));
  EXPECT_THAT(MessageOf(R"({"names": {"deep.layer.0.weight": "x"}})"),
              HasSubstr("did you mean 'deep.layers.<i>.weight'"));
  EXPECT_THAT(MessageOf(R"({"names": {"deep.layers.<i>.weight": "x"}})"),
              HasSubstr("'x' has no <i>"));
  EXPECT_THAT(MessageOf(R"({"names": {"head.weight": "x<i>"}})"), HasSubstr("'x<i>' has a <i>"));
  EXPECT_THAT(MessageOf(R"({"names": {"deep.embedding.<table><table>.weight": "<table>"}})"),
              HasSubstr("has <table> twice"));
}

}  // namespace
}  // namespace handpick::converter
