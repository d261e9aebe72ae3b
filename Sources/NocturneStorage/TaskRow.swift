// TaskRow.swift — a task as `tasks.db` holds it: columns to look for, and texts that mean nothing here.
// Next: TaskRowFilter.swift.

internal import GRDB

/// A task as the file holds it. Times are milliseconds since 1970-01-01 UTC.
package struct TaskRow: Sendable, Equatable {
    package var id: Int64
    package var state = 0
    package var queue: String
    package var name: String
    package var priority = 0
    package var created: Int64 = 0
    package var due: Int64 = 0
    package var started: Int64?
    /// Set if and only if the task has ended.
    package var finished: Int64?
    package var attempt = 0
    package var retries = 0
    package var crashes = 0
    package var requests = 0
    package var token: Int64 = 0
    package var worker: String?
    package var graph: Int64?
    package var schedule: String?
    /// Until when it matters for other tasks, though it has ended.
    package var heldUntil: Int64?
    /// When its result is to be dropped.
    package var resultExpires: Int64?
    package var checkpoint: String?
    package var result: String?
    /// What else changes.
    package var details: String?
    package var input: String
    /// What else is fixed from the beginning.
    package var terms: String?

    package init(id: Int64, queue: String, name: String, input: String) {
        (self.id, self.queue, self.name, self.input) = (id, queue, name, input)
    }
}

extension TaskRow {
    /// In the order of the table's columns.
    var all: StatementArguments {
        [
            id, state, queue, name, priority, created, due, started, finished, attempt, retries,
            crashes, requests, token, worker, graph, schedule, heldUntil, resultExpires,
            checkpoint, result, details,
        ]
    }

    /// What may change, in the order of ``TaskQuery/update``, and the id.
    var changing: StatementArguments {
        [
            state, due, started, finished, attempt, retries, crashes, requests, token, worker,
            heldUntil, resultExpires, checkpoint, result, details, id,
        ]
    }

    /// From the columns of `task`, and those of `origin` without the id.
    init(_ row: Row) throws {
        self.init(
            id: try row.value(0), queue: try row.value(2), name: try row.value(3),
            input: try row.value(22))
        (state, priority) = (try row.value(1), try row.value(4))
        (created, due) = (try row.value(5), try row.value(6))
        (started, finished) = (try row.optional(7), try row.optional(8))
        (attempt, retries) = (try row.value(9), try row.value(10))
        (crashes, requests) = (try row.value(11), try row.value(12))
        (token, worker) = (try row.value(13), try row.optional(14))
        (graph, schedule) = (try row.optional(15), try row.optional(16))
        (heldUntil, resultExpires) = (try row.optional(17), try row.optional(18))
        (checkpoint, result) = (try row.optional(19), try row.optional(20))
        (details, terms) = (try row.optional(21), try row.optional(23))
    }
}
