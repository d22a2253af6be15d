// Item vectors from word2vec files, archives of tensors, and tables of a model.
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "converter/emit/emit.h"
#include "converter/io/files.h"
#include "converter/vectors/item_vectors.h"
#include "converter/vectors/read.h"
#include "converter/vectors/table.h"
#include "converter/vectors/word2vec.h"
#include "converter/vectors/write.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "schema/bundle_generated.h"
#include "tests/converter/weights/tensorflow_testing.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kBig = 9007199254740993;  // 2^53 + 1, which neither float nor double can hold.

template <typename T>
void ExpectFault(const absl::StatusOr<T>& result, const std::string& words) {
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(words));
}

std::string Bytes(const std::vector<float>& numbers) {
  std::string bytes(numbers.size() * sizeof(float), '\0');
  std::memcpy(&bytes[0], numbers.data(), bytes.size());
  return bytes;
}

absl::StatusOr<ItemVectors> Text(const std::string& text, IdType type = IdType::kEither) {
  return ParseWord2VecText(text, type, "items.txt");
}
absl::StatusOr<ItemVectors> Binary(const std::string& bytes, IdType type = IdType::kEither) {
  return ParseWord2VecBinary(bytes, type, "items.bin");
}

TEST(Word2VecTextTest, ReadsItemsInTheOrderOfTheirIds) {
  const auto items = Text("3 2\n10 1.5 -2\n9 0 1e-3 \n\t-7  3 4\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_FALSE(items->ids.are_strings);
  EXPECT_THAT(items->ids.integers, ElementsAre(-7, 9, 10));
  EXPECT_EQ(items->dimension, 2u);
  EXPECT_THAT(items->numbers, ElementsAre(3, 4, 0, 1e-3f, 1.5f, -2));
}

TEST(Word2VecTextTest, OneIdThatIsNoIntegerMakesAllStrings) {
  const auto items = Text("3 1\n10 1\n9 2\n007 3");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_TRUE(items->ids.are_strings);
  EXPECT_THAT(items->ids.strings, ElementsAre("007", "10", "9"));
  EXPECT_THAT(items->numbers, ElementsAre(3, 1, 2));
  ExpectFault(Text("3 1\n10 1\n9 2\n007 3", IdType::kInteger), "id '007' is no integer of 64 bits");
}

TEST(Word2VecTextTest, IntegersMayBeWantedAsStrings) {
  const auto items = Text("2 1\n10 1\n9 2\n", IdType::kString);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.strings, ElementsAre("10", "9"));
}

TEST(Word2VecTextTest, IdsUseAll64Bits) {
  const auto items = Text(absl::StrCat("2 1\n", kBig, " 1\n", kBig - 1, " 2\n"));
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(kBig - 1, kBig));
}

TEST(Word2VecTextTest, NamesWhatIsWrong) {
  ExpectFault(Text(""), "items.txt: its first line is not 'COUNT DIMENSION'");
  ExpectFault(Text("7 1.5 2.5\n"),
              "its first line is not 'COUNT DIMENSION', as word2vec writes it: '7 1.5 2.5'");
  ExpectFault(Text("id,\tx\r\n7 1\n"), "as word2vec writes it: 'id,\\tx\\r'");
  ExpectFault(Text(std::string(100, 'x')), absl::StrCat("writes it: '", std::string(40, 'x'), "'"));
  ExpectFault(Text("2 -3\n"), "its first line is not");
  ExpectFault(Text("0 3\n"), "says 0 items of 3 numbers, expected 1 to");
  ExpectFault(Text("1 99999999\n"), "says 1 items of 99999999 numbers");
  ExpectFault(Text("1000000000 16384\n7 1\n"), "is truncated");
  ExpectFault(Text("2 2\n7 1 2\n"), "is truncated");
  ExpectFault(Text("2 1\n7 1.0000000000\n"), "is truncated: 1 items, the first line says 2");
  ExpectFault(Text("1 1\n7 1\n8 1\n"), "line 3: more items than the first line says, 1");
  ExpectFault(Text("1 2\n7 1     \n"), "line 2, item '7': 1 numbers, the first line says 2");
  ExpectFault(Text("1 2\n7 1 2 3\n"), "line 2, item '7': 3 numbers, the first line says 2");
  ExpectFault(Text("1 2\n7 1 x\n"), "line 2, item '7': 'x' is no number");
  ExpectFault(Text("1 2\n7 1 nan\n"), "item 7: number 1 is NaN");
  ExpectFault(Text("1 2\nx -inf 1\n"), "item 'x': number 0 is infinite");
  ExpectFault(Text("2 1\n7 1\n7 2\n"), "item 7 occurs twice");
}

TEST(Word2VecTextTest, SkipsAByteOrderMark) {
  const auto items = Text(
      "\xEF\xBB\xBF"
      "2 1\n10 1\n9 2\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(9, 10));
}

// An app asks by texts that are UTF-8, and would never find others.
TEST(Word2VecTextTest, IdsAreTexts) {
  ExpectFault(Text("2 1\ncaf\xE9 1\nb 2\n"), "items.txt: line 2: the id 'caf\\351' is no UTF-8");
  ExpectFault(Text("2 1\na 1\nb\x1B[2J 2\n"), "line 3: the id 'b\\033[2J' has control characters");
  const auto items = Text("2 1\ncaf\xC3\xA9 1\n\xF0\x9F\x8E\xAC 2\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.strings, ElementsAre("caf\xC3\xA9", "\xF0\x9F\x8E\xAC"));
}

// What word2vec's own tool writes first, whatever the other ids are.
TEST(Word2VecTextTest, SaysWhichIdMakesAllStrings) {
  std::string text = "21 1\n</s> 1\n";
  for (int i = 0; i < 20; ++i) absl::StrAppend(&text, i, " 1\n");
  const auto items = Text(text);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_EQ(WhyStrings(items->ids),
            "ids are strings, since '</s>' is no integer, as 20 of 21 ids are");
  EXPECT_EQ(WhyStrings(Text("2 1\n\"8\" 1\n\"7\" 1\n")->ids),
            "ids are strings, and their quotes belong to them, as in \"7\"");
  EXPECT_EQ(WhyStrings(Text("2 1\n'b' 1\n'a' 1\n")->ids),
            "ids are strings, and their quotes belong to them, as in 'a'");
  EXPECT_EQ(WhyStrings(Text("2 1\n\"a 1\nb\" 1\n")->ids), "");
  EXPECT_EQ(WhyStrings(Text("2 1\na 1\n7 1\n")->ids), "");
  EXPECT_EQ(WhyStrings(Text("2 1\n8 1\n7 1\n")->ids), "");
  EXPECT_EQ(WhyStrings(Text("2 1\n8 1\n7 1\n", IdType::kString)->ids), "");
}

TEST(Word2VecBinaryTest, ReadsItemsWithLineFeedsAndWithout) {
  for (const char* separator : {"", "\n"}) {
    // The first number's first byte is a space, and the second item's a line feed.
    const float space = 1.00000381f, feed = 1.00000119f;
    ASSERT_EQ(Bytes({space})[0], ' ');
    ASSERT_EQ(Bytes({feed})[0], '\n');
    const auto items = Binary(
        absl::StrCat("2 2\nb ", Bytes({space, 2}), separator, "a ", Bytes({feed, -4}), separator));
    ASSERT_TRUE(items.ok()) << items.status();
    EXPECT_THAT(items->ids.strings, ElementsAre("a", "b"));
    EXPECT_THAT(items->numbers, ElementsAre(feed, -4, space, 2));
  }
}

TEST(Word2VecBinaryTest, EveryTruncationIsRefused) {
  const std::string whole = absl::StrCat("2 2\n7 ", Bytes({1, 2}), "\n9 ", Bytes({3, 4}));
  ASSERT_TRUE(Binary(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Binary(whole.substr(0, size)).ok()) << size;
  }
  ExpectFault(Binary(whole + "x"), "1 bytes after the last of 2 items");
}

TEST(Word2VecBinaryTest, NamesWhatIsWrong) {
  ExpectFault(Binary(absl::StrCat("1 1\n ", Bytes({1}))), "not word2vec's binary form, at item 0");
  ExpectFault(Binary(absl::StrCat("1 1\n7 ", Bytes({std::numeric_limits<float>::quiet_NaN()}))),
              "items.bin: item 7: number 0 is NaN");
  ExpectFault(Binary(absl::StrCat("2 1\n7 ", Bytes({1}), "7 ", Bytes({2}))), "item 7 occurs twice");
  // The id is 'a b': its second half is read as numbers, and numbers as ids.
  ExpectFault(Binary(absl::StrCat("3 1\na b ", Bytes({0.50097f}), "\n2 ", Bytes({-1}), "\n3 ",
                                  Bytes({0.25f}), "\n")),
              "; an id before it may have a space, which this form can't have");
  ExpectFault(Binary(absl::StrCat("1 1\ncaf\xE9 ", Bytes({1}))),
              "items.bin: item 0: the id 'caf\\351' is no UTF-8");
}

// [2, 2] vectors and two ids.
Weights Tensors() {
  Weights tensors;
  tensors["vectors"] = {{2, 2}, {1, 2, 3, 4}, {}};
  tensors["ids"] = {{2}, {static_cast<float>(kBig), 5}, {kBig, 5}};
  return tensors;
}

VectorsSource Archive() {
  VectorsSource source;
  source.path = "items.npz";
  return source;
}

TEST(TensorsTest, IdsKeepAll64Bits) {
  const auto items = VectorsOfTensors(Tensors(), Archive(), "");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(5, kBig));
  EXPECT_THAT(items->numbers, ElementsAre(3, 4, 1, 2));
}

TEST(TensorsTest, TheOnlyMatrixIsTheVectorsAndIdsMayComeFromAFile) {
  Weights tensors;
  tensors["item_embedding.weight"] = Tensors()["vectors"];
  VectorsSource source = Archive();
  source.ids_path = "ids.txt";
  const auto items = VectorsOfTensors(tensors, source, "b\r\na b\r\n");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.strings, ElementsAre("a b", "b"));
  EXPECT_THAT(items->numbers, ElementsAre(3, 4, 1, 2));
  ExpectFault(VectorsOfTensors(tensors, source, "a\n"), "shape [2, 2], but ids.txt has 1 ids");
  ExpectFault(VectorsOfTensors(tensors, source, "a\n\n"), "ids.txt: line 2 has no id");
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "has no tensor 'ids'");
}

TEST(TensorsTest, NamesWhatIsWrong) {
  VectorsSource source = Archive();
  source.vectors_tensor = "vector";
  ExpectFault(VectorsOfTensors(Tensors(), source, ""),
              "items.npz: has no tensor 'vector' (did you mean 'vectors'?)");
  Weights tensors = Tensors();
  tensors["vectors"].shape = {4};
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "shape [4], expected [items, numbers]");
  tensors = Tensors();
  tensors["ids"].integers.clear();
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "tensor 'ids': shape [2] of floats");
  tensors = Tensors();
  tensors["ids"] = {{3}, {1, 2, 3}, {1, 2, 3}};
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "shape [2, 2], but tensor 'ids' has 3 ids");
  tensors = Tensors();
  tensors["ids"].integers = {5, 5};
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "item 5 occurs twice");
  tensors.clear();
  tensors["a"] = tensors["b"] = Tensors()["vectors"];
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""),
              "has no tensor 'vectors', and 2 of two dimensions");
  tensors.clear();
  tensors["vectors"] = {{0, 2}, {}, {}};
  tensors["ids"] = {{0}, {}, {}};
  ExpectFault(VectorsOfTensors(tensors, Archive(), ""), "has no items");
}

TEST(ReadItemVectorsTest, ReadsFilesByTheirExtensionOrAsTold) {
  VectorsSource source;
  source.path = testing::TempDir() + "/items.vec";
  ASSERT_TRUE(WriteFileAtomically(source.path, "1 1\n7 0.5\n").ok());
  auto items = ReadItemVectors(source);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(7));

  source.path = testing::TempDir() + "/items.data";
  ASSERT_TRUE(WriteFileAtomically(source.path, absl::StrCat("1 1\n7 ", Bytes({0.5}))).ok());
  ExpectFault(ReadItemVectors(source), "its form is not known by its bytes or its extension");
  source.format = "word2vec-binary";
  items = ReadItemVectors(source);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->numbers, ElementsAre(0.5f));
  source.format = "word2vec";
  ExpectFault(ReadItemVectors(source), "its form is 'word2vec'");
  source.format = "word2vec-text";
  source.ids_path = "ids.txt";
  ExpectFault(ReadItemVectors(source), "a word2vec file has its own ids");
}

std::string Int64s(const std::vector<int64_t>& numbers) {
  std::string bytes(numbers.size() * sizeof(int64_t), '\0');
  std::memcpy(&bytes[0], numbers.data(), bytes.size());
  return bytes;
}

// Of every form that weights have; --vectors-tensor and --ids-tensor name tensors as they are
// there.
TEST(ReadItemVectorsTest, ReadsCheckpointsOfTensorFlow) {
  const std::string folder = testing::TempDir() + "/exported";
  std::filesystem::create_directories(folder + "/variables");
  Checkpoint checkpoint;
  checkpoint.Add("item/embeddings/.ATTRIBUTES/VARIABLE_VALUE", 1, {2, 2}, Bytes({1, 2, 3, 4}));
  checkpoint.Add("numbers/.ATTRIBUTES/VARIABLE_VALUE", 9, {2}, Int64s({kBig, 5}));
  checkpoint.Add("other/.ATTRIBUTES/VARIABLE_VALUE", 1, {1, 2}, Bytes({7, 8}));
  const std::string stem = folder + "/variables/variables";
  ASSERT_TRUE(WriteFileAtomically(stem + ".index", checkpoint.Index()).ok());
  ASSERT_TRUE(WriteFileAtomically(stem + ".data-00000-of-00001", checkpoint.data).ok());
  for (const std::string& path : {folder, stem, stem + ".index"}) {
    for (const char* const format : {"", "tensorflow"}) {
      VectorsSource source;
      source.path = path;
      source.format = format;
      source.vectors_tensor = "item/embeddings";
      source.ids_tensor = "numbers";
      const auto items = ReadItemVectors(source);
      ASSERT_TRUE(items.ok()) << items.status();
      EXPECT_THAT(items->ids.integers, ElementsAre(5, kBig));
      EXPECT_THAT(items->numbers, ElementsAre(3, 4, 1, 2));
      const auto files = FilesOfVectors(source);
      ASSERT_TRUE(files.ok()) << files.status();
      EXPECT_THAT(*files, ElementsAre(stem + ".index", stem + ".data-00000-of-00001"));
      source.vectors_tensor = "";
      ExpectFault(ReadItemVectors(source), "has no tensor 'vectors', and 2 of two dimensions");
    }
  }
  VectorsSource source;
  source.path = stem + ".data-00000-of-00001";
  ExpectFault(ReadItemVectors(source), "expected its index, 'variables.index'");
}

// A file's bytes say that it is an archive, whatever its name.
TEST(ReadItemVectorsTest, KnowsArchivesByTheirBytes) {
  ItemVectors written;
  written.ids.integers = {3, 9};
  written.dimension = 1;
  written.numbers = {0.5F, 2};
  VectorsSource source;
  source.path = testing::TempDir() + "/items.bin";  // Otherwise word2vec's.
  ASSERT_TRUE(WriteFileAtomically(source.path, SafetensorsOfVectors(written)).ok());
  const auto items = ReadItemVectors(source);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(3, 9));
  EXPECT_THAT(items->numbers, ElementsAre(0.5F, 2));
  EXPECT_THAT(*FilesOfVectors(source), ElementsAre(source.path));
}

// A bundle of one table [4, 2], in float32 or 8 bits, and a categorical feature.
class TableTest : public testing::Test {
 protected:
  void SetUp() override {
    auto feature = std::make_unique<schema::FeatureT>();
    feature->name = "movie_id";
    feature->side = schema::Side::Candidate;
    feature->type = schema::FeatureType::Categorical;
    features_.features.push_back(std::move(feature));
    features_.vocabularies.push_back(std::make_unique<schema::VocabularyT>());
    vocabulary().kind = schema::VocabularyKind::IntegerList;
    vocabulary().row_count = 4;
    vocabulary().out_of_vocabulary_row = 0;
    vocabulary().ids = {5, 70, 900};
    vocabulary().rows = {3, 1, 2};
    table_.name = "embedding.movie_id";
    table_.row_count = 4;
    table_.dimension = 2;
    table_.type = schema::ElementType::Float32;
    const std::string bytes = Bytes({0, 1, 10, 11, 20, 21, 30, 31});
    table_.data.assign(bytes.begin(), bytes.end());
  }

  schema::VocabularyT& vocabulary() { return *features_.vocabularies[0]; }

  absl::StatusOr<ItemVectors> Read(const std::string& table) {
    schema::BundleT bundle;
    bundle.model_name = "test";
    bundle.tables.push_back(std::make_unique<schema::EmbeddingTableT>(table_));
    const auto bytes = Serialize(bundle);
    if (!bytes.ok()) return bytes.status();
    const AlignedBytes aligned(*bytes);
    return VectorsOfTable(*schema::GetBundle(aligned.data()), features_, table, 0, "b.hpk");
  }

  FeatureSet features_;
  schema::EmbeddingTableT table_;
};

TEST_F(TableTest, TakesTheRowsOfTheListedIds) {
  const auto items = Read("embedding.movie_id");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(5, 70, 900));
  EXPECT_THAT(items->numbers, ElementsAre(30, 31, 10, 11, 20, 21));
}

TEST_F(TableTest, TakesStringsAndNumbersBelowTheRows) {
  vocabulary().kind = schema::VocabularyKind::StringList;
  vocabulary().ids.clear();
  vocabulary().rows = {1, 2};
  vocabulary().string_offsets = {0, 1, 3};
  vocabulary().string_bytes = {'a', 'b', 'c'};
  auto items = Read("embedding.movie_id");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.strings, ElementsAre("a", "bc"));
  EXPECT_THAT(items->numbers, ElementsAre(10, 11, 20, 21));

  vocabulary() = {};
  vocabulary().kind = schema::VocabularyKind::Identity;
  vocabulary().row_count = 4;
  vocabulary().out_of_vocabulary_row = 2;
  items = Read("embedding.movie_id");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->ids.integers, ElementsAre(0, 1, 3));
  EXPECT_THAT(items->numbers, ElementsAre(0, 1, 10, 11, 30, 31));
}

TEST_F(TableTest, ReadsRowsOfEightBits) {
  table_.type = schema::ElementType::Int8PerRow;
  table_.data.clear();
  const auto add_row = [&](float scale, uint8_t a, uint8_t b) {
    const std::string bytes = Bytes({scale});
    table_.data.insert(table_.data.end(), bytes.begin(), bytes.end());
    table_.data.insert(table_.data.end(), {a, b, 0, 0});
  };
  add_row(1, 0, 0);
  add_row(0.5, 1, 255);
  add_row(2, 4, 128);
  add_row(3, 2, 127);
  const auto items = Read("embedding.movie_id");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->numbers, ElementsAre(6, 381, 0.5, -0.5, 8, -256));
}

TEST_F(TableTest, ReadsRowsOfHalves) {
  table_.type = schema::ElementType::Float16;
  // 0, 1, -2, 65504, 2^-14, 2^-24, 1/3 as a half, -0
  const uint16_t halves[] = {0, 0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555, 0x8000};
  table_.data.resize(sizeof(halves));
  std::memcpy(table_.data.data(), halves, sizeof(halves));
  const auto items = Read("embedding.movie_id");
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(items->numbers, ElementsAre(0.333251953125f, -0.0f, -2, 65504, 0x1p-14f, 0x1p-24f));
}

TEST_F(TableTest, NamesWhatIsWrong) {
  ExpectFault(Read("embedding.movie"), "b.hpk: has no embedding table 'embedding.movie' (did you");
  vocabulary().rows = {3, 1, 4};
  ExpectFault(Read("embedding.movie_id"),
              "feature 'movie_id' leads to row 4 of table 'embedding.movie_id', which has 4");
  vocabulary().kind = schema::VocabularyKind::Hash;
  ExpectFault(Read("embedding.movie_id"), "is hashed");
  features_.features[0]->type = schema::FeatureType::Numeric;
  ExpectFault(Read("embedding.movie_id"), "expected a categorical one");
}

}  // namespace
}  // namespace handpick::converter
