// JSONParser.swift — bytes to JSONValue: RFC 8259 to the letter, under limits, since a stranger
// wrote the bytes. Runs on every tool call, so it copies each string once and nothing else.
// Next: JSONError.swift.

/// Reads JSON text. Strict: UTF-8 without a byte order mark, no lone surrogates, no comments, no
/// trailing commas. Never traps and recurses at most ``Options/depthLimit`` deep.
public enum JSONParser {
    /// What ``parse(_:options:)`` allows.
    public struct Options: Sendable, Hashable {
        /// What to do about a key that an object has twice. RFC 8259 §4 leaves it open; parsers
        /// that disagree about it have been a way around checks, so refusing is the default.
        public enum DuplicateKeys: Sendable, Hashable {
            /// ``JSONError/duplicateKey(_:at:)``.
            case refuse
            /// The last value counts, at the place of the first.
            case lastWins
        }

        /// Levels of nesting that any caller may ask for: what recursion on a thread's 512 KiB
        /// stack bears with an ample margin.
        public static let maximumDepth = 64
        /// Size of a payload on the wire (DESIGN §6), in bytes: 16 MiB.
        public static let defaultByteLimit = 16 << 20
        /// Values in one document. A value costs some 100 bytes of memory but as little as two of
        /// text, so this, not the byte limit, bounds memory: to about 100 MB.
        public static let defaultValueLimit = 1 << 20

        /// About a key that an object has twice.
        public var duplicateKeys: DuplicateKeys
        /// Bytes of text.
        public var byteLimit: Int
        /// Levels of arrays and objects, at most ``maximumDepth``.
        public var depthLimit: Int
        /// Values, counting every element of every array and object.
        public var valueLimit: Int

        /// The defaults are right for tool arguments and results.
        public init(
            duplicateKeys: DuplicateKeys = .refuse, byteLimit: Int = defaultByteLimit,
            depthLimit: Int = maximumDepth, valueLimit: Int = defaultValueLimit
        ) {
            self.duplicateKeys = duplicateKeys
            self.byteLimit = byteLimit
            self.depthLimit = Swift.min(depthLimit, Self.maximumDepth)
            self.valueLimit = valueLimit
        }
    }

    /// Reads one JSON value that fills `bytes`, but for white space around it.
    ///
    /// - Throws: ``JSONError``, which says where, what was found and what was expected.
    public static func parse(
        _ bytes: [UInt8], options: Options = Options()
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= options.byteLimit else {
            throw .tooLarge(bytes: bytes.count, limit: options.byteLimit)
        }
        var scanner = JSONScanner(bytes, options: options)
        return try scanner.document()
    }

    /// Reads one JSON value that fills `text`; see ``parse(_:options:)``.
    public static func parse(
        _ text: String, options: Options = Options()
    ) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), options: options)
    }
}

/// The position in the text, and one method for each rule of the grammar.
struct JSONScanner {
    let bytes: [UInt8]
    var offset = 0
    private let options: JSONParser.Options
    private var valuesLeft: Int

    init(_ bytes: [UInt8], options: JSONParser.Options) {
        self.bytes = bytes
        self.options = options
        valuesLeft = options.valueLimit
    }

    /// The byte at `offset`, or 0 at the end: no rule of the grammar accepts 0, and errors look at
    /// the offset.
    @inline(__always) var byte: UInt8 {
        offset < bytes.count ? bytes[offset] : 0
    }

    mutating func document() throws(JSONError) -> JSONValue {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw .syntax(
                at: position(of: 0), found: "a byte order mark", expected: "UTF-8 without one")
        }
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw unexpected("the end of the text") }
        return value
    }

    @inline(__always) mutating func skipSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x0A, 0x0D, 0x09: offset += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else {
            throw .tooManyValues(at: position(of: offset), limit: options.valueLimit)
        }
        switch byte {
        case UInt8(ascii: "\""):
            return .string(try string())
        case UInt8(ascii: "{"):
            return .object(try object(depth: try deeper(depth)))
        case UInt8(ascii: "["):
            return .array(try array(depth: try deeper(depth)))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try number())
        case UInt8(ascii: "t"):
            try word("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try word("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        default:
            throw unexpected("a value")
        }
    }

    private func deeper(_ depth: Int) throws(JSONError) -> Int {
        guard depth < options.depthLimit else {
            throw .tooDeep(at: position(of: offset), limit: options.depthLimit)
        }
        return depth + 1
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        offset += 1
        var object = JSONObject()
        skipSpace()
        if byte == UInt8(ascii: "}") {
            offset += 1
            return object
        }
        repeat {
            let keyOffset = offset
            guard byte == UInt8(ascii: "\"") else {
                throw unexpected(object.isEmpty ? "a key in quotes or \"}\"" : "a key in quotes")
            }
            let key = try string()
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw unexpected("\":\" after the key") }
            offset += 1
            skipSpace()
            let value = try value(depth: depth)
            if !object.insert(key, value) {
                guard options.duplicateKeys == .lastWins else {
                    throw .duplicateKey(key, at: position(of: keyOffset))
                }
                object[key] = value
            }
        } while try goesOn(until: "}")
        return object
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        offset += 1
        var elements: [JSONValue] = []
        skipSpace()
        if byte == UInt8(ascii: "]") {
            offset += 1
            return elements
        }
        repeat {
            elements.append(try value(depth: depth))
        } while try goesOn(until: "]")
        return elements
    }

    /// Passes what stands behind an element: a comma, or the bracket that ends the container.
    private mutating func goesOn(until bracket: Unicode.Scalar) throws(JSONError) -> Bool {
        skipSpace()
        switch byte {
        case UInt8(ascii: ","):
            offset += 1
            skipSpace()
            return true
        case UInt8(ascii: bracket):
            offset += 1
            return false
        default: throw unexpected("\",\" or \"\(bracket)\"")
        }
    }

    private mutating func word(_ word: StaticString) throws(JSONError) {
        let start = offset
        for place in 0..<word.utf8CodeUnitCount {
            guard byte == word.withUTF8Buffer({ $0[place] }) else {
                offset = start
                throw unexpected("a value such as \(word)")
            }
            offset += 1
        }
    }

    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = offset
        if byte == UInt8(ascii: "-") { offset += 1 }
        if byte == UInt8(ascii: "0") {
            offset += 1
            if isDigit(byte) { throw unexpected("no digit after a leading 0") }
        } else {
            try digits()
        }
        if byte == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { offset += 1 }
            let first = offset
            try digits()
            let significant = bytes[first..<offset].drop { $0 == UInt8(ascii: "0") }
            guard significant.count <= JSONNumber.maximumExponentDigits else {
                throw .exponentTooLarge(
                    at: position(of: start), digits: significant.count,
                    limit: JSONNumber.maximumExponentDigits)
            }
        }
        return JSONNumber(validated: String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func digits() throws(JSONError) {
        guard isDigit(byte) else { throw unexpected("a digit") }
        repeat { offset += 1 } while isDigit(byte)
    }

    @inline(__always) private func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}
