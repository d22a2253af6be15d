#include "converter/evaluation/metrics.h"

#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AreaUnderCurveTest, IsTheShareOfPairsInOrder) {
  // Pairs (positive 0.8, 0.4) x (negative 0.6, 0.1): three of four in order.
  EXPECT_DOUBLE_EQ(AreaUnderCurve({1, 0, 1, 0}, {0.8, 0.6, 0.4, 0.1}), 0.75);
  EXPECT_DOUBLE_EQ(AreaUnderCurve({0, 1}, {1, 2}), 1);
  EXPECT_DOUBLE_EQ(AreaUnderCurve({1, 0}, {1, 2}), 0);
}

TEST(AreaUnderCurveTest, TiesCountHalf) {
  EXPECT_DOUBLE_EQ(AreaUnderCurve({1, 0, 1, 0}, {3, 3, 3, 3}), 0.5);
  // Positives 2 and 1, negatives 2 and 0: half, one, none, one of a pair.
  EXPECT_DOUBLE_EQ(AreaUnderCurve({1, 0, 1, 0}, {2, 2, 1, 0}), 2.5 / 4);
}

TEST(AreaUnderCurveTest, NeedsBothKindsOfLabels) {
  EXPECT_TRUE(std::isnan(AreaUnderCurve({1, 1}, {1, 2})));
  EXPECT_TRUE(std::isnan(AreaUnderCurve({0, 0}, {1, 2})));
  EXPECT_TRUE(std::isnan(AreaUnderCurve({}, {})));
}

TEST(AreaUnderCurveTest, AgreesWithCountingEveryPair) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<float> labels = {0, 1};
    std::vector<double> scores = {0, 0};
    for (int i = 0; i < 40; ++i) {
      labels.push_back(static_cast<float>(random() % 2));
      scores.push_back(static_cast<double>(random() % 9));  // Many ties.
    }
    double won = 0, pairs = 0;
    for (size_t p = 0; p < labels.size(); ++p) {
      for (size_t n = 0; n < labels.size(); ++n) {
        if (labels[p] != 1 || labels[n] != 0) continue;
        pairs += 1;
        won += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0;
      }
    }
    EXPECT_NEAR(AreaUnderCurve(labels, scores), won / pairs, 1e-12) << "round " << round;
  }
}

// By the definition: the variances of each row's share of pairs in order, over positives and over
// negatives.
double PlainAreaDifferenceError(const std::vector<float>& labels, const std::vector<double>& a,
                                const std::vector<double>& b) {
  const auto won = [](double positive, double negative) {
    return positive > negative ? 1.0 : positive == negative ? 0.5 : 0.0;
  };
  std::vector<double> of_kind[2];
  for (size_t i = 0; i < labels.size(); ++i) {
    double sum = 0, others = 0;
    for (size_t j = 0; j < labels.size(); ++j) {
      if (labels[j] == labels[i]) continue;
      ++others;
      const size_t p = labels[i] > 0.5f ? i : j, n = labels[i] > 0.5f ? j : i;
      sum += won(a[p], a[n]) - won(b[p], b[n]);
    }
    of_kind[labels[i] > 0.5f].push_back(sum / others);
  }
  double variance = 0;
  for (const std::vector<double>& shares : of_kind) {
    const auto count = static_cast<double>(shares.size());
    double mean = 0, squares = 0;
    for (const double share : shares) mean += share / count;
    for (const double share : shares) squares += (share - mean) * (share - mean);
    variance += squares / (count - 1) / count;
  }
  return std::sqrt(variance);
}

TEST(AreaDifferenceErrorTest, AgreesWithItsDefinition) {
  std::mt19937_64 random(21);
  for (int round = 0; round < 50; ++round) {
    const size_t rows = 4 + random() % 60;
    std::vector<float> labels(rows);
    std::vector<double> a(rows), b(rows);
    for (size_t i = 0; i < rows; ++i) {
      labels[i] = i < 4 ? static_cast<float>(i % 2) : static_cast<float>(random() % 2);
      a[i] = static_cast<double>(random() % 20);  // With ties.
      b[i] = a[i] + static_cast<double>(random() % 3);
    }
    EXPECT_NEAR(AreaDifferenceError(labels, a, b), PlainAreaDifferenceError(labels, a, b), 1e-12)
        << "round " << round;
  }
}

TEST(AreaDifferenceErrorTest, IsNothingWithoutADifferenceAndUnknownOfOneRow) {
  EXPECT_EQ(AreaDifferenceError({1, 0, 1, 0}, {4, 3, 2, 1}, {40, 30, 20, 10}), 0);
  EXPECT_EQ(AreaDifferenceError({1, 0, 0}, {4, 3, 2}, {5, 3, 2}), 0);
  EXPECT_TRUE(std::isinf(AreaDifferenceError({1, 0, 0}, {4, 3, 2}, {1, 3, 2})));
  EXPECT_TRUE(std::isinf(AreaDifferenceError({1, 1, 0}, {4, 3, 2}, {1, 3, 2})));
  EXPECT_TRUE(std::isnan(AreaDifferenceError({1, 1}, {4, 3}, {1, 3})));
  EXPECT_TRUE(std::isnan(AreaDifferenceError({}, {}, {})));
}

TEST(TopKTest, IsBestFirstAndKeepsTheOrderOfEqualScores) {
  EXPECT_THAT(TopK({1, 5, 3, 5}, 3), ElementsAre(1, 3, 2));
  EXPECT_THAT(TopK({1, 5}, 9), ElementsAre(1, 0));
  EXPECT_THAT(TopK({}, 9), IsEmpty());
}

TEST(TopKOverlapTest, IsTheShareOfTheReferencesBest) {
  EXPECT_DOUBLE_EQ(TopKOverlap({4, 3, 2, 1}, {4, 3, 1, 2}, 2), 1);
  EXPECT_DOUBLE_EQ(TopKOverlap({4, 3, 2, 1}, {4, 1, 3, 2}, 2), 0.5);
  EXPECT_DOUBLE_EQ(TopKOverlap({4, 3, 2, 1}, {1, 2, 3, 4}, 2), 0);
  EXPECT_DOUBLE_EQ(TopKOverlap({4, 3}, {3, 4}, 10), 1);
}

TEST(LargestErrorTest, IsRelativeAboveOneAndAbsoluteBelow) {
  EXPECT_DOUBLE_EQ(LargestError({0.5, 12}, {0.25, 10}), 0.25);
  EXPECT_DOUBLE_EQ(LargestError({0.5, -13}, {0.25, -10}), 0.3);
  EXPECT_DOUBLE_EQ(LargestError({}, {}), 0);
  EXPECT_TRUE(std::isinf(LargestError({std::nan("")}, {1})));
}

}  // namespace
}  // namespace handpick::converter
