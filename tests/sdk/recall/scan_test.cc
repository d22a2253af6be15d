// Scans with every instruction set of this processor against plain loops.
#include "sdk/recall/scan.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"

namespace handpick {
namespace {

using schema::ElementType;
using schema::RecallMetric;

// Sums of floats in another order.
constexpr double kFloatTolerance = 1e-4;

// Rows of random numbers, and their memory.
struct OwnedRows {
  std::vector<uint64_t> data;  // Aligned to 8 bytes.
  std::vector<uint8_t> codes;
  std::vector<float> norms;
  RecallRows rows;
};

OwnedRows MakeRows(ElementType type, RecallMetric metric, uint32_t count, uint32_t dimension,
                   bool extreme, std::mt19937_64* random) {
  OwnedRows owned;
  const uint32_t stride = RowStride(type, dimension);
  owned.data.assign((size_t{count} * stride + kRowTailBytes + 7) / 8, 0);
  auto* bytes = reinterpret_cast<uint8_t*>(owned.data.data());
  std::normal_distribution<float> normal;
  owned.codes.resize(count);
  for (uint32_t r = 0; r < count; ++r) {
    owned.codes[r] = static_cast<uint8_t>((*random)());
    for (uint32_t d = 0; d < dimension; ++d) {
      if (type == ElementType::Float32) {
        const float x = normal(*random);
        std::memcpy(bytes + size_t{r} * stride + d * 4, &x, 4);
      } else {
        const int x = extreme ? ((*random)() % 2 == 0 ? 127 : -127)
                              : static_cast<int>((*random)() % 255) - 127;
        bytes[size_t{r} * stride + d] = static_cast<uint8_t>(static_cast<int8_t>(x));
      }
    }
    owned.norms.push_back(std::fabs(normal(*random)));
  }
  owned.rows = RecallRows{type,
                          dimension,
                          count,
                          stride,
                          bytes,
                          0.37f,
                          owned.codes.data(),
                          metric == RecallMetric::Euclidean && type == ElementType::Int8PerRow
                              ? owned.norms.data()
                              : nullptr};
  return owned;
}

// A query in both forms.
struct OwnedQuery {
  ScanQuery query;
  // Aligned as vectors want it.
  std::vector<uint8_t> memory;
};

void Prepare(const OwnedRows& rows, RecallMetric metric, const std::vector<float>& vector,
             OwnedQuery* owned) {
  const size_t padded = (vector.size() + kScanPadding - 1) / kScanPadding * kScanPadding;
  owned->memory.assign(padded * 5 + 128, 0xA8);
  auto address = reinterpret_cast<uintptr_t>(owned->memory.data());
  auto* floats = reinterpret_cast<float*>((address + 63) / 64 * 64);
  auto* int8 = reinterpret_cast<int8_t*>(floats + padded);
  PrepareQuery(rows.rows, metric, vector.data(), int8, floats, &owned->query);
}

// By the definition in scan.h.
float PlainScore(const OwnedRows& owned, const ScanQuery& query, uint32_t position) {
  const RecallRows& rows = owned.rows;
  const uint8_t* row = rows.data + size_t{position} * rows.stride_bytes;
  if (rows.type == ElementType::Int8PerRow) {
    int64_t product = 0;
    for (uint32_t d = 0; d < rows.dimension; ++d) {
      product += int64_t{static_cast<int8_t>(row[d])} * query.int8[d];
    }
    float score = static_cast<float>(product);
    score = score * static_cast<float>(rows.scale_codes[position] + 1);
    score = score * query.factor;
    if (query.metric == RecallMetric::Euclidean) {
      score = score - rows.squared_norms[position];
      score = score - query.squared_norm;
    }
    return score;
  }
  double sum = 0;
  for (uint32_t d = 0; d < rows.dimension; ++d) {
    float x;
    std::memcpy(&x, row + d * 4, 4);
    const double q = double{query.floats[d]};
    const double difference = q - double{x};
    sum += query.metric == RecallMetric::Euclidean ? -difference * difference : q * double{x};
  }
  return static_cast<float>(sum);
}

class ScanTest : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { hwy::SetSupportedTargetsForTest(GetParam()); }
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }

  // Scans all of `positions` (null: those from begin to end) and expects what plain loops find.
  void Check(const OwnedRows& owned, const ScanQuery& query, uint32_t begin, uint32_t end,
             const std::vector<uint32_t>* positions) {
    std::vector<uint32_t> all;
    for (uint32_t p = begin; p < end; ++p) all.push_back(p);
    if (positions != nullptr) all = *positions;
    std::vector<RecallHit> hits(std::max<size_t>(1, all.size()));
    TopItems top(hits.data(), all.size(), PackedNumbers(), owned.rows.count, HiddenItems());
    if (positions != nullptr) {
      ScanListedRows(owned.rows, query, all.data(), all.size(), &top);
    } else {
      ScanRows(owned.rows, query, begin, end, &top);
    }
    ASSERT_EQ(top.Finish(), all.size());
    hits.resize(all.size());
    std::sort(hits.begin(), hits.end(),
              [](const RecallHit& a, const RecallHit& b) { return a.item < b.item; });
    std::sort(all.begin(), all.end());
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(hits[i].item, all[i]);
      const float expected = PlainScore(owned, query, all[i]);
      if (owned.rows.type == ElementType::Int8PerRow) {
        ASSERT_EQ(hits[i].score, expected) << owned.rows.dimension << " row " << i;
      } else {
        ASSERT_NEAR(double{hits[i].score}, double{expected},
                    kFloatTolerance * std::max(1.0, std::fabs(double{expected})));
      }
    }
  }
};

TEST_P(ScanTest, ScoresAreThoseOfPlainLoops) {
  std::mt19937_64 random(8);
  std::normal_distribution<float> normal;
  for (const uint32_t dimension : {1u, 2u, 4u, 15u, 16u, 17u, 33u, 63u, 64u, 65u, 100u, 2048u}) {
    for (const ElementType type : {ElementType::Int8PerRow, ElementType::Float32}) {
      for (const RecallMetric metric : {RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
        const uint32_t count = 1 + static_cast<uint32_t>(random() % 70);
        const OwnedRows rows = MakeRows(type, metric, count, dimension, false, &random);
        std::vector<float> vector(dimension);
        for (float& x : vector) x = normal(random);
        OwnedQuery query;
        Prepare(rows, metric, vector, &query);
        const auto begin = static_cast<uint32_t>(random() % count);
        const auto end = begin + static_cast<uint32_t>(random() % (count - begin + 1));
        Check(rows, query.query, 0, count, nullptr);
        Check(rows, query.query, begin, end, nullptr);
        std::vector<uint32_t> list;
        for (uint32_t p = 0; p < count; ++p) {
          if (random() % 2 == 0) list.push_back(p);
        }
        std::shuffle(list.begin(), list.end(), random);
        Check(rows, query.query, 0, 0, &list);
      }
    }
  }
}

TEST_P(ScanTest, LargestProductsDoNotSaturate) {
  std::mt19937_64 random(9);
  for (const uint32_t dimension : {64u, 2048u, kMaxRecallDimension}) {
    OwnedRows rows =
        MakeRows(ElementType::Int8PerRow, RecallMetric::InnerProduct, 20, dimension, true, &random);
    std::vector<float> vector(dimension);
    for (float& x : vector) x = random() % 2 == 0 ? 3.0f : -3.0f;
    // One row is the query itself: the largest product that there is.
    OwnedQuery query;
    Prepare(rows, RecallMetric::InnerProduct, vector, &query);
    std::memcpy(rows.data.data(), query.query.int8, dimension);
    Check(rows, query.query, 0, 20, nullptr);
  }
}

// The converter writes none, but a bundle may be anybody's.
TEST_P(ScanTest, RowsOfTheSmallestByteAreMultipliedAsTheyAre) {
  std::mt19937_64 random(15);
  for (const uint32_t dimension : {1u, 33u, 64u, 65u, 100u, 2048u}) {
    OwnedRows rows =
        MakeRows(ElementType::Int8PerRow, RecallMetric::InnerProduct, 40, dimension, true, &random);
    auto* bytes = reinterpret_cast<uint8_t*>(rows.data.data());
    for (uint32_t r = 0; r < 40; ++r) {
      for (uint32_t d = 0; d < dimension; ++d) {
        if (r == 0 || random() % 2 == 0) bytes[size_t{r} * rows.rows.stride_bytes + d] = 0x80;
      }
    }
    for (const float sign : {1.0f, -1.0f, 0.0f}) {
      std::vector<float> vector(dimension, 3 * sign);
      if (sign == 0) {
        for (float& x : vector) x = random() % 2 == 0 ? 3.0f : -3.0f;
      }
      OwnedQuery query;
      Prepare(rows, RecallMetric::InnerProduct, vector, &query);
      Check(rows, query.query, 0, 40, nullptr);
    }
  }
}

TEST_P(ScanTest, KeepsTheBestAndOfEqualOnesTheSmallerItems) {
  std::mt19937_64 random(10);
  OwnedRows rows =
      MakeRows(ElementType::Int8PerRow, RecallMetric::InnerProduct, 500, 8, false, &random);
  // Few different rows: many ties.
  auto* bytes = reinterpret_cast<uint8_t*>(rows.data.data());
  for (uint32_t r = 0; r < 500; ++r) {
    std::memcpy(bytes + r * 8, bytes + random() % 10 * 8, 8);
    rows.codes[r] = 100;
  }
  OwnedQuery query;
  Prepare(rows, RecallMetric::InnerProduct, {1, 2, 3, 4, 5, 6, 7, 8}, &query);
  std::vector<RecallHit> expected;
  for (uint32_t r = 0; r < 500; ++r) expected.push_back({r, PlainScore(rows, query.query, r)});
  std::stable_sort(expected.begin(), expected.end(),
                   [](const RecallHit& a, const RecallHit& b) { return a.score > b.score; });
  for (const size_t k : {size_t{0}, size_t{1}, size_t{7}, size_t{499}}) {
    std::vector<RecallHit> hits(k + 1);
    TopItems top(hits.data(), k, PackedNumbers(), 500, HiddenItems());
    // In an order that is not that of the items.
    ScanRows(rows.rows, query.query, 250, 500, &top);
    ScanRows(rows.rows, query.query, 0, 250, &top);
    ASSERT_EQ(top.Finish(), k);
    for (size_t i = 0; i < k; ++i) {
      EXPECT_EQ(hits[i].item, expected[i].item) << k << " " << i;
      EXPECT_EQ(hits[i].score, expected[i].score);
    }
  }
}

// What rows or a query of int8 may look like: random numbers; the largest ones; one large element
// and small ones; numbers of one sign; the same number; the query itself with a little noise, so
// that all scores are near each other; the same and turned around.
enum class Kind { kRandom, kLargest, kOneLarge, kPositive, kNegative, kEqual, kNear, kOpposite };
constexpr Kind kKinds[] = {Kind::kRandom,   Kind::kLargest, Kind::kOneLarge, Kind::kPositive,
                           Kind::kNegative, Kind::kEqual,   Kind::kNear,     Kind::kOpposite};

int Element(Kind kind, uint32_t d, int query, std::mt19937_64* random) {
  const int x = static_cast<int>((*random)() % 255) - 127;
  const int noise = static_cast<int>((*random)() % 3) - 1;
  switch (kind) {
    case Kind::kRandom:
      return x;
    case Kind::kLargest:
      return x < 0 ? -127 : 127;
    case Kind::kOneLarge:
      return d == 0 ? -127 : x / 16;
    case Kind::kPositive:
      return std::abs(x);
    case Kind::kNegative:
      return -std::abs(x);
    case Kind::kEqual:
      return -99;
    case Kind::kNear:
      return std::min(127, std::max(-127, query + noise));
    case Kind::kOpposite:
      return std::min(127, std::max(-127, noise - query));
  }
  return 0;
}

// Vectors of armv7 have no subnormal numbers: what would be one is 0 there.
#if HWY_ARCH_ARM_V7
constexpr float kSmallest = 1e-12f;
constexpr float kSmall = 1e-10f;
#else
constexpr float kSmallest = 1e-42f;
constexpr float kSmall = 1e-20f;
#endif

// The best k of two scans, of the rows behind `middle` and of those before it, are those of plain
// scores.
void ExpectBest(const OwnedRows& owned, const ScanQuery& query, size_t k, uint32_t middle,
                const HiddenItems& hidden) {
  const uint32_t count = owned.rows.count;
  std::vector<RecallHit> expected;
  for (uint32_t r = 0; r < count; ++r) {
    if (!hidden.Hides(r)) expected.push_back({r, PlainScore(owned, query, r)});
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const RecallHit& a, const RecallHit& b) { return a.score > b.score; });
  expected.resize(std::min(k, expected.size()));
  std::vector<RecallHit> hits(k + 1);
  TopItems top(hits.data(), k, PackedNumbers(), count, hidden);
  ScanRows(owned.rows, query, middle, count, &top);
  ScanRows(owned.rows, query, 0, middle, &top);
  ASSERT_EQ(top.Finish(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(hits[i].item, expected[i].item) << "k " << k << " hit " << i;
    ASSERT_EQ(hits[i].score, expected[i].score);
  }
}

TEST_P(ScanTest, TheBestAreThoseOfPlainLoopsWhateverTheNumbers) {
  std::mt19937_64 random(13);
  for (const RecallMetric metric : {RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    for (const uint32_t dimension : {1u, 5u, 16u, 31u, 32u, 33u, 48u, 64u, 65u}) {
      for (const Kind query_kind : kKinds) {
        for (const Kind row_kind : kKinds) {
          // Of the smallest, products and scores vanish; of the largest, norms do not.
          const float scales[] = {1, kSmallest, kSmall, 1e15f};
          const float scale = scales[random() % 8 < 5 ? 0 : random() % 4];
          std::vector<float> vector(dimension);
          for (uint32_t d = 0; d < dimension; ++d) {
            vector[d] = scale * static_cast<float>(Element(query_kind, d, 64, &random));
          }
          const auto count = static_cast<uint32_t>(1 + random() % 400);
          OwnedRows rows =
              MakeRows(ElementType::Int8PerRow, metric, count, dimension, false, &random);
          OwnedQuery query;
          Prepare(rows, metric, vector, &query);
          auto* bytes = reinterpret_cast<uint8_t*>(rows.data.data());
          const uint64_t codes = random() % 3;
          for (uint32_t r = 0; r < count; ++r) {
            for (uint32_t d = 0; d < dimension; ++d) {
              bytes[size_t{r} * rows.rows.stride_bytes + d] = static_cast<uint8_t>(
                  static_cast<int8_t>(Element(row_kind, d, query.query.int8[d], &random)));
            }
            if (codes != 0) rows.codes[r] = codes == 1 ? 255 : 0;
            if (random() % 2 == 0) rows.norms[r] *= scale;
          }
          std::vector<uint64_t> bits((count + 63) / 64);
          for (uint64_t& word : bits) word = random() & random() & random();
          HiddenItems hidden;
          for (const size_t k : {size_t{1}, size_t{10}, size_t{count}, size_t{count} + 5}) {
            ExpectBest(rows, query.query, k, static_cast<uint32_t>(random() % (count + 1)), hidden);
            if (HasFatalFailure()) return;
            hidden.bits = hidden.bits == nullptr ? bits.data() : nullptr;
          }
        }
      }
    }
  }
}

// Rows of ascending and of descending scores: each enters, or none but the first.
TEST_P(ScanTest, OrderOfTheRowsDoesNotMatter) {
  std::mt19937_64 random(14);
  OwnedRows rows =
      MakeRows(ElementType::Int8PerRow, RecallMetric::InnerProduct, 1000, 64, false, &random);
  std::vector<float> vector(64);
  for (float& x : vector) x = static_cast<float>(random() % 255) - 127;
  OwnedQuery query;
  Prepare(rows, RecallMetric::InnerProduct, vector, &query);
  auto* bytes = reinterpret_cast<uint8_t*>(rows.data.data());
  for (const bool ascending : {true, false}) {
    for (uint32_t r = 0; r < 1000; ++r) {
      const uint32_t part = ascending ? r : 999 - r;
      for (uint32_t d = 0; d < 64; ++d) {
        // Neighbours differ by one step of one element, or not at all.
        const int x = query.query.int8[d] * static_cast<int>((part + d) / 64) / 16;
        bytes[r * 64 + d] = static_cast<uint8_t>(static_cast<int8_t>(x));
      }
      rows.codes[r] = 77;
    }
    for (const size_t k : {size_t{1}, size_t{100}}) {
      ExpectBest(rows, query.query, k, 0, HiddenItems());
      ExpectBest(rows, query.query, k, 333, HiddenItems());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllTargets, ScanTest,
                         ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& target) {
                           return std::string(hwy::TargetName(target.param));
                         });

TEST(PrepareQueryTest, LargestElementBecomes127AndZerosStayZeros) {
  std::mt19937_64 random(11);
  const OwnedRows rows =
      MakeRows(ElementType::Int8PerRow, RecallMetric::InnerProduct, 1, 3, false, &random);
  OwnedQuery query;
  Prepare(rows, RecallMetric::InnerProduct, {0.5f, -1.0f, 0.25f}, &query);
  EXPECT_EQ(query.query.int8[0], 64);  // 63.5, halves to even
  EXPECT_EQ(query.query.int8[1], -127);
  EXPECT_EQ(query.query.int8[2], 32);  // 31.75
  EXPECT_EQ(query.query.int8_sum, 64 - 127 + 32);
  for (uint32_t i = 3; i < kScanPadding; ++i) EXPECT_EQ(query.query.int8[i], 0);
  Prepare(rows, RecallMetric::InnerProduct, {0, 0, 0}, &query);
  EXPECT_EQ(query.query.int8_sum, 0);
  EXPECT_EQ(query.query.factor, 0);
  // The smallest numbers that there are.
  Prepare(rows, RecallMetric::InnerProduct, {1e-45f, -1e-45f, 0}, &query);
  EXPECT_LE(std::abs(query.query.int8[0]), 127);
}

TEST(TopItemsTest, HiddenItemsAreLeftOutInBothWays) {
  const uint64_t bits[] = {0b1010};
  HiddenItems hidden;
  hidden.bits = bits;
  hidden.hides = [](void* context, uint32_t item) {
    return item == *static_cast<uint32_t*>(context);
  };
  uint32_t also = 4;
  hidden.context = &also;
  RecallHit hits[3];
  TopItems top(hits, 3, PackedNumbers(), 6, hidden);
  for (uint32_t item = 0; item < 6; ++item) top.Add(item, static_cast<float>(item));
  ASSERT_EQ(top.Finish(), 3u);
  EXPECT_EQ(hits[0].item, 5u);
  EXPECT_EQ(hits[1].item, 2u);
  EXPECT_EQ(hits[2].item, 0u);
}

TEST(TopItemsTest, OrderIsThatOfScoresThenItems) {
  std::mt19937_64 random(15);
  const float scores[] = {0.0f, -0.0f, 1e-45f, -1e-45f, 1, -1, 3e38f, -3e38f, 0.5f};
  for (const size_t k : {size_t{1}, size_t{2}, size_t{50}, size_t{300}}) {
    std::vector<RecallHit> expected;
    std::vector<RecallHit> hits(k);
    TopItems top(hits.data(), k, PackedNumbers(), 200, HiddenItems());
    for (uint32_t item = 0; item < 200; ++item) {
      const float score = scores[random() % 9];
      expected.push_back({item, score});
      top.Add(item, score);
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const RecallHit& a, const RecallHit& b) { return a.score > b.score; });
    ASSERT_EQ(top.Finish(), std::min<size_t>(k, 200));
    for (size_t i = 0; i < std::min<size_t>(k, 200); ++i) {
      EXPECT_EQ(hits[i].item, expected[i].item) << k << " " << i;
      EXPECT_EQ(hits[i].score, expected[i].score);
    }
  }
}

TEST(TopItemsTest, NanNeverEntersAndOtherItemsNeedNoRow) {
  RecallHit hits[2];
  TopItems top(hits, 2, PackedNumbers(), 6, HiddenItems());
  top.Add(1, std::numeric_limits<float>::quiet_NaN());
  top.Add(2, 1);
  top.AddOther(1000, 2);
  ASSERT_EQ(top.Finish(), 2u);
  EXPECT_EQ(hits[0].item, 1000u);
  EXPECT_EQ(hits[1].item, 2u);
}

TEST(PackedNumbersTest, EveryWidthHoldsItsNumbers) {
  std::mt19937_64 random(12);
  EXPECT_EQ(PackedBits(0), 1u);
  EXPECT_EQ(PackedBits(1), 1u);
  EXPECT_EQ(PackedBits(2), 1u);
  EXPECT_EQ(PackedBits(3), 2u);
  EXPECT_EQ(PackedBits(1000000), 20u);
  EXPECT_EQ(PackedBits(kMaxRecallItems), 30u);
  for (uint32_t bits = 1; bits <= 30; ++bits) {
    const uint32_t count = 101;
    std::vector<uint8_t> bytes(PackedBytes(count, bits));
    std::vector<uint32_t> numbers;
    for (uint32_t i = 0; i < count; ++i) {
      numbers.push_back(static_cast<uint32_t>(random() & ((uint64_t{1} << bits) - 1)));
      for (uint32_t b = 0; b < bits; ++b) {
        const uint64_t bit = uint64_t{i} * bits + b;
        bytes[bit / 8] |= static_cast<uint8_t>((numbers[i] >> b & 1) << (bit % 8));
      }
    }
    const PackedNumbers view(bytes, bits);
    for (uint32_t i = 0; i < count; ++i) EXPECT_EQ(view.Get(i), numbers[i]) << bits;
  }
}

}  // namespace
}  // namespace handpick
