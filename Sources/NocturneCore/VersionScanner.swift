// VersionScanner.swift — reads versions byte by byte: whole ones, and the partial ones that ranges
// may hold. Bytes and not characters, since `Character.isNumber` also likes the digits of other
// scripts. Next: VersionRange.swift.

/// A position in the text of a version.
struct VersionScanner {
    private let text: String
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ text: String) throws(SemanticVersionError) {
        let size = text.utf8.count
        guard size <= SemanticVersion.maximumLength else {
            throw .tooLong(bytes: size, limit: SemanticVersion.maximumLength)
        }
        self.text = text
        bytes = Array(text.utf8)
    }

    private var byte: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    /// Reads `M.m.p`, then an optional prerelease and build.
    mutating func version() throws(SemanticVersionError) -> SemanticVersion {
        let major = try number()
        try expect(".", "\".\" after the major version")
        let minor = try number()
        try expect(".", "\".\" after the minor version")
        return try version(major, minor, try number())
    }

    /// Reads `M`, `M.m` or a whole version. Missing numbers are 0.
    mutating func partialVersion() throws(SemanticVersionError) -> (SemanticVersion, parts: Int) {
        let major = try number()
        guard byte == UInt8(ascii: ".") else { return (SemanticVersion(major, 0, 0), 1) }
        offset += 1
        let minor = try number()
        guard byte == UInt8(ascii: ".") else { return (SemanticVersion(major, minor, 0), 2) }
        offset += 1
        return (try version(major, minor, try number()), 3)
    }

    /// Refuses anything that is left.
    func end() throws(SemanticVersionError) {
        guard offset == bytes.count else { throw unexpected("the end of the version") }
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
        return SemanticVersion(major, minor, patch, prerelease: prerelease, build: build)
    }

    private mutating func number() throws(SemanticVersionError) -> VersionNumber {
        let start = offset
        while let byte, isDigit(byte) { offset += 1 }
        guard offset > start else { throw unexpected("a digit") }
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
            text, offset: digits.startIndex, number: String(decoding: digits, as: UTF8.self))
    }

    private mutating func expect(
        _ wanted: Unicode.Scalar, _ expected: String
    ) throws(SemanticVersionError) {
        guard byte == UInt8(ascii: wanted) else { throw unexpected(expected) }
        offset += 1
    }

    private func unexpected(_ expected: String) -> SemanticVersionError {
        .unexpected(
            text, offset: offset, found: showCharacter(of: bytes, at: offset), expected: expected)
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
