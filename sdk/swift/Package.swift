// swift-tools-version:5.9
// As platforms/package.sh apple packs it: Handpick.xcframework lies beside this file.
import PackageDescription

let package = Package(
  name: "Handpick",
  platforms: [.iOS(.v13), .macOS(.v10_15)],
  products: [.library(name: "Handpick", targets: ["Handpick"])],
  targets: [
    .binaryTarget(name: "HandpickC", path: "Handpick.xcframework"),
    .target(
      name: "Handpick", dependencies: ["HandpickC"], path: "Sources/Handpick",
      linkerSettings: [.linkedLibrary("c++")]),
  ]
)
