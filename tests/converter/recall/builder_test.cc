#include "converter/recall/builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "converter/recall/loaded_index.h"
#include "converter/recall/reference.h"
#include "flatbuffers/flatbuffers.h"
#include "gtest/gtest.h"
#include "tests/converter/recall/random_vectors.h"

namespace handpick::converter {
namespace {

using schema::ElementType;
using schema::HashFamily;
using schema::RecallMetric;

HashParameters Hash(HashFamily family, uint32_t functions, uint32_t tables) {
  HashParameters hash;
  hash.family = family;
  hash.functions = functions;
  hash.tables = tables;
  hash.outputs = 16;
  hash.values = 4;
  hash.bin_deviations = 1;
  return hash;
}

RecallBuilder Builder(const OwnedVectors& items, RecallMetric metric = RecallMetric::Cosine,
                      ElementType type = ElementType::Int8PerRow) {
  auto builder = RecallBuilder::Create(items.view(), metric, type, nullptr);
  EXPECT_TRUE(builder.ok()) << builder.status();
  return std::move(*builder);
}

std::string Packed(const schema::RecallIndexT& index) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(schema::RecallIndex::Pack(builder, &index));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

TEST(BuilderTest, EightBitsAreWithinHalfAStepOfEachNumber) {
  for (const RecallMetric metric : {RecallMetric::InnerProduct, RecallMetric::Euclidean}) {
    const OwnedVectors items = RandomClusters(300, 21, 10, 0.7, 1);
    const auto index = Builder(items, metric).Build(Hash(HashFamily::E2, 3, 1), 1, nullptr);
    ASSERT_TRUE(index.ok()) << index.status();
    const std::vector<float> stored = StoredVectors(*index);
    for (uint32_t i = 0; i < 300; ++i) {
      double largest = 0;
      for (const float x : items.Row(i)) largest = std::max(largest, std::fabs(double{x}));
      // A row's scale is at most a 256th of the largest scale above what it needs.
      const double step = largest / 127 + double{index->scale} / 256;
      for (uint32_t d = 0; d < 21; ++d) {
        EXPECT_NEAR(double{stored[i * 21 + d]}, double{items.Row(i)[d]}, step * 0.5001);
      }
    }
  }
}

TEST(BuilderTest, CosineRowsHaveNormOne) {
  const OwnedVectors items = RandomClusters(100, 40, 10, 0.7, 2);
  const auto index = Builder(items, RecallMetric::Cosine, ElementType::Float32)
                         .Build(Hash(HashFamily::Hyperplane, 3, 1), 1, nullptr);
  ASSERT_TRUE(index.ok()) << index.status();
  const std::vector<float> stored = StoredVectors(*index);
  for (uint32_t i = 0; i < 100; ++i) {
    double squares = 0;
    for (uint32_t d = 0; d < 40; ++d) squares += std::pow(double{stored[i * 40 + d]}, 2);
    EXPECT_NEAR(squares, 1, 1e-6);
  }
}

TEST(BuilderTest, ItemsAndPositionsAreInverse) {
  const OwnedVectors items = RandomClusters(333, 10, 10, 0.7, 3);
  const auto index = Builder(items).Build(Hash(HashFamily::Hyperplane, 6, 2), 1, nullptr);
  ASSERT_TRUE(index.ok()) << index.status();
  const auto loaded = LoadedRecallIndex::Load(*index);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (uint32_t item = 0; item < 333; ++item) {
    EXPECT_EQ(loaded->index().items.Get(loaded->index().positions.Get(item)), item);
  }
}

TEST(BuilderTest, SameSeedGivesTheSameBytesAndAnotherSeedOthers) {
  const OwnedVectors items = RandomClusters(200, 10, 10, 0.7, 4);
  const RecallBuilder builder = Builder(items);
  for (const HashFamily family :
       {HashFamily::E2, HashFamily::Hyperplane, HashFamily::CrossPolytope}) {
    HashParameters hash = Hash(family, 2, 2);
    const auto first = builder.Build(hash, 3, nullptr);
    const auto again = builder.Build(hash, 3, nullptr);
    hash.seed = 2;
    const auto other = builder.Build(hash, 3, nullptr);
    ASSERT_TRUE(first.ok() && again.ok() && other.ok());
    EXPECT_EQ(Packed(*first), Packed(*again));
    EXPECT_NE(first->tables[0]->signs, other->tables[0]->signs);
    EXPECT_NE(first->tables[0]->signs, first->tables[1]->signs);
  }
}

TEST(BuilderTest, HyperplanesHalveTheItems) {
  // Far from the origin: hyperplanes through it would not.
  OwnedVectors items = RandomClusters(2000, 32, 50, 1, 5);
  for (float& x : items.numbers) x += 5;
  const auto index =
      Builder(items, RecallMetric::Euclidean).Build(Hash(HashFamily::Hyperplane, 1, 1), 1, nullptr);
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_NEAR(index->tables[0]->bucket_begins[1], 1000, 20);
}

TEST(BuilderTest, SixtyFourDimensionsTakeLittleMoreThanTheirBytes) {
  const OwnedVectors items = RandomClusters(20000, 64, 100, 0.5, 6);
  HashParameters hash = Hash(HashFamily::CrossPolytope, 2, 1);
  const auto index = Builder(items).Build(hash, 10, nullptr);
  ASSERT_TRUE(index.ok()) << index.status();
  const auto loaded = LoadedRecallIndex::Load(*index);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  // 64 numbers, a scale, 2 * 15 bits of order, and buckets.
  EXPECT_LT(static_cast<double>(loaded->bytes().size()) / 20000, 70);
}

TEST(BuilderTest, RefusesWhatIsNoVectorOrNoHashByName) {
  OwnedVectors items = RandomClusters(10, 4, 2, 0.5, 7);
  const auto message = [](const OwnedVectors& vectors) {
    return std::string(RecallBuilder::Create(vectors.view(), RecallMetric::Cosine,
                                             ElementType::Int8PerRow, nullptr)
                           .status()
                           .message());
  };
  EXPECT_EQ(message({{}, 0}), "recall index: the dimension is 0, expected 1 to 16384");
  EXPECT_EQ(message({{1, 2, 3}, 2}),
            "recall index: 3 numbers are no vectors of 2, at most 1073741824");
  items.numbers[13] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(message(items),
            "recall index: number 1 of item 3 is nan, expected at most 1e+15 in size");

  items.numbers[13] = 0;
  const RecallBuilder builder = Builder(items);
  const auto build_message = [&](const HashParameters& hash) {
    return std::string(builder.Build(hash, 1, nullptr).status().message());
  };
  HashParameters hash = Hash(HashFamily::CrossPolytope, 2, 0);
  EXPECT_EQ(build_message(hash), "recall index: the number of tables is 0, expected 1 to 16");
  hash.tables = 1;
  hash.outputs = 65;
  EXPECT_EQ(build_message(hash), "recall index: the number of outputs is 65, expected 1 to 64");
  hash = Hash(HashFamily::E2, 2, 1);
  hash.bin_deviations = 0;
  EXPECT_EQ(build_message(hash),
            "recall index: the width of a bin is 0 standard deviations, expected more than 0");
  hash = Hash(HashFamily::Hyperplane, 27, 1);
  EXPECT_NE(build_message(hash).find("hyperplane L=1 m=27 is out of range"), std::string::npos);
}

TEST(BuilderTest, TellsOfItsProgress) {
  const OwnedVectors items = RandomClusters(100, 4, 2, 0.5, 8);
  size_t told = 0;
  const Progress progress = [&](absl::string_view what, double share) {
    EXPECT_FALSE(what.empty());
    EXPECT_GE(share, 0);
    EXPECT_LE(share, 1);
    ++told;
  };
  auto builder =
      RecallBuilder::Create(items.view(), RecallMetric::Cosine, ElementType::Int8PerRow, progress);
  ASSERT_TRUE(builder.ok());
  EXPECT_GT(told, 0u);
  told = 0;
  ASSERT_TRUE(builder->Build(Hash(HashFamily::Hyperplane, 3, 1), 1, progress).ok());
  EXPECT_GT(told, 0u);
}

}  // namespace
}  // namespace handpick::converter
