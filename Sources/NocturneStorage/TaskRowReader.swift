// TaskRowReader.swift — what is asked of `tasks.db`. Next: TaskRowWriter.swift.

internal import GRDB

/// Reads rows through one connection. Lives as long as the call that hands it out.
package struct TaskRowReader {
    let database: Database
    let path: String

    package func task(_ id: Int64) throws(StoreError) -> TaskRow? {
        try attempt("read a task from") { try TaskRow.read(.task, [id], in: database).first }
    }

    /// In no order, like the next three.
    package func tasks(inState state: Int) throws(StoreError) -> [TaskRow] {
        try attempt("read tasks from") { try TaskRow.read(.inState, [state], in: database) }
    }

    package func tasks(inGraph graph: Int64) throws(StoreError) -> [TaskRow] {
        try attempt("read a graph from") { try TaskRow.read(.inGraph, [graph], in: database) }
    }

    /// Finished tasks of graphs of which others are not.
    package func tasksInOpenGraphs() throws(StoreError) -> [TaskRow] {
        try attempt("read graphs from") { try TaskRow.read(.inOpenGraphs, [], in: database) }
    }

    /// Finished tasks that are held later than `time`.
    package func tasks(heldAfter time: Int64) throws(StoreError) -> [TaskRow] {
        try attempt("read tasks from") { try TaskRow.read(.heldAfter, [time], in: database) }
    }

    /// The newest rows that are meant, with ids less than `before`, at most `limit`.
    package func tasks(
        where filter: TaskRowFilter, limit: Int, before: Int64
    ) throws(StoreError) -> [TaskRow] {
        try attempt("list tasks in") {
            if filter.isEmpty { return [] }
            let (ids, arguments) = filter.newest(before: before, limit: limit)
            let query = """
                SELECT task.*, input, terms FROM (\(ids)) JOIN task USING (id)
                    JOIN origin USING (id) ORDER BY id DESC
                """
            return try TaskRow.read(query, arguments, in: database)
        }
    }

    /// How many finished tasks there are. Counts nothing: the file keeps the numbers.
    package func finishedCounts() throws(StoreError)
        -> [(queue: String, name: String, state: Int, tasks: Int)]
    {
        try attempt("read numbers from") {
            var counts: [(String, String, Int, Int)] = []
            let rows = try Row.fetchCursor(
                database.cachedStatement(sql: TaskQuery.counts.rawValue))
            while let row = try rows.next() {
                counts.append(
                    (try row.value(0), try row.value(1), try row.value(2), try row.value(3)))
            }
            return counts
        }
    }

    /// How many finished tasks there are in all.
    package func finishedCount() throws(StoreError) -> Int {
        Int(try number(.finishedCount, []) ?? 0)
    }

    /// When the next result is to be dropped.
    package func nextExpiry() throws(StoreError) -> Int64? { try number(.nextExpiry, []) }

    /// A number that the store keeps under a name.
    package func number(_ name: String) throws(StoreError) -> Int64? {
        try number(.number, [name])
    }

    private func number(
        _ query: TaskQuery, _ arguments: StatementArguments
    ) throws(StoreError) -> Int64? {
        try attempt("read a number from") {
            try Int64.fetchOne(
                database.cachedStatement(sql: query.rawValue), arguments: arguments)
        }
    }

    /// The settings of all queues.
    package func queues() throws(StoreError) -> [String] {
        try attempt("read queues from") {
            try String.fetchAll(database.cachedStatement(sql: TaskQuery.queues.rawValue))
        }
    }

    /// The names and settings of all schedules.
    package func schedules() throws(StoreError) -> [(name: String, settings: String)] {
        try attempt("read schedules from") {
            try Row.fetchAll(database.cachedStatement(sql: TaskQuery.schedules.rawValue))
                .map { (try $0.value(0), try $0.value(1)) }
        }
    }

    func attempt<Value>(
        _ operation: String, _ body: () throws -> Value
    ) throws(StoreError) -> Value {
        do {
            return try body()
        } catch {
            throw StoreError(error, operation: operation, path: path)
        }
    }
}

extension TaskRow {
    fileprivate static func read(
        _ query: TaskQuery, _ arguments: StatementArguments, in database: Database
    ) throws -> [TaskRow] {
        try read(query.rawValue, arguments, in: database)
    }

    fileprivate static func read(
        _ sql: String, _ arguments: StatementArguments, in database: Database
    ) throws -> [TaskRow] {
        let rows = try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: arguments)
        var read: [TaskRow] = []
        while let row = try rows.next() { read.append(try TaskRow(row)) }
        return read
    }
}
