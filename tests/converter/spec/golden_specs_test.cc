// Every golden's spec, weights and requests are read without complaint.
#include <filesystem>
#include <string>

#include "converter/request/request.h"
#include "converter/request/resolve.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/kinds.h"
#include "converter/spec/spec.h"
#include "converter/weights/weights.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;

class GoldenSpecsTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenSpecsTest, AllAreReadWithTheirWeightsAndRequests) {
  size_t models = 0;
  for (const auto& entry : fs::directory_iterator("tests/goldens/" + GetParam())) {
    const std::string path = entry.path().string();
    const size_t suffix = path.rfind(".spec.json");
    if (suffix == std::string::npos) continue;
    SCOPED_TRACE(path);
    ++models;
    const auto spec = ReadSpec(path);
    ASSERT_TRUE(spec.ok()) << spec.status();
    const auto features = BuildFeatureSet(*spec);
    ASSERT_TRUE(features.ok()) << features.status();
    EXPECT_EQ(spec->kind, GetParam());
    EXPECT_EQ(features->features.size(), spec->features.size());

    const std::string base = path.substr(0, suffix);
    const std::string weights_path = base + (fs::exists(base + ".npz") ? ".npz" : ".safetensors");
    // Boosted trees alone have no other weights.
    if (GetParam() != "gbdt") {
      const auto weights = ReadWeights(weights_path);
      ASSERT_TRUE(weights.ok()) << weights.status();
      EXPECT_FALSE(weights->empty());
    }

    const auto requests = ReadRequests(base + ".requests.jsonl", *features);
    ASSERT_TRUE(requests.ok()) << requests.status();
    EXPECT_GE(requests->size(), 3u);
    for (const Request& request : *requests) {
      if (request.output_logits.empty()) {
        EXPECT_EQ(request.logits.size(), request.candidate_count);
      }
      for (const auto& [name, logits] : request.output_logits) {
        EXPECT_EQ(logits.size(), request.candidate_count) << name;
      }
      const auto resolved = ResolveRequest(request, *features);
      EXPECT_TRUE(resolved.ok()) << resolved.status();
    }
  }
  // Kinds that no library has are written down for their goldens, and have fewer.
  const bool is_of_library = FindModelKind(GetParam())->layouts == kEveryLayout;
  EXPECT_GE(models, is_of_library ? 5u : 3u);
}

INSTANTIATE_TEST_SUITE_P(Kinds, GoldenSpecsTest, ::testing::ValuesIn(ModelKindNames()));

}  // namespace
}  // namespace handpick::converter
