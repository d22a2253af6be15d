import SwiftUI

@main
struct FilmsApp: App {
  var body: some Scene {
    WindowGroup { FilmsView() }
  }
}
