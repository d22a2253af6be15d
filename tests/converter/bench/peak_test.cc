#include "converter/bench/peak.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "converter/bench/peak_loops.h"
#include "hwy/aligned_allocator.h"
#include "hwy/targets.h"

namespace handpick::converter {
namespace {

constexpr size_t kFloats = kPeakOperandBytes / sizeof(float);

// Runs `test` once for each instruction set of this machine.
template <typename Test>
void OnEveryInstructionSet(Test test) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SCOPED_TRACE(hwy::TargetName(target));
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(PeakLoopsTest, FloatsAreMultiplied) {
  const auto operands = hwy::AllocateAligned<float>(kFloats);
  for (size_t i = 0; i < kFloats; ++i) operands[i] = 0.25f;
  OnEveryInstructionSet([&] {
    float sum = 0;
    const double done = MultiplyFloats(100, operands.get(), &sum);
    // Each accumulator i starts at 1 + i and becomes 0.999 of itself plus 0.25, 100 times.
    double expected = 0;
    for (int i = 0; i < 12; ++i) {
      double accumulator = 1 + i;
      for (int n = 0; n < 100; ++n) accumulator = accumulator * 0.999 + 0.25;
      expected += accumulator;
    }
    const double lanes = done / (100 * 12);
    EXPECT_NEAR(sum / lanes, expected, 1e-4 * expected);
  });
}

TEST(PeakLoopsTest, BytesAreMultiplied) {
  const auto operands = hwy::AllocateAligned<int8_t>(kPeakOperandBytes);
  for (size_t i = 0; i < kPeakOperandBytes; ++i) operands[i] = i % 2 == 0 ? int8_t{-3} : int8_t{1};
  OnEveryInstructionSet([&] {
    int32_t sum = 0;
    const double done = MultiplyBytes(100, operands.get(), &sum);
    const auto lanes = static_cast<int32_t>(done / (100 * 12));
    // Per lane of 32 bits (four of 8): i, and 100 times (100 + i) (-3 + 1 - 3 + 1).
    int32_t expected = 0;
    for (int32_t i = 0; i < 12; ++i) expected += i + 100 * (100 + i) * -4;
    EXPECT_EQ(sum, expected * (lanes / 4));
  });
}

TEST(PeakLoopsTest, MemoryIsRead) {
  const auto numbers = hwy::AllocateAligned<float>(1024);
  for (size_t i = 0; i < 1024; ++i) numbers[i] = static_cast<float>(i % 7);
  float expected = 0;
  for (size_t i = 0; i < 1024; ++i) expected += numbers[i];
  OnEveryInstructionSet([&] { EXPECT_EQ(SumInOrder(numbers.get(), 1024), expected); });
}

TEST(PeakLoopsTest, RandomRowsAreReadFromEverywhere) {
  const auto numbers = hwy::AllocateAligned<float>(64 * 16);
  for (size_t i = 0; i < 64 * 16; ++i) numbers[i] = static_cast<float>(i / 16);
  OnEveryInstructionSet([&] {
    // Row r adds 16 r; rows are 0 to 63, 31.5 in the mean.
    EXPECT_NEAR(SumRandomRows(numbers.get(), 64, 10000) / (16 * 10000.0f), 31.5, 1);
  });
}

TEST(PeakTest, EveryFigureIsMeasured) {
  const MachinePeak peak = MeasurePeak(0.04);
  EXPECT_FALSE(peak.instruction_set.empty());
  for (const double figure :
       {peak.f32_gflops, peak.int8_gops, peak.read_gigabytes, peak.random_rows}) {
    EXPECT_TRUE(std::isfinite(figure));
    EXPECT_GT(figure, 0);
  }
}

}  // namespace
}  // namespace handpick::converter
