// TaskTable+Stored.swift — what a table needs whose tasks a file holds, too. Next: StoredTable.swift.

internal import NocturneCore

extension TaskTable {
    /// What ``takeOver(from:totals:)`` needs of a table before it is changed.
    struct KnownTotals: Sendable {
        fileprivate let lanes: [Lane.Name: TaskTotals]
        fileprivate let forgotten: TaskTotals
    }

    var knownTotals: KnownTotals {
        KnownTotals(lanes: laneIndex.mapValues { lanes[$0].totals }, forgotten: forgottenTotals)
    }

    /// Goes on in place of a table of the same store that did what could not be written down: with its totals before
    /// that, and with everything that no file holds.
    mutating func takeOver(from other: TaskTable, totals: KnownTotals) {
        forgottenTotals = totals.forgotten
        for (name, totals) in totals.lanes {
            lanes[lane(queue: name.queue, name: name.name)].totals = totals
        }
        for (name, place) in other.queueIndex {
            queues[self.place(ofQueue: name)].meter = other.queues[place].meter
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
