#include "converter/recall/index_bundle.h"

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace handpick::converter {
namespace {

ItemIdList Integers(std::vector<int64_t> ids) {
  ItemIdList list;
  list.integers = std::move(ids);
  return list;
}

ItemIdList Strings(std::vector<std::string> ids) {
  ItemIdList list;
  list.are_strings = true;
  list.strings = std::move(ids);
  return list;
}

schema::RecallIndexT IndexOf(uint32_t items) {
  schema::RecallIndexT index;
  index.item_count = items;
  index.dimension = 4;
  return index;
}

void AddFeature(const char* name, schema::Side side, schema::VocabularyKind kind,
                schema::BundleT* bundle) {
  auto feature = std::make_unique<schema::FeatureT>();
  feature->name = name;
  feature->side = side;
  feature->type = schema::FeatureType::Categorical;
  feature->vocabulary = static_cast<uint32_t>(bundle->vocabularies.size());
  bundle->features.push_back(std::move(feature));
  bundle->vocabularies.push_back(std::make_unique<schema::VocabularyT>());
  bundle->vocabularies.back()->kind = kind;
}

// Features 0 to 3; a value of the context that is as wide as the index, and others that are not it.
schema::BundleT Model() {
  using schema::Side;
  using schema::VocabularyKind;
  schema::BundleT bundle;
  AddFeature("user", Side::Context, VocabularyKind::Identity, &bundle);
  AddFeature("movie", Side::History, VocabularyKind::IntegerList, &bundle);
  AddFeature("movie", Side::Candidate, VocabularyKind::IntegerList, &bundle);
  AddFeature("title", Side::Candidate, VocabularyKind::StringList, &bundle);
  for (const auto& [name, domain, width] :
       {std::make_tuple("narrow", schema::Domain::Context, 3u),
        std::make_tuple("item", schema::Domain::Candidate, 4u),
        std::make_tuple("tower", schema::Domain::Context, 4u)}) {
    auto buffer = std::make_unique<schema::BufferT>();
    buffer->domain = domain;
    buffer->width = width;
    auto value = std::make_unique<schema::ValueT>();
    value->name = name;
    value->buffer = static_cast<uint32_t>(bundle.buffers.size());
    value->width = width;
    bundle.buffers.push_back(std::move(buffer));
    bundle.values.push_back(std::move(value));
  }
  return bundle;
}

void AddCatalog(std::vector<int64_t> ids, schema::BundleT* bundle) {
  bundle->catalog = std::make_unique<schema::CatalogT>();
  bundle->catalog->key_feature = 2;
  bundle->catalog->item_count = static_cast<uint32_t>(ids.size());
  bundle->catalog->ids = std::move(ids);
}

TEST(PutRecallIndexTest, TheCatalogsKeyNamesTheItems) {
  schema::BundleT bundle = Model();
  AddCatalog({3, 5, 9}, &bundle);
  bundle.format_minor = 1;
  ASSERT_TRUE(PutRecallIndex(IndexOf(2), Integers({3, 9}), {}, &bundle).ok());
  EXPECT_EQ(bundle.recall->candidate_feature, 2);
  EXPECT_EQ(bundle.recall->history_feature, 1);
  EXPECT_EQ(bundle.recall->user_value, -1);
  EXPECT_FALSE(bundle.recall->items_of_catalog);
  EXPECT_EQ(bundle.recall->item_ids, (std::vector<int64_t>{3, 9}));
  EXPECT_EQ(bundle.format_minor, 1);
  // Exactly the catalog's: kept once. The index before is gone.
  ASSERT_TRUE(PutRecallIndex(IndexOf(3), Integers({3, 5, 9}), {"", "", "tower"}, &bundle).ok());
  EXPECT_TRUE(bundle.recall->items_of_catalog);
  EXPECT_TRUE(bundle.recall->item_ids.empty());
  EXPECT_EQ(bundle.recall->user_value, 2);
  EXPECT_EQ(ItemIdsOf(*bundle.recall, bundle.catalog.get())->integers,
            (std::vector<int64_t>{3, 5, 9}));
}

TEST(PutRecallIndexTest, WithoutACatalogNamesSayWhatIsWhat) {
  schema::BundleT bundle = Model();
  ASSERT_TRUE(PutRecallIndex(IndexOf(1), Integers({3}), {}, &bundle).ok());
  EXPECT_EQ(bundle.recall->candidate_feature, -1);
  EXPECT_EQ(bundle.recall->history_feature, -1);
  ASSERT_TRUE(PutRecallIndex(IndexOf(1), Integers({3}), {"", "movie", ""}, &bundle).ok());
  EXPECT_EQ(bundle.recall->candidate_feature, 2);
  EXPECT_EQ(bundle.recall->history_feature, 1);
  ASSERT_TRUE(PutRecallIndex(IndexOf(1), Strings({"a"}), {"", "title", ""}, &bundle).ok());
  EXPECT_EQ(bundle.recall->candidate_feature, 3);
  EXPECT_EQ(bundle.recall->history_feature, -1);
}

TEST(PutRecallIndexTest, NamesThatDoNotFitAreErrors) {
  const auto message = [](const ItemIdList& ids, const RecallNames& names, bool catalog) {
    schema::BundleT bundle = Model();
    if (catalog) AddCatalog({3}, &bundle);
    const absl::Status status =
        PutRecallIndex(IndexOf(static_cast<uint32_t>(ids.size())), ids, names, &bundle);
    EXPECT_EQ(bundle.recall, nullptr);
    return std::string(status.message());
  };
  const ItemIdList some = Integers({3});
  EXPECT_EQ(message(some, {"film", "", ""}, false),
            "the model has no categorical feature 'film' of the history; it has: movie");
  EXPECT_EQ(message(some, {"", "user", ""}, false),
            "the model has no categorical feature 'user' of the candidates; it has: movie, title");
  EXPECT_EQ(message(some, {"", "title", ""}, true),
            "the candidate feature is 'title', expected the catalog's key 'movie': what is "
            "recalled is looked up there");
  EXPECT_EQ(message(some, {"", "title", ""}, false),
            "feature 'title' takes ids of another type than the items', which are integers");
  EXPECT_EQ(message(Strings({"a"}), {"", "movie", ""}, false),
            "feature 'movie' takes ids of another type than the items', which are strings");
  EXPECT_EQ(message(some, {"", "", "towr"}, false),
            "the model computes no vector 'towr' of 4 numbers of the user: it has no value of that "
            "name; of 4 numbers are: tower");
  EXPECT_EQ(message(some, {"", "", "narrow"}, false),
            "the model computes no vector 'narrow' of 4 numbers of the user: that has 3; of 4 "
            "numbers are: tower");
  EXPECT_EQ(message(some, {"", "", "item"}, false),
            "the model computes no vector 'item' of 4 numbers of the user: that is none of the "
            "context, or rounded; of 4 numbers are: tower");
}

TEST(ItemIdsTest, ComeBackAsTheyWerePut) {
  schema::RecallIndexT index = IndexOf(3);
  EXPECT_EQ(ItemIdsOf(index, nullptr)->integers, (std::vector<int64_t>{0, 1, 2}));
  SetItemIds(Integers({-7, 0, 8}), &index);
  EXPECT_EQ(ItemIdsOf(index, nullptr)->integers, (std::vector<int64_t>{-7, 0, 8}));
  SetItemIds(Strings({"", "a", "bc"}), &index);
  const auto strings = ItemIdsOf(index, nullptr);
  ASSERT_TRUE(strings.ok());
  EXPECT_TRUE(strings->are_strings);
  EXPECT_EQ(strings->strings, (std::vector<std::string>{"", "a", "bc"}));
  EXPECT_TRUE(index.item_ids.empty());
}

TEST(ItemIdsTest, DamageIsAnError) {
  schema::RecallIndexT index = IndexOf(3);
  index.items_of_catalog = true;
  EXPECT_FALSE(ItemIdsOf(index, nullptr).ok());
  SetItemIds(Integers({1, 2}), &index);
  EXPECT_FALSE(ItemIdsOf(index, nullptr).ok());
  SetItemIds(Strings({"a", "b", "c"}), &index);
  index.item_string_offsets[2] = 9;
  EXPECT_FALSE(ItemIdsOf(index, nullptr).ok());
  index.item_string_offsets[2] = 0;
  EXPECT_FALSE(ItemIdsOf(index, nullptr).ok());
}

TEST(ItemIdsTest, ThoseOfACatalogAreCounted) {
  schema::CatalogT catalog;
  catalog.ids = {1, 4, 6};
  EXPECT_EQ(CountInCatalog(Integers({0, 1, 5, 6}), catalog), 2u);
  catalog.ids.clear();
  catalog.string_offsets = {0, 1, 3};
  catalog.string_bytes = {'a', 'b', 'c'};
  EXPECT_EQ(CountInCatalog(Strings({"a", "b", "bc"}), catalog), 2u);
}

}  // namespace
}  // namespace handpick::converter
