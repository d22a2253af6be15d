#include "converter/bench/measure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "converter/bench/product.h"
#include "hwy/targets.h"

namespace handpick::converter {
namespace {

// A calibrator whose product takes, one after the other, as many seconds as the list says; the last
// for ever.
Calibrator Scripted(std::vector<double> seconds) {
  auto next = std::make_shared<size_t>(0);
  return Calibrator([seconds, next] {
    const double now = seconds[*next];
    if (*next + 1 < seconds.size()) ++*next;
    return now;
  });
}

Sample SampleOf(double seconds, double calibration) {
  Sample sample;
  sample.thread_seconds = seconds;
  sample.process_seconds = 2 * seconds;
  sample.wall_seconds = 3 * seconds;
  sample.calibration = calibration;
  return sample;
}

TEST(SmallProductTest, MultipliesOnEveryInstructionSet) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SmallProduct product;
    // Any values: odd ones, so that a wrong index shows.
    for (size_t i = 0; i < SmallProduct::kOutputs * SmallProduct::kInputs; ++i) {
      product.weights()[i] = static_cast<float>((i * 7919) % 1009) / 1009 - 0.5f;
    }
    for (size_t i = 0; i < SmallProduct::kInputs * SmallProduct::kLanes; ++i) {
      product.input()[i] = static_cast<float>((i * 104729) % 997) / 997 - 0.5f;
    }
    product.Run();
    for (size_t j = 0; j < SmallProduct::kOutputs; ++j) {
      for (size_t lane = 0; lane < SmallProduct::kLanes; ++lane) {
        double expected = 0;
        for (size_t k = 0; k < SmallProduct::kInputs; ++k) {
          expected += double{product.weights()[j * SmallProduct::kInputs + k]} *
                      product.input()[k * SmallProduct::kLanes + lane];
        }
        // 64 sums of products below 1/4.
        ASSERT_NEAR(product.output()[j * SmallProduct::kLanes + lane], expected, 1e-5)
            << hwy::TargetName(target) << ", output " << j << ", lane " << lane;
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

// Times are kept in bins of 0.1 %.
constexpr double kBin = 1e-3;

TEST(CalibratorTest, FullSpeedIsTheMedianOfTheFastTimes) {
  // One that is faster than the others, a slow time that lasts, and 1.1 above all at full speed.
  Calibrator calibrator = Scripted({1.7, 1.7, 1.7, 1.7, 1.7, 1.7, 1, 1.05, 1.05, 1.05, 1.1});
  EXPECT_TRUE(std::isinf(calibrator.full_speed()));
  EXPECT_EQ(calibrator.Measure(), 1.7);
  EXPECT_NEAR(calibrator.full_speed(), 1.7, 1.7 * kBin);
  for (int i = 0; i < 10; ++i) calibrator.Measure();
  EXPECT_NEAR(calibrator.full_speed(), 1.05, 1.05 * kBin);
}

TEST(CalibratorTest, TheProductOfThisMachineTakesTime) {
  Calibrator calibrator(0.01);
  EXPECT_GT(calibrator.full_speed(), 0);
  EXPECT_TRUE(std::isfinite(calibrator.full_speed()));
  EXPECT_GT(calibrator.gflops(), 0);
}

TEST(GateTest, RejectsASampleAfterASlowProduct) {
  Calibrator calibrator = Scripted({1, 1, 1.06, 1, 1, 1.04});
  Gate gate(&calibrator);
  Series series(&calibrator, 1);
  int runs = 0;
  EXPECT_TRUE(gate.Accept(&series, [&] { ++runs; }));   // 1, 1
  EXPECT_FALSE(gate.Accept(&series, [&] { ++runs; }));  // 1.06, 1
  EXPECT_TRUE(gate.Accept(&series, [&] { ++runs; }));   // 1, 1.04
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(series.accepted(), 2u);
  EXPECT_EQ(series.rejected(), 1u);
}

TEST(GateTest, RejectsASampleBeforeASlowProduct) {
  Calibrator calibrator = Scripted({1, 1.7});
  Gate gate(&calibrator);
  Series series(&calibrator, 1);
  EXPECT_FALSE(gate.Accept(&series, [] {}));
}

TEST(SeriesTest, SamplesOfASlowTimeAreDroppedOnceAFastOneIsSeen) {
  Calibrator calibrator = Scripted({1.7, 1.7, 1, 1});
  Gate gate(&calibrator);
  Series series(&calibrator, 1);
  EXPECT_TRUE(gate.Accept(&series, [] {}));
  EXPECT_EQ(series.accepted(), 1u);
  EXPECT_TRUE(gate.Accept(&series, [] {}));
  EXPECT_EQ(series.accepted(), 1u);
  EXPECT_EQ(series.rejected(), 1u);
}

TEST(SeriesTest, PercentilesAreOfAcceptedSamplesAndOfOneCall) {
  Calibrator calibrator = Scripted({1});
  calibrator.Measure();
  Series series(&calibrator, /*calls=*/10);
  for (const double seconds : {50.0, 10.0, 40.0, 20.0, 30.0}) series.Add(SampleOf(seconds, 1));
  series.Add(SampleOf(1, 2));
  EXPECT_EQ(series.Accepted(), (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(series.Rejected(), (std::vector<double>{0.1}));
  EXPECT_DOUBLE_EQ(series.Percentile(0), 1);
  EXPECT_DOUBLE_EQ(series.Percentile(0.5), 3);
  EXPECT_DOUBLE_EQ(series.Percentile(0.9), 4.6);
  EXPECT_DOUBLE_EQ(series.Percentile(1), 5);
  EXPECT_DOUBLE_EQ(series.Percentile(0.5, TimeKind::kProcess), 6);
  EXPECT_DOUBLE_EQ(series.Percentile(0.5, TimeKind::kWall), 9);
}

TEST(SeriesTest, NothingAcceptedHasThePercentileOfAllThatWasTaken) {
  Calibrator calibrator = Scripted({1});
  calibrator.Measure();
  Series series(&calibrator, 1);
  EXPECT_EQ(series.Percentile(0.5), 0);
  for (const double seconds : {3.0, 5.0, 4.0}) series.Add(SampleOf(seconds, 2));
  EXPECT_EQ(series.accepted(), 0u);
  EXPECT_EQ(series.Percentile(0.5), 4);
}

TEST(SeriesTest, WiderGateCountsSamplesThatWereTakenBefore) {
  Calibrator calibrator = Scripted({1});
  calibrator.Measure();
  Series series(&calibrator, 1);
  series.Add(SampleOf(1, 1.01));
  series.Add(SampleOf(2, 1.08));
  series.Add(SampleOf(3, 9));
  EXPECT_EQ(series.accepted(), 1u);
  series.set_tolerance(0.1);
  EXPECT_EQ(series.accepted(), 2u);
  series.set_tolerance(kNoGate);
  EXPECT_EQ(series.accepted(), 3u);
}

TEST(MeasureInTurnTest, RunsSubjectsInTurnAndPreparesThem) {
  Calibrator calibrator = Scripted({1});
  std::string order;
  const std::vector<Subject> subjects = {
      {"a", [&] { order += 'a'; }, [&] { order += 'p'; }, 2},
      {"b", [&] { order += 'b'; }, nullptr, 1},
  };
  MeasureOptions options;
  options.samples = 3;
  const Measurement result = MeasureInTurn(&calibrator, subjects, options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(order, "paabpaabpaab");
  ASSERT_EQ(result.series.size(), 2u);
  EXPECT_EQ(result.series[0].accepted(), 3u);
  EXPECT_EQ(result.series[1].taken(), 3u);
}

TEST(MeasureInTurnTest, TakesMoreUntilEnoughCount) {
  Calibrator calibrator = Scripted({1, 1, 1, 2, 2, 1, 1});
  MeasureOptions options;
  options.samples = 2;
  const Measurement result = MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.series[0].accepted(), 2u);
  EXPECT_EQ(result.series[0].rejected(), 2u);
}

TEST(MeasureInTurnTest, WithoutASampleAtFullSpeedAllOfThemCountAndItSaysSo) {
  Calibrator calibrator = Scripted({1, 2});
  calibrator.Measure();
  MeasureOptions options;
  options.samples = 5;
  options.max_samples = 7;
  const Measurement result = MeasureInTurn(&calibrator, {{"noisy", [] {}, nullptr, 1}}, options);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kDeadlineExceeded);
  const std::string message(result.status.message());
  EXPECT_NE(message.find("'noisy' has 0 of 5 samples"), std::string::npos) << message;
  EXPECT_NE(message.find("7 were rejected"), std::string::npos) << message;
  EXPECT_NE(message.find("all samples, at whatever speed"), std::string::npos) << message;
  EXPECT_EQ(result.tolerance, kNoGate);
  EXPECT_EQ(result.series[0].accepted(), 7u);
  EXPECT_TRUE(std::isfinite(result.series[0].Percentile(0.5)));
}

TEST(MeasureInTurnTest, TheGateIsWidenedForAllSubjectsWhenOneHasFewSamples) {
  // The second subject's product is 15 % slower after it than at full speed, always.
  Calibrator calibrator([calls = 0]() mutable { return ++calls % 4 == 0 ? 1.15 : 1.0; });
  calibrator.Measure();
  MeasureOptions options;
  options.samples = 6;
  options.max_samples = 9;
  const std::vector<Subject> subjects = {{"a", [] {}, nullptr, 1}, {"b", [] {}, nullptr, 1}};
  const Measurement result = MeasureInTurn(&calibrator, subjects, options);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_DOUBLE_EQ(result.tolerance, 0.2);
  const std::string message(result.status.message());
  EXPECT_NE(message.find("within 20 % of full speed"), std::string::npos) << message;
  for (const Series& series : result.series) {
    EXPECT_EQ(series.accepted(), 9u);
    EXPECT_DOUBLE_EQ(series.tolerance(), 0.2);
  }
}

TEST(MeasureInTurnTest, TheGateStaysWhenTheTimeIsOverAndThereAreSomeSamples) {
  Calibrator calibrator([calls = 0]() mutable { return ++calls > 12 ? 2.0 : 1.0; });
  MeasureOptions options;
  options.samples = 10;
  options.max_samples = 20;
  const Measurement result = MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  EXPECT_FALSE(result.status.ok());
  EXPECT_EQ(result.tolerance, kGateTolerance);
  EXPECT_EQ(result.series[0].accepted(), 6u);
  EXPECT_EQ(result.series[0].rejected(), 14u);
}

TEST(MeasureInTurnTest, HasMoreTimeWhileASubjectHasFewSamples) {
  // Slow until max_seconds are over, and for long after that.
  Calibrator calibrator([calls = 0]() mutable { return ++calls == 1 || calls > 1000 ? 1.0 : 2.0; });
  calibrator.Measure();
  MeasureOptions options;
  options.samples = 5;
  options.max_seconds = 1e-9;
  options.patience = 1e12;
  const Measurement result = MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.series[0].accepted(), 5u);
}

TEST(MeasureInTurnTest, ASampleIsTakenHoweverShortTheTime) {
  Calibrator calibrator = Scripted({1, 2});
  calibrator.Measure();
  MeasureOptions options;
  options.max_seconds = 0;
  options.max_samples = 0;
  const Measurement result = MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  EXPECT_EQ(result.series[0].taken(), 1u);
  EXPECT_EQ(result.series[0].accepted(), 1u);
}

TEST(MeasureInTurnTest, FewerSamplesMayBeEnoughWhenTheBoundIsReached) {
  Calibrator calibrator = Scripted({1});
  MeasureOptions options;
  options.samples = 1000;
  options.enough = 5;
  options.max_samples = 7;
  const Measurement result = MeasureInTurn(&calibrator, {{"a", [] {}, nullptr, 1}}, options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.series[0].accepted(), 7u);
}

TEST(MeasureInTurnTest, StopsWhenItsTimeIsOver) {
  Calibrator calibrator = Scripted({1, 2});
  calibrator.Measure();
  MeasureOptions options;
  options.max_seconds = 0.01;
  options.patience = 1;
  const Measurement result = MeasureInTurn(&calibrator, {{"noisy", [] {}, nullptr, 1}}, options);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(MeasureInTurnTest, PicksTheNumberOfCallsForShortSubjects) {
  Calibrator calibrator = Scripted({1});
  size_t runs = 0;
  MeasureOptions options;
  options.samples = 2;
  options.sample_seconds = 1e-4;
  const Measurement result =
      MeasureInTurn(&calibrator, {{"short", [&] { ++runs; }, nullptr, 0}}, options);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_GT(runs, 100u);
  EXPECT_EQ(result.series[0].taken(), 2u);
}

}  // namespace
}  // namespace handpick::converter
