// Blackboard.swift — what the agents of a session know together, by key, with versions: whoever decides on what was
// read long ago is told so. Next: ResourceLeases.swift.

public import NocturneCore

/// What agents know together. A value: a copy is a snapshot.
public struct Blackboard: Sendable {
    /// What stands under a key.
    public struct Entry: Sendable, Hashable {
        /// The value.
        public let value: JSONValue
        /// Grows with every write to any key, so that no version ever comes back.
        public let version: Int64
        /// Who wrote it.
        public let writer: AgentID
    }

    /// What a decision was based on: the version of each key that was read, 0 for one that was not there.
    public typealias ReadSet = [String: Int64]

    /// Keys that there may be.
    public static let mostKeys = 100_000
    /// Bytes of a key.
    public static let longestKeyBytes = 256
    /// Bytes of a value, as JSON.
    public static let largestValueBytes = 1 << 20

    private var entries: [String: Entry] = [:]
    /// The version of the latest write; 0 before the first.
    public private(set) var version: Int64 = 0

    /// Without any key.
    public init() {}

    /// What stands under a key.
    public subscript(key: String) -> Entry? { entries[key] }

    /// The version of a key, for a read set; 0 if it is not there.
    public func version(of key: String) -> Int64 { entries[key]?.version ?? 0 }

    /// The keys that begin with `prefix`, in the order of their bytes.
    public func keys(from prefix: String = "") -> [String] {
        entries.keys.filter { $0.hasPrefix(prefix) }.sorted()
    }

    /// Those keys that others wrote since they were read, sorted. None: what was decided still stands.
    public func conflicts(with reads: ReadSet) -> [String] {
        reads.filter { version(of: $0.key) != $0.value }.keys.sorted()
    }

    /// Writes all or nothing, if all that was read still stands. A value of `nil` removes the key.
    ///
    /// - Returns: the version of what was written.
    /// - Throws: ``ResourceError/conflict(keys:)`` with the keys that others wrote meanwhile.
    @discardableResult
    public mutating func write(
        _ changes: [String: JSONValue?], by writer: AgentID, ifUnchanged reads: ReadSet = [:]
    ) throws(ResourceError) -> Int64 {
        let stale = conflicts(with: reads)
        guard stale.isEmpty else { throw .conflict(keys: stale) }
        for key in changes.keys.sorted() { try Self.check(key, changes[key] ?? nil) }
        let added = changes.count { $0.value != nil && entries[$0.key] == nil }
        let removed = changes.count { $0.value == nil && entries[$0.key] != nil }
        guard entries.count + added - removed <= Self.mostKeys else {
            throw .full("keys", limit: Self.mostKeys)
        }
        version += 1
        for (key, value) in changes {
            entries[key] = value.map { Entry(value: $0, version: version, writer: writer) }
        }
        return version
    }

    /// Writes one key if it has still the version that was read; 0 if it must not be there.
    @discardableResult
    public mutating func compareAndSet(
        _ key: String, from expected: Int64, to value: JSONValue?, by writer: AgentID
    ) throws(ResourceError) -> Int64 {
        try write([key: value], by: writer, ifUnchanged: [key: expected])
    }

    private static func check(_ key: String, _ value: JSONValue?) throws(ResourceError) {
        guard (1...longestKeyBytes).contains(key.utf8.count) else {
            throw .invalid(
                "a key of \(key.utf8.count) bytes", "it may have 1 to \(longestKeyBytes)")
        }
        guard let size = value?.serialized().count, size > largestValueBytes else { return }
        throw .invalid("\(size) bytes under \(key)", "\(largestValueBytes) are allowed")
    }
}
