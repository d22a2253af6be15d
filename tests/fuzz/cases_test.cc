// Replays what was found, and runs mutations of the seeds that are always the same: without
// libFuzzer, in every build.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/fuzz/target.h"
#include "tests/support/test_files.h"

namespace handpick::fuzz {
namespace {

constexpr int kMutations = 2000;

TEST(FuzzCasesTest, WhatWasFoundIsMended) {
  const std::string folder = std::string("tests/fuzz/cases/") + kTargetName;
  if (!std::filesystem::exists(folder)) return;  // Nothing was.
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().string());
    RunTarget(ReadText(entry.path().string()));
  }
}

TEST(FuzzCasesTest, SeedsAndMutationsOfThem) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) RunTarget(seed);
  for (int i = 0; i < kMutations; ++i) {
    SCOPED_TRACE(i);
    Random random(static_cast<uint64_t>(i));
    std::string input = seeds[Below(seeds.size(), &random)];
    for (uint64_t times = 1 + Below(3, &random); times > 0; --times)
      input = Mutated(input, &random);
    RunTarget(input);
  }
}

}  // namespace
}  // namespace handpick::fuzz
