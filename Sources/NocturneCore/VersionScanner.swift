// VersionScanner.swift — reads versions byte by byte: whole ones, and the partial ones that ranges
// may hold. Bytes and not characters, since `Character.isNumber` also likes the digits of other
// scripts. Next: VersionRange.swift.

/// A version of which the last numbers may be missing.
struct PartialVersion {
    /// Missing numbers are 0.
    let version: SemanticVersion
    /// How many numbers there are, 0...3.
    let parts: Int
    /// A wildcard stands for the first number that is missing.
    let isWildcard: Bool

    fileprivate static func short(
        _ major: VersionNumber, _ minor: VersionNumber, parts: Int
    ) -> PartialVersion {
        PartialVersion(
            version: SemanticVersion(major, minor, 0), parts: parts, isWildcard: false)
    }

    fileprivate static func wildcard(
        _ major: VersionNumber, _ minor: VersionNumber, parts: Int
    ) -> PartialVersion {
        PartialVersion(version: SemanticVersion(major, minor, 0), parts: parts, isWildcard: true)
    }
}

/// A position in the text of a version.
struct VersionScanner {
    private let bytes: [UInt8]
    private let start: Int
    private let limit: Int
    private var offset: Int

    init(_ text: String) throws(SemanticVersionError) {
        let size = text.utf8.count
        guard size <= SemanticVersion.maximumLength else {
            throw .tooLong(bytes: size, limit: SemanticVersion.maximumLength)
        }
        bytes = Array(text.utf8)
        (start, limit, offset) = (0, size, 0)
    }

    /// Reads a part of a longer text, which is not copied. Offsets in errors count from its start.
    init(_ part: Range<Int>, of bytes: [UInt8]) throws(SemanticVersionError) {
        guard part.count <= SemanticVersion.maximumLength else {
            throw .tooLong(bytes: part.count, limit: SemanticVersion.maximumLength)
        }
        self.bytes = bytes
        (start, limit, offset) = (part.lowerBound, part.upperBound, part.lowerBound)
    }

    private var byte: UInt8? {
        offset < limit ? bytes[offset] : nil
    }

    /// Reads `M.m.p`, then an optional prerelease and build.
    mutating func version() throws(SemanticVersionError) -> SemanticVersion {
        let major = try number()
        try expect(".", "\".\" after the major version")
        let minor = try number()
        try expect(".", "\".\" after the minor version")
        return try version(major, minor, try number())
    }

    /// Reads `M`, `M.m` or a whole version, without wildcards. Missing numbers are 0.
    mutating func partialVersion() throws(SemanticVersionError) -> SemanticVersion {
        try numbers(allowsWildcards: false).version
    }

    /// Reads what may stand in a range: `1`, `1.2`, `1.2.3-rc`, `*`, `1.x`, `1.2.*`.
    mutating func rangeVersion() throws(SemanticVersionError) -> PartialVersion {
        try numbers(allowsWildcards: true)
    }

    private mutating func numbers(
        allowsWildcards: Bool
    ) throws(SemanticVersionError) -> PartialVersion {
        if allowsWildcards, try wildcards(atMost: 3) { return .wildcard(0, 0, parts: 0) }
        let major = try number(orWildcard: allowsWildcards)
        guard byte == UInt8(ascii: ".") else { return .short(major, 0, parts: 1) }
        offset += 1
        if allowsWildcards, try wildcards(atMost: 2) { return .wildcard(major, 0, parts: 1) }
        let minor = try number(orWildcard: allowsWildcards)
        guard byte == UInt8(ascii: ".") else { return .short(major, minor, parts: 2) }
        offset += 1
        if allowsWildcards, try wildcards(atMost: 1) { return .wildcard(major, minor, parts: 2) }
        let patch = try number(orWildcard: allowsWildcards)
        return PartialVersion(
            version: try version(major, minor, patch), parts: 3, isWildcard: false)
    }

    /// Reads `x`, `x.x` and so on, if there is one. After a wildcard no number and no prerelease
    /// can mean anything; node-semver drops them in silence, and a typing mistake opens the range.
    private mutating func wildcards(atMost count: Int) throws(SemanticVersionError) -> Bool {
        guard let first = byte, isWildcard(first) else { return false }
        offset += 1
        for _ in 1..<max(count, 1) where byte == UInt8(ascii: ".") {
            offset += 1
            guard let next = byte, isWildcard(next) else { throw unexpected("another wildcard") }
            offset += 1
        }
        guard byte == nil else { throw unexpected("the end of the version after a wildcard") }
        return true
    }

    /// Refuses anything that is left.
    func end() throws(SemanticVersionError) {
        guard offset == limit else { throw unexpected("the end of the version") }
    }

    private mutating func version(
        _ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber
    ) throws(SemanticVersionError) -> SemanticVersion {
        var prerelease: [SemanticVersion.Identifier] = []
        if byte == UInt8(ascii: "-") {
            repeat {
                offset += 1
                prerelease.append(try prereleaseIdentifier())
            } while byte == UInt8(ascii: ".")
        }
        var build = ""
        if byte == UInt8(ascii: "+") {
            let start = offset + 1
            repeat {
                offset += 1
                _ = try identifier()
            } while byte == UInt8(ascii: ".")
            build = String(decoding: bytes[start..<offset], as: UTF8.self)
        }
        return SemanticVersion(
            SemanticVersion.Core(major, minor, patch), prerelease: prerelease, build: build)
    }

    private mutating func number(
        orWildcard: Bool = false
    ) throws(SemanticVersionError) -> VersionNumber {
        let start = offset
        while let byte, isDigit(byte) { offset += 1 }
        guard offset > start else {
            throw unexpected(orWildcard ? "a digit, x or *" : "a digit")
        }
        try refuseLeadingZero(bytes[start..<offset])
        return VersionNumber(digits: bytes[start..<offset])
    }

    private mutating func prereleaseIdentifier() throws(SemanticVersionError)
        -> SemanticVersion.Identifier
    {
        let identifier = try identifier()
        guard identifier.allSatisfy(isDigit) else {
            return .text(String(decoding: identifier, as: UTF8.self))
        }
        try refuseLeadingZero(identifier)
        return .number(VersionNumber(digits: identifier))
    }

    /// One or more letters, digits and hyphens (§§9, 10).
    private mutating func identifier() throws(SemanticVersionError) -> ArraySlice<UInt8> {
        let start = offset
        while let byte, isIdentifierByte(byte) { offset += 1 }
        guard offset > start else { throw unexpected("a letter, digit or hyphen") }
        return bytes[start..<offset]
    }

    private func refuseLeadingZero(_ digits: ArraySlice<UInt8>) throws(SemanticVersionError) {
        guard digits.count > 1, digits.first == UInt8(ascii: "0") else { return }
        throw .leadingZero(
            text, offset: digits.startIndex - start,
            number: String(decoding: digits, as: UTF8.self))
    }

    private mutating func expect(
        _ wanted: Unicode.Scalar, _ expected: String
    ) throws(SemanticVersionError) {
        guard byte == UInt8(ascii: wanted) else { throw unexpected(expected) }
        offset += 1
    }

    private func unexpected(_ expected: String) -> SemanticVersionError {
        let found = offset < limit ? showCharacter(of: bytes, at: offset) : "the end"
        return .unexpected(text, offset: offset - start, found: found, expected: expected)
    }

    /// What is being read, for an error.
    private var text: String { String(decoding: bytes[start..<limit], as: UTF8.self) }

    private func isWildcard(_ byte: UInt8) -> Bool {
        byte | 0x20 == UInt8(ascii: "x") || byte == UInt8(ascii: "*")
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    private func isIdentifierByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-")
    }
}

/// The character that begins at `offset` of UTF-8 text, for an error message; or that the text ends
/// there.
func showCharacter(of bytes: [UInt8], at offset: Int) -> String {
    guard offset < bytes.count else { return "the end" }
    return String(decoding: bytes[offset...], as: UTF8.self).unicodeScalars.first
        .map { quoted(String($0)) } ?? "the end"
}
