// swift-tools-version: 6.2
// swift-format-ignore-file
import PackageDescription
let package = Package(name: "rounds", products: [.library(name: "rounds", type: .dynamic, targets: ["rounds"])],
    dependencies: [.package(path: "../../PluginSDK")],
    targets: [.target(name: "rounds", dependencies: [.product(name: "NocturnePlugin", package: "PluginSDK")],
        plugins: [.plugin(name: "EmbedManifest", package: "PluginSDK")])])
