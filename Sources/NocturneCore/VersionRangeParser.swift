// VersionRangeParser.swift — the text of a version range to the set it means. Strict: what npm
// reads as "any version" by accident (an empty alternative, a dangling comma, "+1.2.3") is an
// error. Next: Quantity.swift.

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

    /// Reads alternatives up to the end.
    mutating func range() throws(VersionRangeError) -> VersionSet {
        var set = try alternative()
        var count = 1
        while byte != nil {
            offset += 1
            guard byte == UInt8(ascii: "|") else { throw unexpected("\"||\", with a second \"|\"") }
            offset += 1
            guard count < VersionRange.maximumAlternatives else {
                throw .tooManyAlternatives(limit: VersionRange.maximumAlternatives)
            }
            count += 1
            set = set.union(try alternative())
        }
        return set
    }

    private var byte: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    /// Says whether there was one.
    @discardableResult
    private mutating func skipSpaces() -> Bool {
        let start = offset
        while byte == 0x20 { offset += 1 }
        return offset > start
    }

    /// Reads up to the end or a `|`.
    private mutating func alternative() throws(VersionRangeError) -> VersionSet {
        var bounds = VersionRangeBounds()
        skipSpaces()
        try refuseEmptyAlternative()
        let operation = try operation()
        let first = try version()
        var isSpaced = skipSpaces()
        if operation == nil, isSpaced, byte == UInt8(ascii: "-") {
            bounds.narrow(by: .atLeast, first)
            bounds.narrow(by: .atMost, try upperEnd())
            return bounds.set
        }
        bounds.narrow(by: operation ?? .implied(by: first), first)
        var count = 1
        while try separator(isSpaced: isSpaced) {
            guard count < VersionRange.maximumComparators else {
                throw .tooManyComparators(limit: VersionRange.maximumComparators)
            }
            count += 1
            let operation = try self.operation()
            let next = try version()
            bounds.narrow(by: operation ?? .implied(by: next), next)
            isSpaced = skipSpaces()
        }
        return bounds.set
    }

    /// Skips what stands between two comparators; `false` if no other follows.
    private mutating func separator(isSpaced: Bool) throws(VersionRangeError) -> Bool {
        guard let byte, byte != UInt8(ascii: "|") else { return false }
        if byte == UInt8(ascii: ",") {
            offset += 1
            skipSpaces()
        } else if byte == UInt8(ascii: "-") {
            throw unexpected(
                "a comparator; a hyphen joins two bare versions, with a space on either side and "
                    + "nothing else between \"||\"")
        } else if !isSpaced {
            throw unexpected("a comma, a space, \"||\" or the end")
        }
        return true
    }

    /// Reads ` - 2.3` of a hyphen range, at the hyphen.
    private mutating func upperEnd() throws(VersionRangeError) -> PartialVersion {
        offset += 1
        guard byte == 0x20 else { throw unexpected("a space after the hyphen of a hyphen range") }
        skipSpaces()
        let end = try version()
        skipSpaces()
        guard byte == nil || byte == UInt8(ascii: "|") else {
            throw unexpected("\"||\" or the end, since a hyphen range stands alone")
        }
        return end
    }

    private func refuseEmptyAlternative() throws(VersionRangeError) {
        if byte == nil || byte == UInt8(ascii: "|") {
            throw unexpected("a version range; an empty one is not \"any version\", which is \"*\"")
        }
    }

    /// Reads `^`, `>=` and so on, and the spaces that follow; `nil` if a version stands there.
    private mutating func operation() throws(VersionRangeError) -> VersionRangeOperation? {
        let start = offset
        while let byte, Self.isSymbol(byte) { offset += 1 }
        guard offset > start else { return nil }
        let operation = Self.operation(of: bytes[start..<offset])
        guard let operation else {
            let found = String(decoding: bytes[start..<offset], as: UTF8.self)
            throw .unexpected(
                text, offset: start, found: quoted(found),
                expected: "one of ^ ~ = > >= < <= or a version" + Self.advice(for: found))
        }
        skipSpaces()
        return operation
    }

    private static func isSymbol(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "^"), UInt8(ascii: "~"), UInt8(ascii: "="), UInt8(ascii: ">"),
            UInt8(ascii: "<"), UInt8(ascii: "!"), UInt8(ascii: "&"):
            true
        default: false
        }
    }

    private static func operation(of symbols: ArraySlice<UInt8>) -> VersionRangeOperation? {
        let isOrEqual = symbols.count == 2 && symbols.last == UInt8(ascii: "=")
        guard symbols.count == 1 || isOrEqual else { return nil }
        switch symbols.first {
        case UInt8(ascii: ">"): return isOrEqual ? .atLeast : .above
        case UInt8(ascii: "<"): return isOrEqual ? .atMost : .below
        case UInt8(ascii: "^") where !isOrEqual: return .caret
        case UInt8(ascii: "~") where !isOrEqual: return .tilde
        case UInt8(ascii: "=") where !isOrEqual: return .exact
        default: return nil
        }
    }

    /// What people who write `found` elsewhere mean here.
    private static func advice(for found: String) -> String {
        switch found {
        case "==", "===": "; one version alone is \"=\""
        case "=>": "; \"at least\" is \">=\""
        case "=<": "; \"at most\" is \"<=\""
        case "~>", "~=": "; changes of the last number only are \"~\""
        case "!=", "!", "<>": "; leave a version out with two alternatives, \"<1.2.3 || >1.2.3\""
        case "&", "&&": "; a comma or a space means \"and\""
        default: ""
        }
    }

    /// Reads up to the next space, comma or `|`.
    private mutating func version() throws(VersionRangeError) -> PartialVersion {
        let start = offset
        while let byte, byte != 0x20, byte != UInt8(ascii: ","), byte != UInt8(ascii: "|") {
            offset += 1
        }
        let end = offset
        offset = start
        try refuseStranger(upTo: end)
        offset = end
        do throws(SemanticVersionError) {
            var scanner = try VersionScanner(start..<end, of: bytes)
            let result = try scanner.rangeVersion()
            try scanner.end()
            return result
        } catch {
            throw .version(error, in: text, offset: start)
        }
    }

    /// Says of `latest` and `v1` that no version begins there, not that a digit is missing in one.
    private func refuseStranger(upTo end: Int) throws(VersionRangeError) {
        guard let byte, offset < end else { throw unexpected(Self.expectedVersion) }
        let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
        if byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "*") { return }
        if byte | 0x20 == UInt8(ascii: "x") { return }
        guard isLetter else { throw unexpected(Self.expectedVersion) }
        let word = String(decoding: bytes[offset..<end].prefix(32), as: UTF8.self)
        let isPrefixed = byte | 0x20 == UInt8(ascii: "v")
        throw .unexpected(
            text, offset: offset, found: quoted(word),
            expected: Self.expectedVersion + (isPrefixed ? "; leave out the \"v\"" : ""))
    }

    private static let expectedVersion = "a version such as 1.2.3, 1.2, 1.x or *"

    private func unexpected(_ expected: String) -> VersionRangeError {
        .unexpected(
            text, offset: offset, found: showCharacter(of: bytes, at: offset), expected: expected)
    }
}
