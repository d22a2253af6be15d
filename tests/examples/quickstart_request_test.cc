// The quickstart's user in C is the one that the example's trainer wrote.
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "examples/quickstart/request.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace {

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

}  // namespace
