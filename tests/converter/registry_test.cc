// What is registered once (converter/spec/kinds.h, converter/spec/layouts.h) is everywhere: a kind
// that a list, a document or a generator of test data forgets fails here.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "converter/recipes/recipes.h"
#include "converter/spec/kinds.h"
#include "converter/spec/layouts.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/random_model.h"

namespace handpick::converter {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Json Schema() { return Json::parse(ReadText("schema/model_spec.schema.json")); }

std::vector<std::string> Strings(const Json& array) {
  return array.get<std::vector<std::string>>();
}

// The row of a table of Markdown whose first cell is `name` as code; "" if there is none.
std::string RowOfTable(const std::string& text, const std::string& name) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.rfind(absl::StrCat("| `", name, "` |"), 0) == 0) return std::string(line);
  }
  return "";
}

// Whether a word is in a text: not only as a part of another name.
bool HasWord(const std::string& text, const std::string& word) {
  const std::vector<std::string> words =
      absl::StrSplit(text, absl::ByAnyChar(" ,.:;()'"), absl::SkipEmpty());
  return std::find(words.begin(), words.end(), word) != words.end();
}

TEST(KindRegistryTest, NamesAreUniqueAndEveryRowIsWhole) {
  std::set<std::string> names;
  for (const ModelKind& kind : kModelKinds) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    for (const char* text : {kind.name, kind.help, kind.logit, kind.paper}) {
      EXPECT_NE(std::string(text), "") << kind.name;
    }
    EXPECT_EQ(kind.needs & kind.may_have, 0u) << kind.name;
    EXPECT_NE(kind.needs | kind.may_have, 0u) << kind.name;
    EXPECT_NE(kind.layouts & kEveryLayout, 0u) << kind.name;
    EXPECT_EQ(FindModelKind(kind.name), &kind);
  }
  EXPECT_EQ(FindModelKind("deep_wide"), nullptr);
}

TEST(KindRegistryTest, TheSchemaHasEveryKind) {
  const Json kind = Schema().at("$defs").at("model").at("properties").at("kind");
  EXPECT_EQ(Strings(kind.at("enum")), ModelKindNames());
  for (const std::string& name : ModelKindNames()) {
    EXPECT_THAT(kind.at("description").get<std::string>(), HasSubstr(name + ": "));
  }
}

TEST(KindRegistryTest, TheSchemaSaysWhichKindsHaveASection) {
  const Json schema = Schema();
  for (const NamedSection& section : kSections) {
    SCOPED_TRACE(section.name);
    ASSERT_TRUE(schema.at("properties").contains(section.name));
    const std::string description =
        schema.at("$defs").at(section.name).at("description").get<std::string>();
    for (const ModelKind& kind : kModelKinds) {
      EXPECT_EQ(HasWord(description, kind.name), kind.Has(section.section)) << kind.name;
    }
  }
}

TEST(KindRegistryTest, TheReadmeHasARowForEveryKind) {
  const std::string readme = ReadText("converter/recipes/README.md");
  for (const ModelKind& kind : kModelKinds) {
    const std::string row = RowOfTable(readme, kind.name);
    ASSERT_NE(row, "") << kind.name;
    EXPECT_THAT(row, HasSubstr(absl::StrCat("| ", kind.logit, " |")));
    EXPECT_THAT(row, HasSubstr(absl::StrCat("| ", kind.paper, " |")));
    for (const NamedSection& section : kSections) {
      const bool is_there = row.find(absl::StrCat("`", section.name, "`")) != std::string::npos;
      EXPECT_EQ(is_there, kind.Has(section.section)) << kind.name << ", " << section.name;
    }
  }
}

TEST(KindRegistryTest, EveryKindHasRandomModelsWithAllOfItsSections) {
  for (const ModelKind& kind : kModelKinds) {
    SCOPED_TRACE(kind.name);
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const RandomModel model = MakeRandomModel(seed, kind.name);
      const absl::StatusOr<Graph> graph = BuildGraph(model.spec, model.weights);
      ASSERT_TRUE(graph.ok()) << "seed " << seed << ": " << graph.status();
      unsigned own = 0;
      if (!model.spec.wide.features.empty()) own |= kWide;
      if (!model.spec.deep.features.empty()) own |= kDeep;
      if (!model.spec.towers.user.features.empty()) own |= kTowers;
      if (!model.spec.attention.empty()) own |= kAttention | (kind.needs & kEvolution);
      if (model.spec.outputs.size() > 1) own |= kTasks;
      if (model.spec.experts.count > 0) own |= kExperts;
      if (!model.spec.piecewise.features.empty()) own |= kPiecewise;
      if (model.spec.cross.layers > 0) own |= kCross;
      if (model.spec.gmf.has_value()) own |= kGmf;
      if (model.spec.soft_attention.gmf || model.spec.soft_attention.deep) own |= kSoftAttention;
      if (!model.spec.value.features.empty()) own |= kValue;
      if (model.spec.autorec.has_value()) own |= kAutorec;
      if (model.spec.trees.model != nullptr) own |= kTrees;
      if (model.spec.products.inner || model.spec.products.outer != "none") own |= kProducts;
      EXPECT_EQ(own & kind.needs, kind.needs) << "seed " << seed;
      seen |= own;
    }
    EXPECT_EQ(seen, kind.needs | kind.may_have);
  }
}

TEST(KindRegistryTest, EveryKindHasGoldens) {
  const std::string bundles = ReadText("tests/golden/bundles.bzl");
  const std::string readme = ReadText("tests/goldens/README.md");
  for (const std::string& name : ModelKindNames()) {
    EXPECT_THAT(bundles, HasSubstr("\n    \"" + name + "\": [\n"));
    EXPECT_THAT(readme, HasSubstr("\n## " + name + "\n"));
  }
}

TEST(LayoutRegistryTest, TheSchemaHasEveryLayout) {
  const Json layout = Schema().at("properties").at("layout").at("oneOf");
  EXPECT_EQ(Strings(layout.at(0).at("enum")), LayoutNames());
}

// A layout's names are in the table of the README, or on a page of its own that the README links.
TEST(LayoutRegistryTest, TheReadmeHasEveryLayoutAndItsNamesOfTensors) {
  const std::string readme = ReadText("converter/layouts/README.md");
  for (const LayoutRow& layout : Layouts()) {
    EXPECT_NE(std::string(layout.help), "");
    EXPECT_THAT(readme, HasSubstr(absl::StrCat(" `", layout.name, "`")));
    const std::string page = absl::StrCat(layout.name, ".md");
    const bool has_page = readme.find(absl::StrCat("(", page, ")")) != std::string::npos;
    const std::string text = has_page ? readme + ReadText("converter/layouts/" + page) : readme;
    for (const TensorName& name : layout.names) {
      EXPECT_THAT(text, HasSubstr(absl::StrCat("`", name.pattern, "`"))) << layout.name;
    }
  }
}

// What is said of a kind or of a cell alone is said of one that there is.
TEST(LayoutRegistryTest, ExceptionsAreOfKindsOrCells) {
  // Cells, and tasks that have names of their own.
  const std::set<std::string> cells = {"GRU", "AIGRU", "AGRU", "AUGRU", "ctr", "cvr"};
  for (const LayoutRow& layout : Layouts()) {
    for (const TensorName& name : layout.names) {
      const std::string only = name.only;
      EXPECT_TRUE(only.empty() || cells.count(only) == 1 || FindModelKind(only) != nullptr) << only;
    }
    for (const LayoutOfKind& of_kind : layout.of_kinds) {
      EXPECT_NE(FindModelKind(of_kind.kind), nullptr) << of_kind.kind;
    }
  }
}

// Every role of a tensor has a name, whatever the kind; biases may be anywhere.
TEST(LayoutRegistryTest, EveryLayoutNamesWhatAKindMayRead) {
  for (const LayoutRow& layout : Layouts()) {
    std::set<TensorRole> optional = {TensorRole::kWideBias, TensorRole::kHeadBias,
                                     TensorRole::kOutputBias, TensorRole::kAuxiliary};
    // Numbers have tables of their own.
    if (layout.traits.wide_is_an_embedding) optional.insert(TensorRole::kWideNumbers);
    for (const ModelKind& kind : kModelKinds) {
      if (!kind.Takes(layout.layout)) continue;
      for (int r = 0; r <= static_cast<int>(TensorRole::kAuxiliary); ++r) {
        const auto role = static_cast<TensorRole>(r);
        if (optional.count(role) == 1) continue;
        EXPECT_NE(PatternOf(layout.layout, role, kind.name), "") << layout.name << ", role " << r;
      }
    }
  }
}

TEST(LayoutRegistryTest, EveryKindOfFuxiCtrHasItsNames) {
  const Layout layout = Layout::kFuxiCtr;
  EXPECT_EQ(PatternOf(layout, TensorRole::kNetwork, "deepfm"), "mlp.mlp");
  EXPECT_EQ(PatternOf(layout, TensorRole::kWideBias, "lr"), "lr_layer.bias");
  EXPECT_EQ(PatternOf(layout, TensorRole::kWideBias, "nfm"), "");
  EXPECT_FALSE(FindModelKind("mmoe")->Takes(layout));
  EXPECT_TRUE(TraitsOf(layout, "din").padding_is_no_event);
  EXPECT_FALSE(TraitsOf(layout, "dien").padding_is_no_event);
}

TEST(LayoutRegistryTest, ExceptionsComeBeforeTheRule) {
  const Layout layout = Layout::kDeepCtrTorch;
  EXPECT_EQ(PatternOf(layout, TensorRole::kHeadWeight, "din"), "dnn_linear.weight");
  EXPECT_EQ(PatternOf(layout, TensorRole::kHeadWeight, "dien"), "linear.weight");
  EXPECT_EQ(PatternOf(layout, TensorRole::kEvolution, "dien", "AUGRU"),
            "interest_evolution.interest_evolution.rnn.<part>");
  EXPECT_EQ(PatternOf(layout, TensorRole::kEvolution, "dien", "AIGRU"),
            "interest_evolution.interest_evolution.<part>_l0");
  EXPECT_EQ(PatternOf(layout, TensorRole::kWideBias, "wide_deep"), "");
  EXPECT_TRUE(TraitsOf(layout, "din").softmax_over_padding);
  EXPECT_FALSE(TraitsOf(layout, "dien").softmax_over_padding);
  const Layout keras = Layout::kDeepCtr;
  EXPECT_EQ(PatternOf(keras, TensorRole::kEvolution, "dien", "AGRU"), "gru2/<part>:0");
  EXPECT_EQ(PatternOf(keras, TensorRole::kEvolution, "dien", "GRU"), "gru2/gru_cell/<part>:0");
  EXPECT_EQ(PatternOf(keras, TensorRole::kTaskHeadBias, "esmm", "cvr"),
            "prediction_layer/global_bias:0");
  EXPECT_EQ(PatternOf(keras, TensorRole::kTaskHeadBias, "esmm", "ctr"), "<task>/global_bias:0");
  EXPECT_EQ(PatternOf(keras, TensorRole::kAuxiliary, "dien"), "");
  EXPECT_TRUE(TraitsOf(keras, "din").zeros_are_no_events);
  EXPECT_FALSE(TraitsOf(keras, "dien").zeros_are_no_events);
}

}  // namespace
}  // namespace handpick::converter
