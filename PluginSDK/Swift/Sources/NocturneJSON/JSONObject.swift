// JSONObject.swift — the members of a JSON object in their order. Next: JSONParser.swift.

/// The members of a JSON object, in the order in which they were written. No key stands twice.
///
/// Keys are the same when their UTF-8 bytes are (RFC 8259 §8.3). Lookup looks at every member: the
/// objects of tools are small, and an index would cost more than it saves.
public struct JSONObject: Sendable {
    /// A key and its value.
    public typealias Member = (key: String, value: JSON)

    package private(set) var members: [Member] = []

    /// No members.
    public init() {}

    /// Members whose keys are known to be different.
    init(unique members: [Member]) { self.members = members }

    /// The value of `key`, or `nil`. Writing replaces it in its place or appends; `nil` removes it.
    public subscript(key: String) -> JSON? {
        get { place(of: key).map { members[$0].value } }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// The keys in their order.
    public var keys: [String] { members.map(\.key) }

    private func place(of key: String) -> Int? {
        members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }
}

extension JSONObject: RandomAccessCollection {
    /// The place of the first member.
    public var startIndex: Int { 0 }
    /// The place after the last member.
    public var endIndex: Int { members.count }
    /// The member at `place`, from 0 to `count - 1`.
    public subscript(place: Int) -> Member { members[place] }
}

extension JSONObject: Equatable {
    /// Whether both have the same members, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object. A key that stands twice keeps its last value.
    public init(dictionaryLiteral members: (String, JSON)...) {
        for (key, value) in members { self[key] = value }
    }
}

/// A key whose identity is its bytes, not Unicode's canonical equivalence as `String` has it.
struct ExactKey: Hashable {
    let text: String

    static func == (left: ExactKey, right: ExactKey) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xff as UInt8)
    }
}
