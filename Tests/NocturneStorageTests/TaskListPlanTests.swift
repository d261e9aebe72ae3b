// TaskListPlanTests.swift — how SQLite comes by the rows of a list: along an index in its order, however many there
// are.

import GRDB
import Testing

@testable import NocturneStorage

@Suite struct TaskListPlanTests {
    /// Every combination of what a filter can say.
    private static let filters: [TaskRowFilter] = {
        var filters = [TaskRowFilter()]
        func either(_ change: (inout TaskRowFilter) -> Void) {
            filters += filters.map { filter in
                var changed = filter
                change(&changed)
                return changed
            }
        }
        either { $0.finishedBefore = 1 }
        either { $0.graph = 1 }
        either { $0.schedule = "nightly" }
        // Of a name or a queue, states are always said.
        either { $0.states = (0..<9).map { ($0, $0 > 4) } }
        filters += filters.filter { $0.states != nil }.flatMap { filter in
            [("a", nil), (nil, "b"), ("a", "b")].map { name, queue in
                var changed = filter
                (changed.name, changed.queue) = (name, queue)
                return changed
            }
        }
        return filters
    }()

    @Test func `no list and no clearing sorts, or walks over the whole table`() throws {
        let database = try DatabaseQueue()
        try database.write { database in
            for step in Schema.tasks.steps { try database.execute(sql: step) }
            for filter in Self.filters {
                for (sql, arguments) in [
                    filter.newest(before: 9, limit: 9), filter.oldestFinished(limit: 9),
                ] {
                    let plan = try String.fetchAll(
                        database, sql: "EXPLAIN QUERY PLAN \(sql)", arguments: arguments,
                        adapter: SuffixRowAdapter(fromIndex: 3))
                    #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(sql): \(plan)")
                    #expect(!plan.contains("SCAN task"), "\(sql): \(plan)")
                }
            }
        }
    }
}
