// Every model of tests/goldens/wide_deep: what the trainer said is what the reference interpreter
// says, and what the runtime says through the C API.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "converter/emit/emit.h"
#include "converter/graph/graph.h"
#include "converter/pipeline.h"
#include "converter/reference/interpreter.h"
#include "converter/request/raw_values.h"
#include "converter/request/request.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"
#include "gtest/gtest.h"
#include "tests/golden/api_session.h"
#include "tests/golden/golden_request.h"

namespace handpick {
namespace {

using converter::Conversion;
using converter::Request;

constexpr char kGoldens[] = "tests/goldens/wide_deep";

// Relative to max(1, |golden|), for the trainer computes in float32 too, and models with a maximum
// over nothing have logits around -1e9.
constexpr double kTolerance = 1e-4;

std::vector<std::string> Models() {
  constexpr char kSuffix[] = ".spec.json";
  std::vector<std::string> models;
  for (const auto& entry : std::filesystem::directory_iterator(kGoldens)) {
    const std::string name = entry.path().filename();
    const size_t end = name.rfind(kSuffix);
    if (end != std::string::npos) models.push_back(name.substr(0, end));
  }
  std::sort(models.begin(), models.end());
  return models;
}

std::string ModelName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

template <typename Logit>
::testing::AssertionResult Agree(const std::vector<Logit>& logits,
                                 const std::vector<double>& goldens) {
  if (logits.size() != goldens.size()) {
    return ::testing::AssertionFailure() << logits.size() << " logits, expected " << goldens.size();
  }
  for (size_t i = 0; i < logits.size(); ++i) {
    const double error = std::abs(static_cast<double>(logits[i]) - goldens[i]);
    if (!(error <= kTolerance * std::max(1.0, std::abs(goldens[i])))) {
      return ::testing::AssertionFailure()
             << "candidate " << i << ": logit " << logits[i] << ", the trainer's " << goldens[i];
    }
  }
  return ::testing::AssertionSuccess();
}

TEST(GoldenModelsTest, AreAllHere) { EXPECT_GE(Models().size(), 23u); }

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string stem = std::string(kGoldens) + "/" + GetParam();
    auto spec = converter::ReadSpec(stem + ".spec.json");
    ASSERT_TRUE(spec.ok()) << spec.status();
    const std::string safetensors = stem + ".safetensors";
    auto weights =
        converter::ReadWeights(std::filesystem::exists(safetensors) ? safetensors : stem + ".npz");
    ASSERT_TRUE(weights.ok()) << weights.status();
    auto conversion =
        converter::Convert(*spec, *weights, {schema::Precision::Float32, 0, "golden_test"});
    ASSERT_TRUE(conversion.ok()) << conversion.status();
    conversion_ = *std::move(conversion);
    auto requests = converter::ReadRequests(stem + ".requests.jsonl", features());
    ASSERT_TRUE(requests.ok()) << requests.status();
    requests_ = *std::move(requests);
    ASSERT_GE(requests_.size(), 13u);
    for (const Request& request : requests_) {
      ASSERT_EQ(request.logits.size(), request.candidate_count);
      largest_ = std::max(largest_, request.candidate_count);
    }
    EXPECT_EQ(largest_, 200u);
    auto bytes = converter::Serialize(conversion_.bundle);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    bytes_ = *std::move(bytes);
  }

  const converter::FeatureSet& features() const { return *conversion_.source.features; }

  std::vector<float> RuntimeLogits(ApiSession& session, const Request& request) {
    return session.Logits(ToGoldenRequest(request, features()));
  }

  void ExpectReferenceAgrees(const converter::Graph& graph) {
    for (size_t r = 0; r < requests_.size(); ++r) {
      const auto logits = converter::EvaluateReference(graph, requests_[r]);
      ASSERT_TRUE(logits.ok()) << "request " << r << ": " << logits.status();
      EXPECT_TRUE(Agree(*logits, requests_[r].logits)) << "request " << r;
    }
  }

  void ExpectRuntimeAgrees(uint32_t tile) {
    ApiSession session(bytes_, tile);
    ASSERT_TRUE(session.ok());
    for (size_t r = 0; r < requests_.size(); ++r) {
      EXPECT_TRUE(Agree(RuntimeLogits(session, requests_[r]), requests_[r].logits))
          << "request " << r;
    }
  }

  Conversion conversion_;
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

TEST_P(GoldenTest, RuntimeSaysWhatTheTrainerSaid) { ExpectRuntimeAgrees(/*tile=*/0); }

TEST_P(GoldenTest, RuntimeSaysWhatTheTrainerSaidOneCandidateATile) {
  ExpectRuntimeAgrees(/*tile=*/1);
}

TEST_P(GoldenTest, OneAtATimeGivesTheSameBitsAsAllTogether) {
  ApiSession session(bytes_);
  ASSERT_TRUE(session.ok());
  for (const Request& request : requests_) {
    const schema::GoldenRequestT golden = ToGoldenRequest(request, features());
    const std::vector<float> together = session.Logits(golden);
    ASSERT_EQ(together.size(), request.candidate_count);
    for (size_t i = 0; i < together.size(); ++i) {
      const std::vector<float> alone = session.Logits(OnlyCandidate(golden, i));
      ASSERT_EQ(alone.size(), 1u);
      ASSERT_EQ(alone[0], together[i]) << "candidate " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WideDeep, GoldenTest, ::testing::ValuesIn(Models()), ModelName);

}  // namespace
}  // namespace handpick
