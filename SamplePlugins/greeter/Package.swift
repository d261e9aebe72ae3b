// swift-tools-version: 6.2
// swift-format-ignore-file
import PackageDescription
let package = Package(name: "greeter", products: [.library(name: "greeter", type: .dynamic, targets: ["greeter"])],
    dependencies: [.package(path: "../../PluginSDK")],
    targets: [.target(name: "greeter", dependencies: [.product(name: "NocturnePlugin", package: "PluginSDK")],
        plugins: [.plugin(name: "EmbedManifest", package: "PluginSDK")])])
