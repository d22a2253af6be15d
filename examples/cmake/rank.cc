// The best ten of some films, in C++:
//
//     rank movielens.hpk        prints a film and its score a line
#include <cstdint>
#include <cstdio>
#include <exception>
#include <handpick/handpick.hpp>
#include <vector>

using handpick::Side;

namespace {

void Rank(const char* bundle) {
  const auto model = handpick::Model::open_file(bundle);
  handpick::Session session(model);

  // What an app knows of its user: that of request.jsonl.
  const float genre_taste[] = {0.0f,   0.04f,  0.49f,  0.12f,  0.03f,  -0.04f, -0.06f,
                               0.19f,  -0.23f, 0.77f,  -0.94f, -0.07f, 0.29f,  0.19f,
                               -0.42f, -0.07f, -0.12f, -0.18f, -0.09f, 0.0f};
  handpick::Record user;
  user.set(model.feature(Side::kContext, "rating_count"), 123)
      .set(model.feature(Side::kContext, "mean_rating"), 3.833f)
      .set(model.feature(Side::kContext, "recent_mean"), 3.308f)
      .set(model.feature(Side::kContext, "genre_taste"), genre_taste)
      .set(model.feature(Side::kContext, "favourite_genre"), "Action");
  session.set_context(user);

  // Films that were liked, oldest first; later one at each tap.
  const auto liked = model.feature(Side::kHistory, "movie_id");
  const auto genre = model.feature(Side::kHistory, "genre");
  handpick::Rows events;
  events.add().set(liked, 7373).set(genre, "Fantasy");
  events.add().set(liked, 54259).set(genre, "Fantasy");
  events.add().set(liked, 77561).set(genre, "Sci-Fi");
  events.add().set(liked, 31696).set(genre, "Fantasy");
  session.append_events(events);

  // Genres and years of candidates come from the bundle's catalog.
  const std::vector<int64_t> films = {1,    32,   260,  296,  318,  480,  589,  593,
                                      1196, 1198, 2028, 2571, 2959, 4993, 7153, 58559};
  const handpick::Batch candidates(model.feature(Side::kCandidate, "movie_id"), films);
  for (const hp_ranked& best : session.rank(candidates, 10)) {
    std::printf("%lld %.6f\n", static_cast<long long>(films[best.index]),
                static_cast<double>(best.score));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s BUNDLE.hpk\n", argv[0]);
    return 2;
  }
  try {
    Rank(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
