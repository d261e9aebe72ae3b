// TaskTable+Stored.swift — what a table needs whose tasks a file holds, too. Next: StoredTable.swift.

internal import NocturneCore

extension TaskTable {
    /// What ``takeOver(from:totals:)`` needs of a table before it is changed.
    var laneTotals: [TaskTotals] { lanes.map(\.totals) }

    /// Goes on in place of a table of the same store that did what could not be written down: with its totals before
    /// that, and with everything that no file holds.
    mutating func takeOver(from other: TaskTable, totals: [TaskTotals]) {
        for (lane, totals) in zip(other.lanes, totals) {
            lanes[self.lane(queue: lane.name.queue, name: lane.name.name)].totals = totals
        }
        for queue in other.queues {
            queues[place(ofQueue: queue.settings.name)].meter = queue.meter
        }
        generator = other.generator
    }

    /// Forgets a finished task that its store removed, whether it is still here or was dropped.
    ///
    /// - Parameters:
    ///   - unique: its unique key, if it has one; free from now on, unless it counts for a period.
    ///   - idempotencyKey: a key that is to be free from now on.
    mutating func forget(
        _ id: TaskID, name: String, unique: UniqueKey?, idempotencyKey: String?
    ) {
        drop(id)
        if let unique, unique.period == nil {
            uniqueTasks.release(UniqueName(name: name, key: unique.key), by: id)
        }
        if let idempotencyKey { idempotentTasks.release(idempotencyKey, by: id) }
    }
}
