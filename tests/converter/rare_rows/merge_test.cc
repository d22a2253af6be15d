// Merged rows, by hand.
#include "converter/rare_rows/merge.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "converter/catalog/check.h"
#include "converter/rare_rows/groups.h"
#include "converter/reference/interpreter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/rare_rows/films.h"
#include "tests/support/change_features.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

MergedRows Merge(const Graph& graph, const std::string& lines, uint64_t min_count,
                 schema::ElementType type = schema::ElementType::Float32) {
  const auto counts = CountsOf(graph, lines);
  EXPECT_TRUE(counts.ok()) << counts.status();
  return MergeRareRows(graph, FindTableGroups(graph), *counts, min_count, type);
}

std::vector<float> NumbersOf(const Graph& graph, TableId table) {
  const TableData& data = *graph.tables[table];
  EXPECT_EQ(data.floats.size(), uint64_t{data.rows} * data.dimension);
  return {data.floats.begin(), data.floats.end()};
}

// Films 20, 40 and 50 are rare: rows 2, 4 and 5, seen 1, 3 and 0 times.
constexpr char kFilmCounts[] = "film,10,9\nfilm,20,1\nfilm,30,7\nfilm,40,3\n";

Request RequestOf(int64_t seen, int64_t film) {
  Request request;
  request.context = {{kUserId, {{int64_t{3}}}}};
  request.event_counts = {1};
  request.history = {{kSeenFilm, {{seen}}}};
  request.candidate_count = 1;
  request.candidates = {{kFilm, {{film}}},
                        {kGenre, {{std::string("b")}}},
                        {kWord, {{std::string("w")}}},
                        {kShelf, {{int64_t{2}}}}};
  return request;
}

double LogitOf(const Graph& graph, int64_t seen, int64_t film) {
  const auto logits = EvaluateReference(graph, RequestOf(seen, film));
  EXPECT_TRUE(logits.ok()) << logits.status();
  return logits.ok() ? (*logits)[0] : 0;
}

TEST(MergeRareRowsTest, RareRowsOfAllTablesBecomeTheirWeightedMean) {
  const Graph graph = FilmGraph();
  const MergedRows merged = Merge(graph, kFilmCounts, 4);
  ASSERT_TRUE(Verify(merged.graph).ok()) << Verify(merged.graph);
  // Rows 0, 1, 3 stay; (1 * 20 + 3 * 40 + 0 * 50) / 4 = 35 stands where the first of them did.
  EXPECT_THAT(NumbersOf(merged.graph, 0), ElementsAre(0, 1, 10, 11, 35, 36, 30, 31));
  EXPECT_THAT(NumbersOf(merged.graph, 1), ElementsAre(0, 10, 35, 30));
  EXPECT_EQ(merged.graph.tables[2], graph.tables[2]) << "others are what they were";
  ASSERT_EQ(merged.groups.size(), 1u);
  EXPECT_THAT(merged.groups[0].features, ElementsAre("history.film", "candidate.film"));
  EXPECT_THAT(merged.groups[0].tables, ElementsAre("film", "bias"));
  EXPECT_EQ(merged.groups[0].rows, 6u);
  EXPECT_EQ(merged.groups[0].merged, 3u);
  EXPECT_EQ(merged.groups[0].count, 4u);
  const FeatureSet& features = *merged.graph.features;
  ASSERT_TRUE(CheckLookups(features, nullptr).ok());
  const schema::FeatureT& seen = *features.features[kSeenFilm];
  const schema::FeatureT& film = *features.features[kFilm];
  EXPECT_EQ(seen.vocabulary, film.vocabulary) << "one list for both";
  EXPECT_EQ(seen.padding_row, 0);
  const schema::VocabularyT& films = *features.vocabularies[film.vocabulary];
  EXPECT_THAT(films.ids, ElementsAre(10, 20, 30, 40, 50));
  EXPECT_THAT(films.rows, ElementsAre(1, 2, 3, 2, 2));
  EXPECT_EQ(films.row_count, 4u);
  EXPECT_EQ(films.out_of_vocabulary_row, 0);
  EXPECT_THAT(merged.new_rows[kFilm], ElementsAre(0, 1, 2, 3, 2, 2));
  EXPECT_THAT(merged.new_rows[kGenre], IsEmpty());
}

TEST(MergeRareRowsTest, RequestsWithoutMergedIdsAreTheSameToTheLastBit) {
  const Graph graph = FilmGraph();
  const Graph merged = Merge(graph, kFilmCounts, 4).graph;
  for (const int64_t seen : {10, 30, 99}) {
    for (const int64_t film : {10, 30, 99}) {
      EXPECT_EQ(LogitOf(merged, seen, film), LogitOf(graph, seen, film)) << seen << " " << film;
    }
  }
  const double before = LogitOf(graph, 10, 20);
  // Of film 20: embedding (20, 21), bias 20; as merged (35, 36), 35; seen film 10 is (10, 11).
  EXPECT_NEAR(LogitOf(merged, 10, 20) - before, 10 * 15 + 11 * 15 + 15, 1e-9);
  EXPECT_EQ(LogitOf(merged, 10, 40), LogitOf(merged, 10, 20));
  EXPECT_EQ(LogitOf(merged, 50, 40), LogitOf(merged, 20, 20));
}

TEST(MergeRareRowsTest, WhatTrainingNeverSawIsAPlainMean) {
  const MergedRows merged = Merge(FilmGraph(), "film,10,9\nfilm,30,9\n", 1);
  // (20 + 40 + 50) / 3
  EXPECT_NEAR(NumbersOf(merged.graph, 1)[2], 110.0 / 3, 1e-5);
  EXPECT_EQ(merged.groups[0].count, 0u);
}

TEST(MergeRareRowsTest, OneRareRowIsNotMerged) {
  const MergedRows merged = Merge(FilmGraph(), kFilmCounts, 1);
  EXPECT_THAT(merged.groups, IsEmpty());
  EXPECT_EQ(NumbersOf(merged.graph, 1).size(), 6u);
}

TEST(MergeRareRowsTest, DefaultsMoveWithTheirRows) {
  Graph graph = FilmGraph();
  ChangeFeatures(&graph,
                 [](FeatureSet* features) { features->features[kGenre]->default_rows = {3}; });
  const MergedRows merged = Merge(graph, "genre,a,0\n", 5);
  // "d" is the default, and stays; it was row 3.
  EXPECT_THAT(NumbersOf(merged.graph, 2), ElementsAre(10, 30));
  EXPECT_THAT(merged.graph.features->features[kGenre]->default_rows, ElementsAre(1));
}

TEST(MergeRareRowsTest, IdsThatAreRowsBecomeAListWhereThatIsSmaller) {
  const std::string counts = "user,4,9\n";
  // 4 rows fewer of 16 bytes; a list of 6 ids takes 72.
  const MergedRows less = Merge(FilmGraph(), counts, 1);
  EXPECT_THAT(less.groups, IsEmpty());
  EXPECT_THAT(less.notices,
              ElementsAre("rows of user are not merged: 4 rows fewer save 64 bytes, and a list of "
                          "ids takes 72"));
  Graph wide = FilmGraph();
  TableData users = *wide.tables[3];
  std::vector<float> numbers;
  for (int r = 0; r < 6; ++r) {
    for (int j = 0; j < 8; ++j) numbers.push_back(static_cast<float>(10 * r + j % 4));
  }
  users.dimension = 8;
  users.floats = std::move(numbers);
  wide.tables[3] = std::make_shared<const TableData>(std::move(users));
  EXPECT_THAT(Merge(wide, counts, 1, schema::ElementType::Int8PerRow).groups, IsEmpty())
      << "rows of 12 bytes save 48";
  const MergedRows merged = Merge(wide, counts, 1);
  ASSERT_EQ(merged.groups.size(), 1u);
  const FeatureSet& features = *merged.graph.features;
  ASSERT_TRUE(CheckLookups(features, nullptr).ok());
  const schema::VocabularyT& list = *features.vocabularies[features.features[kUserId]->vocabulary];
  EXPECT_EQ(list.kind, schema::VocabularyKind::IntegerList);
  EXPECT_THAT(list.ids, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(list.rows, ElementsAre(0, 0, 0, 0, 1, 0));
  EXPECT_EQ(merged.graph.tables[3]->rows, 2u);
  // The shelves' ids are rows still.
  const schema::VocabularyT& shelves =
      *features.vocabularies[features.features[kShelf]->vocabulary];
  EXPECT_EQ(shelves.kind, schema::VocabularyKind::Identity);
  EXPECT_EQ(shelves.row_count, 3u);
}

TEST(MergeRareRowsTest, CatalogsFollow) {
  const MergedRows merged = Merge(FilmGraph(), kFilmCounts, 4);
  schema::CatalogT catalog;
  catalog.key_feature = kFilm;
  catalog.ids = {20, 30, 50};
  catalog.item_count = 3;
  for (const uint32_t feature : {kFilm, kGenre}) {
    catalog.columns.push_back(std::make_unique<schema::CatalogColumnT>());
    catalog.columns.back()->feature = feature;
  }
  catalog.columns[0]->rows = {2, 3, 5};
  catalog.columns[1]->rows = {3, 2, 1};
  MoveCatalogRows(merged.new_rows, &catalog);
  EXPECT_THAT(catalog.columns[0]->rows, ElementsAre(2, 3, 2));
  EXPECT_THAT(catalog.columns[1]->rows, ElementsAre(3, 2, 1));
  EXPECT_TRUE(CheckLookups(*merged.graph.features, &catalog).ok());
}

TEST(MergeRareRowsTest, AShorterTableOfTheGroupIsWhole) {
  // Biases of the first three films alone, by a feature of their own.
  Graph graph = FilmGraph();
  ChangeFeatures(&graph, [](FeatureSet* features) {
    auto few = std::make_unique<schema::VocabularyT>();
    few->kind = schema::VocabularyKind::IntegerList;
    few->row_count = 4;
    few->ids = {10, 20, 30};
    few->rows = {1, 2, 3};
    few->out_of_vocabulary_row = 0;
    features->features[kGenre]->vocabulary = static_cast<uint32_t>(features->vocabularies.size());
    features->features[kGenre]->default_rows = {1};
    features->vocabularies.push_back(std::move(few));
  });
  // The genre's table of 4 rows is read by films, too.
  for (Node& node : graph.nodes) {
    for (Lookup& lookup : node.op.lookups) {
      if (lookup.feature == kGenre) lookup.table = 0;
    }
  }
  EXPECT_THAT(FindTableGroups(graph)[0].features, ElementsAre(kSeenFilm, kFilm, kGenre));
  const MergedRows merged = Merge(graph, kFilmCounts, 4);
  const FeatureSet& after = *merged.graph.features;
  const schema::VocabularyT& list = *after.vocabularies[after.features[kGenre]->vocabulary];
  // Of rows 0 to 3, row 2 is rare: as many are left.
  EXPECT_EQ(list.row_count, 4u);
  EXPECT_THAT(list.rows, ElementsAre(1, 2, 3));
  EXPECT_TRUE(CheckLookups(after, nullptr).ok());
}

TEST(MergeRareRowsTest, MinCountsGoUpUntilNothingIsLeft) {
  const Graph graph = FilmGraph();
  const std::vector<TableGroup> groups = FindTableGroups(graph);
  const auto counts = CountsOf(graph, "film,10,90\nfilm,20,1\nfilm,30,7\nfilm,40,3\n");
  ASSERT_TRUE(counts.ok()) << counts.status();
  // Counts are 90, 1, 7, 3 and 0: 2 merges two, 5 three, 10 four, 100 all.
  EXPECT_THAT(MinCountsToTry(groups, *counts), ElementsAre(2, 5, 10, 100));
  const auto most = CountsOf(graph, "film,10,9007199254740992\n");
  EXPECT_THAT(MinCountsToTry(groups, *most), ElementsAre(1, 10000000000000000));
}

}  // namespace
}  // namespace handpick::converter
