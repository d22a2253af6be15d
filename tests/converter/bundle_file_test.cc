// Bundles with big tables: what is not copied, and that nothing of it shows in the file.
#include "converter/emit/bundle_file.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "converter/emit/emit.h"
#include "converter/emit/integrity.h"
#include "converter/graph/decode.h"
#include "converter/graph/pack_rows.h"
#include "converter/io/files.h"
#include "converter/pipeline.h"
#include "converter/quantize/quantize.h"
#include "flatbuffers/flatbuffers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hwy/base.h"
#include "schema/bundle_generated.h"
#include "schema/limits.h"
#include "schema/table_rows.h"
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

// What a sink is given, put together: each byte once, few at a time.
std::string BytesOf(BundleImage* image, std::vector<PlacedRows>* placed) {
  std::string bytes(image->size(), '\0');
  std::vector<uint8_t> times(image->size(), 0);
  const auto copy = [&](uint64_t offset, absl::string_view block) {
    EXPECT_LE(block.size(), BundleImage::kBlockBytes);
    block.copy(&bytes[offset], block.size());
    for (size_t i = 0; i < block.size(); ++i) ++times[offset + i];
    return absl::OkStatus();
  };
  const absl::Status status = image->Write(copy, placed);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(std::count(times.begin(), times.end(), 1), static_cast<std::ptrdiff_t>(times.size()));
  return bytes;
}

std::string BytesOf(BundleImage* image) {
  std::vector<PlacedRows> none;
  return BytesOf(image, &none);
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
    auto image = BundleImage::Make(apart.bundle, apart.program.tables);
    ASSERT_TRUE(image.ok()) << image.status();
    EXPECT_EQ(BytesOf(&*image), *bytes);
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

TEST(BundleImageTest, Float32RowsAreWrittenFromWhereTheyWere) {
  const Conversion conversion = ConvertWorkload(schema::Precision::Float32, false);
  auto image = BundleImage::Make(conversion.bundle, conversion.program.tables);
  ASSERT_TRUE(image.ok()) << image.status();
  std::set<const char*> given;
  std::vector<PlacedRows> none;
  const auto remember = [&](uint64_t, absl::string_view block) {
    given.insert(block.data());
    return absl::OkStatus();
  };
  ASSERT_TRUE(image->Write(remember, &none).ok());
  ASSERT_FALSE(conversion.program.tables.empty());
  for (const auto& table : conversion.program.tables) {
    EXPECT_EQ(given.count(reinterpret_cast<const char*>(table->bytes())), 1u);
  }
}

// A table of numbers of many sizes, and rows of zeros.
std::shared_ptr<const TableData> RandomTable(uint32_t rows, uint32_t dimension,
                                             schema::ElementType type) {
  std::mt19937_64 random(rows + dimension);
  std::vector<float> floats(uint64_t{rows} * dimension);
  for (size_t i = 0; i < floats.size(); ++i) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
    const double size = i / dimension % 97 == 0 ? 0 : std::exp2(static_cast<double>(i % 31) - 15);
    floats[i] = static_cast<float>(unit * size);
  }
  TableData table;
  table.name = "deep.item";
  table.rows = rows;
  table.dimension = dimension;
  table.type = type;
  table.floats = std::move(floats);
  return std::make_shared<const TableData>(std::move(table));
}

// All rows at once, number by number, as the schema says it.
std::string WholeBuffer(const TableData& table) {
  std::string bytes;
  const auto append = [&bytes](const void* from, size_t size) {
    bytes.append(static_cast<const char*>(from), size);
  };
  for (uint64_t r = 0; r < table.rows; ++r) {
    const float* const row = table.floats.data() + r * table.dimension;
    if (table.type == schema::ElementType::Int8PerRow) {
      const QuantizedRow quantized = QuantizeRow({row, row + table.dimension});
      append(&quantized.scale, sizeof(quantized.scale));
      append(quantized.values.data(), quantized.values.size());
      bytes.append((4 - table.dimension % 4) % 4, '\0');
      continue;
    }
    if (table.type == schema::ElementType::Int4PerGroup) {
      std::string packed(table.row_bytes(), '\0');
      PackRows(row, 1, table.dimension, table.type, reinterpret_cast<uint8_t*>(&packed[0]));
      bytes += packed;
      continue;
    }
    for (uint32_t j = 0; j < table.dimension; ++j) {
      const hwy::float16_t half = hwy::F16FromF32(row[j]);
      table.type == schema::ElementType::Float16 ? append(&half, sizeof(half))
                                                 : append(&row[j], sizeof(row[j]));
    }
  }
  return bytes;
}

// Rows that are packed while they are written are those of a buffer that holds all of them, and so
// is their hash: tables of several blocks whose last is not full, of less than one, of a row.
TEST(BundleImageTest, RowsPackedInBlocksAreThoseOfAWholeBuffer) {
  constexpr schema::ElementType kTypes[] = {
      schema::ElementType::Float32, schema::ElementType::Float16, schema::ElementType::Int8PerRow,
      schema::ElementType::Int4PerGroup};
  constexpr struct {
    uint32_t rows, dimension;
  } kShapes[] = {{120'001, 16}, {200'003, 5}, {70'001, 33}, {1, 3}, {1000, 1}};
  for (const schema::ElementType type : kTypes) {
    for (const auto& [rows, dimension] : kShapes) {
      SCOPED_TRACE(absl::StrCat(schema::EnumNameElementType(type), " ", rows, " x ", dimension));
      const auto table = RandomTable(rows, dimension, type);
      const std::string expected = WholeBuffer(*table);
      ASSERT_EQ(table->byte_count(), expected.size());
      EXPECT_TRUE(table->packed.empty());
      schema::BundleT bundle;
      bundle.integrity = std::make_unique<schema::IntegrityT>();
      auto of_table = std::make_unique<schema::EmbeddingTableT>();
      of_table->name = table->name;
      of_table->row_count = rows;
      of_table->dimension = dimension;
      of_table->type = type;
      bundle.tables.push_back(std::move(of_table));
      auto image = BundleImage::Make(bundle, {table});
      ASSERT_TRUE(image.ok()) << image.status();
      std::vector<PlacedRows> placed;
      const std::string streamed = BytesOf(&*image, &placed);
      ASSERT_EQ(placed.size(), 1u);
      EXPECT_EQ(streamed.substr(placed[0].offset, placed[0].size), expected);
      bundle.tables[0]->data.assign(expected.begin(), expected.end());
      EXPECT_EQ(streamed, Packed(bundle));
      for (const uint64_t row : {uint64_t{0}, uint64_t{rows} / 2, uint64_t{rows} - 1}) {
        const auto* const of_row =
            reinterpret_cast<const uint8_t*>(expected.data()) + row * table->row_bytes();
        const std::vector<double> numbers = table->Row(row);
        for (uint32_t j = 0; j < dimension; ++j) {
          EXPECT_EQ(numbers[j], schema::NumberOfRow(type, of_row, j));
          EXPECT_EQ(table->At(row, j), numbers[j]);
        }
      }
    }
  }
}

TEST(BundleImageTest, AfterASinksErrorNoRowsAreTakenForThere) {
  const Conversion conversion = ConvertWorkload(schema::Precision::Int8, false);
  auto image = BundleImage::Make(conversion.bundle, conversion.program.tables);
  ASSERT_TRUE(image.ok()) << image.status();
  std::vector<PlacedRows> placed;
  const std::string bytes = BytesOf(&*image, &placed);
  ASSERT_FALSE(placed.empty());
  const auto fail = [](uint64_t, absl::string_view) { return absl::UnavailableError("full"); };
  EXPECT_EQ(image->Write(fail, &placed).message(), "full");
  EXPECT_TRUE(placed.empty());
  EXPECT_EQ(BytesOf(&*image, &placed), bytes);
}

// The memory of a conversion: in every precision, the source and its program have the same numbers,
// and rows of fewer bits lie nowhere.
TEST(PipelineTest, RowsAreThoseOfTheSource) {
  for (const schema::Precision precision : kPrecisions) {
    const Conversion conversion = ConvertWorkload(precision, false);
    std::set<const float*> source;
    for (const auto& table : conversion.source.tables) source.insert(table->floats.data());
    const Graph copy = conversion.program;
    ASSERT_FALSE(copy.tables.empty());
    for (const auto& table : copy.tables) {
      EXPECT_EQ(source.count(table->floats.data()), 1u);
      EXPECT_TRUE(table->packed.empty());
    }
  }
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
    auto image = BundleImage::Make(conversion.bundle, conversion.program.tables);
    EXPECT_TRUE(image.ok()) << image.status();
    uint64_t written = 0;
    const absl::Status status = file->Write(&*image, [&](uint64_t bytes) { written += bytes; });
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
  ASSERT_TRUE(file->file()->Commit().ok());
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
  ASSERT_TRUE(file->file()->Commit().ok());
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
