// JSONValue.swift — a JSON document as a value: what tools take and return, what manifests and
// settings hold. Equality is JSON's, not Swift's: strings byte by byte, numbers by value.
// Next: JSONNumber.swift.

/// One JSON value (RFC 8259). A plain value: safe to share between threads.
///
/// Two values are equal when they mean the same document: numbers compare by mathematical value
/// (`1.0 == 1`), objects regardless of the order of their keys, and strings code point by code
/// point (RFC 8259 §8.3), so that `"\u{E9}"` and `"e\u{301}"` differ although Swift's `String`
/// calls them equal.
public enum JSONValue: Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, kept as it was written.
    case number(JSONNumber)
    /// A string of Unicode scalar values.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object, in the order in which its keys were first written.
    case object(JSONObject)
}

// MARK: - Making

extension JSONValue {
    /// An integer of any width, exactly.
    public init(_ value: some FixedWidthInteger) {
        self = .number(JSONNumber(value))
    }

    /// A finite number, or `nil` for NaN and the infinities, which JSON cannot say.
    public init?(_ value: Double) {
        guard let number = JSONNumber(value) else { return nil }
        self = .number(number)
    }

    /// A string.
    public init(_ value: String) {
        self = .string(value)
    }

    /// `true` or `false`.
    public init(_ value: Bool) {
        self = .bool(value)
    }
}

// MARK: - Looking inside

extension JSONValue {
    /// Whether this is `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The boolean, or `nil` if this is anything else.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number as it was written, or `nil` if this is anything else.
    public var number: JSONNumber? {
        if case .number(let value) = self { value } else { nil }
    }

    /// The integer, exactly: `nil` if this is no number, has a fraction or lies outside `Int64`.
    public var int: Int64? {
        number?.int64
    }

    /// The nearest `Double` (infinite beyond its range), or `nil` if this is no number.
    public var double: Double? {
        number?.double
    }

    /// The string, or `nil` if this is anything else.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, or `nil` if this is no array.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The object, or `nil` if this is anything else.
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value of `key`, or `nil` if this is no object or has no such key.
    public subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// The element at `index` from 0, or `nil` if this is no array or is shorter.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// What JSON calls this type: `null`, `boolean`, `number`, `string`, `array` or `object`.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// Whether there are more than `limit` arrays and objects within each other, this one included.
    package func nests(deeperThan limit: Int) -> Bool {
        switch self {
        case .array(let elements):
            limit == 0 || elements.contains { $0.nests(deeperThan: limit - 1) }
        case .object(let object):
            limit == 0 || object.contains { $0.value.nests(deeperThan: limit - 1) }
        default: false
        }
    }
}

// MARK: - Equality

extension JSONValue: Hashable {
    /// Whether both mean the same document; see the type's own description.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    /// Feeds what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null:
            hasher.combine(0 as UInt8)
        case .bool(let value):
            hasher.combine(1 as UInt8)
            hasher.combine(value)
        case .number(let value):
            hasher.combine(2 as UInt8)
            hasher.combine(value)
        case .string(let value):
            hasher.combine(3 as UInt8)
            ExactString(value).hash(into: &hasher)
        case .array(let value):
            hasher.combine(4 as UInt8)
            hasher.combine(value)
        case .object(let value):
            hasher.combine(5 as UInt8)
            hasher.combine(value)
        }
    }
}

/// A string that equals only the same bytes; `String` itself also equals canonically equivalent
/// ones.
package struct ExactString: Sendable, Hashable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: ExactString, right: ExactString) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var copy = text  // Free; `withUTF8` needs something it could make contiguous.
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)  // Not in UTF-8, so adjacent strings stay apart.
    }
}

// MARK: - Literals

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `null`.
    public init(nilLiteral: ()) {
        self = .null
    }

    /// `true` or `false`.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// An integer.
    public init(integerLiteral value: Int64) {
        self = .number(JSONNumber(value))
    }

    /// A finite number. A literal beyond `Double` traps: the mistake is in our source text.
    public init(floatLiteral value: Double) {
        guard let number = JSONNumber(value) else {
            preconditionFailure("the literal \(value) is beyond Double, and JSON has no infinity")
        }
        self = .number(number)
    }

    /// A string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// An array.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// An object; of equal keys the last one counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}
