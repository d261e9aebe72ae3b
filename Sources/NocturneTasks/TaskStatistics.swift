// TaskStatistics.swift — how many tasks are where, and which are meant. Next: TaskStore.swift.

public import NocturneCore

/// How many tasks are where, by queue and name. Kept while tasks move; never counted anew.
public struct TaskStatistics: Sendable, Hashable {
    /// The tasks of one name in one queue.
    public struct Row: Sendable, Hashable {
        /// The queue.
        public let queue: String
        /// The name.
        public let name: String
        /// How many are in each state; states without any are left out.
        public let counts: [TaskState: Int]
        /// How often things happened since the store was opened.
        public let totals: TaskTotals

        package init(queue: String, name: String, counts: [TaskState: Int], totals: TaskTotals) {
            (self.queue, self.name, self.counts, self.totals) = (queue, name, counts, totals)
        }
    }

    /// By queue, then name. Where there are more than a thousand, those of which no task is kept are left out at times;
    /// ``totals`` has them still.
    public let rows: [Row]

    private let forgotten: TaskTotals

    package init(rows: [Row], forgotten: TaskTotals = TaskTotals()) {
        self.forgotten = forgotten
        self.rows = rows.sorted { ($0.queue, $0.name) < ($1.queue, $1.name) }
    }

    /// How many tasks are in a state.
    public func count(_ state: TaskState) -> Int {
        rows.reduce(0) { $0 + ($1.counts[state] ?? 0) }
    }

    /// How often things happened, all together.
    public var totals: TaskTotals { rows.reduce(into: forgotten) { $0 += $1.totals } }
}

/// Which tasks are meant. What is not set does not matter.
public struct TaskFilter: Sendable, Hashable {
    /// In one of these states.
    public var states: Set<TaskState>?
    /// In this queue.
    public var queue: String?
    /// Of this name.
    public var name: String?
    /// Of this graph, by the id of its first task.
    public var graph: TaskID?
    /// A run of this schedule.
    public var schedule: String?
    /// Ended before this moment.
    public var finishedBefore: UnixTime?

    /// Every task, unless more is said.
    public init(states: Set<TaskState>? = nil, queue: String? = nil, name: String? = nil) {
        (self.states, self.queue, self.name) = (states, queue, name)
    }

    /// Whether it means this task.
    package func matches(_ task: TaskRecord) -> Bool {
        states.map { $0.contains(task.state) } ?? true
            && queue.map { $0 == task.queue } ?? true
            && name.map { $0 == task.name } ?? true
            && graph.map { $0 == task.node?.graph } ?? true
            && schedule.map { $0 == task.run?.schedule } ?? true
            && finishedBefore.map { end in task.finished.map { $0 < end } ?? false } ?? true
    }
}
