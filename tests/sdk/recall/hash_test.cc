// Hash functions against their definitions, in double and without shortcuts.
#include "sdk/recall/hash.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace handpick {
namespace {

using schema::HashFamily;

// A table with random signs, and what it refers to.
struct OwnedTable {
  std::vector<uint8_t> signs;
  std::vector<float> offsets;
  RecallTable view;
};

OwnedTable MakeTable(const HashShape& shape, bool offsets, std::mt19937_64* random) {
  OwnedTable table;
  table.signs.resize(size_t{shape.rotations} * kRotationRounds * shape.rotation_width / 8);
  for (uint8_t& byte : table.signs) byte = static_cast<uint8_t>((*random)());
  std::normal_distribution<float> normal(0, 0.1f);
  if (offsets) {
    for (uint32_t i = 0; i < shape.functions * shape.outputs; ++i) {
      table.offsets.push_back(normal(*random));
    }
  }
  table.view.signs = table.signs;
  table.view.offsets = table.offsets;
  return table;
}

HashShape MakeShape(HashFamily family, uint32_t functions, uint32_t outputs, uint32_t values,
                    uint32_t width = 64) {
  HashShape shape{};
  shape.family = family;
  shape.functions = functions;
  shape.outputs = outputs;
  shape.values = values;
  shape.bin_width = 0.15f;
  shape.rotation_width = width;
  EXPECT_TRUE(CompleteHashShape(&shape));
  return shape;
}

std::vector<float> RandomVector(uint32_t dimension, std::mt19937_64* random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& x : vector) x = normal(*random) / std::sqrt(static_cast<float>(dimension));
  return vector;
}

// Entry (i, j) of the orthonormal Hadamard matrix: the parity of the bits that i and j share.
double HadamardEntry(uint32_t i, uint32_t j, uint32_t width) {
  int bits = 0;
  for (uint32_t both = i & j; both != 0; both &= both - 1) ++bits;
  return (bits % 2 == 0 ? 1 : -1) / std::sqrt(static_cast<double>(width));
}

// H D3 H D2 H D1 x, matrix by matrix.
std::vector<double> PlainRotation(const HashShape& shape, const OwnedTable& table,
                                  const std::vector<float>& vector) {
  std::vector<double> result;
  for (uint32_t r = 0; r < shape.rotations; ++r) {
    std::vector<double> x(vector.begin(), vector.end());
    x.resize(shape.rotation_width);
    for (uint32_t round = 0; round < 3; ++round) {
      std::vector<double> y(shape.rotation_width);
      for (uint32_t i = 0; i < y.size(); ++i) {
        for (uint32_t j = 0; j < y.size(); ++j) {
          const size_t bit = (size_t{r} * 3 + round) * shape.rotation_width + j;
          const double sign = (table.signs[bit / 8] >> (bit % 8) & 1) != 0 ? -1 : 1;
          y[i] += HadamardEntry(i, j, shape.rotation_width) * sign * x[j];
        }
      }
      x = y;
    }
    result.insert(result.end(), x.begin(), x.end());
  }
  return result;
}

std::vector<float> RotateVector(const HashShape& shape, const OwnedTable& table,
                                const std::vector<float>& vector) {
  std::vector<float> out(size_t{shape.rotations} * shape.rotation_width, 7.0f);
  Rotate(shape, table.view, vector.data(), static_cast<uint32_t>(vector.size()), out.data());
  return out;
}

TEST(RotateTest, IsTheProductOfItsMatrices) {
  std::mt19937_64 random(1);
  for (const uint32_t dimension : {1u, 3u, 64u, 65u, 200u}) {
    const HashShape shape =
        MakeShape(HashFamily::CrossPolytope, 3, 40, 80, dimension <= 64 ? 64 : 256);
    const OwnedTable table = MakeTable(shape, false, &random);
    const std::vector<float> vector = RandomVector(dimension, &random);
    const std::vector<double> expected = PlainRotation(shape, table, vector);
    const std::vector<float> actual = RotateVector(shape, table, vector);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      EXPECT_NEAR(double{actual[i]}, expected[i], 1e-6) << dimension << " " << i;
    }
  }
}

TEST(RotateTest, KeepsLengths) {
  std::mt19937_64 random(2);
  const HashShape shape = MakeShape(HashFamily::CrossPolytope, 2, 64, 128);
  const OwnedTable table = MakeTable(shape, false, &random);
  const std::vector<float> vector = RandomVector(50, &random);
  const std::vector<float> rotated = RotateVector(shape, table, vector);
  double before = 0;
  double after = 0;
  for (const float x : vector) before += double{x} * double{x};
  for (size_t i = 0; i < 64; ++i) after += double{rotated[i]} * double{rotated[i]};
  EXPECT_NEAR(after, before, 1e-5 * before);
}

TEST(BucketTest, IsTheFamiliesDefinition) {
  std::mt19937_64 random(3);
  const HashShape shapes[] = {
      MakeShape(HashFamily::CrossPolytope, 3, 20, 40),
      MakeShape(HashFamily::CrossPolytope, 2, 1, 2), MakeShape(HashFamily::Hyperplane, 9, 1, 2),
      MakeShape(HashFamily::E2, 5, 1, 4), MakeShape(HashFamily::E2, 5, 1, 3)};
  for (const HashShape& shape : shapes) {
    for (const bool offsets : {false, true}) {
      const OwnedTable table = MakeTable(shape, offsets, &random);
      for (int repeat = 0; repeat < 50; ++repeat) {
        const std::vector<float> z = RotateVector(shape, table, RandomVector(33, &random));
        uint32_t expected = 0;
        for (uint32_t f = 0; f < shape.functions; ++f) {
          const auto at = [&](uint32_t j) {
            const size_t i = size_t{f} * shape.outputs + j;
            return z[i] + (offsets ? table.offsets[i] : 0.0f);
          };
          uint32_t value = 0;
          if (shape.family == HashFamily::Hyperplane) value = at(0) >= 0 ? 1 : 0;
          if (shape.family == HashFamily::E2) {
            const int bin = static_cast<int>(
                std::floor(at(0) / shape.bin_width + static_cast<float>(shape.values / 2)));
            value = static_cast<uint32_t>(
                std::min(std::max(bin, 0), static_cast<int>(shape.values) - 1));
          }
          if (shape.family == HashFamily::CrossPolytope) {
            uint32_t best = 0;
            for (uint32_t j = 1; j < shape.outputs; ++j) {
              if (std::fabs(at(j)) > std::fabs(at(best))) best = j;
            }
            value = 2 * best + (at(best) < 0 ? 1 : 0);
          }
          expected = expected * shape.values + value;
        }
        EXPECT_EQ(BucketOf(shape, table.view, z.data()), expected) << shape.functions;
      }
    }
  }
}

TEST(AnswersTest, OwnAnswerComesFirstAndAllOccurOnce) {
  std::mt19937_64 random(4);
  for (const HashShape& shape :
       {MakeShape(HashFamily::CrossPolytope, 2, 20, 40), MakeShape(HashFamily::Hyperplane, 9, 1, 2),
        MakeShape(HashFamily::E2, 5, 1, 6)}) {
    const OwnedTable table = MakeTable(shape, true, &random);
    const std::vector<float> z = RotateVector(shape, table, RandomVector(64, &random));
    uint32_t own = 0;
    for (uint32_t f = 0; f < shape.functions; ++f) {
      std::vector<HashAnswer> answers(shape.values);
      AnswersOf(shape, table.view, z.data(), f, answers.data());
      own = own * shape.values + answers[0].value;
      EXPECT_EQ(answers[0].penalty, 0.0f);
      std::vector<bool> seen(shape.values);
      for (const HashAnswer& answer : answers) {
        EXPECT_GE(answer.penalty, 0.0f);
        ASSERT_LT(answer.value, shape.values);
        EXPECT_FALSE(seen[answer.value]);
        seen[answer.value] = true;
      }
    }
    EXPECT_EQ(own, BucketOf(shape, table.view, z.data()));
  }
}

TEST(AnswersTest, PenaltyIsTheSquaredWayToTheAnswer) {
  HashShape shape = MakeShape(HashFamily::E2, 1, 1, 4);
  shape.bin_width = 0.5f;
  const float z = 0.2f;  // 0.4 of bin 2, which holds 0 to 0.5.
  HashAnswer answers[4];
  AnswersOf(shape, RecallTable{}, &z, 0, answers);
  std::sort(std::begin(answers), std::end(answers));
  const uint32_t bins[] = {2, 1, 3, 0};
  const float ways[] = {0, 0.4f, 0.6f, 1.4f};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(answers[i].value, bins[i]);
    EXPECT_NEAR(answers[i].penalty, ways[i] * ways[i], 1e-6);
  }
}

TEST(AnswersTest, StayFiniteAtTheEndsOfAllRanges) {
  HashShape shape = MakeShape(HashFamily::E2, 1, 1, 4, 64);
  shape.bin_width = 1 / kMaxRecallNumber;
  OwnedTable table;
  table.offsets = {-kMaxRecallNumber};
  table.view.offsets = table.offsets;
  for (const float z : {-8 * kMaxRecallNumber, 0.0f, 8 * kMaxRecallNumber}) {
    HashAnswer answers[4];
    AnswersOf(shape, table.view, &z, 0, answers);
    for (const HashAnswer& answer : answers) EXPECT_TRUE(std::isfinite(answer.penalty));
  }
}

TEST(CompleteHashShapeTest, RefusesMoreBucketsOrRotationsThanThereMayBe) {
  HashShape shape = MakeShape(HashFamily::Hyperplane, 26, 1, 2);
  EXPECT_EQ(shape.buckets, kMaxRecallBuckets);
  shape.functions = 27;
  EXPECT_FALSE(CompleteHashShape(&shape));
  shape = MakeShape(HashFamily::CrossPolytope, 1, 64 * 64, 2 * 64 * 64);
  EXPECT_EQ(shape.rotations, kMaxRecallRotations);
  shape.outputs = 64 * 64 + 1;
  EXPECT_FALSE(CompleteHashShape(&shape));
}

}  // namespace
}  // namespace handpick
