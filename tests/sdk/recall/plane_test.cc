// Planes of codes with every instruction set of this processor against plain loops.
#include "sdk/recall/plane.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"
#include "sdk/recall/rotation.h"

namespace handpick {
namespace {

using schema::RecallMetric;

constexpr float kNone = -std::numeric_limits<float>::infinity();

// Memory aligned to HP_ALIGNMENT.
class Aligned {
 public:
  explicit Aligned(size_t bytes) : memory_(bytes + HP_ALIGNMENT) {}
  uint8_t* get() {
    auto address = reinterpret_cast<uintptr_t>(memory_.data());
    return memory_.data() + (HP_ALIGNMENT - address % HP_ALIGNMENT) % HP_ALIGNMENT;
  }

 private:
  std::vector<uint8_t> memory_;
};

// A plane of random codes over rows that are never read.
class RandomPlane {
 public:
  RandomPlane(uint32_t count, uint32_t width, uint32_t bits, std::mt19937_64* random)
      : codes_(PlaneBytes(count, width, bits)),
        factors_((count + kPlaneRows - 1) / kPlaneRows * kPlaneRows),
        signs_(kPlaneRounds * width / 8),
        rows_(size_t{count} * 4) {
    for (size_t i = 0; i < PlaneBytes(count, width, bits); ++i) {
      codes_.get()[i] = static_cast<uint8_t>((*random)());
    }
    std::normal_distribution<float> normal;
    for (uint32_t& factor : factors_) {
      factor = Upper(std::fabs(normal(*random))) | Upper(normal(*random)) >> 16;
    }
    for (uint8_t& sign : signs_) sign = static_cast<uint8_t>((*random)());
    index_ = RecallIndex{};
    index_.rows.count = count;
    index_.rows.dimension = 4;
    index_.rows.stride_bytes = 4;
    index_.rows.data = rows_.data();
    index_.plane = {bits, width, signs_.data(), codes_.get(), factors_.data(), 0.75f, 1.5f};
  }

  const RecallIndex& index() const { return index_; }
  std::vector<uint32_t>* factors() { return &factors_; }

  // Coordinate i of a row's code, from 0 on.
  uint32_t Code(uint32_t row, uint32_t i) {
    const RecallPlane& plane = index_.plane;
    const uint8_t* block =
        codes_.get() + size_t{row / kPlaneRows} * plane.width * plane.bits / 8 * kPlaneRows;
    const uint32_t r = row % kPlaneRows;
    if (plane.bits == 1) return block[i / 8 * kPlaneRows + r] >> (i % 8) & 1;
    return block[(i / 8 * kPlaneRows + r) * 4 + i % 4] >> (i % 8 < 4 ? 0 : 4) & 15;
  }

  // By the definition in plane.h.
  float PlainBound(const PlaneQuery& query, const PlaneScan& scan, uint32_t row) {
    const RecallPlane& plane = index_.plane;
    int64_t sum = 0;
    if (plane.bits == 4) {
      for (uint32_t i = 0; i < plane.width; ++i) sum += int64_t{query.int8[i]} * Code(row, i);
    } else {
      for (uint32_t i = 0; i < plane.width; i += 4) {
        uint32_t digit = 0;
        for (uint32_t b = 0; b < 4; ++b) digit |= Code(row, i + b) << b;
        const uint32_t table = (i % 8 == 0 ? 0 : plane.width / 8) + i / 8;
        EXPECT_EQ(query.tables[table * 32 + digit], query.tables[table * 32 + 16 + digit]);
        sum += query.tables[table * 32 + digit];
      }
    }
    const float f = FloatOf(factors_[row] & 0xFFFF0000u);
    const float g = FloatOf(factors_[row] << 16);
    const float scale = query.scale * query.factor;
    const float c =
        query.factor *
        (query.least + plane.deviations * (plane.error * scan.distance + query.rounding));
    return scan.score + (f * (static_cast<float>(sum) * scale + c) + g);
  }

 private:
  static uint32_t Upper(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return bits & 0xFFFF0000u;
  }
  static float FloatOf(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, sizeof(x));
    return x;
  }

  Aligned codes_;
  std::vector<uint32_t> factors_;
  std::vector<uint8_t> signs_;
  std::vector<uint8_t> rows_;
  RecallIndex index_;
};

struct OwnedQuery {
  explicit OwnedQuery(const RecallPlane& plane)
      : rotated(plane.width), memory(PlaneQueryBytes(plane)) {}
  std::vector<float> rotated;
  Aligned memory;
  PlaneQuery query;
};

class PlaneTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

std::vector<uint32_t> Kept(const RecallIndex& index, const PlaneQuery& query, const PlaneScan& scan,
                           uint32_t begin, bool* finite) {
  std::vector<uint32_t> all;
  while (begin < scan.end) {
    uint32_t kept[kPlaneKept];
    const uint32_t before = begin;
    const uint32_t count = ScanPlane(index, query, scan, &begin, kept, finite);
    EXPECT_GT(begin, before);
    EXPECT_LE(begin, scan.end);
    EXPECT_LE(count, kPlaneKept);
    all.insert(all.end(), kept, kept + count);
  }
  return all;
}

TEST_P(PlaneTest, KeepsTheRowsThatPlainLoopsKeep) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  for (const uint32_t bits : {1u, 4u}) {
    for (const uint32_t width : {32u, 64u, 96u, 320u, 2080u}) {
      for (const RecallMetric metric : {RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
        const uint32_t count = 1 + static_cast<uint32_t>(random() % 300);
        RandomPlane plane(count, width, bits, &random);
        std::vector<float> vector(width - random() % 32);
        for (float& x : vector) x = normal(random);
        OwnedQuery owned(plane.index().plane);
        PreparePlaneQuery(plane.index().plane, metric, vector.data(),
                          static_cast<uint32_t>(vector.size()), owned.rotated.data(),
                          owned.memory.get(), &owned.query);
        PlaneScan scan = {0.25f, 1.5f, 0, 0};
        std::vector<float> bounds;
        for (uint32_t r = 0; r < count; ++r) {
          bounds.push_back(plane.PlainBound(owned.query, scan, r));
        }
        for (int repeat = 0; repeat < 8; ++repeat) {
          const auto begin = static_cast<uint32_t>(random() % count);
          scan.end = begin + static_cast<uint32_t>(random() % (count - begin + 1));
          // That of a row is not below itself.
          scan.threshold = repeat == 0 ? kNone : bounds[random() % count];
          std::vector<uint32_t> expected;
          for (uint32_t r = begin; r < scan.end; ++r) {
            if (!(bounds[r] < scan.threshold)) expected.push_back(r);
          }
          bool finite = true;
          EXPECT_EQ(Kept(plane.index(), owned.query, scan, begin, &finite), expected)
              << bits << " bits, width " << width;
          EXPECT_TRUE(finite);
        }
      }
    }
  }
}

// The largest width, and coordinates as large as they can be: no sum overflows.
TEST_P(PlaneTest, SumsAreTheProductsButForRounding) {
  std::mt19937_64 random(2);
  for (const uint32_t bits : {1u, 4u}) {
    for (const uint32_t width : {32u, 64u, kMaxRecallDimension}) {
      RandomPlane plane(40, width, bits, &random);
      for (uint32_t& factor : *plane.factors()) factor = 0x3f800000u;  // f = 1, g = 0
      OwnedQuery owned(plane.index().plane);
      std::vector<float> vector(width);
      for (float& x : vector) x = random() % 2 == 0 ? 1.0f : -1.0f;
      PreparePlaneQuery(plane.index().plane, RecallMetric::Cosine, vector.data(), width,
                        owned.rotated.data(), owned.memory.get(), &owned.query);
      double norm = 0;
      for (const float x : owned.rotated) norm += double{x} * double{x};
      EXPECT_NEAR(norm, width, 1e-3 * width);
      for (uint32_t r = 0; r < 40; ++r) {
        double product = 0;
        for (uint32_t i = 0; i < width; ++i) {
          const int y = static_cast<int>(plane.Code(r, i)) * 2 - (bits == 1 ? 1 : 15);
          product += double{owned.rotated[i]} * y;
        }
        const PlaneScan scan = {0, 0, 0, 40};
        const float bound = plane.PlainBound(owned.query, scan, r);
        const double deviation = double{owned.query.rounding};
        EXPECT_NEAR(double{bound} - 1.5 * deviation, product, 5 * deviation) << width;
        // Just this row's bound decides.
        PlaneScan one = {0, 0, bound, r + 1};
        uint32_t kept[kPlaneKept];
        uint32_t begin = r;
        bool finite = true;
        EXPECT_EQ(ScanPlane(plane.index(), owned.query, one, &begin, kept, &finite), 1u);
        one.threshold = std::nextafter(bound, std::numeric_limits<float>::infinity());
        begin = r;
        EXPECT_EQ(ScanPlane(plane.index(), owned.query, one, &begin, kept, &finite), 0u);
      }
    }
  }
}

TEST_P(PlaneTest, FactorsThatAreNotFiniteAreNoticed) {
  std::mt19937_64 random(3);
  for (const uint32_t bits : {1u, 4u}) {
    RandomPlane plane(64, 64, bits, &random);
    OwnedQuery owned(plane.index().plane);
    const std::vector<float> vector(64, 0.5f);
    PreparePlaneQuery(plane.index().plane, RecallMetric::Cosine, vector.data(), 64,
                      owned.rotated.data(), owned.memory.get(), &owned.query);
    for (const uint32_t bad : {0x7f800000u, 0x7fc00000u, 0x00007f80u, 0x0000ff81u}) {
      const uint32_t before = std::exchange((*plane.factors())[45], bad);
      bool finite = true;
      Kept(plane.index(), owned.query, {0, 1, 1e30f, 64}, 0, &finite);
      EXPECT_FALSE(finite) << std::hex << bad;
      (*plane.factors())[45] = before;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTargets, PlaneTest,
                         ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) {
                           return std::string(hwy::TargetName(target.param));
                         });

TEST(PrepareQueryOfPlaneTest, ZerosAndTheSmallestNumbersAreNoTrouble) {
  std::mt19937_64 random(4);
  for (const uint32_t bits : {1u, 4u}) {
    RandomPlane plane(32, 32, bits, &random);
    for (const float x : {0.0f, 1e-45f, 1e-38f, 1e15f}) {
      OwnedQuery owned(plane.index().plane);
      const std::vector<float> vector(32, x);
      PreparePlaneQuery(plane.index().plane, RecallMetric::Euclidean, vector.data(), 32,
                        owned.rotated.data(), owned.memory.get(), &owned.query);
      EXPECT_TRUE(std::isfinite(owned.query.scale) && std::isfinite(owned.query.least) &&
                  std::isfinite(owned.query.rounding));
      bool finite = true;
      EXPECT_EQ(Kept(plane.index(), owned.query, {0, 1, kNone, 32}, 0, &finite).size(), 32u);
      EXPECT_TRUE(finite);
    }
  }
}

TEST(RotationTest, KeepsLengthsAndProducts) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  for (const uint32_t width : {32u, 64u, 96u, 320u, 768u}) {
    std::vector<uint8_t> signs(kPlaneRounds * width / 8);
    for (uint8_t& sign : signs) sign = static_cast<uint8_t>(random());
    const uint32_t count = width - 5;
    std::vector<float> in[2];
    std::vector<float> out[2];
    for (int v = 0; v < 2; ++v) {
      in[v].resize(count);
      for (float& x : in[v]) x = normal(random);
      out[v].resize(width);
      RotateForPlane(signs.data(), width, in[v].data(), count, out[v].data());
    }
    for (int a = 0; a < 2; ++a) {
      for (int b = 0; b < 2; ++b) {
        double before = 0;
        double after = 0;
        for (uint32_t i = 0; i < count; ++i) before += double{in[a][i]} * double{in[b][i]};
        for (uint32_t i = 0; i < width; ++i) after += double{out[a][i]} * double{out[b][i]};
        EXPECT_NEAR(after, before, 1e-4 * width);
      }
    }
    // One coordinate goes everywhere.
    const float one = 1;
    std::vector<float> spread(width);
    RotateForPlane(signs.data(), width, &one, 1, spread.data());
    for (const float x : spread) EXPECT_LT(std::fabs(x), 6 / std::sqrt(static_cast<float>(width)));
  }
}

}  // namespace
}  // namespace handpick
