// TaskTable.swift — the rules of a task's life, without a clock, a lock or a disk: a store asks, the table decides and
// notes what changed. Next: TaskTable+Lanes.swift, then +Add, +Claim, +Finish, +Commands, +Time, +Graphs, +Schedules.

internal import NocturneCore

/// All tasks of a store, and the rules by which they move.
///
/// Every method that changes something is told the time. Equal calls on equal tables do the same.
package struct TaskTable: Sendable {
    /// How long finished tasks are kept, and how many of them.
    package struct Retention: Sendable, Hashable {
        package var count: Int
        package var age: Duration

        /// A week, and about 100 MB of them.
        package static let standard = Retention(count: 100_000, age: .seconds(7 * 86_400))

        package init(count: Int, age: Duration) {
            (self.count, self.age) = (max(count, 0), age)
        }
    }

    let retention: Retention
    var records = TaskRecords()
    /// By their places, some of which are free: those that no name leads to.
    var lanes: [Lane] = []
    var laneIndex: [Lane.Name: Int] = [:]
    var freeLanes: [Int] = []
    var laneSweepCount = 1_024
    var queues: [TaskQueue] = []
    var queueIndex: [String: Int] = [:]
    var freeQueues: [Int] = []
    /// The totals of lanes that are gone.
    var forgottenTotals = TaskTotals()
    var keys: [String: KeyGroup] = [:]
    /// What happens at a moment. Like the ready tasks of a lane, with stale ones among them.
    var timers = Heap<TaskTimer>()
    var staleTimers = 0
    var running: Set<TaskID> = []
    /// Until when each worker counts as alive.
    var leases: [WorkerID: UnixTime] = [:]
    var uniqueTasks = HeldKeys<UniqueName>()
    var idempotentTasks = HeldKeys<String>()
    var finished = FinishedTasks()
    /// How many finished tasks are kept; ``finished`` also has those that were cleared or tried again.
    var finishedCount = 0
    var graphs: [TaskID: GraphMembers] = [:]
    var children: [TaskID: [TaskID]] = [:]
    /// Tasks of graphs that have just ended, while those behind them are told.
    var endedNodes: [TaskID] = []
    var scheduleRecords: [String: ScheduleRecord] = [:]
    /// The runs of each schedule that have not ended, the oldest first.
    var activeRuns: [String: [TaskID]] = [:]
    var generator: SplitMix64
    var nextID: Int64 = 1
    var nextToken: Int64 = 1
    private var journal: ChangeJournal?
    private var news = StoreNews()

    /// An empty table.
    ///
    /// - Parameters:
    ///   - notesChanges: whether ``takeChanges()`` will be called; if not, nothing is collected for it.
    ///   - seed: for the jitter of waits.
    package init(
        retention: Retention = .standard, notesChanges: Bool = false, seed: UInt64 = 0
    ) {
        self.retention = retention
        generator = SplitMix64(seed: seed)
        journal = notesChanges ? ChangeJournal() : nil
    }
}

// MARK: - What is told

extension TaskTable {
    /// What changed since the last call.
    package mutating func takeChanges() -> TaskChanges {
        guard let noted = journal else { return TaskChanges() }
        journal = ChangeJournal()
        var changes = TaskChanges()
        for id in noted.tasks {
            if let record = records[id] ?? noted.dropped[id] {
                changes.tasks.append(record)
            } else {
                changes.removed.append(id)
            }
        }
        changes.queues = noted.queues.map { queues[$0].settings }
        for name in noted.schedules {
            if let record = scheduleRecords[name] {
                changes.schedules.append(record)
            } else {
                changes.removedSchedules.append(name)
            }
        }
        return changes
    }

    /// What happened since the last call that the callers were not told.
    package mutating func takeNews() -> StoreNews {
        guard !news.isEmpty else { return news }
        defer { news = StoreNews() }
        return news
    }

    /// Whether a store writes down what changes, so that a task lives on when the table drops it.
    var notesChanges: Bool { journal != nil }

    mutating func note(_ id: TaskID) { journal?.tasks.insert(id) }

    /// A task leaves the table, but is not gone: a store that keeps it elsewhere must still learn how it was at last.
    mutating func noteDropped(_ record: TaskRecord) {
        if journal?.tasks.contains(record.id) == true { journal?.dropped[record.id] = record }
    }

    mutating func note(queue: Int) { journal?.queues.insert(queue) }
    mutating func note(schedule: String) { journal?.schedules.insert(schedule) }

    mutating func tellAvailable() { news.hasAvailable = true }
    mutating func tellRequest() { news.hasRequests = true }
    mutating func tellAdded(_ record: TaskRecord) { news.added.append(record) }
    mutating func tellEnded(_ record: TaskRecord) { news.ended.append(record) }
}

// MARK: - From state to state

extension TaskTable {
    /// Moves a task to another state. The only way to change one: everything that is counted or sorted by state is
    /// brought up to date here.
    mutating func move(_ record: inout TaskRecord, to state: TaskState, now: UnixTime) {
        leave(record)
        record.state = state
        record.isPauseWithdrawn = false
        enter(&record, now: now)
        records[record.id] = record
        note(record.id)
        if state.isFinished { ended(record, now: now) }
    }

    /// Takes a task out of everything that is sorted by its state.
    private mutating func leave(_ record: TaskRecord) {
        let lane = Int(record.lane)
        lanes[lane].counts[Int(record.state.rawValue)] -= 1
        switch record.state {
        case .available:
            lanes[lane].stale += 1
            if let key = record.key { unpark(key.name, in: lane) }
            sweep(lane: lane)
        case .running:
            queues[lanes[lane].queue].running -= 1
            running.remove(record.id)
            if let key = record.key { release(key.name) }
            tellAvailable()
        case .scheduled:
            staleTimers += 1
        case .completed, .failed, .cancelled, .skipped:
            finishedCount -= 1  // Only a retry leads out of here.
            if let key = record.key { joinGroup(key) }
        case .blocked, .paused: break
        }
    }

    /// Puts a task where its state belongs.
    mutating func enter(_ record: inout TaskRecord, now: UnixTime) {
        let lane = Int(record.lane)
        lanes[lane].counts[Int(record.state.rawValue)] += 1
        switch record.state {
        case .available:
            lanes[lane].ready.insert(ReadyTask(order: record.order, id: record.id))
            tellAvailable()
        case .scheduled:
            // First, since the record that is looked up for a timer is not this one yet.
            sweepTimers()
            timers.insert(TaskTimer(time: record.due, id: record.id, kind: .due))
            if timers.first?.id == record.id { tellAvailable() }
        case .completed, .failed, .cancelled, .skipped:
            record.finished = now
            record.isCancelRequested = false
            record.isPauseRequested = false
            finished.append(record.id, at: now)
            finishedCount += 1
            if record.deadline != nil {
                sweepTimers()
                staleTimers += 1
            }
            if let key = record.key { leaveGroup(key.name) }
        case .running, .blocked, .paused: break
        }
        updateUnique(record, now: now)
    }

    /// What follows from the end of a task.
    private mutating func ended(_ record: TaskRecord, now: UnixTime) {
        let lane = Int(record.lane)
        switch record.state {
        case .completed: lanes[lane].totals.completed += 1
        case .failed: lanes[lane].totals.failed += 1
        case .cancelled: lanes[lane].totals.cancelled += 1
        default: lanes[lane].totals.skipped += 1
        }
        if record.hasDetails {
            if let node = record.node { nodeEnded(record, node, now: now) }
            if let run = record.run { runEnded(record.id, run, now: now) }
        }
        removeOldest(now: now)
    }

    /// Gives a task back to where it waits for its turn: blocked, scheduled or available. If it has none any more, it
    /// ends.
    mutating func makeReady(_ record: inout TaskRecord, now: UnixTime) {
        let verdict = record.node?.verdict ?? .run
        if let deadline = record.deadline, deadline <= now {
            record.change { $0.failure = .pastDeadline }
            move(&record, to: .failed, now: now)
        } else if verdict == .skip {
            move(&record, to: .skipped, now: now)
        } else if verdict == .wait || record.run?.isWaiting == true {
            move(&record, to: .blocked, now: now)
        } else if record.due > now {
            move(&record, to: .scheduled, now: now)
        } else {
            move(&record, to: .available, now: now)
        }
    }
}
