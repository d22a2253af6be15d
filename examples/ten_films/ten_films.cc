// Ten films for somebody who liked four, in C++: ten_films movielens.hpk
#include <cstdio>

#include "handpick/handpick.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const handpick::Model model = handpick::Model::open_file(argv[1]);
  handpick::Session session(model);
  const handpick::Feature movie = model.feature(handpick::Side::kHistory, "movie_id");
  const handpick::Feature genre = model.feature(handpick::Side::kHistory, "genre");
  handpick::Rows liked;
  liked.add().set(movie, 1198).set(genre, "Adventure");  // Raiders of the Lost Ark
  liked.add().set(movie, 1240).set(genre, "Sci-Fi");     // The Terminator
  liked.add().set(movie, 541).set(genre, "Sci-Fi");      // Blade Runner
  liked.add().set(movie, 260).set(genre, "Sci-Fi");      // Star Wars
  session.append_events(liked);
  const auto recall = handpick::RecallOptions().by_recent(10);
  for (const hp_recommended& film : session.recommend(10, recall)) {
    std::printf("%lld %.7g\n", static_cast<long long>(film.id.integer),
                static_cast<double>(film.score));
  }
  return 0;
}
