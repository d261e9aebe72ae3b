// VersionRangeErrorTests.swift — a typing mistake never opens a range: it is refused with the byte
// at which it stands. Next: VersionSetTests.swift.

import Testing

@testable import NocturneCore

/// A range from text in a variable.
private func range(_ text: String) throws(VersionRangeError) -> VersionRange {
    try VersionRange(text)
}

@Suite struct VersionRangeErrorTests {
    /// Most of these are "any version" or a guess in one of node-semver and Cargo.
    @Test(arguments: [
        "", " ", ",", "^1,", ",^1", "^1,,^2", "^", ">=", "+1.2.3", "+x", "v1", "^v1", "latest",
        "1.2.3.4", "^1.2-a", "^1.2+b", "^01", "^1.2.3-01", "**", "^1;^2", "^1\t^2", "^1\n",
        "1\u{A0}2", "^１", "^ ^1", "\0", "||", "^1 ||", "|| ^1", "^1 || || ^2", "^1 |||| ^2", "|",
        "^1 | ^2", "^1, || ^2", "^1 || , ^2", "1.x.5", "x.1", "x.x.1", "1.2.x-alpha", "*-alpha",
        "1.x+b", "1.2.x+b", "x.x.x.x", "1.xx", "1.*x", "xyz", "*1", "1*", "1.2.3 -2", "1.2.3- 2",
        "1.2.3 - ", " - 1.2.3", "^1 - 2", "1 - ^2", "1 - 2 ^1", "1 - 2, ^1", "^1, 1 - 2", "1 2 - 3",
        "1 - 2 - 3", "1 -- 2", "1–2", "-1.2.3", "1.", "1..2", ".1", "1.2.", ">=1<2", "1 || latest",
    ])
    func `a typing mistake never opens a range`(text: String) {
        #expect(throws: VersionRangeError.self) { try range(text) }
    }

    @Test(
        arguments: [
            ("==1", "==", 0, "one version alone is \"=\""),
            ("=>1", "=>", 0, "\"at least\" is \">=\""),
            ("^1 =<2", "=<", 3, "\"at most\" is \"<=\""), ("~>1", "~>", 0, "\"~\""),
            ("^1 || !=1.5.0", "!=", 6, "<1.2.3 || >1.2.3"), ("^^1", "^^", 0, "^ ~ = > >= < <="),
            ("^1 && <1.5", "&&", 3, "a comma or a space"), (">==1", ">==", 0, "^ ~ = > >= < <="),
            ("latest", "latest", 0, "1.2.3, 1.2, 1.x or *"),
            ("^1, v1.5", "v1.5", 4, "out the \"v\""),
            ("+1.2.3", "+", 0, "1.2.3, 1.2, 1.x or *"), ("^1,, ^2", ",", 3, "1.2.3"),
            ("^1|^2", "^", 3, "\"||\""), ("^1 - 2", "-", 3, "two bare versions"),
            ("1 - 2 3", "3", 6, "a hyphen range stands alone"), ("1 -2", "2", 3, "a space after"),
            ("^1 || || ^2", "|", 6, "which is \"*\""), ("é1", "é", 0, "a version such as"),
        ] as [(String, String, Int, String)])
    func `an error says what stands where and what to write instead`(
        text: String, found: String, offset: Int, advice: String
    ) {
        let error = failure { () throws(VersionRangeError) in _ = try range(text) }
        guard case .unexpected(text, offset, let shown, let expected) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect(shown == "\"\(found)\"" && expected.contains(advice))
        #expect(error?.description.contains("found \"\(found)\" at byte \(offset)") == true)
    }

    @Test(arguments: [("", 0), (" ", 1), ("^1 ||", 5), (">= ", 3), ("^1,", 3), ("1 - ", 4)])
    func `an error at the end says that the text ends there`(text: String, offset: Int) {
        let error = failure { () throws(VersionRangeError) in _ = try range(text) }
        #expect(error?.description.contains("found the end at byte \(offset), expected") == true)
    }

    @Test func `an error within a version says where in the range the version begins`() {
        let wildcard = VersionRangeError.version(
            .unexpected(
                "1.2.x-rc", offset: 5, found: "\"-\"",
                expected: "the end of the version after a wildcard"), in: "^1 || 1.2.x-rc",
            offset: 6)
        #expect(throws: wildcard) { try range("^1 || 1.2.x-rc") }
        let zero = VersionRangeError.version(
            .leadingZero("1.02", offset: 2, number: "02"), in: ">=1.02", offset: 2)
        #expect(throws: zero) { try range(">=1.02") }
        #expect(zero.description.contains("\">=1.02\", in the version at byte 2"))
    }

    @Test func `an alternative has at most 32 comparators, a range 64 alternatives`() throws {
        let comparators = Array(repeating: "^1", count: 32).joined(separator: " ")
        #expect(try range(comparators) == range("^1"))
        #expect(throws: VersionRangeError.tooManyComparators(limit: 32)) {
            try range(comparators + ", ^1")
        }
        let alternatives = (0..<64).map { "=\($0).0.0" }.joined(separator: "||")
        #expect(try range(alternatives).description.split(separator: " || ").count == 64)
        #expect(throws: VersionRangeError.tooManyAlternatives(limit: 64)) {
            try range(alternatives + "||=64.0.0")
        }
        let both = Array(repeating: comparators, count: 64).joined(separator: "||")
        #expect(try range(both) == range("^1"))
    }

    @Test func `a text has at most 8320 bytes, each version in it 256`() throws {
        let longest = "1." + String(repeating: "9", count: 252)
        #expect(try range(range(longest).description) == range(longest))
        #expect(try range("=1.2.3-" + String(repeating: "a", count: 250)).contains(.first) == false)
        let tooLong = VersionRangeError.version(
            .tooLong(bytes: 257, limit: 256), in: longest + "999", offset: 0)
        #expect(throws: tooLong) { try range(longest + "999") }
        #expect(throws: VersionRangeError.tooLong(bytes: 8321, limit: 8320)) {
            try range(String(repeating: " ", count: 8321))
        }
    }

    /// A range that nobody could read back from its canonical text would not be the same when
    /// stored.
    @Test func `a range whose canonical text would exceed a limit is refused`() throws {
        let nines = String(repeating: "9", count: 252)
        #expect(try range("=0.0.\(nines)") != range("=0.0.0"))
        #expect(throws: VersionRangeError.tooComplex(bytes: 258)) { try range("<=0.0.\(nines)") }
        // Each alternative leaves two pieces of prereleases outside the releases of the first.
        let pieces = (1...40).map { ">=\($0).0.0-a <\($0).0.1-b" }.joined(separator: "||")
        #expect(try range(pieces).set.rangeText != nil)
        #expect(throws: VersionRangeError.self) { try range(pieces + "||*") }
    }
}

extension SemanticVersion {
    /// The least release.
    fileprivate static let first = SemanticVersion(0, 0, 0)
}
