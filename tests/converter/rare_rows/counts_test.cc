// What a file of counts may say, and what of it is refused.
#include "converter/rare_rows/counts.h"

#include <string>

#include "converter/rare_rows/groups.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/converter/rare_rows/films.h"

namespace handpick::converter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string FaultOf(const std::string& lines) {
  return std::string(CountsOf(FilmGraph(), lines).status().message());
}

TEST(TableGroupsTest, TablesThatOneFeatureReadsChangeTogether) {
  const Graph graph = FilmGraph();
  const std::vector<TableGroup> groups = FindTableGroups(graph);
  ASSERT_EQ(groups.size(), 6u);
  // History and candidate share a table, and the candidate has another one.
  EXPECT_THAT(groups[0].features, ElementsAre(kSeenFilm, kFilm));
  EXPECT_THAT(groups[0].tables, ElementsAre(0, 1));
  EXPECT_EQ(groups[0].obstacle, "");
  // Padding and unknown ids are row 0.
  EXPECT_THAT(groups[0].is_ordinary, ElementsAre(false, true, true, true, true, true));
  // The default is.
  EXPECT_THAT(groups[1].is_ordinary, ElementsAre(false, true, true, true));
  EXPECT_THAT(groups[2].is_ordinary, ElementsAre(true, true, true, true, true, true));
  EXPECT_THAT(groups[3].obstacle, HasSubstr("feature 'word' has hashed ids"));
  EXPECT_THAT(groups[4].obstacle, HasSubstr("feature 'pair' is crossed"));
  EXPECT_THAT(groups[5].obstacle, HasSubstr("feature 'shelf' is part of 'pair'"));
}

TEST(CountsTest, LinesOfARowAddUp) {
  const auto counts = CountsOf(FilmGraph(),
                               "film,10,3\nfilm,10,4\nhistory.film,20,1\ncandidate.film,20,1\n"
                               "film,77,9\ngenre,d,9007199254740992\n\"genre\",\"d\",5\n");
  ASSERT_TRUE(counts.ok()) << counts.status();
  ASSERT_EQ(counts->of_groups.size(), 6u);
  // A name of two sides that share a table counts once. An unknown film is of row 0.
  EXPECT_THAT(counts->of_groups[0], ElementsAre(9, 7, 2, 0, 0, 0));
  EXPECT_THAT(counts->of_groups[1], ElementsAre(0, 0, 0, kMostCount));
  EXPECT_THAT(counts->of_groups[2], IsEmpty());
  EXPECT_THAT(counts->notices, IsEmpty());
}

TEST(CountsTest, WhatIsLeftOutIsSaid) {
  const auto counts = CountsOf(FilmGraph(), "word,x,1\nuser,6,1\nuser,7,2\nuser,-1,1\nuser,0,5\n");
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_THAT(counts->of_groups[2], ElementsAre(5, 0, 0, 0, 0, 0));
  EXPECT_THAT(counts->notices,
              ElementsAre(HasSubstr("rows of 'word' are not merged: feature 'word' has hashed ids"),
                          HasSubstr("3 ids of 'user' are not in its vocabulary")));
}

TEST(CountsTest, FaultsNameLineAndValue) {
  EXPECT_THAT(FaultOf(""), HasSubstr("counts.csv: has no count below its header"));
  EXPECT_THAT(FaultOf("films,10,3\n"),
              HasSubstr("counts.csv:2: feature: there is no 'films' (did you mean 'film'?)"));
  EXPECT_THAT(FaultOf("film,10,3\nfilm,x,3\n"),
              HasSubstr("counts.csv:3: id: 'x' is no integer of 64 bits"));
  EXPECT_THAT(FaultOf("film,9223372036854775808,3\n"), HasSubstr("is no integer of 64 bits"));
  for (const char* count : {"-1", "1.5", "", "many", "9007199254740993", "99999999999999999999"}) {
    EXPECT_THAT(FaultOf(std::string("film,10,") + count + "\n"),
                HasSubstr("counts.csv:2: count: '" + std::string(count) + "' is no count"));
  }
  EXPECT_THAT(FaultOf("film,10\n"), HasSubstr("counts.csv:2: has 2 fields"));
  EXPECT_THAT(FaultOf("film,10,3,4\n"), HasSubstr("counts.csv:2: has 4 fields"));
  EXPECT_THAT(FaultOf("film,\"10,3\n"), HasSubstr("counts.csv:2"));
}

}  // namespace
}  // namespace handpick::converter
