// Specs drafted from the weights of the golden models: without an edit they compute the trainer's
// logits, or they hold a question.
#include "converter/draft/draft.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "converter/draft/complete.h"
#include "converter/draft/explain.h"
#include "converter/draft/golden_text.h"
#include "converter/draft/trial.h"
#include "converter/draft/write_spec.h"
#include "converter/io/files.h"
#include "converter/io/json.h"
#include "converter/pipeline.h"
#include "converter/spec/spec.h"
#include "converter/weights/archive.h"
#include "converter/weights/weights.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;

struct GoldenModel {
  std::string name;
  std::string spec;
  std::string weights;
  std::string requests;
};

std::string WeightsOf(const std::string& stem) {
  const std::string safetensors = stem + ".safetensors";
  return fs::exists(safetensors) ? safetensors : stem + ".npz";
}

// Those of tests/goldens that have tensors and no trees, of which no tensor speaks.
std::vector<GoldenModel> GoldenModels() {
  constexpr char kSpec[] = ".spec.json";
  std::vector<GoldenModel> models;
  for (const auto& folder : fs::directory_iterator("tests/goldens")) {
    if (!folder.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      const std::string path = entry.path();
      if (path.size() < sizeof(kSpec) || path.rfind(kSpec) != path.size() - sizeof(kSpec) + 1) {
        continue;
      }
      const std::string stem = path.substr(0, path.rfind(kSpec));
      const std::string weights = WeightsOf(stem);
      const bool has_trees = fs::exists(stem + ".trees.json") || fs::exists(stem + ".trees.txt");
      if (has_trees || !fs::exists(weights)) continue;
      models.push_back({stem.substr(std::string("tests/goldens/").size()), path, weights,
                        stem + ".requests.jsonl"});
    }
  }
  std::sort(models.begin(), models.end(),
            [](const GoldenModel& a, const GoldenModel& b) { return a.name < b.name; });
  return models;
}

Json ReadJson(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return Json::object();
  const absl::StatusOr<Json> json = ParseJson(*text, path);
  EXPECT_TRUE(json.ok()) << json.status();
  return json.ok() ? *json : Json::object();
}

// The trainer's feature columns: what no checkpoint says. Names of features, without combiners, in
// the order in which a part has them. Of several attention units, which of the tensors is which is
// known by their names, or by their order.
Json ColumnsOf(const Json& spec) {
  Json columns = {{"features", spec["features"]}};
  for (const char* histories : {"history", "sequences"}) {
    if (spec.contains(histories)) columns[histories] = spec[histories];
  }
  if (spec.contains("attention") && spec["attention"].is_array()) {
    for (const Json& unit : spec["attention"]) {
      columns["attention"].push_back(
          {{"name", unit["name"]}, {"query", unit["query"]}, {"key", unit["key"]}});
    }
  }
  for (const char* list :
       {"/wide/features", "/deep/features", "/attention/query", "/attention/key"}) {
    const Json::json_pointer at(list);
    if (!spec.contains(at) || spec[at].empty()) continue;
    Json names = Json::array();
    for (const Json& use : spec[at]) names.push_back(use.is_string() ? use : use["feature"]);
    columns[at] = names;
  }
  return columns;
}

enum class Verdict { kFits, kAsks, kWrong };

Verdict Try(const GoldenModel& model, std::string* why) {
  const absl::StatusOr<Weights> weights = ReadWeights(model.weights);
  const absl::StatusOr<GoldenText> goldens = ReadGoldenText(model.requests);
  EXPECT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(goldens.ok()) << goldens.status();
  if (!weights.ok() || !goldens.ok()) return Verdict::kWrong;
  const std::unique_ptr<Archive> archive = ArchiveOf(*weights);
  DraftInputs inputs;
  inputs.weights = archive.get();
  inputs.goldens = &*goldens;
  inputs.given = ColumnsOf(ReadJson(model.spec));
  inputs.model_name = "draft";
  const absl::StatusOr<Draft> draft = MakeDraft(inputs);
  if (!draft.ok()) {
    *why = std::string(draft.status().message());
    return Verdict::kAsks;
  }
  EXPECT_FALSE(draft->report.empty()) << model.name;
  const std::string text = SpecText(draft->spec);
  const absl::StatusOr<Spec> spec = ParseSpec(text, "draft");
  if (!draft->questions.empty()) {
    *why = draft->questions[0].path + ": " + draft->questions[0].choices;
    EXPECT_FALSE(spec.ok()) << model.name << ": a question was not refused";
    return Verdict::kAsks;
  }
  if (!spec.ok()) {
    *why = std::string(spec.status().message());
    return Verdict::kWrong;
  }
  const auto conversion = Convert(*spec, *weights, {schema::Precision::Float32, 0, "draft_test"});
  if (!conversion.ok()) {
    *why = std::string(conversion.status().message());
    return Verdict::kWrong;
  }
  Trial trial(*weights, &*goldens);
  const absl::StatusOr<Outcome> outcome = trial.Run(draft->spec);
  const bool fits = outcome.ok() && outcome->is_whole && outcome->error <= kFits;
  if (!fits) *why = "the goldens do not fit";
  return fits ? Verdict::kFits : Verdict::kWrong;
}

TEST(DraftTest, FitsTheGoldensOrAsks) {
  const std::vector<GoldenModel> models = GoldenModels();
  ASSERT_GE(models.size(), 360u);
  size_t fitting = 0;
  std::vector<std::string> asking;
  for (const GoldenModel& model : models) {
    std::string why;
    const Verdict verdict = Try(model, &why);
    EXPECT_NE(verdict, Verdict::kWrong) << model.name << ": " << why;
    if (verdict == Verdict::kFits) ++fitting;
    if (verdict == Verdict::kAsks) asking.push_back(model.name + ": " + why);
  }
  printf("%zu golden models: %zu drafts fit as they are, %zu ask\n", models.size(), fitting,
         asking.size());
  for (const std::string& line : asking) printf("  %s\n", line.c_str());
  EXPECT_GE(fitting * 100, models.size() * 99);
}

// From tensors and golden requests alone.
absl::StatusOr<Draft> DraftWithoutColumns(const Weights& weights, const GoldenText& goldens) {
  const std::unique_ptr<Archive> archive = ArchiveOf(weights);
  DraftInputs inputs;
  inputs.weights = archive.get();
  inputs.goldens = &goldens;
  inputs.model_name = "draft";
  return MakeDraft(inputs);
}

// What golden requests alone show of features is enough where ids are rows of tables.
TEST(DraftTest, NeedsNoColumnsWhereGoldensShowThem) {
  for (const char* name : {"din/prelu_softmax", "dien/augru", "deepfm/relu_sum", "mmoe/relu_sum",
                           "neumf/relu", "dcn/matrix_relu_sum", "pnn/inner"}) {
    const std::string stem = std::string("tests/goldens/") + name;
    const absl::StatusOr<Weights> weights = ReadWeights(WeightsOf(stem));
    const absl::StatusOr<GoldenText> goldens = ReadGoldenText(stem + ".requests.jsonl");
    ASSERT_TRUE(weights.ok()) << weights.status();
    ASSERT_TRUE(goldens.ok()) << goldens.status();
    const absl::StatusOr<Draft> draft = DraftWithoutColumns(*weights, *goldens);
    ASSERT_TRUE(draft.ok()) << name << ": " << draft.status();
    EXPECT_TRUE(draft->questions.empty())
        << name << ": " << draft->questions[0].path << ": " << draft->questions[0].choices;
  }
}

// Without columns, features whose table has another name are a question, and with them which of
// them the network reads.
TEST(DraftTest, AsksForTablesOfOtherNames) {
  for (const char* name : {"dcn/keras_cross_alone", "pnn/keras_outer_vec"}) {
    SCOPED_TRACE(name);
    const std::string stem = std::string("tests/goldens/") + name;
    const absl::StatusOr<Weights> weights = ReadWeights(WeightsOf(stem));
    const absl::StatusOr<GoldenText> goldens = ReadGoldenText(stem + ".requests.jsonl");
    ASSERT_TRUE(weights.ok()) << weights.status();
    ASSERT_TRUE(goldens.ok()) << goldens.status();
    const absl::StatusOr<Draft> draft = DraftWithoutColumns(*weights, *goldens);
    ASSERT_TRUE(draft.ok()) << draft.status();
    EXPECT_EQ(draft->spec["model"]["kind"], std::string(name).substr(0, 3));
    const auto asks = [&](const std::string& path_of_question) {
      return std::any_of(draft->questions.begin(), draft->questions.end(),
                         [&](const OpenQuestion& own) { return own.path == path_of_question; });
    };
    EXPECT_TRUE(asks("deep.features"));
    if (draft->spec["model"]["kind"] == "pnn") {
      EXPECT_TRUE(asks("products.inner"));
      EXPECT_EQ(draft->spec["products"]["outer"], "vec");
    }
    // Whoever answers has the trainer's model.
    const Json whole = ReadJson(stem + ".spec.json");
    Json answered = draft->spec;
    size_t tables = 0;
    for (size_t i = 0; i < answered["features"].size(); ++i) {
      Json& feature = answered["features"][i];
      const auto own =
          std::find_if(whole["features"].begin(), whole["features"].end(),
                       [&](const Json& other) { return other["name"] == feature["name"]; });
      ASSERT_NE(own, whole["features"].end()) << feature;
      if (asks(absl::StrCat("features[", i, "].embedding.table"))) ++tables;
      feature = *own;
    }
    EXPECT_GE(tables, 1u);
    for (const char* part : {"/deep/features", "/deep/activation", "/products"}) {
      const Json::json_pointer at(part);
      if (whole.contains(at)) answered[at] = whole[at];
    }
    const absl::StatusOr<Spec> spec = ParseSpec(SpecText(answered), "draft");
    ASSERT_TRUE(spec.ok()) << spec.status();
    const absl::StatusOr<Outcome> outcome = Trial(*weights, &*goldens).Run(answered);
    EXPECT_TRUE(outcome.ok() && outcome->is_whole && outcome->error <= kFits) << SpecText(answered);
  }
}

// Tensors of a state_dict, in the order in which the model made them.
class StateDict : public Archive {
 public:
  StateDict(const Weights& weights, std::vector<std::string> order)
      : archive_(ArchiveOf(weights)), order_(std::move(order)) {}

  const char* format() const override { return "pt"; }
  const std::string& origin() const override { return archive_->origin(); }
  const std::map<std::string, TensorInfo>& tensors() const override { return archive_->tensors(); }
  std::vector<std::string> Order() const override { return order_; }
  const std::vector<std::string>& notices() const override { return archive_->notices(); }
  absl::StatusOr<Tensor> Read(const std::string& name) const override {
    return archive_->Read(name);
  }

 private:
  const std::unique_ptr<Archive> archive_;
  const std::vector<std::string> order_;
};

// A library makes tables in the order of its feature columns, in which the network reads them, too.
TEST(DraftTest, TablesAreFeaturesInTheOrderOfTheStateDict) {
  Weights weights;
  weights["deep.embedding.zone.weight"] = {{5, 2}, std::vector<float>(10, 0.5F), {}};
  weights["deep.embedding.app.weight"] = {{7, 2}, std::vector<float>(14, 0.5F), {}};
  weights["deep.embedding.movie.weight"] = {{9, 2}, std::vector<float>(18, 0.5F), {}};
  weights["deep.layers.0.weight"] = {{3, 6}, std::vector<float>(18, 0.5F), {}};
  weights["deep.layers.0.bias"] = {{3}, std::vector<float>(3, 0.5F), {}};
  weights["head.weight"] = {{1, 3}, std::vector<float>(3, 0.5F), {}};
  weights["head.bias"] = {{1}, {0.5F}, {}};
  const StateDict archive(weights, {"deep.embedding.zone.weight", "deep.embedding.movie.weight",
                                    "deep.embedding.app.weight", "deep.layers.0.weight",
                                    "deep.layers.0.bias", "head.weight", "head.bias"});
  const auto names_of = [](const Archive& tensors) {
    DraftInputs inputs;
    inputs.weights = &tensors;
    inputs.given = {{"model", {{"kind", "wide_deep"}}}};
    inputs.model_name = "draft";
    const absl::StatusOr<Draft> draft = MakeDraft(inputs);
    std::vector<std::string> names;
    EXPECT_TRUE(draft.ok()) << draft.status();
    if (!draft.ok()) return names;
    for (const Json& feature : draft->spec["features"]) names.push_back(feature["name"]);
    return names;
  };
  EXPECT_EQ(names_of(archive), (std::vector<std::string>{"zone", "movie", "app"}));
  EXPECT_EQ(names_of(*ArchiveOf(weights)), (std::vector<std::string>{"app", "movie", "zone"}));
}

// Without goldens a draft asks for what shapes do not tell, and says what they do.
TEST(DraftTest, AsksWithoutGoldens) {
  const absl::StatusOr<Weights> weights = ReadWeights("tests/goldens/din/dice_softmax.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  const std::unique_ptr<Archive> archive = ArchiveOf(*weights);
  DraftInputs inputs;
  inputs.weights = archive.get();
  inputs.given = ColumnsOf(ReadJson("tests/goldens/din/dice_softmax.spec.json"));
  inputs.model_name = "draft";
  const absl::StatusOr<Draft> draft = MakeDraft(inputs);
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_EQ(draft->spec["model"]["kind"], "din");
  EXPECT_EQ(draft->spec["layout"], "deepctr-torch");
  EXPECT_EQ(draft->spec["deep"]["hidden_units"], Json({10, 6}));
  EXPECT_EQ(draft->spec["deep"]["batch_normalization"], true);
  EXPECT_EQ(draft->spec["attention"]["activation"], "dice");
  EXPECT_EQ(draft->spec["attention"]["softmax"], "? false, true");
  const auto softmax =
      std::find_if(draft->questions.begin(), draft->questions.end(),
                   [](const OpenQuestion& own) { return own.path == "attention.softmax"; });
  EXPECT_NE(softmax, draft->questions.end());
}

void LeaveOutOfSection(Json* section) {
  if (section->is_array()) {
    for (Json& element : *section) LeaveOutOfSection(&element);
    return;
  }
  for (const char* key : {"hidden_units", "batch_normalization", "count", "gate_hidden_units",
                          "layers", "parameterization", "rank", "structure", "form"}) {
    section->erase(key);
  }
  const Json activation = section->value("activation", Json());
  if (activation == "prelu" || activation == "dice") section->erase("activation");
}

// Takes away what names and shapes of tensors tell.
void LeaveOutWhatWeightsKnow(Json* spec) {
  for (const char* section : {"deep", "attention", "value", "tasks", "experts", "cross"}) {
    if (spec->contains(section)) LeaveOutOfSection(&(*spec)[section]);
  }
  if (spec->contains("piecewise")) (*spec)["piecewise"].erase("count");
  if (spec->contains("evolution")) (*spec)["evolution"].erase("negative_sampling");
  spec->erase("soft_attention");
  for (Json& feature : (*spec)["features"]) {
    if (!feature.contains("vocabulary") || feature["vocabulary"]["kind"] != "identity") continue;
    feature["vocabulary"].erase("size");
  }
}

Json SizeOr(const Json& vocabulary, const Json& otherwise) {
  const bool has_size = vocabulary["kind"] != "identity" || vocabulary.contains("size");
  return has_size ? vocabulary : otherwise;
}

TEST(CompleteSpecTest, FillsInWhatTheWeightsKnow) {
  size_t completed = 0;
  for (const GoldenModel& model : GoldenModels()) {
    Json spec = ReadJson(model.spec);
    LeaveOutWhatWeightsKnow(&spec);
    const absl::StatusOr<Weights> weights = ReadWeights(model.weights);
    const absl::StatusOr<GoldenText> goldens = ReadGoldenText(model.requests);
    ASSERT_TRUE(weights.ok()) << weights.status();
    ASSERT_TRUE(goldens.ok()) << goldens.status();
    if (!CompleteSpec(*ArchiveOf(*weights), &spec).empty()) ++completed;
    // Of a feature that no part reads there is no table.
    const Json whole = ReadJson(model.spec);
    for (size_t i = 0; i < spec["features"].size(); ++i) {
      Json& feature = spec["features"][i];
      if (feature.contains("vocabulary"))
        feature["vocabulary"] = SizeOr(feature["vocabulary"], whole["features"][i]["vocabulary"]);
    }
    Trial trial(*weights, &*goldens);
    const absl::StatusOr<Outcome> outcome = trial.Run(spec);
    ASSERT_TRUE(outcome.ok()) << model.name << ": " << outcome.status() << "\n" << SpecText(spec);
    EXPECT_TRUE(outcome->is_whole && outcome->error <= kFits) << model.name;
  }
  EXPECT_GE(completed, 280u);
}

TEST(CompleteSpecTest, LeavesWhatTheSpecSays) {
  Json spec = ReadJson("tests/goldens/din/dice_softmax.spec.json");
  const Json before = spec;
  const absl::StatusOr<Weights> weights = ReadWeights("tests/goldens/din/dice_softmax.safetensors");
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(CompleteSpec(*ArchiveOf(*weights), &spec).empty());
  EXPECT_EQ(spec, before);
  // What contradicts the weights is seen when the model is built, by both names.
  spec["deep"]["hidden_units"] = {12, 6};
  CompleteSpec(*ArchiveOf(*weights), &spec);
  const absl::StatusOr<Graph> graph = Trial(*weights, nullptr).Build(spec);
  ASSERT_FALSE(graph.ok());
  const std::string message(graph.status().message());
  EXPECT_NE(message.find("dnn.linears.0.weight"), message.npos) << message;
  EXPECT_NE(message.find("deep.hidden_units[0]"), message.npos) << message;
}

// A spec of which one option is another than the trainer's.
struct Mistaken {
  Json spec;
  Weights weights;
  GoldenText goldens;
};

Mistaken Mistake(const std::string& name, const std::string& pointer, const Json& value) {
  const std::string stem = "tests/goldens/" + name;
  Mistaken mistaken;
  mistaken.spec = ReadJson(stem + ".spec.json");
  mistaken.spec[Json::json_pointer(pointer)] = value;
  const absl::StatusOr<Weights> weights = ReadWeights(stem + ".safetensors");
  const absl::StatusOr<GoldenText> goldens = ReadGoldenText(stem + ".requests.jsonl");
  EXPECT_TRUE(weights.ok()) << weights.status();
  EXPECT_TRUE(goldens.ok()) << goldens.status();
  if (weights.ok()) mistaken.weights = *weights;
  if (goldens.ok()) mistaken.goldens = *goldens;
  return mistaken;
}

bool Says(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

TEST(ExplainGoldensTest, NamesTheOptionThatFits) {
  const struct {
    const char *name, *pointer;
    Json value;
    const char* fits;
  } cases[] = {
      {"din/dice_softmax", "/attention/softmax", false, "it fits with attention.softmax: true"},
      {"dien/aigru", "/evolution/cell", "GRU", "it fits with evolution.cell: \"AIGRU\""},
      {"wide_deep/relu_sum", "/deep/activation", "sigmoid",
       "it fits with deep.activation: \"relu\""},
      {"deepfm/relu_sum", "/model/kind", "wide_deep", "it fits with model.kind: \"deepfm\""},
  };
  for (const auto& own : cases) {
    const Mistaken mistaken = Mistake(own.name, own.pointer, own.value);
    const std::vector<std::string> lines =
        ExplainGoldens(mistaken.spec, mistaken.weights, mistaken.goldens, nullptr);
    EXPECT_TRUE(Says(lines, own.fits)) << own.name;
    ASSERT_FALSE(lines.empty()) << own.name;
    // Which request, and both logits.
    EXPECT_NE(lines[0].find(".requests.jsonl:"), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("candidate "), std::string::npos) << lines[0];
  }
}

TEST(ExplainGoldensTest, KnowsProbabilities) {
  Mistaken mistaken = Mistake("deepfm/relu_sum", "/model/kind", "deepfm");
  for (std::string& line : mistaken.goldens.lines) {
    Json request = Json::parse(line);
    for (Json& logit : request["logits"]) logit = 1 / (1 + std::exp(-logit.get<double>()));
    line = request.dump();
  }
  EXPECT_TRUE(Says(ExplainGoldens(mistaken.spec, mistaken.weights, mistaken.goldens, nullptr),
                   "these look like probabilities"));
}

TEST(ExplainGoldensTest, SaysNothingOfWhatFits) {
  const Mistaken right = Mistake("deepfm/relu_sum", "/model/kind", "deepfm");
  EXPECT_TRUE(ExplainGoldens(right.spec, right.weights, right.goldens, nullptr).empty());
}

}  // namespace
}  // namespace handpick::converter
