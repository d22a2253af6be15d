#include "converter/catalog/catalog.h"

#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "converter/catalog/check.h"
#include "converter/request/request.h"
#include "converter/spec/feature_set.h"
#include "converter/spec/spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum Feature : size_t { kItem, kGenre, kTags, kCount, kYear, kWord };

const FeatureSet& Features() {
  static const FeatureSet* const kSet = [] {
    const auto spec = ParseSpec(R"({
      "model":{"name":"m","kind":"wide_deep"},"features":[
        {"name":"item","side":"candidate","type":"categorical",
         "vocabulary":{"kind":"list","values":[30,10,20],"first_row":1,"out_of_vocabulary_row":0}},
        {"name":"genre","side":"candidate","type":"categorical","vocabulary":{"kind":"list","values":["a","b"]}},
        {"name":"tags","side":"candidate","type":"multi_categorical","max_values":3,"length":"count",
         "vocabulary":{"kind":"identity","size":9}},
        {"name":"count","side":"candidate","type":"length"},
        {"name":"year","side":"candidate","type":"numeric","transform":[{"kind":"affine","subtract":2000}]},
        {"name":"word","side":"candidate","type":"categorical","vocabulary":{"kind":"hash","buckets":9}}],
      "wide":{"features":["item"]}})",
                                "s.json");
    EXPECT_TRUE(spec.ok()) << spec.status();
    return new FeatureSet(*BuildFeatureSet(*spec));
  }();
  return *kSet;
}

absl::StatusOr<std::unique_ptr<schema::CatalogT>> Build(const std::string& lines,
                                                        size_t key = kItem) {
  const std::string path = testing::TempDir() + "/catalog.jsonl";
  std::ofstream(path) << lines;
  const auto items = ReadCatalog(path, Features());
  EXPECT_TRUE(items.ok()) << items.status();
  return BuildCatalog(*items, Features(), key);
}

std::string MessageOf(const std::string& lines, size_t key = kItem) {
  return std::string(Build(lines, key).status().message());
}

const schema::CatalogColumnT& Column(const schema::CatalogT& catalog, size_t feature) {
  for (const auto& column : catalog.columns) {
    if (column->feature == feature) return *column;
  }
  ADD_FAILURE() << "no column " << feature;
  return *catalog.columns.front();
}

TEST(CatalogTest, ItemsAreSortedAndTheirFeaturesResolved) {
  const auto catalog = Build(
      "{\"item\":30,\"genre\":\"b\",\"tags\":[1,2],\"year\":2001}\n"
      "{\"item\":-5,\"genre\":\"a\",\"tags\":[],\"year\":1999}\n"
      "{\"item\":10,\"genre\":\"b\",\"tags\":[8],\"year\":2000}\n");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ((*catalog)->key_feature, kItem);
  EXPECT_EQ((*catalog)->item_count, 3u);
  EXPECT_THAT((*catalog)->ids, ElementsAre(-5, 10, 30));
  ASSERT_EQ((*catalog)->columns.size(), 3u);
  EXPECT_THAT(Column(**catalog, kGenre).rows, ElementsAre(0, 1, 1));
  EXPECT_THAT(Column(**catalog, kTags).rows, ElementsAre(8, 1, 2));
  EXPECT_THAT(Column(**catalog, kTags).row_splits, ElementsAre(0, 0, 1, 3));
  EXPECT_THAT(Column(**catalog, kYear).numbers, ElementsAre(-1, 0, 1));
  EXPECT_TRUE(CheckLookups(Features(), catalog->get()).ok());
}

TEST(CatalogTest, StringKeysAreSortedBytewise) {
  const auto catalog = Build(
      "{\"word\":\"b\",\"year\":1}\n{\"word\":\"\",\"year\":2}\n{\"word\":\"abc\",\"year\":3}\n",
      kWord);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_TRUE((*catalog)->ids.empty());
  EXPECT_THAT((*catalog)->string_offsets, ElementsAre(0, 0, 3, 4));
  EXPECT_EQ(std::string((*catalog)->string_bytes.begin(), (*catalog)->string_bytes.end()), "abcb");
  EXPECT_THAT(Column(**catalog, kYear).numbers, ElementsAre(-1998, -1997, -1999));
  EXPECT_TRUE(CheckLookups(Features(), catalog->get()).ok());
}

TEST(CatalogTest, LengthsAreAppliedAndNotKept) {
  const auto catalog =
      Build("{\"item\":1,\"tags\":[4,5],\"count\":1}\n{\"item\":2,\"tags\":[4,5],\"count\":3}\n");
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  ASSERT_EQ((*catalog)->columns.size(), 1u);
  EXPECT_THAT(Column(**catalog, kTags).rows, ElementsAre(4, 4, 5, 0));
  EXPECT_THAT(Column(**catalog, kTags).row_splits, ElementsAre(0, 1, 4));
}

TEST(CatalogTest, FaultsNameTheItem) {
  EXPECT_EQ(MessageOf("{\"item\":7,\"year\":1}\n{\"item\":7,\"year\":2}\n"),
            "catalog: item 7 occurs twice");
  EXPECT_EQ(MessageOf("{\"year\":1}\n"),
            "catalog: its items have no 'item', which is the spec's key");
  EXPECT_THAT(MessageOf("{\"item\":7,\"genre\":\"c\"}\n"),
              HasSubstr("catalog: item 7: candidate feature 'genre': unknown id \"c\""));
  EXPECT_THAT(MessageOf("{\"item\":7,\"tags\":[1,2,3,4]}\n"),
              HasSubstr("catalog: item 7: candidate feature 'tags': 4 values were given"));
  EXPECT_THAT(MessageOf("{\"item\":7,\"tags\":[1],\"count\":4}\n"),
              HasSubstr("cannot keep the length 4 above max_values 3"));
  EXPECT_THAT(MessageOf("{\"item\":7,\"count\":4}\n"),
              HasSubstr("'count' is the length of no feature that the catalog has"));
  EXPECT_THAT(MessageOf("{\"word\":\"a\"}\n{\"word\":1}\n", kWord),
              HasSubstr("some ids are integers and others strings"));
}

TEST(CheckLookupsTest, FindsEveryDamage) {
  const auto damaged = [](auto damage) {
    auto catalog = *Build(
        "{\"item\":30,\"genre\":\"b\",\"tags\":[1],\"year\":1}\n"
        "{\"item\":10,\"genre\":\"a\",\"tags\":[2],\"year\":2}\n");
    damage(catalog.get());
    return !CheckLookups(Features(), catalog.get()).ok();
  };
  EXPECT_FALSE(damaged([](schema::CatalogT*) {}));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) { std::swap(c->ids[0], c->ids[1]); }));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) { c->ids.pop_back(); }));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) { c->item_count = 3; }));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) { c->key_feature = 99; }));
  for (auto feature : {kGenre, kTags}) {
    EXPECT_TRUE(damaged([&](schema::CatalogT* c) {
      const_cast<schema::CatalogColumnT&>(Column(*c, feature)).rows[0] = 9;
    }));
  }
  EXPECT_TRUE(damaged([](schema::CatalogT* c) {
    const_cast<schema::CatalogColumnT&>(Column(*c, kTags)).row_splits[1] = 7;
  }));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) {
    const_cast<schema::CatalogColumnT&>(Column(*c, kYear)).numbers.pop_back();
  }));
  EXPECT_TRUE(damaged([](schema::CatalogT* c) { c->columns[0]->feature = 77; }));
}

}  // namespace
}  // namespace handpick::converter
