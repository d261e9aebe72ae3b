// swift-tools-version: 6.2
// swift-format-ignore-file
import PackageDescription
let package = Package(name: "graphite", products: [.library(name: "graphite", type: .dynamic, targets: ["graphite"])],
    dependencies: [.package(path: "../../PluginSDK")],
    targets: [.target(name: "graphite", dependencies: [.product(name: "NocturnePlugin", package: "PluginSDK")],
        plugins: [.plugin(name: "EmbedManifest", package: "PluginSDK")])])
