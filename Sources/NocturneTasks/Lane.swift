// Lane.swift — the available tasks of one name in one queue, in the order in which they start. Next: TaskQueue.swift.

/// An available task in its order.
struct ReadyTask: Comparable, Sendable {
    let order: Int64
    let id: TaskID

    static func < (left: ReadyTask, right: ReadyTask) -> Bool {
        left.order != right.order ? left.order < right.order : left.id < right.id
    }
}

/// What the tasks of one name in one queue share: their order, and how many are where.
struct Lane: Sendable {
    struct Name: Hashable, Sendable {
        let queue: String
        let name: String
    }

    let name: Name
    /// The queue's place in the table.
    let queue: Int
    /// Those that may start. Some that may not any more are among them: taking one out of the middle costs more than
    /// passing it over when its turn has come.
    var ready = Heap<ReadyTask>()
    /// How many of those may not any more, about.
    var stale = 0
    /// How many are in each state.
    var counts = [Int](repeating: 0, count: TaskState.allCases.count)
    var totals = TaskTotals()

    init(name: Name, queue: Int) {
        (self.name, self.queue) = (name, queue)
    }

    /// Whether none of its tasks is kept.
    var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }
}

/// How often something happened since the store was opened. Never falls.
public struct TaskTotals: Sendable, Hashable {
    /// Tasks that were added.
    public package(set) var added = 0
    /// Attempts that were started.
    public package(set) var started = 0
    /// Tasks that completed.
    public package(set) var completed = 0
    /// Tasks that failed for good.
    public package(set) var failed = 0
    /// Tasks that were cancelled.
    public package(set) var cancelled = 0
    /// Tasks that were skipped.
    public package(set) var skipped = 0
    /// Attempts that failed and were to be tried again.
    public package(set) var retried = 0
    /// Attempts whose process died or was not heard of.
    public package(set) var crashed = 0
    /// How long attempts ran, in milliseconds.
    public package(set) var runMilliseconds: Int64 = 0

    static func += (left: inout TaskTotals, right: TaskTotals) {
        left.added += right.added
        left.started += right.started
        left.completed += right.completed
        left.failed += right.failed
        left.cancelled += right.cancelled
        left.skipped += right.skipped
        left.retried += right.retried
        left.crashed += right.crashed
        left.runMilliseconds += right.runMilliseconds
    }
}
