// swift-tools-version:5.9
import AppleProductTypes
import PackageDescription

let package = Package(
  name: "Films",
  platforms: [.iOS(.v16)],
  products: [
    .iOSApplication(
      name: "Films", targets: ["Films"], bundleIdentifier: "dev.handpick.example.films", displayVersion: "1.0",
      bundleVersion: "1", appIcon: .placeholder(icon: .tv), accentColor: .presetColor(.blue),
      supportedDeviceFamilies: [.pad, .phone], supportedInterfaceOrientations: [.portrait, .landscapeLeft])
  ],
  // What handpick-swift-VERSION.zip of platforms/package.sh apple unpacks to.
  dependencies: [.package(path: "../handpick")],
  targets: [
    .executableTarget(
      name: "Films", dependencies: [.product(name: "Handpick", package: "handpick")], path: "Sources",
      resources: [.copy("films.hpk"), .copy("catalog.jsonl")])
  ]
)
