// What a device does with a bundle that was made elsewhere: golden requests hold, and logits are
// those of the machine that made it. Links the runtime and no part of the converter, so that it
// runs wherever the runtime does.
//
// make_bundles.sh wrote the bundles, and next to each the logits of its golden requests as the C
// API of the machine that builds computed them.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "handpick/handpick.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"
#include "tests/golden/api_session.h"
#include "tests/support/instruction_sets.h"

namespace handpick {
namespace {

// Relative to max(1, |logit|). Processors round sums of products in orders of their own.
constexpr float kFloatTolerance = 1e-5f;

// Where weights are stored in 8 bits, an instruction set may round what a layer reads to 256
// levels, and another one not; and a float at the edge between two steps is rounded the other way
// where it is computed otherwise. 4.8e-2 at most was seen.
constexpr float kInt8Tolerance = 7e-2f;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::vector<std::filesystem::path> Bundles() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/bundles")) {
    if (entry.path().extension() == ".hpk") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string TestName(const ::testing::TestParamInfo<std::filesystem::path>& info) {
  std::string name = info.param.stem();
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

// What `handpick score` says of a request, as a golden request has it: by candidate and output.
std::vector<float> LogitsOf(const std::string& line, const schema::Bundle& bundle) {
  const auto said = nlohmann::json::parse(line);
  if (!said.contains("outputs")) return said.at("logits").get<std::vector<float>>();
  std::vector<float> logits;
  const auto& outputs = said.at("outputs");
  for (size_t candidate = 0; candidate < outputs.begin()->size(); ++candidate) {
    for (const schema::Output* output : *bundle.outputs()) {
      logits.push_back(outputs.at(output->name()->str()).at(candidate).get<float>());
    }
  }
  return logits;
}

TEST(DeviceBundlesTest, ThereAreBundlesOfAllPrecisions) { EXPECT_GE(Bundles().size(), 300u); }

class DeviceTest : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(DeviceTest, GoldenRequestsHold) {
  const std::string bytes = ReadFile(GetParam());
  // A session's memory is what the instruction set needs that it is made for.
  testing::OnEveryInstructionSet([&] {
    ApiSession session(bytes);
    ASSERT_TRUE(session.ok());
    EXPECT_GE(session.info().golden_count, 6u);
    RecordProperty("largest_error", ::testing::PrintToString(session.CheckGoldens()));
  });
}

TEST_P(DeviceTest, LogitsAreThoseOfTheMachineThatMadeTheBundle) {
  const std::string bytes = ReadFile(GetParam());
  const schema::Bundle* bundle = schema::GetBundle(bytes.data());
  const float tolerance =
      bundle->precision() == schema::Precision::Int8 ? kInt8Tolerance : kFloatTolerance;

  float worst = 0;
  testing::OnEveryInstructionSet([&] {
    ApiSession session(bytes);
    ASSERT_TRUE(session.ok());
    std::ifstream expected_file(
        std::filesystem::path(GetParam()).replace_extension(".logits.jsonl"));
    size_t request = 0;
    for (std::string line; std::getline(expected_file, line); ++request) {
      const std::vector<float> expected = LogitsOf(line, *bundle);
      ASSERT_LT(request, bundle->goldens()->size());
      schema::GoldenRequestT golden;
      bundle->goldens()->Get(static_cast<flatbuffers::uoffset_t>(request))->UnPackTo(&golden);
      const std::vector<float> logits = session.Logits(golden);
      ASSERT_EQ(logits.size(), expected.size()) << "request " << request;
      for (size_t i = 0; i < logits.size(); ++i) {
        const float error =
            std::abs(logits[i] - expected[i]) / std::max(1.0f, std::abs(expected[i]));
        EXPECT_LE(error, tolerance) << "request " << request << ", candidate " << i << ": "
                                    << logits[i] << ", expected " << expected[i];
        if (!(error <= worst)) worst = error;
      }
    }
    EXPECT_EQ(request, bundle->goldens()->size());
  });
  RecordProperty("largest_difference", ::testing::PrintToString(worst));
}

INSTANTIATE_TEST_SUITE_P(Bundles, DeviceTest, ::testing::ValuesIn(Bundles()), TestName);

}  // namespace
}  // namespace handpick
