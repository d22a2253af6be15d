// Hashed ids: the runtime and the converter find the rows that XXH64 of another library gives.
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "converter/request/features.h"
#include "converter/request/raw_values.h"
#include "converter/request/resolve.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "schema/bundle_generated.h"
#include "sdk/features/vocabulary.h"

namespace {

using handpick::schema::FeatureType;
using handpick::schema::Side;
using handpick::schema::VocabularyKind;

// Together they show 32 bits and more of the hash; 1 shows nothing, and must work.
constexpr uint32_t kBuckets[] = {1, 2, 16, 1000, 65537, 999999937, 4000000007u};
constexpr uint32_t kFirstRow = 3;

struct Vector {
  bool is_string;
  int64_t integer;
  std::string string;
  uint64_t seed;
  uint64_t hash;
};

std::vector<Vector> ReadVectors() {
  std::ifstream file("tests/goldens/hashing/xxh64_vectors.json");
  std::vector<Vector> vectors;
  for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
    const nlohmann::json& id = entry.at("id");
    vectors.push_back({id.is_string(), id.is_string() ? 0 : id.get<int64_t>(),
                       id.is_string() ? id.get<std::string>() : "",
                       entry.at("seed").get<uint64_t>(), entry.at("hash").get<uint64_t>()});
  }
  return vectors;
}

// Written with 64 bits, as schema/bundle.fbs defines a bucket.
int64_t GoldenRow(const Vector& vector, uint32_t buckets) {
  return static_cast<int64_t>(kFirstRow + vector.hash % buckets);
}

bool FitsInRows(uint32_t buckets) { return uint64_t{kFirstRow} + buckets <= UINT32_MAX; }

TEST(HashTest, VectorsCoverBothTypesAndSeveralSeeds) {
  size_t strings = 0;
  size_t integers = 0;
  size_t seeded = 0;
  for (const Vector& vector : ReadVectors()) {
    ++(vector.is_string ? strings : integers);
    seeded += vector.seed != 0;
  }
  EXPECT_GE(strings, 10u);
  EXPECT_GE(integers, 10u);
  EXPECT_GE(seeded, 10u);
}

TEST(HashTest, RuntimeFindsTheRowsOfTheOriginal) {
  for (const Vector& vector : ReadVectors()) {
    for (const uint32_t buckets : kBuckets) {
      ASSERT_TRUE(FitsInRows(buckets));
      handpick::Vocabulary vocabulary = {};
      vocabulary.kind = VocabularyKind::Hash;
      vocabulary.row_count = kFirstRow + buckets;
      vocabulary.out_of_vocabulary_row = -1;
      vocabulary.first_row = kFirstRow;
      vocabulary.buckets = buckets;
      vocabulary.hash_seed = vector.seed;
      const int64_t row =
          vector.is_string
              ? handpick::FindRow(vocabulary, hp_string{vector.string.data(), vector.string.size()})
              : handpick::FindRow(vocabulary, vector.integer);
      EXPECT_EQ(row, GoldenRow(vector, buckets))
          << (vector.is_string ? vector.string : std::to_string(vector.integer)) << ", seed "
          << vector.seed << ", " << buckets << " buckets";
    }
  }
}

TEST(HashTest, ConverterFindsTheRowsOfTheOriginal) {
  for (const Vector& vector : ReadVectors()) {
    for (const uint32_t buckets : kBuckets) {
      handpick::converter::FeatureSet features;
      auto feature = std::make_unique<handpick::schema::FeatureT>();
      feature->name = "id";
      feature->side = Side::Context;
      feature->type = FeatureType::Categorical;
      feature->vocabulary = 0;
      features.features.push_back(std::move(feature));
      auto vocabulary = std::make_unique<handpick::schema::VocabularyT>();
      vocabulary->kind = VocabularyKind::Hash;
      vocabulary->row_count = kFirstRow + buckets;
      vocabulary->first_row = kFirstRow;
      vocabulary->buckets = buckets;
      vocabulary->hash_seed = vector.seed;
      features.vocabularies.push_back(std::move(vocabulary));

      handpick::converter::RawCell cell;
      if (vector.is_string) {
        cell.emplace_back(vector.string);
      } else {
        cell.emplace_back(vector.integer);
      }
      const auto rows = handpick::converter::ResolveRows(0, cell, features);
      ASSERT_TRUE(rows.ok()) << rows.status();
      ASSERT_EQ(rows->rows.size(), 1u);
      EXPECT_EQ(rows->rows[0], GoldenRow(vector, buckets))
          << (vector.is_string ? vector.string : std::to_string(vector.integer)) << ", seed "
          << vector.seed << ", " << buckets << " buckets";
    }
  }
}

}  // namespace
