// Bundles with big tables: what is not copied, and that nothing of it shows in the file.
#include "converter/emit/bundle_file.h"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/emit/emit.h"
#include "converter/emit/integrity.h"
#include "converter/graph/decode.h"
#include "converter/io/files.h"
#include "converter/pipeline.h"
#include "flatbuffers/flatbuffers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"
#include "schema/limits.h"
#include "tests/support/random_model.h"
#include "tests/support/test_files.h"

namespace handpick::converter {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr schema::Precision kPrecisions[] = {schema::Precision::Float32, schema::Precision::Float16,
                                             schema::Precision::Int8};

Conversion ConvertSeed(uint64_t seed, schema::Precision precision, bool rows_in_bundle) {
  const std::vector<const char*> kinds = EveryKind();
  const RandomModel model = MakeRandomModel(seed, kinds[seed % kinds.size()]);
  ConvertOptions options = {precision, 0, "bundle_file_test 1.0"};
  options.rows_in_bundle = rows_in_bundle;
  absl::StatusOr<Conversion> conversion = Convert(model.spec, model.weights, options);
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return std::move(conversion).value();
}

// Of a model that has tables for sure.
Conversion ConvertWorkload(schema::Precision precision, bool rows_in_bundle) {
  const RandomModel model = WideDeepWorkload();
  ConvertOptions options = {precision, 0, "bundle_file_test 1.0"};
  options.rows_in_bundle = rows_in_bundle;
  absl::StatusOr<Conversion> conversion = Convert(model.spec, model.weights, options);
  EXPECT_TRUE(conversion.ok()) << conversion.status();
  return std::move(conversion).value();
}

// As the schema's own code packs it.
std::string Packed(const schema::BundleT& bundle) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishBundleBuffer(builder, schema::Bundle::Pack(builder, &bundle));
  WriteHashes(builder.GetBufferPointer(), builder.GetSize());
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

std::string BytesOf(const BundleImage& image) {
  std::string bytes;
  for (const BundleImage::Part& part : image.parts()) {
    EXPECT_EQ(part.offset, bytes.size());
    bytes.append(reinterpret_cast<const char*>(part.bytes), part.size);
  }
  EXPECT_EQ(bytes.size(), image.size());
  return bytes;
}

TEST(BundleImageTest, IsWhatTheSchemasCodePacks) {
  for (uint64_t seed = 0; seed < 90; ++seed) {
    SCOPED_TRACE(seed);
    const schema::Precision precision = kPrecisions[seed % 3];
    const Conversion whole = ConvertSeed(seed, precision, true);
    const Conversion apart = ConvertSeed(seed, precision, false);
    const auto bytes = Serialize(whole.bundle);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(*bytes, Packed(whole.bundle));
    for (const auto& table : apart.bundle.tables) EXPECT_TRUE(table->data.empty());
    const auto image = BundleImage::Make(apart.bundle, apart.program.tables);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(BytesOf(*image), *bytes);
  }
}

// Of more arrays than have hashes of their own, the smallest are those without.
TEST(BundleImageTest, RowsWithoutAHashOfTheirOwnAreWithTheRest) {
  Conversion conversion = ConvertWorkload(schema::Precision::Float32, true);
  for (size_t i = 0; i < schema::kMaxBlobs + 7; ++i) {
    auto table = std::make_unique<schema::EmbeddingTableT>();
    table->name = absl::StrCat("table", i);
    table->row_count = 1;
    table->dimension = static_cast<uint32_t>(1 + i % 5);
    table->type = schema::ElementType::Float32;
    table->data.assign(table->dimension * sizeof(float), static_cast<uint8_t>(i));
    conversion.bundle.tables.push_back(std::move(table));
  }
  const auto bytes = Serialize(conversion.bundle);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, Packed(conversion.bundle));
}

TEST(BundleImageTest, TablesOfAnotherBundleAreRefused) {
  const Conversion conversion = ConvertWorkload(schema::Precision::Float32, false);
  auto tables = conversion.program.tables;
  tables.push_back(tables.front());
  EXPECT_FALSE(BundleImage::Make(conversion.bundle, tables).ok());
}

TEST(BundleImageTest, RowsAreWhereTheyWere) {
  const Conversion conversion = ConvertWorkload(schema::Precision::Float32, false);
  const auto image = BundleImage::Make(conversion.bundle, conversion.program.tables);
  ASSERT_TRUE(image.ok()) << image.status();
  std::set<const uint8_t*> rows;
  for (const BundleImage::Part& part : image->parts()) {
    if (part.is_rows) rows.insert(part.bytes);
  }
  ASSERT_FALSE(conversion.source.tables.empty());
  for (const auto& table : conversion.program.tables) EXPECT_EQ(rows.count(table->bytes()), 1u);
}

// The memory of a conversion: the source, its program and the file have the same rows.
TEST(PipelineTest, Float32RowsAreThoseOfTheSource) {
  const Conversion conversion = ConvertWorkload(schema::Precision::Float32, false);
  std::set<const float*> source;
  for (const auto& table : conversion.source.tables) source.insert(table->floats.data());
  const Graph copy = conversion.program;
  ASSERT_FALSE(copy.tables.empty());
  for (const auto& table : copy.tables) EXPECT_EQ(source.count(table->floats.data()), 1u);
}

TEST(PipelineTest, TablesThatAreTooLargeAreRefusedFromTheirShapes) {
  RandomModel model = WideDeepWorkload();
  const std::string name = [&] {
    // The largest tensor is a table. Its elements stay as few as they are.
    std::string largest;
    size_t size = 0;
    for (const auto& [tensor, data] : model.weights) {
      if (data.shape.size() != 2 || data.data.size() <= size) continue;
      if (tensor.find("embedding") == std::string::npos) continue;
      largest = tensor;
      size = data.data.size();
    }
    return largest;
  }();
  ASSERT_NE(name, "");
  model.weights[name].shape = {50'000'000, 16};
  for (const auto& [precision, bytes] : {std::pair(schema::Precision::Float32, 3'200'000'000u),
                                         std::pair(schema::Precision::Float16, 1'600'000'000u),
                                         std::pair(schema::Precision::Int8, 1'000'000'000u)}) {
    const auto conversion = Convert(model.spec, model.weights, {precision, 0, "test"});
    ASSERT_FALSE(conversion.ok());
    EXPECT_EQ(conversion.status().code() == absl::StatusCode::kResourceExhausted,
              bytes > kMostBundleBytes)
        << conversion.status();
  }
  model.weights[name].shape = {std::numeric_limits<int64_t>::max(), 1 << 20};
  EXPECT_THAT(std::string(Convert(model.spec, model.weights, {schema::Precision::Int8, 0, "test"})
                              .status()
                              .message()),
              HasSubstr("at most 2080374784 are possible"));
}

class BundleFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = EmptyTestFolder();
    path_ = folder_ + "/b.hpk";
  }

  // Writes the bundle as it is now; returns how many bytes were written.
  uint64_t Write(const Conversion& conversion, BundleFile* file) {
    const auto image = BundleImage::Make(conversion.bundle, conversion.program.tables);
    EXPECT_TRUE(image.ok()) << image.status();
    uint64_t written = 0;
    const absl::Status status = file->Write(*image, [&](uint64_t bytes) { written += bytes; });
    EXPECT_TRUE(status.ok()) << status;
    return written;
  }

  std::string folder_, path_;
};

TEST_F(BundleFileTest, WhatIsKnownLaterChangesAllButTheRows) {
  Conversion conversion = ConvertWorkload(schema::Precision::Float32, false);
  uint64_t row_bytes = 0;
  for (const auto& table : conversion.program.tables) row_bytes += table->byte_count();
  ASSERT_GT(row_bytes, 0u);
  auto file = BundleFile::Create(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  conversion.bundle.golden_tolerance = 0.5f;
  const uint64_t first = Write(conversion, &*file);
  {
    const auto mapped = file->Map();
    ASSERT_TRUE(mapped.ok()) << mapped.status();
    EXPECT_EQ(mapped->size(), first);
    EXPECT_EQ(schema::GetBundle(mapped->data())->golden_tolerance(), 0.5f);
  }
  EXPECT_FALSE(fs::exists(path_));
  // The manifest grows, and lies behind the rows.
  conversion.bundle.golden_tolerance = 0.25f;
  conversion.bundle.manifest->drift = std::make_unique<schema::DriftT>();
  conversion.bundle.manifest->drift->top10_overlap = 0.75;
  const uint64_t second = Write(conversion, &*file);
  EXPECT_LE(second, first - row_bytes + 256);
  ASSERT_TRUE(file->Commit().ok());
  const Conversion whole = ConvertWorkload(schema::Precision::Float32, true);
  whole.bundle.manifest->drift =
      std::make_unique<schema::DriftT>(*conversion.bundle.manifest->drift);
  schema::BundleT expected = whole.bundle;
  expected.golden_tolerance = 0.25f;
  EXPECT_EQ(*ReadFile(path_), *Serialize(expected));
}

TEST_F(BundleFileTest, RowsThatMoveAreWrittenAgain) {
  Conversion conversion = ConvertWorkload(schema::Precision::Int8, false);
  auto file = BundleFile::Create(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  Write(conversion, &*file);
  // Names of values lie before the rows.
  for (auto& value : conversion.bundle.values) value->name += std::string(1000, 'x');
  Write(conversion, &*file);
  for (auto& value : conversion.bundle.values) value->name.resize(3);
  Write(conversion, &*file);
  ASSERT_TRUE(file->Commit().ok());
  Conversion whole = ConvertWorkload(schema::Precision::Int8, true);
  for (auto& value : whole.bundle.values) value->name.resize(3);
  EXPECT_EQ(*ReadFile(path_), *Serialize(whole.bundle));
}

TEST_F(BundleFileTest, WithoutCommitNothingIsLeft) {
  {
    auto file = BundleFile::Create(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    Write(ConvertWorkload(schema::Precision::Int8, false), &*file);
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST(DecodeTest, InPlaceTablesAreThoseOfTheBytes) {
  for (const schema::Precision precision : kPrecisions) {
    const MappedBytes bytes =
        MappedBytes::Copy(*Serialize(ConvertWorkload(precision, true).bundle));
    const auto copied = DecodeBundle(bytes.view());
    const auto in_place = DecodeBundleInPlace(bytes.view());
    ASSERT_TRUE(copied.ok() && in_place.ok());
    ASSERT_EQ(in_place->tables.size(), copied->tables.size());
    for (size_t i = 0; i < copied->tables.size(); ++i) {
      EXPECT_EQ(in_place->tables[i]->floats, copied->tables[i]->floats);
      EXPECT_EQ(in_place->tables[i]->packed, copied->tables[i]->packed);
      EXPECT_GE(in_place->tables[i]->bytes(), bytes.data());
      EXPECT_LT(in_place->tables[i]->bytes(), bytes.data() + bytes.size());
    }
  }
}

}  // namespace
}  // namespace handpick::converter
