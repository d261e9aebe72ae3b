// TaskRowWriter.swift — what is written to `tasks.db`: much in one transaction, and whether that waits for the disk.
// Next: TaskRows.swift.

internal import GRDB

/// Writes rows. The first write begins a transaction; nothing is kept before ``commit()`` returns.
///
/// Lives as long as the call that hands it out, on one thread.
package final class TaskRowWriter {
    /// Sees what was written and not yet committed, too.
    package let reader: TaskRowReader
    private let database: Database
    private var isFlushed = true

    init(_ database: Database, path: String) {
        self.database = database
        reader = TaskRowReader(database: database, path: path)
    }

    /// Says what the next transaction must survive: the loss of power, or only the end of this process.
    package func prepare(isFlushed: Bool) { self.isFlushed = isFlushed }

    private func begin() throws {
        if database.isInsideTransaction { return }
        // Takes effect at once and costs less than to remember what it was.
        try database.execute(sql: "PRAGMA synchronous = \(isFlushed ? "FULL" : "NORMAL")")
        try database.beginTransaction(.immediate)
    }

    /// Keeps what was written since the last time.
    package func commit() throws(StoreError) {
        guard database.isInsideTransaction else { return }
        try reader.attempt("write to") { try database.commit() }
    }

    /// Forgets what was written since the last ``commit()``.
    package func rollback() throws(StoreError) {
        guard database.isInsideTransaction else { return }
        try reader.attempt("undo a change of") { try database.rollback() }
    }

    private func run(
        _ query: TaskQuery, _ arguments: StatementArguments
    ) throws(StoreError) {
        try reader.attempt("write to") {
            try begin()
            try database.cachedStatement(sql: query.rawValue).execute(arguments: arguments)
        }
    }

    /// Adds a task.
    package func insert(_ task: TaskRow) throws(StoreError) {
        try run(.insert, task.all)
        try run(.insertOrigin, [task.id, task.input, task.terms])
    }

    /// Changes a task; what is fixed from the beginning stays as it is in the file.
    package func update(_ task: TaskRow) throws(StoreError) { try run(.update, task.changing) }

    package func putQueue(_ name: String, _ settings: String) throws(StoreError) {
        try run(.putQueue, [name, settings])
    }

    package func putSchedule(_ name: String, _ settings: String) throws(StoreError) {
        try run(.putSchedule, [name, settings])
    }

    package func removeSchedule(_ name: String) throws(StoreError) {
        try run(.removeSchedule, [name])
    }

    /// Keeps a number under a name.
    package func setNumber(_ name: String, _ value: Int64) throws(StoreError) {
        try run(.setNumber, [name, value])
    }

    /// Drops the results whose time has come.
    package func expireResults(by time: Int64) throws(StoreError) {
        try run(.expireResults, [time])
    }

    /// Removes tasks that ended, at most `limit`, but none of a graph that goes on: those that ended first or, if the
    /// filter says more than when, those that were added first. Returns their ids and names, and the terms of those
    /// that are held.
    package func removeFinished(
        _ filter: TaskRowFilter, limit: Int
    ) throws(StoreError) -> [(id: Int64, name: String, heldTerms: String?)] {
        if filter.isEmpty { return [] }
        let (ids, arguments) = filter.oldestFinished(limit: limit)
        let sql = """
            SELECT id, name, iif(held_until_ms IS NULL, NULL, terms)
            FROM (\(ids)) JOIN task USING (id) JOIN origin USING (id)
            """
        let removed = try reader.attempt("remove tasks from") {
            try Row.fetchAll(
                database.cachedStatement(sql: sql), arguments: arguments
            ).map { row -> (Int64, String, String?) in
                (try row.value(0), try row.value(1), try row.optional(2))
            }
        }
        for (id, _, _) in removed { try run(.remove, [id]) }
        return removed
    }

    /// Finds out whether so many bytes can be written now.
    package func checkRoom(bytes: Int) throws(StoreError) {
        try run(.takeRoom, [bytes])
        try commit()
        try run(.giveRoomBack, [])
        try commit()
    }
}
