#include "converter/evaluation/drift.h"

#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"

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

// Of a model with one output.
std::vector<CheckedBound> BrokenOf(const Bounds& bounds, const DriftReport& drift,
                                   const std::optional<GoldenErrors>& goldens = std::nullopt) {
  return Broken(CheckBounds(bounds, {drift}, {""}, goldens));
}

TEST(CheckBoundsTest, NoBoundIsNeverBroken) {
  EXPECT_THAT(BrokenOf({}, Measured()), IsEmpty());
  EXPECT_THAT(BrokenOf({}, DriftReport()), IsEmpty());
}

TEST(CheckBoundsTest, BoundsThatHoldSayNothing) {
  Bounds bounds;
  bounds.max_auc_drift = 0.0016;
  bounds.min_top10_overlap = 0.94;
  bounds.max_bundle_golden_error = 1e-4;
  bounds.max_reference_golden_error = 1e-4;
  EXPECT_THAT(BrokenOf(bounds, Measured(), GoldenErrors{1e-4, 1e-4}), IsEmpty());
}

TEST(CheckBoundsTest, BrokenBoundsAreNamedWithTheirNumbers) {
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  bounds.min_top10_overlap = 0.95;
  bounds.max_reference_golden_error = 1e-4;
  bounds.max_bundle_golden_error = 1e-4;
  const auto broken = BrokenOf(bounds, Measured(), GoldenErrors{0.5, 0.25});
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
  EXPECT_EQ(BrokenOf(bounds, drift).size(), 1u);
}

// 12 positives and 28 negatives, of which the bundle turns one pair of 336 around: more than the
// bound, and nothing that 40 rows can tell.
TEST(CheckBoundsTest, APairOfFewRowsDecidesNothing) {
  std::vector<float> labels;
  std::vector<double> reference;
  for (int i = 0; i < 40; ++i) {
    labels.push_back(i < 12 ? 1.0f : 0.0f);
    reference.push_back(-i);
  }
  std::vector<double> bundle = reference;
  std::swap(bundle[11], bundle[12]);
  const auto report = [&](int times) {
    DriftMeter meter;
    for (int i = 0; i < times; ++i) meter.Add(reference, bundle, labels);
    return meter.Report();
  };
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  const DriftReport few = report(1);
  EXPECT_NEAR(few.auc_reference - few.auc_bundle, 1.0 / 336, 1e-12);
  const auto checked = CheckBounds(bounds, {few}, {""}, std::nullopt);
  ASSERT_EQ(checked.size(), 1u);
  EXPECT_FALSE(checked[0].holds);
  EXPECT_TRUE(checked[0].undecided);
  EXPECT_GT(checked[0].rows_needed, 400u);
  EXPECT_LT(checked[0].rows_needed, 1000u);
  EXPECT_THAT(checked[0].message, HasSubstr("0.002976 apart; at most 0.001 is allowed: 40 rows "
                                            "can't tell; about "));
  EXPECT_THAT(Broken(checked), IsEmpty());
  // As many as were said to be needed do.
  const int times = static_cast<int>(checked[0].rows_needed / 40 + 1);
  const auto many = CheckBounds(bounds, {report(times)}, {""}, std::nullopt);
  EXPECT_FALSE(many[0].undecided) << many[0].message;
  EXPECT_EQ(Broken(many).size(), 1u);
  // A bound that was asked for has to be met.
  bounds.auc_drift_is_asked = true;
  const auto asked = Broken(CheckBounds(bounds, {few}, {""}, std::nullopt));
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_FALSE(asked[0].undecided);
  EXPECT_THAT(asked[0].message, HasSubstr("40 rows can't tell"));
}

TEST(CheckBoundsTest, WhatWasNotMeasuredBreaksItsBound) {
  Bounds bounds;
  bounds.max_auc_drift = 1;
  bounds.min_top10_overlap = 0;
  bounds.max_bundle_golden_error = 1;
  const auto broken = BrokenOf(bounds, DriftReport());
  ASSERT_EQ(broken.size(), 3u);
  for (const CheckedBound& bound : broken)
    EXPECT_THAT(bound.message, HasSubstr("was not measured"));
}

TEST(CheckBoundsTest, BoundsTheAucOfEveryOutputThatHasLabels) {
  DriftReport without_labels, good, bad;
  good.auc_reference = good.auc_bundle = 0.7;
  bad.auc_reference = 0.7;
  bad.auc_bundle = 0.6;
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  const std::vector<std::string> names = {"ranking", "ctr", "cvr"};
  EXPECT_TRUE(
      Broken(CheckBounds(bounds, {without_labels, good, good}, names, std::nullopt)).empty());
  const auto broken = Broken(CheckBounds(bounds, {without_labels, good, bad}, names, std::nullopt));
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(broken[0].name, "auc_drift");
  EXPECT_EQ(broken[0].message.find("AUC of 'cvr' is 0.600000 in the bundle"), 0u);
  const auto unmeasured =
      Broken(CheckBounds(bounds, {without_labels, without_labels}, {"ctr", "cvr"}, std::nullopt));
  ASSERT_EQ(unmeasured.size(), 1u);
  EXPECT_EQ(unmeasured[0].message.find("was not measured"), 0u);
}

TEST(WorstOfTest, AnOlderInstructionSetAloneBreaksABoundAndIsNamed) {
  DriftReport own = Measured();
  own.auc_bundle = 0.8001;
  own.top10_overlap = 0.99;
  own.max_logit_error = 0.01;
  DriftReport older = own;
  older.auc_bundle = 0.7985;
  DriftReport oldest = own;
  oldest.top10_overlap = 0.94;
  oldest.max_logit_error = 0.02;
  const DriftReport worst = WorstOf({own, older, oldest}, {"avx3_dl", "avx2", "sse4"});
  EXPECT_EQ(worst.auc_bundle, 0.7985);
  EXPECT_EQ(worst.auc_reference, 0.8);
  EXPECT_EQ(worst.auc_set, "avx2");
  EXPECT_EQ(worst.top10_overlap, 0.94);
  EXPECT_EQ(worst.overlap_set, "sse4");
  EXPECT_EQ(worst.max_logit_error, 0.02);
  EXPECT_EQ(worst.error_set, "sse4");
  Bounds bounds;
  bounds.max_auc_drift = 0.001;
  bounds.min_top10_overlap = 0.95;
  EXPECT_THAT(BrokenOf(bounds, WorstOf({own}, {"avx3_dl"})), IsEmpty());
  const auto broken = BrokenOf(bounds, worst);
  ASSERT_EQ(broken.size(), 2u);
  EXPECT_THAT(broken[0].message, HasSubstr("AUC is 0.798500 in the bundle on avx2 and"));
  EXPECT_EQ(broken[0].set, "avx2");
  EXPECT_THAT(broken[1].message, HasSubstr("the bundle's top 10 on sse4 holds 94.00 %"));
  // Of one set there is nothing to name.
  EXPECT_EQ(WorstOf({own}, {"avx3_dl"}).error_set, "");
}

TEST(CheckBoundsTest, WhatHoldsIsListedToo) {
  Bounds bounds;
  bounds.max_auc_drift = 0.002;
  bounds.max_bundle_golden_error = 1e-4;
  const auto checked = CheckBounds(bounds, {Measured()}, {""}, GoldenErrors{1e-6, 2e-6, "avx2"});
  ASSERT_EQ(checked.size(), 2u);
  EXPECT_TRUE(checked[0].holds);
  EXPECT_NEAR(checked[0].measured, 0.0015, 1e-12);
  EXPECT_FALSE(checked[0].at_least);
  EXPECT_EQ(checked[1].name, "golden_logit_error");
  EXPECT_EQ(checked[1].of, "bundle");
  EXPECT_EQ(checked[1].measured, 2e-6);
  EXPECT_EQ(checked[1].set, "avx2");
}

}  // namespace
}  // namespace handpick::converter
