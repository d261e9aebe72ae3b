// JSON.swift — one JSON value, as tools take and return it. No Foundation: a plugin must load in milliseconds.
// Next: JSONObject.swift, then JSONParser.swift and JSONWriter.swift.

/// One JSON value (RFC 8259), written in Swift literals:
/// `["name": "Ada", "years": [1815, 1852], "alive": false, "note": nil]`.
///
/// Integers of 64 bits are kept exactly; every other number is a `Double`.
public enum JSON: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without fraction and exponent that fits into 64 bits, sign included.
    case integer(Int64)
    /// Any other number. NaN and the infinities, which JSON cannot say, are written as `null`.
    case number(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object; its members keep their order.
    case object(JSONObject)
}

// MARK: - Looking inside

extension JSON {
    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The boolean, or `nil` if this is anything else.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer, or `nil` if this is anything else or not a whole number of 64 bits. `3.0` is 3.
    public var integer: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, or `nil` if this is no number. Integers beyond 2^53 are rounded.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The string, or `nil` if this is anything else.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or `nil` if this is no array.
    public var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, or `nil` if this is no object.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member `key`; `nil` if there is none or this is no object. Writing to `null` makes it an
    /// object, writing `nil` removes the member, writing to anything else does nothing.
    public subscript(key: String) -> JSON? {
        get { object?[key] }
        set {
            switch self {
            case .object(var members):
                self = .null  // Gives up our reference, so that the members change in place.
                members[key] = newValue
                self = .object(members)
            case .null where newValue != nil:
                var members = JSONObject()
                members[key] = newValue
                self = .object(members)
            default: break
            }
        }
    }

    /// The element at `index`, from 0; `nil` outside the array, or if this is no array.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

// MARK: - Writing one in Swift

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// An object. A key that stands twice keeps its last value.
    public init(dictionaryLiteral members: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        self = .object(object)
    }
}

extension JSON {
    /// `true` or `false`.
    public init(_ value: Bool) { self = .bool(value) }
    /// An integer; beyond 64 bits with sign it becomes the nearest `Double`.
    public init(_ value: some BinaryInteger) {
        if let exact = Int64(exactly: value) {
            self = .integer(exact)
        } else {
            self = .number(Double(value))
        }
    }
    /// A number.
    public init(_ value: some BinaryFloatingPoint) { self = .number(Double(value)) }
    /// A string.
    public init(_ value: some StringProtocol) { self = .string(String(value)) }
    /// An array.
    public init(_ elements: some Sequence<JSON>) { self = .array(Array(elements)) }
    /// An array of strings.
    public init(_ elements: some Sequence<String>) { self = .array(elements.map(JSON.string)) }
}

// MARK: - Equality and text

extension JSON: Equatable {
    /// Whether both mean the same document: `1 == 1.0`, and the order of members does not count.
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)):
            Int64(exactly: number) == whole
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSON: CustomStringConvertible {
    /// The value as JSON text on one line.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
