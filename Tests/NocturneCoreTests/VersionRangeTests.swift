// VersionRangeTests.swift — ranges mean what node-semver says they mean, and what it reads by
// accident is refused. Next: ManifestTests.swift.

import Testing

@testable import NocturneCore

/// A range from text in a variable.
private func range(_ text: String) throws(VersionRangeError) -> VersionRange {
    try VersionRange(text)
}

@Suite struct VersionRangeTests {
    @Test func `ranges hold the versions that node-semver says they hold`() throws {
        let fixture = CoreFixture.versionRanges
        let versions = try #require(fixture["versions"]?.array).compactMap(\.string)
        let rows = try #require(fixture["ranges"]?.array)
        #expect(versions.count > 40 && rows.count > 60)
        for row in rows {
            let text = try #require(row["range"]?.string)
            let expected = try #require(row["contains"]?.array).compactMap(\.string)
            let range = try range(text)
            let found = try versions.filter { text in range.contains(try SemanticVersion(text)) }
            #expect(found == expected, "\(text)")
            #expect(try NocturneCoreTests.range(range.description) == range, "\(text)")
        }
    }

    @Test(arguments: [
        ("1.2.3", "^1.2.3"), ("1", "^1.0.0"), ("^1.4", "^1.4.0"), ("0", "^0"), ("0.0", "^0.0"),
        ("0.1", "^0.1.0"), ("=1.2", "=1.2"), (">=0.1", ">=0.1.0"), ("<2", "<2.0.0"), (" * ", "*"),
        (">=1 <2", ">=1.0.0, <2.0.0"), (">= 1 ,< 2", ">=1.0.0, <2.0.0"), ("=1.2.3+b", "=1.2.3"),
    ])
    func `the canonical text is one form for all spellings`(text: String, expected: String) throws {
        #expect(try range(text).description == expected)
        #expect(try range(expected) == range(text))
    }

    @Test(arguments: [
        (">1", ">", 0), ("<=1", "<=", 0), ("~1.2", "~", 0), ("~>1", "~>", 0), ("^1 || ^2", "||", 3),
        ("^1||^2", "||", 2), ("||", "||", 0), ("1.2.3 - 2.3", "-", 6), ("x", "x", 0),
        ("1.x", "x", 2),
        ("^1.2.X", "X", 5), ("1.*", "*", 2), ("^1 *", "*", 3), (">=*", "*", 2), ("==1", "==", 0),
        ("=>1", "=>", 0), ("^^1", "^^", 0), ("!=1", "!=", 0), ("-1.2.3", "-", 0),
        ("1.2.x-alpha", "x", 4),
    ])
    func `an operator that is not supported yet is named`(text: String, found: String, offset: Int)
    {
        let expected = VersionRangeError.unsupportedOperator(found, in: text, offset: offset)
        #expect(throws: expected) { try range(text) }
        #expect(expected.description.contains("supported are ^ = >= <"))
    }

    /// Most of these are "any version" or a guess in one of node-semver and Cargo.
    @Test(arguments: [
        "", " ", ",", "^1,", ",^1", "^1,,^2", "^", ">=", "+1.2.3", "+x", "v1", "^v1", "latest",
        "1.2.3.4", "^1.2-a", "^1.2+b", "^01", "^1.2.3-01", "* ^1", "**", "^1;^2", "^1\t^2", "^1\n",
        "1\u{A0}2", "^１", "^ ^1", "\0",
    ])
    func `a typing mistake never opens a range`(text: String) {
        #expect(throws: VersionRangeError.self) { try range(text) }
    }

    @Test func `upper bounds carry past 64 bits instead of wrapping`() throws {
        let range = try range("^18446744073709551615.1")
        #expect(range.contains(try SemanticVersion("18446744073709551615.2.0" as String)))
        #expect(!range.contains(try SemanticVersion("18446744073709551616.0.0" as String)))
    }

    @Test func `a range has at most 32 comparators, each version at most 256 bytes`() throws {
        let comparator = "^1"
        let many = Array(repeating: comparator, count: 32).joined(separator: " ")
        #expect(try range(many).comparators.count == 32)
        #expect(throws: VersionRangeError.tooManyComparators(limit: 32)) {
            try range(many + " " + comparator)
        }
        let longest = "1." + String(repeating: "9", count: 252)
        #expect(try range(range(longest).description) == range(longest))
        let tooLong = VersionRangeError.version(
            .tooLong(bytes: 257, limit: 256), in: longest + "9", offset: 0)
        #expect(throws: tooLong) { try range(longest + "9") }
        #expect(throws: VersionRangeError.tooLong(bytes: 8321, limit: 8320)) {
            try range(String(repeating: " ", count: 8321))
        }
    }
}
