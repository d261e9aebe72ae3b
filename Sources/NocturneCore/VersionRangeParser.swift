// VersionRangeParser.swift — the text of a version range to comparators. Strict: what npm reads as
// "any version" by accident (an empty text, a dangling comma, "+1.2.3") is an error.
// Next: Quantity.swift.

/// A position in the text of a range.
struct VersionRangeParser {
    private let text: String
    private let bytes: [UInt8]
    private var offset = 0

    init(_ text: String) throws(VersionRangeError) {
        let size = text.utf8.count
        guard size <= VersionRange.maximumLength else {
            throw .tooLong(bytes: size, limit: VersionRange.maximumLength)
        }
        self.text = text
        bytes = Array(text.utf8)
    }

    mutating func range() throws(VersionRangeError) -> VersionRange {
        skipSpaces()
        if byte == UInt8(ascii: "*") {
            offset += 1
            skipSpaces()
            guard byte == nil else { throw unexpected("the end, since \"*\" stands alone") }
            return .any
        }
        var comparators = [try comparator()]
        while true {
            let before = offset
            skipSpaces()
            var isSeparated = offset > before
            if byte == UInt8(ascii: ",") {
                isSeparated = true
                offset += 1
                skipSpaces()
            } else if byte == nil {
                return VersionRange(comparators)
            }
            guard isSeparated else { throw unexpected("a comma, a space or the end") }
            guard comparators.count < VersionRange.maximumComparators else {
                throw .tooManyComparators(limit: VersionRange.maximumComparators)
            }
            comparators.append(try comparator())
        }
    }

    private var byte: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    private mutating func skipSpaces() {
        while byte == 0x20 { offset += 1 }
    }

    private mutating func comparator() throws(VersionRangeError) -> VersionRange.Comparator {
        let operation = try operation()
        skipSpaces()
        let (version, parts) = try version()
        return VersionRange.Comparator(operation, version, parts: parts)
    }

    private mutating func operation() throws(VersionRangeError) -> VersionRange.Operation {
        let symbols = Array("^=<>~!|-&".utf8)
        let start = offset
        while let byte, symbols.contains(byte) { offset += 1 }
        guard offset > start else { return .caret }
        let found = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let operation = VersionRange.Operation(rawValue: found) else {
            throw .unsupportedOperator(found, in: text, offset: start)
        }
        return operation
    }

    /// Reads up to the next space or comma.
    private mutating func version() throws(VersionRangeError) -> (SemanticVersion, parts: Int) {
        let start = offset
        let token = bytes[start...].prefix { $0 != 0x20 && $0 != UInt8(ascii: ",") }
        guard let first = token.first else { throw unexpected("a version") }
        try refuseWildcard(token)
        guard first &- UInt8(ascii: "0") < 10 else { throw unexpected("a version") }
        if let end = token.firstIndex(of: UInt8(ascii: "|")) {
            throw .unsupportedOperator(
                String(decoding: token[end...].prefix { $0 == UInt8(ascii: "|") }, as: UTF8.self),
                in: text, offset: end)
        }
        offset = token.endIndex
        do throws(SemanticVersionError) {
            var scanner = try VersionScanner(String(decoding: token, as: UTF8.self))
            let result = try scanner.partialVersion()
            try scanner.end()
            // The canonical text writes missing numbers, so the limit holds with them.
            let size = result.0.description.utf8.count
            guard size <= SemanticVersion.maximumLength else {
                throw .tooLong(bytes: size, limit: SemanticVersion.maximumLength)
            }
            return result
        } catch {
            throw .version(error, in: text, offset: start)
        }
    }

    /// Says of `x`, `1.x` and `1.*` that such parts are not supported, not that the number is
    /// missing.
    private func refuseWildcard(_ token: ArraySlice<UInt8>) throws(VersionRangeError) {
        let core = token.prefix { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "+") }
        for part in core.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        where part.elementsEqual("x".utf8) || part.elementsEqual("X".utf8)
            || part.elementsEqual("*".utf8)
        {
            throw .unsupportedOperator(
                String(decoding: part, as: UTF8.self), in: text, offset: part.startIndex)
        }
    }

    private func unexpected(_ expected: String) -> VersionRangeError {
        .unexpected(
            text, offset: offset, found: showCharacter(of: bytes, at: offset), expected: expected)
    }
}
