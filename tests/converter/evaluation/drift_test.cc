#include "converter/evaluation/drift.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(DriftMeterTest, MeasuresNothingWithoutRequests) {
  const DriftReport report = DriftMeter().Report();
  EXPECT_TRUE(std::isnan(report.auc_reference));
  EXPECT_TRUE(std::isnan(report.auc_bundle));
  EXPECT_TRUE(std::isnan(report.top10_overlap));
  EXPECT_TRUE(std::isnan(report.max_logit_error));
  EXPECT_EQ(report.labelled_rows, 0u);
  EXPECT_EQ(report.ranked_requests, 0u);
}

TEST(DriftMeterTest, PoolsLabelledRowsOfAllRequests) {
  DriftMeter meter;
  meter.Add({0.8, 0.6}, {0.8, 0.9}, {1, 0});
  meter.Add({0.4, 0.1}, {0.4, 0.1}, {1, 0});
  meter.Add({5}, {5.5}, {});  // Without labels: no part of the AUC.
  const DriftReport report = meter.Report();
  EXPECT_DOUBLE_EQ(report.auc_reference, 0.75);
  EXPECT_DOUBLE_EQ(report.auc_bundle, 0.5);
  EXPECT_EQ(report.labelled_rows, 4u);
  EXPECT_DOUBLE_EQ(report.max_logit_error, 0.5);
  EXPECT_EQ(report.ranked_requests, 0u);
  EXPECT_TRUE(std::isnan(report.top10_overlap));
}

TEST(DriftMeterTest, AveragesTheOverlapOfRequestsWithManyCandidates) {
  std::vector<double> twenty(20), nineteen(19);
  std::iota(twenty.begin(), twenty.end(), 0.0);
  std::iota(nineteen.begin(), nineteen.end(), 0.0);
  // The best five of twenty become the worst: five of ten are left.
  std::vector<double> moved = twenty;
  for (size_t i = 15; i < 20; ++i) moved[i] = -1;
  DriftMeter meter;
  meter.Add(twenty, twenty, {});
  meter.Add(twenty, moved, {});
  meter.Add(nineteen, std::vector<double>(19, 0.0), {});
  const DriftReport report = meter.Report();
  EXPECT_EQ(report.ranked_requests, 2u);
  EXPECT_DOUBLE_EQ(report.top10_overlap, 0.75);
  EXPECT_DOUBLE_EQ(report.max_logit_error, 20);
  const auto drift = report.ToSchema();
  EXPECT_EQ(drift->ranked_requests, 2u);
  EXPECT_EQ(drift->top10_overlap, 0.75);
  EXPECT_TRUE(std::isnan(drift->auc_bundle));
}

TEST(DriftMeterTest, NotANumberIsAnInfiniteError) {
  DriftMeter meter;
  meter.Add({1, 2}, {std::nan(""), 2}, {});
  EXPECT_TRUE(std::isinf(meter.Report().max_logit_error));
}

DriftReport Measured() {
  DriftReport drift;
  drift.auc_reference = 0.8;
  drift.auc_bundle = 0.7985;
  drift.top10_overlap = 0.94;
  drift.ranked_requests = 100;
  return drift;
}

TEST(CheckBoundsTest, NoBoundIsNeverBroken) {
  EXPECT_THAT(CheckBounds({}, Measured(), std::nullopt), IsEmpty());
  EXPECT_THAT(CheckBounds({}, DriftReport(), std::nullopt), IsEmpty());
}

TEST(CheckBoundsTest, BoundsThatHoldSayNothing) {
  Bounds bounds;
  bounds.max_auc_drift = 0.0016;
  bounds.min_top10_overlap = 0.94;
  bounds.max_bundle_golden_error = 1e-4;
  bounds.max_reference_golden_error = 1e-4;
  EXPECT_THAT(CheckBounds(bounds, Measured(), GoldenErrors{1e-4, 1e-4}), IsEmpty());
}

TEST(CheckBoundsTest, BrokenBoundsAreNamedWithTheirNumbers) {
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  bounds.min_top10_overlap = 0.95;
  bounds.max_reference_golden_error = 1e-4;
  bounds.max_bundle_golden_error = 1e-4;
  const auto broken = CheckBounds(bounds, Measured(), GoldenErrors{0.5, 0.25});
  ASSERT_EQ(broken.size(), 4u);
  EXPECT_EQ(broken[0].name, "auc_drift");
  EXPECT_EQ(broken[0].message,
            "AUC is 0.798500 in the bundle and 0.800000 in float64, 0.001500 apart; at most 0.001 "
            "is allowed");
  EXPECT_EQ(broken[1].name, "top10_overlap");
  EXPECT_EQ(broken[1].message,
            "the bundle's top 10 holds 94.00 % of the reference's over 100 requests; at least "
            "95.00 % is demanded");
  EXPECT_EQ(broken[2].name, "golden_logit_error");
  EXPECT_THAT(broken[2].message, HasSubstr("the float64 reference is off the trainer's logits by "
                                           "up to 0.5; at most 0.0001 is allowed"));
  EXPECT_EQ(broken[3].name, "golden_logit_error");
  EXPECT_THAT(broken[3].message, HasSubstr("the bundle is off"));
}

TEST(CheckBoundsTest, AucThatImprovesTooMuchIsDriftAsWell) {
  DriftReport drift = Measured();
  drift.auc_bundle = 0.81;
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  EXPECT_EQ(CheckBounds(bounds, drift, std::nullopt).size(), 1u);
}

TEST(CheckBoundsTest, WhatWasNotMeasuredBreaksItsBound) {
  Bounds bounds;
  bounds.max_auc_drift = 1;
  bounds.min_top10_overlap = 0;
  bounds.max_bundle_golden_error = 1;
  const auto broken = CheckBounds(bounds, DriftReport(), std::nullopt);
  ASSERT_EQ(broken.size(), 3u);
  for (const BrokenBound& bound : broken) EXPECT_THAT(bound.message, HasSubstr("was not measured"));
}

TEST(CheckBoundsTest, BoundsTheAucOfEveryOutputThatHasLabels) {
  DriftReport without_labels, good, bad;
  good.auc_reference = good.auc_bundle = 0.7;
  bad.auc_reference = 0.7;
  bad.auc_bundle = 0.6;
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  const std::vector<std::string> names = {"ranking", "ctr", "cvr"};
  EXPECT_TRUE(CheckBounds(bounds, {without_labels, good, good}, names, std::nullopt).empty());
  const auto broken = CheckBounds(bounds, {without_labels, good, bad}, names, std::nullopt);
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(broken[0].name, "auc_drift");
  EXPECT_EQ(broken[0].message.find("AUC of 'cvr' is 0.600000 in the bundle"), 0u);
  const auto unmeasured =
      CheckBounds(bounds, {without_labels, without_labels}, {"ctr", "cvr"}, std::nullopt);
  ASSERT_EQ(unmeasured.size(), 1u);
  EXPECT_EQ(unmeasured[0].message.find("was not measured"), 0u);
}

}  // namespace
}  // namespace handpick::converter
