// Every model of tests/goldens and of examples: what the trainer said is what the reference
// interpreter says, and what the runtime says through the C API.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "converter/catalog/catalog.h"
#include "converter/emit/emit.h"
#include "converter/evaluation/goldens.h"
#include "converter/graph/graph.h"
#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "converter/reference/shared_interpreter.h"
#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "converter/request/request.h"
#include "converter/request/resolve.h"
#include "converter/spec/spec.h"
#include "converter/trees/read.h"
#include "converter/trees/tree_model.h"
#include "converter/weights/weights.h"
#include "gtest/gtest.h"
#include "tests/golden/api_session.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

using converter::Conversion;
using converter::Request;

// Relative to max(1, |golden|), for the trainer computes in float32 too, and models with a maximum
// over nothing have logits around -1e9.
constexpr double kTolerance = 1e-4;

// Sums of leaves: there is little to round.
constexpr double kTreeTolerance = 1e-5;

// With numbers in 16 bits, each of which is off by at most 2^-11 = 4.9e-4 of itself: what that
// comes to in a logit is the same in float64, 2.8e-3 at most among these models.
constexpr double kFloat16Tolerance = 4e-3;

struct GoldenModel {
  std::string name;
  std::string spec;
  std::string weights;
  std::string requests;
  std::string catalog;  // "": none.
  std::string trees = "";
  double tolerance = kTolerance;
};

void PrintTo(const GoldenModel& model, std::ostream* out) { *out << model.spec; }

// Of a folder of tests/goldens.
std::vector<GoldenModel> ModelsOf(const std::string& kind) {
  constexpr char kSpec[] = ".spec.json";
  std::vector<GoldenModel> models;
  for (const auto& entry : std::filesystem::directory_iterator("tests/goldens/" + kind)) {
    const std::string path = entry.path();
    if (path.size() < sizeof(kSpec) || path.rfind(kSpec) != path.size() - sizeof(kSpec) + 1) {
      continue;
    }
    const std::string stem = path.substr(0, path.rfind(kSpec));
    const std::string safetensors = stem + ".safetensors";
    models.push_back({std::filesystem::path(stem).filename(), path,
                      std::filesystem::exists(safetensors) ? safetensors : stem + ".npz",
                      stem + ".requests.jsonl", ""});
    for (const char* suffix : {".trees.json", ".trees.txt"}) {
      if (!std::filesystem::exists(stem + suffix)) continue;
      models.back().trees = stem + suffix;
      models.back().tolerance = kTreeTolerance;
      // Boosted trees alone have no other weights.
      if (!std::filesystem::exists(models.back().weights)) models.back().weights = "";
    }
  }
  std::sort(models.begin(), models.end(),
            [](const GoldenModel& a, const GoldenModel& b) { return a.name < b.name; });
  return models;
}

// The same and the model of examples/.
std::vector<GoldenModel> ModelsAndExampleOf(const std::string& kind) {
  std::vector<GoldenModel> models = ModelsOf(kind);
  const std::string folder = "examples/" + kind + "/model/";
  // The models without a history share one catalog, those with one another.
  const bool has_history = kind == "din" || kind == "dien";
  models.push_back(
      {"movielens", folder + "model.spec.json", folder + "model.safetensors",
       folder + "golden.jsonl",
       std::string("examples/") + (has_history ? "din" : "wide_deep") + "/model/catalog.jsonl"});
  return models;
}

// Models of kinds that have no history as such, and yet pool one.
std::vector<GoldenModel> ModelsThatPoolAHistory() {
  std::vector<GoldenModel> models;
  for (const char* kind : {"wide_deep", "nfm",     "deepfm", "shared_bottom", "mmoe",
                           "esmm",      "mlr",     "dcn",    "deep_crossing", "fnn",
                           "gmf",       "ncf_mlp", "neumf",  "drn",           "autorec",
                           "lr",        "fm",      "ffm",    "pnn",           "afm"}) {
    for (GoldenModel& model : ModelsOf(kind)) {
      const bool pools =
          std::string(kind) == "autorec" || model.name.find("history") != model.name.npos;
      if (!pools) continue;
      model.name = std::string(kind) + "_" + model.name;
      models.push_back(model);
    }
  }
  return models;
}

std::string ModelName(const ::testing::TestParamInfo<GoldenModel>& info) { return info.param.name; }

template <typename Logit>
::testing::AssertionResult Agree(const std::vector<Logit>& logits,
                                 const std::vector<double>& goldens,
                                 double tolerance = kTolerance) {
  if (logits.size() != goldens.size()) {
    return ::testing::AssertionFailure() << logits.size() << " logits, expected " << goldens.size();
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    const double error = std::abs(static_cast<double>(logits[i]) - goldens[i]);
    if (!(error <= tolerance * std::max(1.0, std::abs(goldens[i])))) {
      return ::testing::AssertionFailure()
             << "candidate " << i << ": logit " << logits[i] << ", the trainer's " << goldens[i];
    }
  }
  return ::testing::AssertionSuccess();
}

TEST(GoldenModelsTest, AreAllHere) {
  EXPECT_GE(ModelsAndExampleOf("wide_deep").size(), 24u);
  EXPECT_EQ(ModelsThatPoolAHistory().size(), 30u);
  EXPECT_GE(ModelsOf("nfm").size(), 17u);
  EXPECT_GE(ModelsOf("din").size(), 31u);
  EXPECT_GE(ModelsOf("dien").size(), 32u);
  EXPECT_GE(ModelsOf("deepfm").size(), 17u);
  EXPECT_GE(ModelsOf("shared_bottom").size(), 12u);
  EXPECT_GE(ModelsOf("mmoe").size(), 13u);
  EXPECT_GE(ModelsOf("esmm").size(), 12u);
  EXPECT_GE(ModelsOf("mlr").size(), 17u);
  EXPECT_GE(ModelsOf("dcn").size(), 25u);
  for (const char* kind : {"deep_crossing", "wide_resnet", "fnn", "gmf", "ncf_mlp", "neumf",
                           "aneumf", "drn", "autorec"}) {
    EXPECT_GE(ModelsOf(kind).size(), 3u) << kind;
  }
  EXPECT_GE(ModelsOf("gbdt").size(), 33u);
  EXPECT_GE(ModelsOf("gbdt_lr").size(), 5u);
}

// What a conversion takes.
struct Inputs {
  converter::Spec spec;
  converter::Weights weights;
};

Inputs ReadInputs(const GoldenModel& model) {
  Inputs inputs;
  auto spec = converter::ReadSpec(model.spec);
  EXPECT_TRUE(spec.ok()) << spec.status();
  if (spec.ok()) inputs.spec = *std::move(spec);
  if (!model.weights.empty()) {
    auto weights = converter::ReadWeights(model.weights);
    EXPECT_TRUE(weights.ok()) << weights.status();
    if (weights.ok()) inputs.weights = *std::move(weights);
  }
  if (!model.trees.empty()) {
    auto trees = converter::ReadTrees(model.trees);
    EXPECT_TRUE(trees.ok()) << trees.status();
    if (trees.ok()) {
      inputs.spec.trees.model = std::make_shared<const converter::TreeModel>(*std::move(trees));
    }
  }
  return inputs;
  EXPECT_GE(ModelsOf("two_tower").size(), 6u);
  EXPECT_GE(ModelsOf("youtube_dnn").size(), 4u);
}

class GoldenTest : public ::testing::TestWithParam<GoldenModel> {
 protected:
  void SetUp() override {
    const Inputs inputs = ReadInputs(GetParam());
    auto conversion = converter::Convert(inputs.spec, inputs.weights,
                                         {schema::Precision::Float32, 0, "golden_test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    conversion_ = *std::move(conversion);
    auto requests = converter::ReadRequests(GetParam().requests, features());
    ASSERT_TRUE(requests.ok()) << requests.status();
    requests_ = *std::move(requests);
    outputs_ = conversion_.source.Outputs();
    for (const Request& request : requests_) {
      const auto logits = converter::TrainersLogits(request, outputs_);
      ASSERT_TRUE(logits.ok()) << logits.status();
      for (const std::vector<double>& own : *logits) ASSERT_EQ(own.size(), request.candidate_count);
      largest_ = std::max(largest_, request.candidate_count);
    }
    EXPECT_GE(largest_, 40u);
    if (!GetParam().catalog.empty()) {
      const auto items = converter::ReadCatalog(GetParam().catalog, features());
      ASSERT_TRUE(items.ok()) << items.status();
      const auto key =
          converter::FindFeature(features(), schema::Side::Candidate, inputs.spec.catalog_key);
      ASSERT_TRUE(key.ok()) << key.status();
      auto catalog = converter::BuildCatalog(*items, features(), *key);
      ASSERT_TRUE(catalog.ok()) << catalog.status();
      conversion_.bundle.catalog = *std::move(catalog);
    }
    auto bytes = converter::Serialize(conversion_.bundle);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    bytes_ = *std::move(bytes);
  }

  const converter::FeatureSet& features() const { return *conversion_.source.features; }

  schema::GoldenRequestT Golden(const Request& request) const {
    auto golden = converter::BuildGolden(request, features(), outputs_);
    EXPECT_TRUE(golden.ok()) << golden.status();
    return golden.ok() ? **golden : schema::GoldenRequestT();
  }

  // Of every output, as a golden request has them.
  std::vector<double> Expected(const Request& request) const {
    const auto logits = converter::TrainersLogits(request, outputs_);
    EXPECT_TRUE(logits.ok()) << logits.status();
    return logits.ok() ? Flat(*logits) : std::vector<double>();
  }

  static std::vector<double> Flat(const converter::LogitsOfOutputs& logits) {
    std::vector<double> flat;
    for (size_t candidate = 0; candidate < logits[0].size(); ++candidate) {
      for (const std::vector<double>& of_output : logits) flat.push_back(of_output[candidate]);
    }
    return flat;
  }

  void ExpectReferenceAgrees(const converter::Graph& graph) {
    for (size_t r = 0; r < requests_.size(); ++r) {
      const auto resolved =
          converter::ResolveRequest(requests_[r], features(), conversion_.bundle.catalog.get());
      ASSERT_TRUE(resolved.ok()) << "request " << r << ": " << resolved.status();
      EXPECT_TRUE(Agree(Flat(converter::EvaluateOutputs(graph, *resolved)), Expected(requests_[r]),
                        GetParam().tolerance))
          << "request " << r;
    }
  }

  void ExpectRuntimeAgrees(uint32_t tile) {
    ApiSession session(bytes_, tile);
    ASSERT_TRUE(session.ok());
    for (size_t r = 0; r < requests_.size(); ++r) {
      EXPECT_TRUE(
          Agree(session.Logits(Golden(requests_[r])), Expected(requests_[r]), GetParam().tolerance))
          << "request " << r;
    }
  }

  Conversion conversion_;
  std::vector<converter::Output> outputs_;
  std::vector<Request> requests_;
  size_t largest_ = 0;
  std::string bytes_;
};

TEST_P(GoldenTest, ReferenceOfTheRecipeSaysWhatTheTrainerSaid) {
  ExpectReferenceAgrees(conversion_.source);
}

TEST_P(GoldenTest, ReferenceOfTheProgramSaysWhatTheTrainerSaid) {
  ExpectReferenceAgrees(conversion_.program);
}

// Sums are in another order, and nothing else.
TEST_P(GoldenTest, SharedInterpreterSaysWhatTheReferenceSays) {
  constexpr double kOrderOfSums = 1e-12;
  for (const converter::Graph* graph :
       {&conversion_.source, &conversion_.rewritten, &conversion_.program}) {
    const converter::SharedInterpreter shared(*graph);
    for (size_t r = 0; r < requests_.size(); ++r) {
      const auto resolved =
          converter::ResolveRequest(requests_[r], features(), conversion_.bundle.catalog.get());
      ASSERT_TRUE(resolved.ok()) << "request " << r << ": " << resolved.status();
      const std::vector<double> expected = Flat(converter::EvaluateOutputs(*graph, *resolved));
      testing::OnEveryInstructionSet([&] {
        EXPECT_TRUE(Agree(Flat(shared.Evaluate(*resolved)), expected, kOrderOfSums))
            << "request " << r;
      });
    }
  }
}

TEST_P(GoldenTest, RuntimeSaysWhatTheTrainerSaid) { ExpectRuntimeAgrees(/*tile=*/0); }

TEST_P(GoldenTest, RuntimeSaysWhatTheTrainerSaidOnEveryInstructionSet) {
  testing::OnEveryInstructionSet([&] { ExpectRuntimeAgrees(/*tile=*/0); });
}

TEST_P(GoldenTest, RuntimeSaysWhatTheTrainerSaidOneCandidateATile) {
  ExpectRuntimeAgrees(/*tile=*/1);
}

TEST_P(GoldenTest, OneAtATimeGivesTheSameBitsAsAllTogether) {
  ApiSession session(bytes_);
  ASSERT_TRUE(session.ok());
  for (const Request& request : requests_) {
    const schema::GoldenRequestT golden = Golden(request);
    const std::vector<float> together = session.Logits(golden);
    const size_t outputs = outputs_.size();
    ASSERT_EQ(together.size(), request.candidate_count * outputs);
    for (size_t i = 0; i < request.candidate_count; ++i) {
      const std::vector<float> alone = session.Logits(OnlyCandidate(golden, i));
      ASSERT_EQ(alone.size(), outputs);
      for (size_t o = 0; o < outputs; ++o) {
        ASSERT_EQ(alone[o], together[i * outputs + o]) << "candidate " << i << ", output " << o;
      }
    }
  }
}

TEST_P(GoldenTest, RuntimeWithWeightsIn16BitsSaysWhatTheTrainerSaid) {
  const Inputs inputs = ReadInputs(GetParam());
  auto halves = converter::Convert(inputs.spec, inputs.weights,
                                   {schema::Precision::Float16, 0, "golden_test"});
  ASSERT_TRUE(halves.ok()) << halves.status();
  halves->bundle.catalog = std::move(conversion_.bundle.catalog);
  const auto bytes = converter::Serialize(halves->bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  if (GetParam().trees.empty()) {
    EXPECT_LT(bytes->size(), bytes_.size());
  } else {
    EXPECT_LE(bytes->size(), bytes_.size());  // Trees are stored as they are.
  }
  ApiSession session(*bytes);
  ASSERT_TRUE(session.ok());
  for (size_t r = 0; r < requests_.size(); ++r) {
    SCOPED_TRACE(r);
    const std::vector<float> logits = session.Logits(Golden(requests_[r]));
    EXPECT_TRUE(Agree(logits, Expected(requests_[r]), kFloat16Tolerance));
    const auto resolved =
        converter::ResolveRequest(requests_[r], features(), halves->bundle.catalog.get());
    ASSERT_TRUE(resolved.ok()) << resolved.status();
    EXPECT_TRUE(Agree(logits, Flat(converter::EvaluateOutputs(halves->program, *resolved))));
  }
}

// Four times as many events as any of the models keeps.
constexpr size_t kEvents = 200;

class HistoryGoldenTest : public GoldenTest {};

TEST_P(HistoryGoldenTest, EventsOneByOneGiveTheSameBitsAsAllAtOnce) {
  const auto most_events = [](const Request& a, const Request& b) {
    return std::pair(a.event_counts, a.candidate_count) <
           std::pair(b.event_counts, b.candidate_count);
  };
  schema::GoldenRequestT request =
      Golden(*std::max_element(requests_.begin(), requests_.end(), most_events));
  ASSERT_FALSE(request.histories.empty());
  for (size_t h = 0; h < request.histories.size(); ++h) {
    const size_t count = request.histories[h]->event_count;
    ASSERT_GT(count, 0u);
    std::vector<size_t> events;
    for (size_t e = 0; e < kEvents; ++e) events.push_back(e * e % count);
    request = WithEvents(request, h, events);
  }

  ApiSession session(bytes_);
  ASSERT_TRUE(session.ok());
  const std::vector<float> at_once = session.Logits(request);
  ASSERT_EQ(at_once.size(), request.candidate_count * outputs_.size());
  EXPECT_EQ(session.LogitsAppending(request, /*score_between=*/false), at_once);
  EXPECT_EQ(session.LogitsAppending(request, /*score_between=*/true), at_once);
}

INSTANTIATE_TEST_SUITE_P(WideDeep, GoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("wide_deep")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Nfm, GoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("nfm")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Din, GoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("din")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Dien, GoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("dien")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(DeepFm, GoldenTest, ::testing::ValuesIn(ModelsOf("deepfm")), ModelName);
INSTANTIATE_TEST_SUITE_P(SharedBottom, GoldenTest, ::testing::ValuesIn(ModelsOf("shared_bottom")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Mmoe, GoldenTest, ::testing::ValuesIn(ModelsOf("mmoe")), ModelName);
INSTANTIATE_TEST_SUITE_P(Esmm, GoldenTest, ::testing::ValuesIn(ModelsOf("esmm")), ModelName);
INSTANTIATE_TEST_SUITE_P(Mlr, GoldenTest, ::testing::ValuesIn(ModelsOf("mlr")), ModelName);
INSTANTIATE_TEST_SUITE_P(Dcn, GoldenTest, ::testing::ValuesIn(ModelsOf("dcn")), ModelName);
INSTANTIATE_TEST_SUITE_P(DeepCrossing, GoldenTest, ::testing::ValuesIn(ModelsOf("deep_crossing")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(WideResnet, GoldenTest, ::testing::ValuesIn(ModelsOf("wide_resnet")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Fnn, GoldenTest, ::testing::ValuesIn(ModelsOf("fnn")), ModelName);
INSTANTIATE_TEST_SUITE_P(Gmf, GoldenTest, ::testing::ValuesIn(ModelsOf("gmf")), ModelName);
INSTANTIATE_TEST_SUITE_P(NcfMlp, GoldenTest, ::testing::ValuesIn(ModelsOf("ncf_mlp")), ModelName);
INSTANTIATE_TEST_SUITE_P(NeuMf, GoldenTest, ::testing::ValuesIn(ModelsOf("neumf")), ModelName);
INSTANTIATE_TEST_SUITE_P(ANeuMf, GoldenTest, ::testing::ValuesIn(ModelsOf("aneumf")), ModelName);
INSTANTIATE_TEST_SUITE_P(Drn, GoldenTest, ::testing::ValuesIn(ModelsOf("drn")), ModelName);
INSTANTIATE_TEST_SUITE_P(Autorec, GoldenTest, ::testing::ValuesIn(ModelsOf("autorec")), ModelName);
INSTANTIATE_TEST_SUITE_P(Gbdt, GoldenTest, ::testing::ValuesIn(ModelsOf("gbdt")), ModelName);
INSTANTIATE_TEST_SUITE_P(GbdtLr, GoldenTest, ::testing::ValuesIn(ModelsOf("gbdt_lr")), ModelName);
INSTANTIATE_TEST_SUITE_P(Lr, GoldenTest, ::testing::ValuesIn(ModelsOf("lr")), ModelName);
INSTANTIATE_TEST_SUITE_P(Fm, GoldenTest, ::testing::ValuesIn(ModelsOf("fm")), ModelName);
INSTANTIATE_TEST_SUITE_P(Ffm, GoldenTest, ::testing::ValuesIn(ModelsOf("ffm")), ModelName);
INSTANTIATE_TEST_SUITE_P(Pnn, GoldenTest, ::testing::ValuesIn(ModelsOf("pnn")), ModelName);
INSTANTIATE_TEST_SUITE_P(Afm, GoldenTest, ::testing::ValuesIn(ModelsOf("afm")), ModelName);
INSTANTIATE_TEST_SUITE_P(TwoTower, GoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("two_tower")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(YouTubeDnn, GoldenTest, ::testing::ValuesIn(ModelsOf("youtube_dnn")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Pooled, HistoryGoldenTest, ::testing::ValuesIn(ModelsThatPoolAHistory()),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Din, HistoryGoldenTest, ::testing::ValuesIn(ModelsAndExampleOf("din")),
                         ModelName);
INSTANTIATE_TEST_SUITE_P(Dien, HistoryGoldenTest, ::testing::ValuesIn(ModelsOf("dien")), ModelName);
INSTANTIATE_TEST_SUITE_P(YouTubeDnn, HistoryGoldenTest,
                         ::testing::ValuesIn(ModelsOf("youtube_dnn")), ModelName);

}  // namespace
}  // namespace handpick
