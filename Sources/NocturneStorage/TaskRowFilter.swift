// TaskRowFilter.swift — which tasks are meant, and how to come by them without passing over the others.
// Next: TaskRowReader.swift.

internal import GRDB

/// Which rows are meant. What is not set does not matter.
package struct TaskRowFilter: Sendable {
    /// Numbers of states, and whether tasks have ended that are in them.
    package var states: [(state: Int, isEnd: Bool)]?
    package var queue: String?
    package var name: String?
    package var graph: Int64?
    package var schedule: String?
    package var finishedBefore: Int64?

    package init() {}

    /// It means nothing.
    var isEmpty: Bool { states?.isEmpty == true }

    /// A query for the newest ids less than `before`, at most `limit`.
    func newest(before: Int64, limit: Int) -> (sql: String, arguments: StatementArguments) {
        ids("id < ?", [before], otherwise: "NOT INDEXED", order: "id DESC", limit)
    }

    /// A query for tasks that ended, at most `limit`, but none of a graph that goes on: those that ended first or, if
    /// more is said than when, those that were added first.
    func oldestFinished(limit: Int) -> (sql: String, arguments: StatementArguments) {
        let isClosed = """
            finished_ms IS NOT NULL AND (graph IS NULL OR NOT EXISTS (
                SELECT 1 FROM task AS other
                WHERE other.graph = task.graph AND other.finished_ms IS NULL))
            """
        let isAnyIndexMeant = wholeIndex != nil || states != nil
        return ids(
            isClosed, [], otherwise: "INDEXED BY task_by_end",
            order: isAnyIndexMeant ? "id" : "finished_ms", limit)
    }
}

// MARK: - Walks

extension TaskRowFilter {
    private typealias Arguments = [(any DatabaseValueConvertible)?]

    /// Walks along indices that have what is asked for in order, so that nothing is sorted: one or, along those that
    /// have the rows of each state by themselves, one for each, which SQLite merges as far as it needs. Which index is
    /// said: SQLite does not know that there may be a million rows of one name and state and none of another.
    private func ids(
        _ condition: String, _ argument: Arguments, otherwise: String, order: String, _ limit: Int
    ) -> (sql: String, arguments: StatementArguments) {
        var (conditions, arguments) = conditions
        conditions.append(condition)
        arguments += argument
        let walks: [String]
        if wholeIndex == nil, let states {
            walks = states.map { state, isEnd in
                isEnd
                    ? walk(endIndex, conditions + ["state = \(state)", "finished_ms IS NOT NULL"])
                    : walk("INDEXED BY task_by_state", conditions + ["state = \(state)"])
            }
        } else {
            if let states {
                conditions.append(
                    "state IN (\(states.map { "\($0.state)" }.joined(separator: ",")))")
            }
            walks = [walk(wholeIndex ?? otherwise, conditions)]
        }
        return (
            "\(walks.joined(separator: " UNION ALL ")) ORDER BY \(order) LIMIT ?",
            StatementArguments(walks.flatMap { _ in arguments } + [limit])
        )
    }

    private func walk(_ index: String, _ conditions: [String]) -> String {
        "SELECT id FROM task \(index) WHERE \(conditions.joined(separator: " AND "))"
    }

    /// The index that leads to the rows of all states together.
    private var wholeIndex: String? {
        if graph != nil { return "INDEXED BY task_by_graph" }
        return schedule == nil ? nil : "INDEXED BY task_by_schedule"
    }

    /// The index that leads to the rows of one state in which tasks have ended: of those there may be many more than of
    /// others.
    private var endIndex: String {
        if name != nil { return "INDEXED BY task_by_name" }
        return queue == nil ? "INDEXED BY task_by_state" : "INDEXED BY task_by_queue"
    }

    /// What is asked of a row besides its state, and the arguments.
    private var conditions: ([String], Arguments) {
        var sql: [String] = [], arguments: Arguments = []
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            sql.append(condition)
            arguments.append(value)
        }
        add("queue = ?", queue)
        add("name = ?", name)
        add("graph = ?", graph)
        add("schedule = ?", schedule)
        add("finished_ms < ?", finishedBefore)
        return (sql, arguments)
    }
}
