import Foundation
import Handpick

/// A film in the list.
struct Film: Identifiable, Hashable, Sendable {
  let id: Int64
  let genre: String
  let year: Int
  let score: Float
}

/// What the user liked, and the films that follow from it. Knows nothing of views.
struct FilmStore: Sendable {
  private let recommender: Recommender
  private let catalog: [Int64: CatalogLine]

  private struct CatalogLine: Decodable {
    let movie_id: Int64
    let genre: String
    let year: Int
  }

  init(bundle: String, catalog: URL) throws {
    recommender = try Recommender(Model(path: bundle))
    let decoder = JSONDecoder()
    let lines = try String(contentsOf: catalog, encoding: .utf8).split(separator: "\n")
    let read = try lines.map { try decoder.decode(CatalogLine.self, from: Data($0.utf8)) }
    self.catalog = Dictionary(uniqueKeysWithValues: read.map { ($0.movie_id, $0) })
  }

  /// The list of a new user, who liked one film. An app would remember what its user liked.
  func start() async throws -> [Film] {
    try await recommender.setContext([
      "rating_count": 20, "mean_rating": 3.5, "recent_mean": 3.5, "favourite_genre": "Sci-Fi",
      "genre_taste": .numbers([Float](repeating: 0, count: 20)),
    ])
    return try await like(id: 260)
  }

  /// The list after one more film was liked.
  func like(_ film: Film) async throws -> [Film] { try await like(id: film.id) }

  private func like(id: Int64) async throws -> [Film] {
    try await recommender.append(["movie_id": .integer(id), "genre": .string(catalog[id]?.genre ?? "")])
    return try await recommender.recommend(20).map { item in
      let id = item.id.integer ?? 0
      let line = catalog[id]
      return Film(id: id, genre: line?.genre ?? "", year: line?.year ?? 0, score: item.score)
    }
  }
}
