#include "sdk/base/int8_levels.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace handpick {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Int8LevelsTest, TheLargestNumberIsTheLastLevel) {
  for (const float largest : {1e-30f, 0.37f, 1.0f, 12345.678f, 3e38f}) {
    const float scale = Int8Scale(double{largest});
    EXPECT_EQ(Int8Level(double{largest}, scale), 127) << largest;
    EXPECT_EQ(Int8Level(-double{largest}, scale), -127) << largest;
    EXPECT_EQ(Int8Level(0, scale), 0);
  }
}

TEST(Int8LevelsTest, NumbersAsGoodAsZeroAreZero) {
  for (const double largest : {0.0, 1e-40, 1e-37}) {
    EXPECT_EQ(Int8Scale(largest), 1) << largest;
    EXPECT_EQ(Int8Level(largest, Int8Scale(largest)), 0) << largest;
  }
}

TEST(Int8LevelsTest, RoundsToTheNearestLevelAndOfTwoToTheEvenOne) {
  EXPECT_EQ(Int8Level(2.5, 1), 2);
  EXPECT_EQ(Int8Level(3.5, 1), 4);
  EXPECT_EQ(Int8Level(-2.5, 1), -2);
  // 126.500002 levels, which as a float are 126.5: nearer to 127, and no tie.
  EXPECT_EQ(Int8Level(double{0x1.a911d8p+1f}, 0x1.ae1c2cp-6f), 127);
}

TEST(Int8LevelsTest, StaysWithinTheLevels) {
  EXPECT_EQ(Int8Level(1000, 1), 127);
  EXPECT_EQ(Int8Level(-kInfinity, 1), -127);
  EXPECT_GE(Int8Level(std::nan(""), 1), -127);
  EXPECT_GE(Int8Level(1, std::nanf("")), -127);
}

}  // namespace
}  // namespace handpick
