// The quickstart's user in C is the one that the example's trainer wrote, and README.md shows
// the quickstart as it is.
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "examples/quickstart/request.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

nlohmann::json TrainersRequest() {
  std::ifstream file("examples/din/model/ranking.jsonl");
  std::string line;
  EXPECT_TRUE(std::getline(file, line));
  return nlohmann::json::parse(line);
}

TEST(QuickstartRequestTest, IsTheFirstOfTheRankingRequests) {
  const nlohmann::json request = TrainersRequest();
  const nlohmann::json& context = request.at("context");
  EXPECT_EQ(context.size(), 5u) << "a feature that the quickstart does not set";
  EXPECT_EQ(context.at("rating_count").get<float>(), kRatingCount);
  EXPECT_EQ(context.at("mean_rating").get<float>(), kMeanRating);
  EXPECT_EQ(context.at("recent_mean").get<float>(), kRecentMean);
  EXPECT_EQ(context.at("genre_taste").get<std::vector<float>>(),
            std::vector<float>(std::begin(kGenreTaste), std::end(kGenreTaste)));
  EXPECT_EQ(context.at("favourite_genre").get<std::string>(), kFavouriteGenre);

  const nlohmann::json& history = request.at("history");
  EXPECT_EQ(history.size(), 2u) << "a feature that the quickstart does not give";
  EXPECT_EQ(history.at("movie_id").get<std::vector<int64_t>>(),
            std::vector<int64_t>(std::begin(kLikedMovies), std::end(kLikedMovies)));
  EXPECT_EQ(history.at("genre").get<std::vector<std::string>>(),
            std::vector<std::string>(std::begin(kLikedGenres), std::end(kLikedGenres)));
}

TEST(ReadmeTest, ShowsTheQuickstartAsItIs) {
  const std::string readme = ReadFile("README.md");
  const std::string begin = "```c\n";
  const size_t start = readme.find(begin);
  ASSERT_NE(start, std::string::npos) << "README.md has no C example";
  const size_t end = readme.find("```", start + begin.size());
  ASSERT_NE(end, std::string::npos);
  const std::string shown = readme.substr(start + begin.size(), end - start - begin.size());
  EXPECT_GT(shown.size(), 500u);
  EXPECT_NE(ReadFile("examples/quickstart/quickstart.c").find(shown), std::string::npos)
      << "the C example of README.md is not a part of examples/quickstart/quickstart.c:\n"
      << shown;
}

}  // namespace
