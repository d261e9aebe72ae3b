// JSONObject.swift — the keys and values of a JSON object, in the order they were written.
// Small objects are searched, large ones indexed; keys are equal when their bytes are.
// Next: JSONParser.swift.

/// An ordered JSON object: iterates in the order in which keys were first set, finds a key in
/// constant time, and compares regardless of order. A plain value: safe to share between threads.
public struct JSONObject: Sendable {
    /// Keys up to which a linear search is used: comparing so few lengths and bytes costs less than
    /// hashing, and most objects need no second allocation.
    static let linearSearchLimit = 16

    private var entries: [Entry] = []
    /// Place of each key in `entries`; only when there are more than ``linearSearchLimit``.
    private var index: [ExactString: Int]?

    private struct Entry: Sendable {
        let key: String
        var value: JSONValue
    }

    /// An object without keys.
    public init() {}

    /// The pairs in their order; of equal keys the last value counts, at the place of the first.
    public init(_ pairs: some Sequence<(String, JSONValue)>) {
        for (key, value) in pairs { self[key] = value }
    }

    /// How many keys there are.
    public var count: Int { entries.count }

    /// Whether there are no keys.
    public var isEmpty: Bool { entries.isEmpty }

    /// The keys, in order.
    public var keys: [String] { entries.map(\.key) }

    /// The value of `key`. Setting a new key appends it, setting `nil` removes it and keeps the
    /// rest in order.
    public subscript(key: String) -> JSONValue? {
        get {
            place(of: key).map { entries[$0].value }
        }
        set {
            guard let newValue else {
                remove(key)
                return
            }
            if let place = place(of: key) {
                entries[place].value = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    /// Appends a pair unless the key is there already.
    ///
    /// - Returns: whether it was appended.
    mutating func insert(_ key: String, _ value: JSONValue) -> Bool {
        guard place(of: key) == nil else { return false }
        append(key, value)
        return true
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        entries.append(Entry(key: key, value: value))
        if index != nil {
            index?[ExactString(key)] = entries.count - 1
        } else if entries.count > Self.linearSearchLimit {
            reindex()
        }
    }

    private mutating func remove(_ key: String) {
        guard let place = place(of: key) else { return }
        entries.remove(at: place)
        reindex()
    }

    private mutating func reindex() {
        guard entries.count > Self.linearSearchLimit else {
            index = nil
            return
        }
        var fresh: [ExactString: Int] = [:]
        fresh.reserveCapacity(entries.count)
        for (place, entry) in entries.enumerated() { fresh[ExactString(entry.key)] = place }
        index = fresh
    }

    private func place(of key: String) -> Int? {
        if let index { return index[ExactString(key)] }
        let size = key.utf8.count
        return entries.firstIndex { entry in
            entry.key.utf8.count == size && entry.key.utf8.elementsEqual(key.utf8)
        }
    }
}

extension JSONObject: Sequence {
    /// Walks the pairs in order.
    public struct Iterator: IteratorProtocol, Sendable {
        private let entries: [Entry]
        private var place = 0

        fileprivate init(_ object: JSONObject) {
            entries = object.entries
        }

        /// The next pair, or `nil` at the end.
        public mutating func next() -> (key: String, value: JSONValue)? {
            guard place < entries.count else { return nil }
            defer { place += 1 }
            return (entries[place].key, entries[place].value)
        }
    }

    /// Walks the pairs in order.
    public func makeIterator() -> Iterator {
        Iterator(self)
    }

    /// As many as there are keys.
    public var underestimatedCount: Int { entries.count }
}

extension JSONObject: Hashable {
    /// Whether both have the same keys with equal values, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.allSatisfy { key, value in right[key] == value }
    }

    /// Feeds the pairs so that their order does not matter.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in self {
            var pair = Hasher()
            pair.combine(ExactString(key))
            pair.combine(value)
            sum &+= pair.finalize()
        }
        hasher.combine(count)
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// The pairs in their order; of equal keys the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}
