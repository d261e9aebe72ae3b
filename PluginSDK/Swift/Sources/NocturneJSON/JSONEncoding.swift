// JSONEncoding.swift — the author's own `Encodable` types to JSON. Start reading at JSON.swift.

extension JSON {
    /// A value of a type of the author's own.
    ///
    /// - Throws: What the type's own `encode(to:)` throws.
    public init(encoding value: some Encodable) throws {
        if let json = value as? JSON {
            self = json
            return
        }
        let place = JSONPlace()
        try value.encode(to: JSONWriting(place: place, codingPath: []))
        self = place.json
    }
}

extension JSON: Encodable {
    /// JSON inside an `Encodable` type. Only for types that are themselves encoded to ``JSON``.
    public func encode(to encoder: any Encoder) throws {
        guard let writing = encoder as? JSONWriting else {
            throw EncodingError.invalidValue(
                self, .init(codingPath: encoder.codingPath, debugDescription: "not encoded to JSON")
            )
        }
        writing.place.content = .value(self)
    }
}

/// Where a value is being put together. A class because `Encoder` hands out parts that are filled later.
private final class JSONPlace {
    enum Content {
        case value(JSON)
        case array([JSONPlace])
        case object([(key: String, place: JSONPlace)])
    }

    var content = Content.object([])

    var json: JSON {
        switch content {
        case .value(let value): value
        case .array(let places): .array(places.map(\.json))
        case .object(let members):
            .object(
                members.reduce(into: JSONObject()) { object, member in
                    object[member.key] = member.place.json
                })
        }
    }

    func append() -> JSONPlace {
        let place = JSONPlace()
        if case .array(var places) = content {
            content = .array([])  // Gives up our reference, so that the array grows in place.
            places.append(place)
            content = .array(places)
        } else {
            content = .array([place])
        }
        return place
    }

    func append(_ key: String) -> JSONPlace {
        let place = JSONPlace()
        if case .object(var members) = content {
            content = .object([])
            members.append((key, place))
            content = .object(members)
        } else {
            content = .object([(key, place)])
        }
        return place
    }
}

/// One value being encoded; `Encoder` and single value in one.
private struct JSONWriting: Encoder, SingleValueEncodingContainer {
    let place: JSONPlace
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = place.content {} else { place.content = .object([]) }
        return KeyedEncodingContainer(JSONMembersWriting(place: place, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = place.content {} else { place.content = .array([]) }
        return JSONElementsWriting(place: place, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    private func put(_ json: JSON) { place.content = .value(json) }

    func encodeNil() { put(.null) }
    func encode(_ value: Bool) { put(JSON(value)) }
    func encode(_ value: String) { put(JSON(value)) }
    func encode(_ value: Int) { put(JSON(value)) }
    func encode(_ value: Int8) { put(JSON(value)) }
    func encode(_ value: Int16) { put(JSON(value)) }
    func encode(_ value: Int32) { put(JSON(value)) }
    func encode(_ value: Int64) { put(JSON(value)) }
    func encode(_ value: UInt) { put(JSON(value)) }
    func encode(_ value: UInt8) { put(JSON(value)) }
    func encode(_ value: UInt16) { put(JSON(value)) }
    func encode(_ value: UInt32) { put(JSON(value)) }
    func encode(_ value: UInt64) { put(JSON(value)) }

    func encode(_ value: Float) throws {
        // By its shortest text, so that 0.1 stays 0.1.
        guard value.isFinite, let number = Double(value.description) else {
            throw notFinite(value)
        }
        put(.number(number))
    }

    func encode(_ value: Double) throws {
        guard value.isFinite else { throw notFinite(value) }
        put(.number(value))
    }

    private func notFinite(_ value: Any) -> EncodingError {
        .invalidValue(
            value, .init(codingPath: codingPath, debugDescription: "JSON has no \(value)"))
    }

    func encode(_ value: some Encodable) throws { try value.encode(to: self) }
}

/// The members of an object being encoded.
private struct JSONMembersWriting<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: JSONPlace
    let codingPath: [any CodingKey]

    private func member(_ key: some CodingKey) -> JSONWriting {
        JSONWriting(place: place.append(key.stringValue), codingPath: codingPath + [key])
    }

    func encodeNil(forKey key: Key) { member(key).encodeNil() }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        try value.encode(to: member(key))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { member(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        member(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { member(JSONKey("super")) }
    func superEncoder(forKey key: Key) -> any Encoder { member(key) }
}

/// The elements of an array being encoded, one after another.
private struct JSONElementsWriting: UnkeyedEncodingContainer {
    let place: JSONPlace
    let codingPath: [any CodingKey]

    var count: Int { if case .array(let places) = place.content { places.count } else { 0 } }

    private func element() -> JSONWriting {
        JSONWriting(codingPath: codingPath + [JSONKey(count)], to: place)
    }

    func encodeNil() { element().encodeNil() }
    func encode(_ value: some Encodable) throws { try value.encode(to: element()) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { element().container(keyedBy: type) }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { element().unkeyedContainer() }

    func superEncoder() -> any Encoder { element() }
}

extension JSONWriting {
    /// The next element of the array at `place`.
    init(codingPath: [any CodingKey], to place: JSONPlace) {
        self.init(place: place.append(), codingPath: codingPath)
    }
}
