// JSONParser.swift — bytes to JSON (RFC 8259, UTF-8), strictly. Next: JSONWriter.swift.

/// Why bytes are not JSON, and where.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let reason: String
    /// Bytes before the fault.
    public let offset: Int
    /// The line of the fault, from 1.
    public let line: Int
    /// The byte of the fault within its line, from 1.
    public let column: Int

    init(_ reason: String, at offset: Int, in bytes: [UInt8]) {
        let before = bytes.prefix(offset)
        self.reason = reason
        self.offset = offset
        line = 1 + before.count { $0 == 0x0a }
        column = 1 + before.count - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)
    }

    /// What is wrong, and where.
    public var description: String { "not JSON at line \(line), column \(column): \(reason)" }
}

extension JSON {
    /// The deepest nesting of arrays and objects that is read.
    public static let depthMaximum = 64

    /// Reads one JSON value.
    ///
    /// - Parameter bytes: UTF-8 without a byte order mark.
    /// - Throws: for anything but one JSON value, for a key that stands twice in one object, for a
    ///   lone surrogate, and beyond ``depthMaximum``.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }

    /// Reads one JSON value from text.
    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8))
    }
}

/// Reads one document. Recursion is bounded by `JSON.depthMaximum`.
private struct JSONParser {
    /// Above this many members, a repeated key is looked for by hash instead of one by one.
    static let fewMembers = 8
    static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("something follows the value") }
        return value
    }

    private func fault(_ reason: String, at offset: Int? = nil) -> JSONError {
        JSONError(reason, at: offset ?? position, in: bytes)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
            position += 1
        }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSON {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fault("a value is missing: the text ends here")
        case let byte? where byte == UInt8(ascii: "-") || Self.digits.contains(byte):
            return try number()
        default: throw fault("a value is missing")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[offset] else { throw fault("a value is missing") }
            position += 1
        }
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSON {
        guard depth <= JSON.depthMaximum else { throw tooDeep() }
        position += 1
        skipSpace()
        var elements: [JSON] = []
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while take(",")
        guard take("]") else { throw fault("`,` or `]` is missing") }
        return .array(elements)
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSON {
        guard depth <= JSON.depthMaximum else { throw tooDeep() }
        position += 1
        skipSpace()
        var members: [JSONObject.Member] = []
        var seen: Set<ExactKey> = []
        if take("}") { return .object(JSONObject()) }
        repeat {
            skipSpace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes is missing") }
            let key = try string()
            guard isNew(key, among: members, seen: &seen) else {
                throw fault("the key \"\(key)\" stands twice", at: start)
            }
            skipSpace()
            guard take(":") else { throw fault("`:` is missing") }
            members.append((key, try value(depth: depth)))
            skipSpace()
        } while take(",")
        guard take("}") else { throw fault("`,` or `}` is missing") }
        return .object(JSONObject(unique: members))
    }

    private func isNew(
        _ key: String, among members: [JSONObject.Member], seen: inout Set<ExactKey>
    ) -> Bool {
        if members.count < Self.fewMembers {
            return !members.contains { $0.key.utf8.elementsEqual(key.utf8) }
        }
        if seen.isEmpty { seen = Set(members.map { ExactKey(text: $0.key) }) }
        return seen.insert(ExactKey(text: key)).inserted
    }

    private func tooDeep() -> JSONError {
        fault("nested deeper than \(JSON.depthMaximum)")
    }
}

// MARK: - Numbers and strings

extension JSONParser {
    private mutating func digits() -> Int {
        let start = position
        while let byte = next, Self.digits.contains(byte) {
            position += 1
        }
        return position - start
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = position
        var isInteger = true
        _ = take("-")
        let leading = next
        let count = digits()
        guard count > 0 else { throw fault("a digit is missing") }
        guard count == 1 || leading != UInt8(ascii: "0") else {
            throw fault("a number does not begin with 0", at: start)
        }
        if take(".") {
            isInteger = false
            guard digits() > 0 else { throw fault("a digit is missing after the point") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw fault("a digit is missing in the exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, text != "-0", let whole = Int64(text) { return .integer(whole) }
        guard let value = Double(text), value.isFinite else {
            throw fault("the number is out of range", at: start)
        }
        return .number(value)
    }

    private mutating func string() throws(JSONError) -> String {
        let quote = position
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20
        {
            position += 1
        }
        if next == UInt8(ascii: "\"") {  // No escapes: the usual case, taken in one piece.
            let text = String(validating: bytes[start..<position], as: UTF8.self)
            position += 1
            guard let text else { throw fault("the string is not UTF-8", at: quote) }
            return text
        }
        var content = Array(bytes[start..<position])
        while true {
            guard let byte = next else { throw fault("the string has no end", at: quote) }
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw fault("the string is not UTF-8", at: quote)
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw fault("a control character stands in a string")
            default:
                content.append(byte)
                position += 1
            }
        }
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        let start = position
        position += 1
        guard let byte = next else { throw fault("the string has no end", at: start) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0c)
        case UInt8(ascii: "n"): content.append(0x0a)
        case UInt8(ascii: "r"): content.append(0x0d)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = Unicode.Scalar(try codePoint(from: start)) else {
                throw fault("half of a surrogate pair", at: start)
            }
            content.append(contentsOf: String(scalar).utf8)
        default: throw fault("unknown escape", at: start)
        }
    }

    /// The code point after `\u`; of two escapes if the first is the high half of a surrogate pair.
    private mutating func codePoint(from start: Int) throws(JSONError) -> UInt32 {
        let first = try hexadecimal(from: start)
        guard (0xd800..<0xdc00).contains(first) else { return first }
        guard take("\\"), take("u") else { throw fault("half of a surrogate pair", at: start) }
        let second = try hexadecimal(from: start)
        guard (0xdc00..<0xe000).contains(second) else {
            throw fault("half of a surrogate pair", at: start)
        }
        return 0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)
    }

    private mutating func hexadecimal(from start: Int) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue,
                byte < 0x80
            else { throw fault("four hexadecimal digits are missing", at: start) }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
