// TaskRecord.swift — all that is known of one task: what stores keep and callers see. Next: TaskTable.swift.

public import NocturneCore

/// All that is known of one task at a moment.
///
/// Small, since there may be millions: what few tasks have is in ``TaskDetails``, in a box of its own.
public struct TaskRecord: Sendable, Hashable {
    /// Its name in the store.
    public let id: TaskID
    /// The handler that runs it.
    public let name: String
    /// The queue it stands in.
    public let queue: String
    /// The input for its handler, as JSON text.
    public let input: String
    /// How urgent it is.
    public let priority: PriorityClass
    /// Where it is in its life.
    public package(set) var state: TaskState
    /// Somebody asked to cancel it while it runs.
    public package(set) var isCancelRequested = false
    /// Somebody asked to pause it while it runs.
    public package(set) var isPauseRequested = false
    /// That was taken back while it runs: an attempt that pauses all the same has not heard it yet. Not stored.
    package var isPauseWithdrawn = false
    /// The number of the attempt that runs, or of the last one; 0 before the first.
    public package(set) var attempt: UInt32 = 0
    /// How often it is tried again after a failure.
    public package(set) var retries: UInt32
    /// How often the process that ran it died or was not heard of.
    public package(set) var crashes: UInt32 = 0
    /// Where a table keeps it; means nothing elsewhere and is not stored.
    package var lane: Int32 = -1
    /// When it was added.
    public let created: UnixTime
    /// When it may start, or since when it may.
    public package(set) var due: UnixTime
    /// When its last attempt began.
    public package(set) var started: UnixTime?
    /// When it ended.
    public package(set) var finished: UnixTime?
    /// Tells the claim that runs it from earlier ones; 0 while none does.
    package var token: Int64 = 0
    /// Who runs it, or ran it last.
    public package(set) var worker: WorkerID?
    private var box: [TaskDetails] = []

    package init(
        id: TaskID, name: String, queue: String, input: String, priority: PriorityClass,
        state: TaskState, retries: UInt32, created: UnixTime, due: UnixTime
    ) {
        (self.id, self.name, self.queue, self.input) = (id, name, queue, input)
        (self.priority, self.state, self.retries) = (priority, state, retries)
        (self.created, self.due) = (created, due)
    }

    /// What few tasks have; takes memory only once it was set.
    package var details: TaskDetails {
        get { box.first ?? TaskDetails() }
        set { box = [newValue] }
    }

    package var hasDetails: Bool { !box.isEmpty }

    /// Changes its details in place.
    package mutating func change<Value>(_ body: (inout TaskDetails) -> Value) -> Value {
        if box.isEmpty { box.append(TaskDetails()) }
        return body(&box[0])
    }

    /// Sorts tasks that are available: less is first.
    var order: Int64 { priority.order(since: due) }
}

extension TaskRecord {
    /// How long it waits before it is tried again; `nil`: as usual.
    package var backoff: RetryPolicy? { box.isEmpty ? nil : box[0].retry }
    /// How long one attempt may take.
    public var timeout: Duration? { box.isEmpty ? nil : box[0].timeout }
    /// If it has not ended by then, it fails.
    public var deadline: UnixTime? { box.isEmpty ? nil : box[0].deadline }
    /// Of tasks with the same key only so many run at the same time.
    public var key: ConcurrencyKey? { box.isEmpty ? nil : box[0].key }
    /// Of tasks with the same name and unique key there is only one.
    public var unique: UniqueKey? { box.isEmpty ? nil : box[0].unique }
    /// What keeps the same request from being added twice.
    public var idempotencyKey: String? { box.isEmpty ? nil : box[0].idempotencyKey }
    /// What its handler saved to go on from, as JSON text.
    public var checkpoint: String? { box.isEmpty ? nil : box[0].checkpoint }
    /// How far it is.
    public var progress: TaskProgress? { box.isEmpty ? nil : box[0].progress }
    /// What it came to, as JSON text, if it is not `null` and still kept.
    public var result: String? { box.isEmpty ? nil : box[0].result }
    /// Why its last attempt failed.
    public var failure: TaskFailure? { box.isEmpty ? nil : box[0].failure }
    /// What became of its last attempts, at most ``TaskAttempt/mostKept``. One that went well at once and logged
    /// nothing is not listed: ``started`` and ``finished`` say all.
    public var attempts: [TaskAttempt] { box.isEmpty ? [] : box[0].attempts }
    /// Its place in a graph.
    public var node: GraphNode? { box.isEmpty ? nil : box[0].node }
    /// The run of a schedule that it is.
    public var run: ScheduledRun? { box.isEmpty ? nil : box[0].run }
}

/// What few tasks have.
package struct TaskDetails: Sendable, Hashable {
    package var retry: RetryPolicy?
    package var timeout: Duration?
    package var deadline: UnixTime?
    package var key: ConcurrencyKey?
    package var unique: UniqueKey?
    package var idempotencyKey: String?
    package var keepsResultFor: Duration?
    package var checkpoint: String?
    package var progress: TaskProgress?
    package var result: String?
    package var failure: TaskFailure?
    package var attempts: [TaskAttempt] = []
    package var node: GraphNode?
    package var run: ScheduledRun?

    package init() {}

    /// What a new task has of them; `nil` if nothing.
    init?(of task: NewTask) {
        let isPlain =
            task.retry == nil && task.timeout == nil && task.deadline == nil && task.key == nil
            && task.unique == nil && task.idempotencyKey == nil && task.keepsResultFor == nil
        if isPlain { return nil }
        (retry, timeout, deadline, key) = (task.retry, task.timeout, task.deadline, task.key)
        (unique, idempotencyKey) = (task.unique, task.idempotencyKey)
        keepsResultFor = task.keepsResultFor
    }
}

/// The run of a schedule that a task is.
public struct ScheduledRun: Sendable, Hashable {
    /// The schedule's name.
    public let schedule: String
    /// The moment it was meant for.
    public let moment: UnixTime
    /// It waits until earlier runs have ended.
    public package(set) var isWaiting: Bool

    package init(schedule: String, moment: UnixTime, isWaiting: Bool) {
        (self.schedule, self.moment, self.isWaiting) = (schedule, moment, isWaiting)
    }
}
