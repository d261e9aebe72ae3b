// swift-tools-version: 6.2
import PackageDescription

// The architecture, executable. Targets stand in reading order: values first, then what holds state, then
// what serves it. An arrow that is not here must not be drawn (DESIGN: data flows one way).

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .enableWarning("all"),
    .enableWarning("extra"),
    .treatAllWarnings(as: .error),
]

/// A C program that SwiftPM would otherwise link against the Swift runtime: no start files of Swift's, all
/// symbols bound at start, no run path into the toolchain. `Sources/nocturne-worker/link.c` has the other half.
let plainCLinkerSettings: [LinkerSetting] = [
    .unsafeFlags([
        "-nostartfiles", "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "--exclude-libs",
        "-Xlinker", "ALL",
    ]),
    .unsafeFlags(["-no-toolchain-stdlib-rpath"], .when(configuration: .release)),
]

let package = Package(
    name: "nocturne",
    products: [
        .library(name: "Nocturne", targets: ["Nocturne"]),
        .executable(name: "nocturne-plugins", targets: ["nocturne-plugins"]),
        .executable(name: "nocturne-worker", targets: ["nocturne-worker"]),
        .executable(name: "nocturne-bench", targets: ["nocturne-bench"]),
    ],
    dependencies: [
        .package(path: "PluginSDK"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        // C: the wire both sides compile, what Swift cannot say of Linux, and the worker itself.
        .target(name: "CWire", cSettings: cSettings),
        .target(name: "CLinux", cSettings: cSettings),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .executableTarget(
            name: "nocturne-worker",
            dependencies: ["CWire", .product(name: "CNocturne", package: "PluginSDK")],
            cSettings: cSettings,
            linkerSettings: plainCLinkerSettings + [.unsafeFlags(["-Xlinker", "-l:libseccomp.a"])]
        ),

        // Values, then stores, then the host.
        .target(name: "NocturneCore", swiftSettings: swiftSettings),
        .target(
            name: "NocturneResolver", dependencies: ["NocturneCore"], swiftSettings: swiftSettings),
        .target(
            name: "NocturneStorage",
            dependencies: ["NocturneCore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "NocturneTasks", dependencies: ["NocturneCore", "NocturneStorage"],
            swiftSettings: swiftSettings
        ),
        .target(name: "CMetrics", cSettings: cSettings),
        .target(
            name: "NocturneMetrics",
            dependencies: [
                "NocturneCore", "CMetrics", .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "NocturneCoordination", dependencies: ["NocturneCore", "CLinux"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "NocturneHost",
            dependencies: [
                "NocturneCore", "NocturneResolver", "NocturneStorage", "CWire", "CLinux", "CCrypto",
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "NocturneControl",
            dependencies: [
                "NocturneCore", "NocturneHost", "NocturneMetrics", "NocturneTasks",
                "NocturneCoordination",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Nocturne",
            dependencies: [
                "NocturneCore", "NocturneHost", "NocturneTasks", "NocturneMetrics",
                "NocturneCoordination", "NocturneControl",
            ],
            swiftSettings: swiftSettings
        ),

        // Programs.
        .executableTarget(
            name: "nocturne-plugins",
            dependencies: [
                "Nocturne", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "nocturne-bench",
            dependencies: [
                "NocturneHost", "NocturneResolver", "NocturneTasks", "NocturneMetrics",
                "NocturneCoordination", "NocturneCore", "CLinux", "CWire",
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),

        // Tests: one folder per target; EndToEndTests run the real programs, TidyTests read these files.
        .testTarget(
            name: "NocturneCoreTests", dependencies: ["NocturneCore"], exclude: ["Fixtures"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneResolverTests", dependencies: ["NocturneResolver", "NocturneCore"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "TestKit", dependencies: ["NocturneCore"], path: "Tests/TestKit",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneTasksTests", dependencies: ["NocturneTasks", "NocturneCore", "TestKit"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneMetricsTests",
            dependencies: [
                "NocturneMetrics", "NocturneCore", "CMetrics", "TestKit",
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneCoordinationTests",
            dependencies: ["NocturneCoordination", "NocturneCore", "TestKit"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneStorageTests",
            dependencies: [
                "NocturneStorage", "NocturneCore", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneHostTests",
            dependencies: [
                "NocturneHost", "NocturneStorage", "NocturneCore", "CWire", "CLinux", "CCrypto",
                "nocturne-worker",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Nocturne", "NocturneTasks", "NocturneMetrics", "NocturneHost", "NocturneCore",
                "CWire",
                "CLinux",
                "nocturne-worker",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneControlTests",
            dependencies: [
                "NocturneControl", "NocturneHost", "NocturneMetrics", "NocturneTasks",
                "NocturneCoordination", "NocturneCore", "TestKit",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "NocturneTests",
            dependencies: [
                "Nocturne", "NocturneCore", "CLinux", "TestKit", "nocturne-plugins",
                "nocturne-worker",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "TidyTests", swiftSettings: swiftSettings),
    ]
)
