import Foundation
import SwiftUI

/// A list of films. A tap says "I liked it", and the list is made anew, on the device.
struct FilmsView: View {
  @State private var store: FilmStore?
  @State private var films: [Film] = []
  @State private var milliseconds = 0.0
  @State private var problem: String?

  var body: some View {
    NavigationStack {
      List(films) { film in
        Button {
          Task { await show { try await $0.like(film) } }
        } label: {
          HStack {
            VStack(alignment: .leading) {
              Text("Film \(film.id)").font(.headline)
              Text("\(film.genre), \(film.year)").font(.subheadline).foregroundStyle(.secondary)
            }
            Spacer()
            Text(film.score, format: .percent.precision(.fractionLength(0))).foregroundStyle(.secondary)
          }
        }
      }
      .navigationTitle("For you")
      .overlay { if let problem { Text(problem).padding() } }
      .safeAreaInset(edge: .bottom) {
        Text("\(milliseconds, format: .number.precision(.fractionLength(2))) ms on this device").font(.footnote)
      }
    }
    .task { await open() }
  }

  private func open() async {
    do {
      guard let bundle = Bundle.module.url(forResource: "films", withExtension: "hpk"),
        let catalog = Bundle.module.url(forResource: "catalog", withExtension: "jsonl")
      else {
        problem = "films.hpk or catalog.jsonl is not in the app: see README.md"
        return
      }
      store = try FilmStore(bundle: bundle.path, catalog: catalog)
    } catch {
      problem = "\(error)"
    }
    await show { try await $0.start() }
  }

  private func show(_ work: @escaping (FilmStore) async throws -> [Film]) async {
    guard let store else { return }
    do {
      let before = ContinuousClock.now
      let made = try await work(store)
      let took = ContinuousClock.now - before
      milliseconds = Double(took.components.attoseconds) / 1e15
      withAnimation { films = made }
    } catch {
      problem = "\(error)"
    }
  }
}
