// VersionRangeTests.swift — ranges mean what node-semver and Cargo say they mean, and what one of
// them reads by accident is refused. Next: VersionRangeErrorTests.swift.

import Testing

@testable import NocturneCore

/// A range from text in a variable.
private func range(_ text: String) throws(VersionRangeError) -> VersionRange {
    try VersionRange(text)
}

/// A version from text in a variable.
private func version(_ text: String) throws(SemanticVersionError) -> SemanticVersion {
    try SemanticVersion(text)
}

@Suite struct VersionRangeTests {
    @Test func `ranges hold the versions that node-semver says they hold`() throws {
        let fixture = CoreFixture.versionRanges
        let versions = try #require(fixture["versions"]?.array).compactMap(\.string)
        let rows = try #require(fixture["ranges"]?.array)
        #expect(versions.count > 40 && rows.count > 160)
        for row in rows {
            let text = try #require(row["range"]?.string)
            let expected = try #require(row["contains"]?.array).compactMap(\.string)
            let range = try range(text)
            let found = try versions.filter { text in range.contains(try SemanticVersion(text)) }
            #expect(found == expected, "\(text)")
            #expect(try NocturneCoreTests.range(range.description) == range, "\(text)")
        }
    }

    /// "Advanced Range Syntax" in the README of node-semver, line by line, but for `v` and the
    /// empty range, which are errors here.
    @Test(arguments: [
        ("1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4"), ("1.2 - 2.3.4", ">=1.2.0 <=2.3.4"),
        ("1.2.3 - 2.3", ">=1.2.3 <2.4.0-0"), ("1.2.3 - 2", ">=1.2.3 <3.0.0-0"),
        ("*", ">=0.0.0"), ("1.x", ">=1.0.0 <2.0.0-0"), ("1.2.x", ">=1.2.0 <1.3.0-0"),
        ("1.x.x", ">=1.0.0 <2.0.0-0"), ("1.2.*", ">=1.2.0 <1.3.0-0"),
        ("~1.2.3", ">=1.2.3 <1.3.0-0"), ("~1.2", ">=1.2.0 <1.3.0-0"), ("~1", ">=1.0.0 <2.0.0-0"),
        ("~0.2.3", ">=0.2.3 <0.3.0-0"), ("~0.2", ">=0.2.0 <0.3.0-0"), ("~0", ">=0.0.0 <1.0.0-0"),
        ("~1.2.3-beta.2", ">=1.2.3-beta.2 <1.3.0-0"), ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"), ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("^1.2.3-beta.2", ">=1.2.3-beta.2 <2.0.0-0"), ("^0.0.3-beta", ">=0.0.3-beta <0.0.4-0"),
        ("^1.2.x", ">=1.2.0 <2.0.0-0"), ("^0.0.x", ">=0.0.0 <0.1.0-0"),
        ("^0.0", ">=0.0.0 <0.1.0-0"),
        ("^1.x", ">=1.0.0 <2.0.0-0"), ("^0.x", ">=0.0.0 <1.0.0-0"),
    ])
    func `shorthand means what node-semver's documentation says`(
        short: String, long: String
    ) throws {
        #expect(try range(short) == range(long))
    }

    /// "Specifying Dependencies" in The Cargo Book, line by line.
    @Test(arguments: [
        ("1.2.3", ">=1.2.3, <2.0.0"), ("1.2", ">=1.2.0, <2.0.0"), ("1", ">=1.0.0, <2.0.0"),
        ("0.2.3", ">=0.2.3, <0.3.0"), ("0.2", ">=0.2.0, <0.3.0"), ("0.0.3", ">=0.0.3, <0.0.4"),
        ("0.0", ">=0.0.0, <0.1.0"), ("0", ">=0.0.0, <1.0.0"), ("^1.2.3", "1.2.3"),
        ("~1.2.3", ">=1.2.3, <1.3.0"), ("~1.2", ">=1.2.0, <1.3.0"), ("~1", ">=1.0.0, <2.0.0"),
        ("*", ">=0.0.0"), ("1.*", ">=1.0.0, <2.0.0"), ("1.2.*", ">=1.2.0, <1.3.0"),
        (">=1.2, <1.5", ">=1.2.0 <1.5.0"),
    ])
    func `a bare version is a caret, as Cargo's documentation says`(
        short: String, long: String
    ) throws {
        #expect(try range(short) == range(long))
    }

    /// What node-semver and Cargo's crate `semver` both do with missing numbers after a comparison.
    @Test(arguments: [
        (">1", ">=2.0.0"), (">1.2", ">=1.3.0"), ("<=1", "<2.0.0"), ("<=1.2", "<1.3.0"),
        ("<1", "<1.0.0"), (">=1.2", ">=1.2.0"), ("=1", "1.x"), ("=1.2", "1.2.x"), ("<=7.x", "<8"),
        (">1.x", ">=2"), ("=0.7.x", "0.7.x"), (">=*", "*"), ("<=x", "*"), ("^*", "*"), ("~X", "*"),
        (">*", "<0.0.0"), ("<*", "<0.0.0"), ("x - 1.0.0", "<=1.0.0"), ("1.0.0 - x", ">=1.0.0"),
    ])
    func `missing numbers stand for all there are`(short: String, long: String) throws {
        #expect(try range(short) == range(long))
    }

    @Test func `one version alone is asked for with an equals sign`() throws {
        let (exact, bare) = (try range("=1.0.0"), try range("1.0.0"))

        #expect(exact.contains(SemanticVersion(1, 0, 0)) && bare.contains(SemanticVersion(1, 0, 0)))
        #expect(
            !exact.contains(SemanticVersion(1, 0, 1)) && bare.contains(SemanticVersion(1, 9, 0)))
        #expect(!bare.contains(SemanticVersion(2, 0, 0)))
    }

    /// The rule of node-semver's README, "Prerelease Tags", for each alternative by itself.
    @Test(arguments: [
        (
            "^1.2.3-beta", ["1.2.3-beta", "1.2.3-rc", "1.2.3", "1.3.0"],
            ["1.2.3-alpha", "1.2.4-rc"]
        ),
        (">1.2.3-alpha.3", ["1.2.3-alpha.7", "3.4.5"], ["1.2.3-alpha.3", "3.4.5-alpha.9"]),
        ("^1", ["1.0.0", "1.9.0"], ["1.0.0-rc", "1.5.0-rc", "2.0.0-0", "2.0.0-rc"]),
        ("*", ["0.0.0"], ["0.0.0-0", "1.0.0-rc"]), ("<2.0.0", ["1.9.9"], ["2.0.0-rc"]),
        (">1.2.3-a, <1.2.3", ["1.2.3-a.0", "1.2.3-b"], ["1.2.3-a", "1.2.3", "1.2.2"]),
        ("^1.2.3-a || ^2", ["1.2.3-b", "2.0.0"], ["2.0.0-a", "2.1.0-a", "1.3.0-a"]),
        ("^1.2 || =1.5.0-rc", ["1.5.0-rc", "1.5.0"], ["1.5.0-rc.1", "1.5.0-a"]),
        ("^1.2 <2.0.0-z || >=3.0.0-a", ["1.2.0", "3.0.0-b"], ["1.2.0-a", "2.0.0-a", "3.0.1-b"]),
        ("=1.2.3-a", ["1.2.3-a", "1.2.3-a+build"], ["1.2.3-a.0", "1.2.3"]),
        ("=1.2.3+x", ["1.2.3", "1.2.3+y"], ["1.2.4"]),
        ("<1.0.0 >=1.0.0-alpha", ["1.0.0-beta"], ["1.0.0", "0.9.0"]),
        ("<1 >=1.0.0-alpha", [], ["1.0.0-beta", "0.9.0"]),
    ])
    func `a prerelease is in only where its own numbers are named`(
        text: String, inside: [String], outside: [String]
    ) throws {
        let range = try range(text)
        for text in inside { #expect(range.contains(try version(text)), "\(text)") }
        for text in outside { #expect(!range.contains(try version(text)), "\(text)") }
    }

    @Test(arguments: [
        ("1.2.3", "^1.2.3"), ("1", "^1.0.0"), ("~1", "^1.0.0"), ("1.x", "^1.0.0"),
        (">=1 <2", "^1.0.0"), ("0", "<1.0.0"), ("^0.0", "<0.1.0"), ("0.1", "^0.1.0"),
        ("=1.2", "~1.2.0"), ("<=1.2.3", "<1.2.4"), ("^0.0.3", "=0.0.3"), (" * ", "*"), ("x.X", "*"),
        (">= 1 ,< 3", ">=1.0.0, <3.0.0"), ("1 - 2", ">=1.0.0, <3.0.0"), ("=1.2.3+b", "=1.2.3"),
        ("^1 || ^2", ">=1.0.0, <3.0.0"), ("^3||^1", "^1.0.0 || ^3.0.0"), ("^1 ^2", "<0.0.0-0"),
        ("^1.2.3-a", "^1.2.3-a"), (">=1.2.3-a.0", ">1.2.3-a"), ("<=1.2.3-a", "<=1.2.3-a"),
        (">=1.0.0-a <2.0.0-b", ">=1.0.0-a, <2.0.0-b"),
        (">=0.1 || >=1.0.0-a <2.0.0", ">=0.1.0 || >=1.0.0-a, <1.0.0"),
    ])
    func `the canonical text is one form for all spellings`(text: String, expected: String) throws {
        // In the last row the releases of one alternative lie within the other, the prereleases
        // not.
        #expect(try range(text).description == expected)
        #expect(try range(expected) == range(text))
        #expect(try range(expected).hashValue == range(text).hashValue)
    }

    @Test func `a range keeps the text that was written`() throws {
        #expect(try range(" 1 - 2 ").text == " 1 - 2 " && VersionRange.any.text == "*")
        #expect(
            try range("x") == .any && range("~1") == range("^1") && range("~1") != range("~1.0"))
    }

    @Test func `upper bounds carry past 64 bits instead of wrapping`() throws {
        for text in ["^18446744073709551615.1", "18446744073709551615.x", "<=18446744073709551615"]
        {
            let range = try range(text)
            #expect(range.contains(try version("18446744073709551615.2.0")), "\(text)")
            #expect(!range.contains(try version("18446744073709551616.0.0")), "\(text)")
            #expect(try NocturneCoreTests.range(range.description) == range)
        }
    }
}
