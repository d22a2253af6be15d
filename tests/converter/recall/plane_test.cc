// The estimate that a plane's codes make, by the words of the schema, in double.
#include "converter/recall/plane.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "converter/recall/builder.h"
#include "converter/recall/cells.h"
#include "converter/recall/reference.h"
#include "gtest/gtest.h"
#include "sdk/recall/rotation.h"
#include "tests/converter/recall/random_vectors.h"

namespace handpick::converter {
namespace {

using schema::RecallMetric;

float FloatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

int Digit(const schema::RecallPlaneT& plane, uint32_t row, uint32_t i) {
  const size_t block = size_t{row / 32} * plane.width * plane.bits / 8 * 32;
  const uint32_t r = row % 32;
  if (plane.bits == 1) return (plane.codes[block + i / 8 * 32 + r] >> (i % 8) & 1) == 0 ? -1 : 1;
  const uint8_t byte = plane.codes[block + (i / 8 * 32 + r) * 4 + i % 4];
  return 2 * (i % 8 < 4 ? byte & 15 : byte >> 4) - 15;
}

double Product(absl::Span<const float> a, absl::Span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

struct Estimate {
  double score;
  double deviation;  // The bound of it.
};

// `q . x`, or the negative squared distance.
Estimate EstimateOf(const schema::RecallPlaneT& plane, RecallMetric metric, uint32_t row,
                    absl::Span<const float> query, absl::Span<const float> centroid) {
  std::vector<float> rotated(plane.width);
  RotateForPlane(plane.signs.data(), plane.width, query.data(), static_cast<uint32_t>(query.size()),
                 rotated.data());
  double product = 0;
  for (uint32_t i = 0; i < plane.width; ++i) product += double{rotated[i]} * Digit(plane, row, i);
  const double f = double{FloatOf(plane.factors[row] & 0xFFFF0000u)};
  const double g = double{FloatOf(plane.factors[row] << 16)};
  const double distance =
      Product(query, query) - 2 * Product(query, centroid) + Product(centroid, centroid);
  const double deviation = double{plane.error} * f * std::sqrt(distance);
  if (metric == RecallMetric::Euclidean) return {-distance + 2 * f * product + g, 2 * deviation};
  return {Product(query, centroid) + f * product + g, deviation};
}

double TrueScore(RecallMetric metric, absl::Span<const float> query, absl::Span<const float> row) {
  if (metric != RecallMetric::Euclidean) return Product(query, row);
  return 2 * Product(query, row) - Product(query, query) - Product(row, row);
}

// Over rotations of many seeds.
TEST(PlaneTest, EstimatesAreUnbiasedAndKeepTheirBound) {
  const uint32_t dimension = 64;
  const uint32_t count = 40;
  const OwnedVectors rows = RandomClusters(count, dimension, 5, 0.5, 1);
  const OwnedVectors queries = RandomClusters(3, dimension, 5, 0.5, 1, 1);
  const OwnedVectors centroids = RandomClusters(2, dimension, 5, 0.5, 1, 2);
  for (const RecallMetric metric : {RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const uint32_t bits : {1u, 4u}) {
      for (const bool cells : {false, true}) {
        PlaneInput input;
        input.metric = metric;
        input.rows = rows.view();
        if (cells) {
          input.centroids = centroids.view();
          input.begins = {0, 17, count};
        } else {
          input.centroids = {{}, dimension};
        }
        double sum = 0;
        double squares = 0;
        int outside = 0;
        int all = 0;
        for (uint64_t seed = 1; seed <= 60; ++seed) {
          const schema::RecallPlaneT plane = MakePlane(input, bits, 2, seed, nullptr);
          for (uint32_t r = 0; r < count; ++r) {
            const std::vector<float> zeros(dimension);
            const absl::Span<const float> centroid =
                cells ? centroids.Row(r < 17 ? 0 : 1) : absl::MakeConstSpan(zeros);
            for (uint32_t q = 0; q < 3; ++q) {
              const Estimate estimate = EstimateOf(plane, metric, r, queries.Row(q), centroid);
              // In deviations.
              const double error =
                  (estimate.score - TrueScore(metric, queries.Row(q), rows.Row(r))) /
                  estimate.deviation;
              sum += error;
              squares += error * error;
              outside += std::fabs(error) > 3 ? 1 : 0;
              ++all;
            }
          }
        }
        // Errors of one rotation belong together: as if there were one of each.
        EXPECT_LT(std::fabs(sum / all), 0.05) << bits << " bits";
        EXPECT_LT(squares / all, 1) << "the bound is of the largest row";
        EXPECT_GT(squares / all, 0.1);
        EXPECT_LT(outside, all / 200);
      }
    }
  }
}

TEST(PlaneTest, MoreBitsEstimateBetter) {
  const OwnedVectors rows = RandomClusters(200, 96, 5, 0.5, 2);
  PlaneInput input;
  input.metric = RecallMetric::InnerProduct;
  input.rows = rows.view();
  input.centroids = {{}, 96};
  double errors[2];
  for (const uint32_t bits : {1u, 4u}) {
    const schema::RecallPlaneT plane = MakePlane(input, bits, 2, 1, nullptr);
    double squares = 0;
    const std::vector<float> zeros(96);
    for (uint32_t r = 1; r < 200; ++r) {
      const double error =
          EstimateOf(plane, input.metric, r, rows.Row(0), absl::MakeConstSpan(zeros)).score -
          Product(rows.Row(0), rows.Row(r));
      squares += error * error;
    }
    errors[bits / 4] = std::sqrt(squares / 199);
  }
  EXPECT_LT(errors[1] * 5, errors[0]);
}

TEST(PlaneTest, ZerosAreEstimatedExactly) {
  const std::vector<float> zeros(2 * 16);
  PlaneInput input;
  input.metric = RecallMetric::Euclidean;
  input.rows = {zeros, 16};
  input.centroids = {{}, 16};
  for (const uint32_t bits : {1u, 4u}) {
    const schema::RecallPlaneT plane = MakePlane(input, bits, 2, 1, nullptr);
    EXPECT_EQ(plane.factors[0], 0u);
    EXPECT_EQ(plane.error, 0);
  }
}

TEST(CellsTest, AreThoseOfTheNearestMeans) {
  const OwnedVectors items = RandomClusters(900, 24, 12, 0.2, 3);
  const CellPartition partition =
      MakeCells(items.view(), 24, RecallMetric::Euclidean, 12, 1, nullptr);
  ASSERT_EQ(partition.cells(24), 12u);
  ASSERT_EQ(partition.cell_of.size(), 900u);
  double within = 0;
  double about_zero = 0;
  for (uint32_t i = 0; i < 900; ++i) {
    ASSERT_LT(partition.cell_of[i], 12u);
    for (uint32_t d = 0; d < 24; ++d) {
      const double x = double{items.Row(i)[d]};
      const double c = double{partition.centroids[partition.cell_of[i] * 24 + d]};
      within += (x - c) * (x - c);
      about_zero += x * x;
    }
  }
  EXPECT_LT(within, 0.3 * about_zero);
  const CellPartition again = MakeCells(items.view(), 24, RecallMetric::Euclidean, 12, 1, nullptr);
  EXPECT_EQ(again.cell_of, partition.cell_of);
  EXPECT_EQ(again.centroids, partition.centroids);
}

TEST(CellsTest, RowsThatAreTheSameLeaveCellsEmpty) {
  const std::vector<float> ones(50 * 8, 1.0f);
  const CellPartition partition = MakeCells({ones, 8}, 8, RecallMetric::Cosine, 5, 1, nullptr);
  for (const uint32_t cell : partition.cell_of) EXPECT_EQ(cell, partition.cell_of[0]);
  auto builder = RecallBuilder::Create({ones, 8}, RecallMetric::Cosine,
                                       schema::ElementType::Int8PerRow, nullptr);
  ASSERT_TRUE(builder.ok()) << builder.status();
  RecallParameters parameters;
  parameters.cells = 80;  // More than items.
  parameters.plane_bits = 4;
  const auto index = builder->Build(parameters, 0, nullptr);
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_EQ(index->cells->begins.size(), 51u);
}

}  // namespace
}  // namespace handpick::converter
