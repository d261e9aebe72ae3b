// Storage.swift — keys and values that survive the plugin. Next: Tables.swift.

public import NocturneJSON
internal import CNocturne

/// Keys and values, private to the plugin's id; they survive reload, crash and restart of the host. What
/// `set` or `remove` returned from is on disk. Every method blocks its thread for as long as the host
/// needs, usually well below a millisecond.
///
/// A key has at most 256 bytes and no NUL, a value at most 1 MiB; together at most 16 MiB, 10,000 keys.
public struct Storage: Sendable {
    let table: StorageTable?

    private func available() throws(HostError) -> StorageTable {
        guard let table else { throw .unavailable(service: NOCTURNE_HOST_STORAGE) }
        return table
    }

    /// The bytes of `key`, JSON text if JSON was stored; `nil` if there is nothing.
    public func bytes(_ key: String) throws(HostError) -> [UInt8]? {
        try available().get(key)
    }

    /// The JSON value of `key`; `nil` if there is nothing.
    ///
    /// - Throws: ``HostError/malformed(_:)`` if bytes were stored that are no JSON.
    public func get(_ key: String) throws(HostError) -> JSON? {
        guard let bytes = try available().get(key) else { return nil }
        do {
            return try JSON(parsing: bytes)
        } catch {
            throw .malformed("storage \(key) (\(error))")
        }
    }

    /// Stores JSON.
    public func set(_ key: String, to value: JSON) throws(HostError) {
        try available().set(key, NOCTURNE_JSON, value.bytes)
    }

    /// Stores bytes.
    public func set(_ key: String, to bytes: [UInt8]) throws(HostError) {
        try available().set(key, NOCTURNE_BYTES, bytes)
    }

    /// Removes `key`.
    ///
    /// - Returns: `false` if there was nothing.
    @discardableResult
    public func remove(_ key: String) throws(HostError) -> Bool {
        try available().remove(key)
    }

    /// The keys that begin with `prefix`, in the order of their bytes.
    public func keys(prefix: String = "") throws(HostError) -> [String] {
        let bytes = try available().keys(prefix)
        do {
            return try JSON(parsing: bytes).array?.compactMap(\.string) ?? []
        } catch {
            throw .malformed("storage keys \(prefix) (\(error))")
        }
    }
}
