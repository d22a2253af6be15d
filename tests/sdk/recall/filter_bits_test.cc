// Conditions on columns with every instruction set of this processor against plain loops.
#include "sdk/features/filter_bits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace handpick {
namespace {

class FilterBitsTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  static bool Bit(const std::vector<uint64_t>& bits, size_t i) {
    return (bits[i / 64] >> (i % 64) & 1) != 0;
  }

  // Bits at random, all zeros in some words.
  std::vector<uint64_t> RandomBits(size_t count) {
    std::vector<uint64_t> bits((count + 63) / 64);
    for (uint64_t& word : bits) word = random_() % 3 == 0 ? 0 : random_();
    return bits;
  }

  std::mt19937_64 random_{7};
};

TEST_P(FilterBitsTest, RangesKeepWhatPlainLoopsKeep) {
  for (const size_t count : {1u, 3u, 63u, 64u, 65u, 200u, 1000u}) {
    // Of exactly this size, where the sanitizer sees each number beyond.
    std::vector<float> numbers(count);
    for (float& x : numbers) x = static_cast<float>(random_() % 20);
    numbers[count / 2] = std::numeric_limits<float>::quiet_NaN();
    for (const float low : {-INFINITY, 5.0f, 30.0f}) {
      for (const float high : {5.0f, 12.0f, INFINITY}) {
        const std::vector<uint64_t> before = RandomBits(count);
        std::vector<uint64_t> bits = before;
        KeepInRange(numbers, low, high, bits.data());
        for (size_t i = 0; i < count; ++i) {
          EXPECT_EQ(Bit(bits, i), Bit(before, i) && numbers[i] >= low && numbers[i] <= high);
        }
      }
    }
  }
}

TEST_P(FilterBitsTest, IdsKeepWhatPlainLoopsKeep) {
  for (const size_t count : {1u, 5u, 64u, 127u, 500u}) {
    std::vector<uint32_t> column(count);
    for (uint32_t& row : column) row = static_cast<uint32_t>(random_() % 12);
    for (uint32_t ids = 0; ids <= kMaxComparedRows; ++ids) {
      std::vector<uint32_t> rows(ids);
      for (uint32_t& row : rows) row = static_cast<uint32_t>(random_() % 12);
      for (const bool none_of : {false, true}) {
        const std::vector<uint64_t> before = RandomBits(count);
        std::vector<uint64_t> bits = before;
        KeepAnyOf(column, rows, none_of, bits.data());
        for (size_t i = 0; i < count; ++i) {
          const bool found = std::find(rows.begin(), rows.end(), column[i]) != rows.end();
          EXPECT_EQ(Bit(bits, i), Bit(before, i) && found != none_of);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTargets, FilterBitsTest,
                         ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) {
                           return std::string(hwy::TargetName(target.param));
                         });

}  // namespace
}  // namespace handpick
