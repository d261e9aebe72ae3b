// JSONDecoding.swift — JSON to the author's own `Decodable` types. Next: JSONEncoding.swift.

extension JSON {
    /// The value as a type of the author's own. Keys that the type does not name are ignored.
    ///
    /// - Throws: `DecodingError` with the path of what does not fit.
    public func decode<Value: Decodable>(_: Value.Type) throws -> Value {
        try JSONReading(self, []).decode(Value.self)
    }
}

extension JSON: Decodable {
    /// JSON inside a `Decodable` type. Only for types that are themselves decoded from ``JSON``.
    public init(from decoder: any Decoder) throws {
        guard let reading = decoder as? JSONReading else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not decoded from JSON"))
        }
        self = reading.json
    }
}

/// A place in a path: a member's key or an element's index.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ key: String) { (stringValue, intValue) = (key, nil) }
    init(_ index: Int) { (stringValue, intValue) = (String(index), index) }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}

/// One value being decoded; `Decoder` and single value in one.
private struct JSONReading: Decoder, SingleValueDecodingContainer {
    let json: JSON
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ json: JSON, _ path: [any CodingKey]) { (self.json, codingPath) = (json, path) }

    func mismatch(_ wanted: String) -> DecodingError {
        let found =
            switch json {
            case .null: "null"
            case .bool: "a boolean"
            case .integer, .number: "the number \(json)"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        return .typeMismatch(
            JSON.self,
            .init(codingPath: codingPath, debugDescription: "must be \(wanted), not \(found)"))
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let object = json.object else { throw mismatch("an object") }
        return KeyedDecodingContainer(JSONMembersReading(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let array = json.array else { throw mismatch("an array") }
        return JSONElementsReading(array: array, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { json.isNull }

    func decode(_: Bool.Type) throws -> Bool {
        guard let value = json.bool else { throw mismatch("a boolean") }
        return value
    }

    func decode(_: String.Type) throws -> String {
        guard let value = json.string else { throw mismatch("a string") }
        return value
    }

    func decode(_: Double.Type) throws -> Double {
        guard let value = json.number else { throw mismatch("a number") }
        return value
    }

    func decode(_: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_: Int.Type) throws -> Int { try whole() }
    func decode(_: Int8.Type) throws -> Int8 { try whole() }
    func decode(_: Int16.Type) throws -> Int16 { try whole() }
    func decode(_: Int32.Type) throws -> Int32 { try whole() }
    func decode(_: Int64.Type) throws -> Int64 { try whole() }
    func decode(_: UInt.Type) throws -> UInt { try whole() }
    func decode(_: UInt8.Type) throws -> UInt8 { try whole() }
    func decode(_: UInt16.Type) throws -> UInt16 { try whole() }
    func decode(_: UInt32.Type) throws -> UInt32 { try whole() }
    func decode(_: UInt64.Type) throws -> UInt64 { try whole() }

    private func whole<Value: FixedWidthInteger>() throws -> Value {
        let exact: Value? =
            switch json {
            case .integer(let value): Value(exactly: value)
            case .number(let value): Value(exactly: value)
            default: nil
            }
        guard let exact else { throw mismatch("a whole number of \(Value.min)…\(Value.max)") }
        return exact
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == JSON.self, let value = json as? Value { return value }
        return try Value(from: self)
    }
}

/// The members of an object being decoded.
private struct JSONMembersReading<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSONObject
    let codingPath: [any CodingKey]

    var allKeys: [Key] { object.keys.compactMap(Key.init(stringValue:)) }

    func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }

    private func member(_ key: some CodingKey) throws -> JSONReading {
        guard let value = object[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key,
                .init(codingPath: codingPath, debugDescription: "`\(key.stringValue)` is missing"))
        }
        return JSONReading(value, codingPath + [JSONKey(key.stringValue)])
    }

    func decodeNil(forKey key: Key) throws -> Bool { try member(key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try member(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try member(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try member(JSONKey("super")) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}

/// The elements of an array being decoded, one after another.
private struct JSONElementsReading: UnkeyedDecodingContainer {
    let array: [JSON]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    var count: Int? { array.count }
    var isAtEnd: Bool { currentIndex == array.count }

    private func element() throws -> JSONReading {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                JSON.self,
                .init(codingPath: codingPath, debugDescription: "only \(array.count) elements"))
        }
        return JSONReading(array[currentIndex], codingPath + [JSONKey(currentIndex)])
    }

    mutating func decodeNil() throws -> Bool {
        let isNil = try element().decodeNil()
        if isNil { currentIndex += 1 }
        return isNil
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try element().decode(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try element().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try element().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try element()
        currentIndex += 1
        return decoder
    }
}
