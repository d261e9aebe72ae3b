// SemanticVersionTests.swift — the lists and the chain of semver.org, and the traps that other
// parsers fell into. Next: VersionRangeTests.swift.

import Testing

@testable import NocturneCore

/// A version from text in a variable; the initializer with a literal would be one too.
private func version(_ text: String) throws(SemanticVersionError) -> SemanticVersion {
    try SemanticVersion(text)
}

@Suite struct SemanticVersionTests {
    /// The list that semver.org's FAQ links beside its regular expression, then boundaries of our
    /// own.
    static let valid = [
        "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid",
        "1.0.0-alpha", "1.0.0-beta", "1.0.0-alpha.beta", "1.0.0-alpha.beta.1", "1.0.0-alpha.1",
        "1.0.0-alpha0.valid", "1.0.0-alpha.0valid",
        "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.0.0-rc.1+build.1",
        "2.0.0-rc.1+build.123", "1.2.3-beta", "10.2.3-DEV-SNAPSHOT", "1.2.3-SNAPSHOT-123", "1.0.0",
        "2.0.0", "1.1.7", "2.0.0+build.1848", "2.0.1-alpha.1227", "1.0.0-alpha+beta",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12+788", "1.2.3----R-S.12.9.1--.12+meta",
        "1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
        "99999999999999999999999.999999999999999999.99999999999999999", "1.0.0-0A.is.legal",
        "0.0.0", "1.2.3--", "1.2.3-0-0", "1.2.3-0a", "1.2.3+01", "1.2.3-a+007.0",
        "18446744073709551615.0.0", "18446744073709551616.0.0", "1.2.3-18446744073709551616",
    ]

    static let invalid = [
        "1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123", "+invalid", "-invalid",
        "-invalid+invalid", "-invalid.01", "alpha", "alpha.beta", "alpha.beta.1", "alpha.1",
        "alpha+beta", "alpha_beta", "alpha.", "alpha..", "beta", "1.0.0-alpha_beta", "-alpha.",
        "1.0.0-alpha..", "1.0.0-alpha..1", "1.0.0-alpha...1", "1.0.0-alpha....1",
        "1.0.0-alpha.....1", "1.0.0-alpha......1", "1.0.0-alpha.......1", "01.1.1", "1.01.1",
        "1.1.01", "1.2.3.DEV", "1.2-SNAPSHOT",
        "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788", "1.2-RC-SNAPSHOT", "-1.0.3-gamma+b7718",
        "+justmeta", "9.8.7+meta+meta", "9.8.7-whatever+meta+meta",
        "99999999999999999999999.999999999999999999.99999999999999999"
            + "----RC-SNAPSHOT.12.09.1--------------------------------..12",
        "", " 1.2.3", "1.2.3 ", "1.2.3\n", "v1.2.3", "=1.2.3", "1.2.3.4", "1.2.3-", "1.2.3+",
        "1.2.3-+b", "1.2.3-00", "1.2.3-é", "1.2.3-a_b", "１.2.3", "1.2.３", "1,2.3", "1.2.3\0",
    ]

    @Test(arguments: valid)
    func `a valid version is read and printed unchanged`(text: String) throws {
        #expect(try version(text).description == text)
    }

    @Test(arguments: invalid)
    func `an invalid version is refused`(text: String) {
        #expect(throws: SemanticVersionError.self) { try version(text) }
    }

    /// §11 of the specification, and boundaries at which doubles and 64-bit integers err.
    @Test(arguments: [
        ["1.0.0", "2.0.0", "2.1.0", "2.1.1"],
        [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
            "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0",
        ],
        ["1.0.0-0", "1.0.0-1", "1.0.0-9", "1.0.0-10", "1.0.0--10", "1.0.0--2", "1.0.0-0a"],
        ["1.0.0-R", "1.0.0-r", "1.0.0-r100", "1.0.0-r2"],
        ["1.0.0-0", "1.0.0--", "1.0.0-a", "1.0.0-a.b", "1.0.0-a-b"],
        ["1.0.0-9007199254740992", "1.0.0-9007199254740993", "1.0.0-18446744073709551615"],
        ["18446744073709551615.0.0", "18446744073709551616.0.0", "18446744073709551617.0.0"],
        ["99999999999999999999.0.0", "100000000000000000000.0.0"],
        [
            "1.18446744073709551614.9", "1.18446744073709551615.1", "1.18446744073709551615.2",
            "1.18446744073709551616.0", "1.18446744073709551616.1-a", "1.18446744073709551616.1",
            "2.0.18446744073709551615-a", "2.0.18446744073709551615", "2.0.18446744073709551616-b",
            "2.0.18446744073709551616", "18446744073709551615.0.1", "18446744073709551615.0.2",
            "18446744073709551616.0.0", "18446744073709551616.18446744073709551616.0",
        ],
        ["1.999999999.0", "2.0.0-0", "2.0.0"],
    ])
    func `precedence is the specification's, for every pair of a chain`(chain: [String]) throws {
        let versions = try chain.map(version)
        for (left, first) in versions.enumerated() {
            for (right, second) in versions.enumerated() {
                #expect((first < second) == (left < right), "\(first) < \(second)")
                #expect((first == second) == (left == right), "\(first) == \(second)")
            }
        }
    }

    @Test func `build metadata is kept but does not count`() throws {
        let (left, right) = (try version("1.0.0-rc+a.1"), try version("1.0.0-rc+b"))

        #expect(left == right && !(left < right) && !(right < left))
        #expect(left.hashValue == right.hashValue)
        #expect(left.build == "a.1" && left.description == "1.0.0-rc+a.1")
    }

    @Test func `an error says what was found where and what was expected`() {
        #expect(throws: SemanticVersionError.leadingZero("1.02.3", offset: 2, number: "02")) {
            try version("1.02.3")
        }
        let error = failure { () throws(SemanticVersionError) in _ = try version("1.2") }
        #expect(
            error.map { "\($0)" } == "invalid version \"1.2\": found the end at byte 3, "
                + "expected \".\" after the minor version")
        let other = failure { () throws(SemanticVersionError) in _ = try version("1.2.3-é") }
        #expect(other?.description.contains("found \"é\" at byte 6") == true)
    }

    @Test func `versions have at most 256 bytes`() throws {
        #expect(try version("1.2.3-" + String(repeating: "a", count: 250)).isPrerelease)
        #expect(throws: SemanticVersionError.tooLong(bytes: 257, limit: 256)) {
            try version("1.2.3-" + String(repeating: "a", count: 251))
        }
    }

    @Test func `the successor of a number carries, also beyond 64 bits`() throws {
        let cases = [
            ("9", "10"), ("18446744073709551615", "18446744073709551616"),
            ("99999999999999999999", "100000000000000000000"),
        ]
        for (text, expected) in cases {
            #expect(try version("\(text).0.0").major.successor.description == expected)
        }
    }
}

@Suite struct PluginIDTests {
    private static func id(_ text: String) throws(PluginIDError) -> PluginID {
        try PluginID(text)
    }

    @Test(arguments: ["a", "word-count", "a1", "a--", "z9-", String(repeating: "a", count: 64)])
    func `an identity is read and printed unchanged`(text: String) throws {
        #expect(try Self.id(text).description == text)
    }

    @Test(arguments: [
        "A", "1a", "-a", "a_b", "a.b", "a/b", "..", "a b", "a\n", "a\0", "ä", "a\u{301}",
    ])
    func `anything that would need escaping somewhere is refused`(text: String) {
        #expect(throws: PluginIDError.self) { try Self.id(text) }
    }

    @Test func `the error says which character stands where`() {
        #expect(throws: PluginIDError.empty) { try Self.id("") }
        #expect(throws: PluginIDError.tooLong(bytes: 65, limit: 64)) {
            try Self.id(String(repeating: "a", count: 65))
        }
        #expect(throws: PluginIDError.invalidCharacter("word count", offset: 4, found: "\" \"")) {
            try Self.id("word count")
        }
    }
}

@Suite struct QuantityTests {
    private static func size(_ text: String) throws(QuantityError) -> Int64 {
        try ByteCount(text).bytes
    }

    @Test(
        arguments: [
            ("0B", 0), ("512B", 512), ("4KiB", 4096), ("64MiB", 67_108_864),
            ("2GiB", 2_147_483_648),
            ("1TiB", 1_099_511_627_776), ("9223372036854775807B", .max),
        ] as [(String, Int64)])
    func `sizes are powers of two and print back`(text: String, bytes: Int64) throws {
        #expect(try Self.size(text) == bytes)
        #expect(ByteCount(bytes: bytes).description == text)
    }

    @Test(
        arguments: [
            ("0ms", .zero), ("250ms", .milliseconds(250)), ("5s", .seconds(5)),
            ("2m", .seconds(120)),
            ("1h", .seconds(3600)), ("7d", .seconds(604_800)),
        ] as [(String, Duration)])
    func `times print back in their largest whole unit`(text: String, duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
        #expect(DurationText.describe(duration) == text)
    }

    @Test(arguments: [
        "", "5", "s", "-5s", "+5s", "05s", "5 s", " 5s", "5S", "5sec", "1.5s", "٥s", "5s\0",
    ])
    func `other texts are no quantity`(text: String) {
        #expect(throws: QuantityError.self) { try DurationText.parse(text) }
    }

    @Test func `an amount beyond 64 bits is refused, not wrapped`() {
        for text in ["9223372036854775808B", "9007199254740992KiB", "99999999999999999999999B"] {
            #expect(throws: QuantityError.tooLarge(text, units: ["B", "KiB", "MiB", "GiB", "TiB"]))
            {
                try Self.size(text)
            }
        }
    }

    @Test func `the error names the unit it found and those there are`() {
        let error = failure { () throws(QuantityError) in _ = try Self.size("64MB") }
        #expect(
            error.map { "\($0)" } == "invalid quantity \"64MB\": found the unit \"MB\", "
                + "expected one of B, KiB, MiB, GiB, TiB")
    }
}
