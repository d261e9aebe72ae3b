// Query.swift — every statement of an open store: each is compiled once and kept, and opening can
// prove that all of them fit the file. Next: HostStore.swift.

internal import FoundationEssentials
internal import GRDB

/// A statement of the newest schema version. Its arguments stand in the order of its `?`.
enum Query: String, CaseIterable {
    case plugins = """
        SELECT id, first_seen_ms, enabled, settings, current_hash, previous_hash
        FROM plugin ORDER BY id
        """
    case generation = "SELECT current_hash, previous_hash FROM plugin WHERE id = ?"
    case seePlugin = """
        INSERT INTO plugin (id, first_seen_ms) VALUES (?, ?) ON CONFLICT (id) DO NOTHING
        """
    case setEnabled = """
        INSERT INTO plugin (id, first_seen_ms, enabled) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET enabled = excluded.enabled
        """
    case setSettings = """
        INSERT INTO plugin (id, first_seen_ms, settings) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET settings = excluded.settings
        """
    case setGeneration = """
        INSERT INTO plugin (id, first_seen_ms, current_hash, previous_hash) VALUES (?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE
        SET current_hash = excluded.current_hash, previous_hash = excluded.previous_hash
        """

    case holds = "SELECT path, content_hash, kind, plugin, serving_hash FROM hold ORDER BY path"
    case setHold = """
        INSERT INTO hold (path, content_hash, kind, plugin, serving_hash) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (path) DO UPDATE
        SET content_hash = excluded.content_hash, kind = excluded.kind,
            plugin = excluded.plugin, serving_hash = excluded.serving_hash
        """
    case removeHold = "DELETE FROM hold WHERE path = ?"

    case storedValue = "SELECT kind, value FROM storage WHERE plugin = ? AND key = ?"
    case storedLength = "SELECT length(value) FROM storage WHERE plugin = ? AND key = ?"
    case storedKeys = """
        SELECT key FROM storage WHERE plugin = ? AND key >= ? AND key < ? ORDER BY key
        """
    case storeValue = """
        INSERT INTO storage (plugin, key, kind, value) VALUES (?, ?, ?, coalesce(?, x''))
        ON CONFLICT (plugin, key) DO UPDATE SET kind = excluded.kind, value = excluded.value
        """
    case deleteValue = "DELETE FROM storage WHERE plugin = ? AND key = ?"
    case clearValues = "DELETE FROM storage WHERE plugin = ?"
    case total = "SELECT keys, bytes FROM storage_total WHERE plugin = ?"
    case setTotal = """
        INSERT INTO storage_total (plugin, keys, bytes) VALUES (?, ?, ?)
        ON CONFLICT (plugin) DO UPDATE SET keys = excluded.keys, bytes = excluded.bytes
        """
    case clearTotal = "DELETE FROM storage_total WHERE plugin = ?"
}

extension Database {
    /// Runs a statement that answers no rows.
    func run(_ query: Query, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: query.rawValue).execute(arguments: arguments)
    }

    /// The first row of a statement's answer, if there is any.
    func row(_ query: Query, _ arguments: StatementArguments) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: query.rawValue), arguments: arguments)
    }

    /// Walks the rows of a statement. A row is valid until the next one is asked for.
    func rows(_ query: Query, _ arguments: StatementArguments = []) throws -> RowCursor {
        try Row.fetchCursor(cachedStatement(sql: query.rawValue), arguments: arguments)
    }
}

extension Row {
    /// A column that is never NULL. GRDB's own subscripts trap when a column is not what it
    /// should be; a damaged file must not end the host.
    func value<Value: DatabaseValueConvertible>(_ index: Int) throws -> Value {
        guard let value: Value = try optional(index) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "column \(index) is NULL")
        }
        return value
    }

    /// A column that may be NULL.
    func optional<Value: DatabaseValueConvertible>(_ index: Int) throws -> Value? {
        let stored: DatabaseValue = self[index]
        if stored.isNull { return nil }
        guard let value = Value.fromDatabaseValue(stored) else {
            throw DatabaseError(
                resultCode: .SQLITE_CORRUPT, message: "column \(index) is no \(Value.self)")
        }
        return value
    }

    /// A BLOB column, or `nil` if it is NULL.
    func bytes(_ index: Int) throws -> [UInt8]? {
        try withUnsafeData(atIndex: index) { $0.map { [UInt8]($0) } }
    }
}
