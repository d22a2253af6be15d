// Ten films for somebody who liked four, in Swift: TenFilms movielens.hpk
import Handpick

@main
struct TenFilms {
  static func main() async throws {
    let recommender = try Recommender(Model(path: CommandLine.arguments[1]))
    for (film, genre): (Int64, String) in [(1198, "Adventure"), (1240, "Sci-Fi"), (541, "Sci-Fi"), (260, "Sci-Fi")] {
      try await recommender.append(["movie_id": .integer(film), "genre": .string(genre)])
    }
    for film in try await recommender.recommend(10) {
      print(film.id, film.score)
    }
  }
}
