// Uses what examples/ios shows: film_store.swift BUNDLE CATALOG.
import Foundation

@main
struct Test {
  static func main() async throws {
    let store = try FilmStore(
      bundle: CommandLine.arguments[1], catalog: URL(fileURLWithPath: CommandLine.arguments[2]))
    let films = try await store.start()
    let after = try await store.like(films[3])
    guard films.count == 20, films.allSatisfy({ $0.year > 1900 && !$0.genre.isEmpty && $0.score > 0 && $0.score < 1 }),
      films == films.sorted(by: { $0.score > $1.score }), after != films, !after.contains(where: { $0.id == films[3].id })
    else {
      print(films, after)
      exit(1)
    }
  }
}
