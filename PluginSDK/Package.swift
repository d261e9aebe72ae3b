// swift-tools-version: 6.2
import PackageDescription

// What a plugin is written against. No dependencies. A C plugin needs only the folder C/include.

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A plugin shows the world one symbol. Path dependencies may carry such flags, authors need none.
let oneExportedSymbol: LinkerSetting = .unsafeFlags([
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Swift/exports.map",
])

let package = Package(
    name: "PluginSDK",
    products: [
        .library(name: "CNocturne", targets: ["CNocturne"]),
        .library(name: "NocturnePlugin", targets: ["NocturnePlugin"]),
        .plugin(name: "EmbedManifest", targets: ["EmbedManifest"]),
    ],
    targets: [
        // The ABI, a header.
        .target(name: "CNocturne", path: "C"),

        // Swift: a JSON value without Foundation, then the plugin's side of the ABI.
        .target(
            name: "NocturneJSON", path: "Swift/Sources/NocturneJSON",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "NocturnePlugin",
            dependencies: ["CNocturne", "NocturneJSON"],
            path: "Swift/Sources/NocturnePlugin",
            swiftSettings: swiftSettings,
            linkerSettings: [oneExportedSymbol]
        ),

        // manifest.json → a Swift file with the ELF note and the entry, at every build.
        .executableTarget(
            name: "nocturne-embed-manifest",
            dependencies: ["NocturneJSON"],
            path: "Swift/Sources/nocturne-embed-manifest",
            swiftSettings: swiftSettings
        ),
        .plugin(
            name: "EmbedManifest",
            capability: .buildTool(),
            dependencies: ["nocturne-embed-manifest"],
            path: "Swift/Plugins/EmbedManifest"
        ),

        .testTarget(
            name: "NocturnePluginTests",
            dependencies: ["CNocturne", "NocturneJSON", "NocturnePlugin"],
            path: "Swift/Tests/NocturnePluginTests",
            swiftSettings: swiftSettings
        ),
    ]
)
