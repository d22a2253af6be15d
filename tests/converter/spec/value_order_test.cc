#include "converter/spec/value_order.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ValueOrderTest, IntegersAreOrderedWithTheirSigns) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(AscendingOrder(std::vector<int64_t>{3, -1, kMost, 0, kLeast}),
              ElementsAre(4, 1, 3, 0, 2));
  EXPECT_THAT(AscendingOrder(std::vector<int64_t>{}), IsEmpty());
}

TEST(ValueOrderTest, StringsAreOrderedBytewise) {
  const std::string zero(1, '\0');
  EXPECT_THAT(
      AscendingOrder(std::vector<std::string>{"user_b", "user_", "user_\xff", "user_" + zero,
                                              "user_abcdefghij", "user_abcdefghia", "user_abc"}),
      ElementsAre(1, 3, 6, 5, 4, 0, 2));
  EXPECT_THAT(AscendingOrder(std::vector<std::string>{"b", ""}), ElementsAre(1, 0));
  EXPECT_THAT(AscendingOrder(std::vector<std::string>{"alone"}), ElementsAre(0));
}

TEST(ValueOrderTest, TheFirstValueThatWasThereBeforeIsFound) {
  const auto repeated = [](const std::vector<std::string>& values) {
    return FirstRepeated(values, AscendingOrder(values));
  };
  EXPECT_EQ(repeated({"b", "a", "c"}), std::nullopt);
  EXPECT_EQ(repeated({"z", "b", "a", "b", "a", "z"}), 3u);
  EXPECT_EQ(repeated({"a", "a", "a"}), 1u);
  const std::vector<int64_t> integers = {7, 5, 7, 5};
  EXPECT_EQ(FirstRepeated(integers, AscendingOrder(integers)), 2u);
}

TEST(ValueOrderTest, AnOrderOfOtherValuesIsNone) {
  const std::vector<int64_t> values = {30, 10, 20};
  EXPECT_TRUE(IsAscendingOrder(values, {1, 2, 0}));
  EXPECT_FALSE(IsAscendingOrder(values, {0, 1, 2}));
  EXPECT_FALSE(IsAscendingOrder(values, {1, 2}));
  EXPECT_FALSE(IsAscendingOrder(values, {1, 2, 3}));
  EXPECT_FALSE(IsAscendingOrder(values, {1, 1, 0}));
  EXPECT_FALSE(IsAscendingOrder(std::vector<int64_t>{1, 1}, {0, 1}));
}

TEST(ValueOrderTest, RandomStringsComeInTheOrderOfTheLibrary) {
  std::mt19937 random(1);  // NOLINT: the same strings each time.
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> values;
    const std::string prefix(random() % 10, 'p');
    for (uint32_t n = random() % 50; n > 0; --n) {
      std::string value = prefix;
      for (uint32_t size = random() % 12; size > 0; --size) {
        value.push_back(static_cast<char>(random() % 3 == 0 ? 0 : 0xfe + random() % 2));
      }
      values.push_back(value);
    }
    const ValueOrder order = AscendingOrder(values);
    ValueOrder expected(values.size());
    for (uint32_t i = 0; i < expected.size(); ++i) expected[i] = i;
    std::stable_sort(expected.begin(), expected.end(),
                     [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
    EXPECT_EQ(order, expected);
  }
}

}  // namespace
}  // namespace handpick::converter
