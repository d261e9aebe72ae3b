// JSONError.swift — why a text is not JSON, and where: line, column, offset, found, expected.
// Next: JSONScanner+Strings.swift.

/// Why a text was not read as JSON.
public enum JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A place in the text.
    public struct Position: Sendable, Hashable, CustomStringConvertible {
        /// Line, from 1. Lines end at a line feed.
        public let line: Int
        /// Column in bytes, from 1.
        public let column: Int
        /// Offset in bytes, from 0.
        public let offset: Int

        /// All three, for a person.
        public var description: String { "line \(line), column \(column) (byte \(offset))" }
    }

    /// The text is longer than it may be; nothing of it was read.
    case tooLarge(bytes: Int, limit: Int)
    /// The grammar (RFC 8259) wants something else here.
    case syntax(at: Position, found: String, expected: String)
    /// These bytes are not UTF-8 (RFC 3629), or an escape names half of a surrogate pair.
    case invalidText(at: Position, found: String)
    /// Arrays and objects are nested more deeply than `limit`.
    case tooDeep(at: Position, limit: Int)
    /// The document has more values than `limit`.
    case tooManyValues(at: Position, limit: Int)
    /// An object has this key twice; the position is that of the second.
    case duplicateKey(String, at: Position)
    /// An exponent has more significant digits than `limit`.
    case exponentTooLarge(at: Position, digits: Int, limit: Int)

    /// Where; `nil` if the text was not looked at.
    public var position: Position? {
        switch self {
        case .tooLarge: nil
        case .syntax(let position, _, _), .invalidText(let position, _),
            .tooDeep(let position, _), .tooManyValues(let position, _),
            .duplicateKey(_, let position), .exponentTooLarge(let position, _, _):
            position
        }
    }

    /// What is wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let limit):
            "JSON of \(bytes) bytes: at most \(limit) are allowed"
        case .syntax(let position, let found, let expected):
            "not JSON at \(position): found \(found), expected \(expected)"
        case .invalidText(let position, let found):
            "not JSON at \(position): found \(found), expected Unicode text in UTF-8"
        case .tooDeep(let position, let limit):
            "JSON too deep at \(position): at most \(limit) levels of arrays and objects "
                + "are allowed"
        case .tooManyValues(let position, let limit):
            "JSON too long at \(position): at most \(limit) values are allowed in one document"
        case .duplicateKey(let key, let position):
            "duplicate key \(quoted(key)) at \(position): each key may appear once in an object"
        case .exponentTooLarge(let position, let digits, let limit):
            "number out of range at \(position): its exponent has \(digits) digits, "
                + "at most \(limit) are allowed"
        }
    }
}

extension JSONScanner {
    /// Counts lines, so only for errors.
    func position(of place: Int) -> JSONError.Position {
        var (line, lineStart) = (1, 0)
        for offset in 0..<Swift.min(place, bytes.count) where bytes[offset] == 0x0A {
            line += 1
            lineStart = offset + 1
        }
        return .init(line: line, column: place - lineStart + 1, offset: place)
    }

    /// The error for what stands at `offset`, where `expected` should.
    func unexpected(_ expected: String) -> JSONError {
        .syntax(at: position(of: offset), found: found, expected: expected)
    }

    private var found: String {
        guard offset < bytes.count else { return "the end of the text" }
        let byte = bytes[offset]
        if byte == UInt8(ascii: "\"") { return "a string" }
        guard byte > 0x20, byte < 0x7F else { return "byte 0x" + hexadecimal(byte) }
        let isWordByte = { (byte: UInt8) in
            byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        }
        guard isWordByte(byte) else { return quoted(String(UnicodeScalar(byte))) }
        let word = bytes[offset...].prefix(24).prefix(while: isWordByte)
        return quoted(String(decoding: word, as: UTF8.self))
    }
}

/// Two hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}

/// `text` in quotes, as an error shows what a stranger wrote: control characters escaped, so that
/// it cannot drive a terminal or forge a log line, and cut after `limit` characters.
package func quoted(_ text: String, limit: Int = 80) -> String {
    var result = "\""
    var shown = 0
    for scalar in text.unicodeScalars {
        guard shown < limit else { return result + "…\"" }
        shown += 1
        switch scalar {
        case "\"", "\\":
            result += "\\"
            result.unicodeScalars.append(scalar)
        case _ where scalar.isUnsafeToShow:
            result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension Unicode.Scalar {
    /// Controls, line separators and bidirectional marks: what changes how the text around it
    /// looks.
    package var isUnsafeToShow: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
            true
        default:
            false
        }
    }
}
