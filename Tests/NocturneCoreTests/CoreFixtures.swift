// CoreFixtures.swift — what the tests of this target share: vectors from files, seeded randomness,
// errors as values. Next: JSONParserTests.swift.

import Glibc

@testable import NocturneCore

/// Files of JSON, parsed once with the parser under test (its own tests use no fixture).
enum CoreFixture {
    static let manifests = load("Fixtures/manifests.json")
    static let versionRanges = load("Fixtures/version-ranges.json")
    /// What the SDK publishes for editors.
    static let manifestSchema = load("../../PluginSDK/manifest.schema.json")

    /// Reads a file by its path from this folder.
    private static func load(_ name: String) -> JSONValue {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        guard let file = fopen("/\(folder)/\(name)", "rb") else {
            preconditionFailure("no fixture \(name)")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes.append(contentsOf: chunk[..<count])
        }
        guard let value = try? JSONParser.parse(bytes) else {
            preconditionFailure("fixture \(name) is not JSON")
        }
        return value
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that a failing test fails again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What a typed-throwing expression threw, or `nil`.
func failure<Failure: Error>(_ body: () throws(Failure) -> Void) -> Failure? {
    do throws(Failure) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Why `text` is not JSON, or `nil` if it is.
func jsonFailure(_ text: String, _ options: JSONParser.Options = .init()) -> JSONError? {
    failure { () throws(JSONError) in _ = try JSONParser.parse(text, options: options) }
}
