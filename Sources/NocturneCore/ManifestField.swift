// ManifestField.swift — one JSON value of a manifest with its path, and the checks that many fields
// share. Next: ManifestParser.swift.

/// A value and where it stands, so that every refusal can say so.
struct ManifestField {
    let path: String
    let value: JSONValue

    /// An object whose keys are all known or the author's own.
    func object(known: [String]) throws(ManifestError) -> ManifestObject {
        guard case .object(let object) = value else { throw wrongType("an object") }
        let result = ManifestObject(path: path, object: object)
        for key in object.keys where !known.contains(key) && !key.utf8.starts(with: "x-".utf8) {
            throw .unknown(field: result.path(of: key), allowed: known)
        }
        return result
    }

    /// An object of any keys, at most `limit`.
    func dictionary(limit: Int) throws(ManifestError) -> [(key: String, field: ManifestField)] {
        guard case .object(let object) = value else { throw wrongType("an object") }
        guard object.count <= limit else {
            throw invalid("\(object.count) keys", "at most \(limit)")
        }
        let owner = ManifestObject(path: path, object: object)
        return object.map { key, value in
            (key, ManifestField(path: owner.path(of: key), value: value))
        }
    }

    /// The elements of an array, at most `limit`.
    func elements(limit: Int) throws(ManifestError) -> [ManifestField] {
        guard case .array(let elements) = value else { throw wrongType("an array") }
        guard elements.count <= limit else {
            throw invalid("\(elements.count) elements", "at most \(limit)")
        }
        return elements.enumerated().map { place, value in
            ManifestField(path: "\(path)[\(place)]", value: value)
        }
    }

    func flag() throws(ManifestError) -> Bool {
        guard case .bool(let flag) = value else { throw wrongType("true or false") }
        return flag
    }

    func string(_ allowed: String) throws(ManifestError) -> String {
        guard case .string(let text) = value else { throw wrongType(allowed) }
        return text
    }

    /// Text for people: 1 to `limit` characters that cannot drive a terminal or reorder a line.
    func prose(limit: Int, multiline: Bool = false) throws(ManifestError) -> String {
        let allowed =
            "a string of 1 to \(limit) characters without control or direction characters"
            + (multiline ? " other than line feed and tab" : "")
        let text = try string(allowed)
        guard !text.isEmpty else { throw invalid("\"\"", allowed) }
        let count = text.unicodeScalars.count
        guard count <= limit else { throw invalid("\(count) characters", allowed) }
        if let bad = text.unicodeScalars.first(where: { scalar in
            scalar.isRefusedInProse && !(multiline && (scalar == "\n" || scalar == "\t"))
        }) {
            throw invalid(
                "the character U+\(String(bad.value, radix: 16, uppercase: true))", allowed)
        }
        return text
    }

    /// A name of a contribution: `[A-Za-z][A-Za-z0-9_.:-]{0,127}`.
    func name() throws(ManifestError) -> String {
        let allowed =
            "a letter, then up to \(ManifestObject.maximumNameLength - 1) "
            + "of letters, digits and _ . : -"
        return try word(allowed, limit: ManifestObject.maximumNameLength) { byte, offset in
            isLetter(byte) || offset > 0 && (isDigit(byte) || "_.:-".utf8.contains(byte))
        }
    }

    /// 1 to `limit` bytes, each of which `isAllowed` at its offset.
    func word(
        _ allowed: String, limit: Int, _ isAllowed: (UInt8, Int) -> Bool
    ) throws(ManifestError) -> String {
        let text = try string(allowed)
        guard !text.isEmpty, text.utf8.count <= limit,
            text.utf8.enumerated().allSatisfy({ offset, byte in isAllowed(byte, offset) })
        else { throw invalid(quoted(text), allowed) }
        return text
    }

    func integer(in range: ClosedRange<Int64>) throws(ManifestError) -> Int {
        let allowed = "an integer from \(range.lowerBound) to \(range.upperBound)"
        guard case .number(let number) = value else { throw wrongType(allowed) }
        guard let integer = number.int64, range.contains(integer) else {
            throw invalid(shown, allowed)
        }
        return Int(integer)
    }

    func memory(in range: ClosedRange<ByteCount>) throws(ManifestError) -> ByteCount {
        let allowed =
            "bytes, or a string such as \"64MiB\", "
            + "from \(range.lowerBound) to \(range.upperBound)"
        let count: ByteCount
        switch value {
        case .number(let number):
            guard let bytes = number.int64, bytes >= 0 else { throw invalid(shown, allowed) }
            count = ByteCount(bytes: bytes)
        case .string(let text):
            do throws(QuantityError) {
                count = try ByteCount(text)
            } catch {
                throw invalid("\(error)", allowed)
            }
        default:
            throw wrongType(allowed)
        }
        guard range.contains(count) else { throw invalid(shown, allowed) }
        return count
    }

    func duration(in range: ClosedRange<Duration>) throws(ManifestError) -> Duration {
        let allowed =
            "milliseconds, or a string such as \"250ms\" or \"5s\", from "
            + DurationText.describe(range.lowerBound) + " to "
            + DurationText.describe(range.upperBound)
        let duration: Duration
        switch value {
        case .number(let number):
            guard let milliseconds = number.int64 else { throw invalid(shown, allowed) }
            duration = .milliseconds(milliseconds)
        case .string(let text):
            do throws(QuantityError) {
                duration = try DurationText.parse(text)
            } catch {
                throw invalid("\(error)", allowed)
            }
        default:
            throw wrongType(allowed)
        }
        guard range.contains(duration) else { throw invalid(shown, allowed) }
        return duration
    }

    /// One of the raw values of an enumeration.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ type: Choice.Type
    ) throws(ManifestError) -> Choice where Choice.RawValue == String {
        let allowed = Choice.allCases.map { quoted($0.rawValue) }.joined(separator: " or ")
        let text = try string(allowed)
        guard let choice = Choice(rawValue: text) else { throw invalid(quoted(text), allowed) }
        return choice
    }

    /// A JSON Schema, kept as it is: an object or a boolean. What it says is checked by whoever
    /// applies it.
    func schema() throws(ManifestError) -> JSONValue {
        switch value {
        case .object, .bool: value
        default: throw wrongType("a JSON Schema, that is an object, true or false")
        }
    }

    func wrongType(_ allowed: String) -> ManifestError {
        let found =
            switch value {
            case .null: "null"
            case .bool(let flag): "\(flag)"
            case .number, .string: "the \(value.typeName) \(shown)"
            case .array, .object: "an \(value.typeName)"
            }
        return .wrongType(field: path, found: found, allowed: allowed)
    }

    func invalid(_ found: String, _ allowed: String) -> ManifestError {
        .invalid(field: path, found: found, allowed: allowed)
    }

    /// The value for an error message.
    private var shown: String {
        switch value {
        case .string(let text): quoted(text)
        case .number(let number): String(number.literal.prefix(40))
        default: value.typeName
        }
    }
}

/// An object of a manifest with its path.
struct ManifestObject {
    /// Bytes of a contribution's name.
    static let maximumNameLength = 128

    let path: String
    let object: JSONObject

    func optional(_ key: String) -> ManifestField? {
        object[key].map { ManifestField(path: path(of: key), value: $0) }
    }

    func required(_ key: String, _ allowed: String) throws(ManifestError) -> ManifestField {
        guard let field = optional(key) else {
            throw .missing(field: path(of: key), allowed: allowed)
        }
        return field
    }

    /// `path.key`, or `path["key"]` if the key would be mistaken for something else.
    func path(of key: String) -> String {
        let isPlain =
            !key.isEmpty && key.utf8.count <= 64
            && key.utf8.allSatisfy { isLetter($0) || isDigit($0) || "_-".utf8.contains($0) }
        if !isPlain { return "\(path)[\(quoted(key))]" }
        return path.isEmpty ? key : "\(path).\(key)"
    }
}

extension Unicode.Scalar {
    /// C0 and C1 controls, line and paragraph separators, and the marks that reorder text (UAX #9).
    fileprivate var isRefusedInProse: Bool {
        switch value {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
            true
        default:
            false
        }
    }
}

func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26
}

func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}
