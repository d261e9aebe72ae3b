// TaskRows.swift — `tasks.db`, where tasks are kept: opened and closed here. It knows rows, not what they mean.
// Next: TaskRowReader.swift for what is asked, TaskRowWriter.swift for what is written.

internal import Dispatch
internal import GRDB
internal import Synchronization

/// The file of tasks: a connection that writes, on a thread of its own, and one that reads what was committed.
///
/// It belongs to one process; another gets an error with that one's id.
package final class TaskRows: Sendable {
    /// Set when the file that was found was damaged and put away. The operator is to be told.
    package let recovery: Recovery?
    private let path: String
    private let connections: Connections
    private let lock: OwnerLock
    private let isClosed = Mutex(false)

    /// Opens `tasks.db` in `directory`, as ``HostStore/init(directory:)`` does `host.db`. Checks the whole file.
    ///
    /// - Throws: ``StoreError/owned(path:pid:)`` if another process has it, and what ``HostStore`` throws.
    package static func open(directory: String) async throws(StoreError) -> TaskRows {
        try await detached { () throws(StoreError) in try TaskRows(directory) }
    }

    private init(_ directory: String) throws(StoreError) {
        path = directory + "/tasks.db"
        lock = try OwnerLock(directory + "/tasks.lock", of: path)
        (connections, recovery) = try Connections.recover(
            path: path, OpeningOptions(schema: .tasks))
    }

    /// Runs what blocks, away from the threads of Swift's tasks.
    private static func detached<Value: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Result(catching: body)) }
        }
        return try result.get()
    }

    /// Does work on the thread that writes, after all that was handed in before.
    package func write(_ work: @escaping @Sendable (TaskRowWriter) -> Void) {
        connections.writer.asyncWriteWithoutTransaction { [path] database in
            work(TaskRowWriter(database, path: path))
        }
    }

    /// Reads what was committed, while the writer goes on.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (TaskRowReader) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            connections.reader.asyncUnsafeRead { [path] database in
                continuation.resume(
                    returning: Result { () throws(StoreError) in
                        switch database {
                        case .success(let database):
                            try body(TaskRowReader(database: database, path: path))
                        case .failure(let error):
                            throw StoreError(error, operation: "read", path: path)
                        }
                    })
            }
        }
        return try result.get()
    }

    /// Ends both connections once what is under way is done, and lets another process have the file.
    package func close() async throws(StoreError) {
        try await Self.detached { () throws(StoreError) in try self.finish() }
    }

    private func finish() throws(StoreError) {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        if wasClosed { return }
        defer { lock.release() }
        do {
            // The reader first: the last connection to end is the one that empties the log.
            try connections.reader.close()
            try connections.writer.close()
        } catch {
            throw StoreError(error, operation: "close", path: path)
        }
    }
}
