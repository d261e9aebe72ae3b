// VersionFuzzTests.swift — any bytes up to 4 KiB: no trap, no hang, and what is read prints back.
// Next: ManifestTests.swift.

import Testing

@testable import NocturneCore

@Suite struct VersionFuzzTests {
    /// Bytes of the grammar, tokens that nearly fit, and strangers.
    private static let pieces: [[UInt8]] =
        "0123456789.-+^~=<>|, xX*av".utf8.map { [$0] }
        + [
            " - ", " || ", "||", ", ", ">=", "<=", "1.2.3", "0.0.0-0", "-rc.1", "x.x", "latest",
            "\t",
            "é", "\u{202E}", "18446744073709551616", "00", "..", "&&",
        ].map { Array($0.utf8) }

    private static func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        // Most mistakes are made in short texts; the rest is long.
        let limit = Int.random(in: 0...9, using: &generator) < 7 ? 24 : 4096
        let isNoise = Int.random(in: 0...9, using: &generator) == 0
        let size = Int.random(in: 0...limit, using: &generator)
        var result: [UInt8] = []
        while result.count < size {
            if isNoise {
                result.append(UInt8.random(in: 0...255, using: &generator))
            } else {
                result += pieces.randomElement(using: &generator) ?? []
            }
        }
        return Array(result.prefix(4096))
    }

    @Test(.timeLimit(.minutes(1)))
    func `any bytes are refused in words or read back the same`() throws {
        var generator = SeededGenerator(seed: 11)
        var (versions, ranges) = (0, 0)
        for _ in 0..<6000 {
            let text = String(decoding: Self.bytes(&generator), as: UTF8.self)
            do throws(SemanticVersionError) {
                let version = try SemanticVersion(text)
                versions += 1
                #expect(version.description == text)
            } catch {
                #expect(error.description.unicodeScalars.allSatisfy { !$0.isUnsafeToShow })
            }
            do throws(VersionRangeError) {
                let range = try VersionRange(text)
                ranges += 1
                #expect(range.text == text)
                let again = failure { () throws(VersionRangeError) in
                    let back = try VersionRange(range.description)
                    #expect(back == range && back.description == range.description)
                }
                #expect(again == nil, "\(text)")
            } catch {
                #expect(error.description.unicodeScalars.allSatisfy { !$0.isUnsafeToShow })
            }
        }
        #expect(ranges > 300)
    }

    /// The most work that a text within the limits can ask for.
    @Test(.timeLimit(.minutes(1)))
    func `the largest texts are read in bounded time`() throws {
        let spaces = String(repeating: " ", count: 4000) + "1"
        #expect(try VersionRange(spaces) == VersionRange("1"))
        let tags = (0..<32).map { "<9.9.9-\($0)" }.joined(separator: ",")
        let many = Array(repeating: tags, count: 20).joined(separator: "||")
        #expect(try VersionRange(many) == VersionRange("<9.9.9-0"))
        let nines = String(repeating: "9", count: 4096)
        #expect(throws: SemanticVersionError.tooLong(bytes: 4096, limit: 256)) {
            try SemanticVersion(nines)
        }
        #expect(throws: VersionRangeError.self) { try VersionRange(nines) }
    }
}
