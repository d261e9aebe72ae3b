// HostStore.swift — what the host remembers across restarts, in `host.db`: opened and closed here.
// Next: PluginRecords.swift, Holds.swift, PluginStorage.swift for what is in it.

internal import GRDB
internal import NocturneCore
internal import Synchronization

/// The host's database: one row per plugin id, the holds on paths, the plugins' private storage.
///
/// Every method blocks its thread and may be called from any. What a method has written is on disk
/// when it returns (SQLite's write-ahead log with `synchronous = FULL`): alone that costs little
/// more than one flush of the disk, and writers that come at the same time share it. Reads use a
/// connection of their own and never wait for a write. No thread and no timer of its own. The
/// caller sees to it that only one store is open on a directory.
package final class HostStore: Sendable {
    /// Set when the file that was found was damaged and put away. The operator is to be told.
    package let recovery: Recovery?

    private let path: String
    let commits: GroupCommit
    private let reader: DatabaseQueue
    private let isClosed = Mutex(false)
    let now: @Sendable () -> UnixTime

    /// Opens `host.db` in `directory`, which must exist and be private to the host's user. Makes
    /// the file (mode 0600) if there is none, migrates an older one after copying it to
    /// `host.db.before-<new version>`, sets a damaged one aside as `host.db.corrupt-<UTC time>`.
    ///
    /// Reads the whole database once, to check it.
    ///
    /// - Throws: ``StoreError/newer(path:found:known:)`` for a database of a newer version, which
    ///   is left as it is; any other case when the directory or the disk does not let it.
    package convenience init(directory: String) throws(StoreError) {
        try self.init(directory: directory, options: OpeningOptions())
    }

    init(directory: String, options: OpeningOptions) throws(StoreError) {
        let path = directory + "/host.db"
        let (connections, recovery) = try Connections.recover(path: path, options)
        (self.path, self.now, self.recovery) = (path, options.now, recovery)
        (self.commits, self.reader) = (GroupCommit(connections.writer), connections.reader)
    }

    /// Ends both connections and moves the log into the database. Reads and writes under way end
    /// first; later ones fail with ``StoreError/closed(path:)``. A second call does nothing.
    package func close() throws(StoreError) {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        if wasClosed { return }
        do {
            // The reader first: the last connection to end is the one that empties the log.
            try reader.close()
            try commits.connection.close()
        } catch {
            throw StoreError(error, operation: "close", path: path)
        }
    }
}

// MARK: - For the tables

extension HostStore {
    /// Runs `body` on the reading connection. One statement sees one state of the database.
    func read<Value>(
        _ operation: String, _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try reader.unsafeRead { database in
                try checkOpen()
                return try body(database)
            }
        } catch {
            throw StoreError(error, operation: operation, path: path)
        }
    }

    /// Runs `body` in a transaction that is on disk on return. `body` must check before it writes:
    /// it must not throw a ``StoreError`` once it has written, and may run twice.
    func write<Value: Sendable>(
        _ operation: String, weightBytes: Int = 0,
        _ body: @escaping @Sendable (Database) throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try commits.perform(
                weightBytes: weightBytes, permission: { try checkOpen() }, body)
        } catch {
            throw StoreError(error, operation: operation, path: path)
        }
    }

    private func checkOpen() throws(StoreError) {
        if isClosed.withLock({ $0 }) { throw .closed(path: path) }
    }
}
