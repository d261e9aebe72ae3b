// TaskStore.swift — where tasks are kept: the seam between the manager and memory, a file, or a server.
// Next: TaskTable.swift.

package import NocturneCore

/// Keeps tasks, and applies the rules of their life.
///
/// Several workers may share a store. Every method may be called at any time by any thread, and returns when what it
/// did lasts as long as the store promises. Each change is applied once or not at all.
package protocol TaskStore: Sendable {
    /// Adds tasks: all of them or, if it throws, none.
    func add(_ tasks: [NewTask], now: UnixTime) async throws(TaskError) -> [AddedTask]

    /// Adds the tasks of a graph. `parents` has, for each, the places of those before it, and leads in no ring.
    func add(
        _ graph: NewGraph, parents: [[Int]], now: UnixTime
    ) async throws(TaskError) -> [AddedTask]

    /// Gives tasks to a worker, the first ones first.
    func claim(_ request: ClaimRequest, now: UnixTime) async throws(TaskError) -> Claim

    /// Ends attempts. The answers come in the same order; `nil`: the claim was lost and nothing was done.
    func finish(_ ends: [TaskEnd], now: UnixTime) async throws(TaskError) -> [TaskRecord?]

    /// Says that a worker lives and how far its tasks are, and asks what became of them.
    func heartbeat(_ beat: Heartbeat, now: UnixTime) async throws(TaskError) -> HeartbeatReply

    /// Does what is due by `now`: tasks whose time has come, deadlines, schedules, workers that were not heard of.
    func advance(to now: UnixTime) async throws(TaskError)

    /// Takes back what workers were running that are dead for certain.
    func rescue(_ isDead: @Sendable (WorkerID) -> Bool, now: UnixTime) async throws(TaskError)

    /// When ``advance(to:)`` or ``claim(_:now:)`` may find something that is not there at `now`.
    func nextDue(after now: UnixTime) async throws(TaskError) -> UnixTime?

    /// Does something to one task, and returns it as it is then.
    func apply(
        _ command: TaskCommand, to id: TaskID, now: UnixTime
    ) async throws(TaskError) -> TaskRecord

    /// One task.
    func task(_ id: TaskID) async throws(TaskError) -> TaskRecord?

    /// Tasks, the newest first.
    func tasks(
        where filter: TaskFilter, limit: Int, before: TaskID?
    ) async throws(TaskError) -> [TaskRecord]

    /// Removes finished tasks, the oldest first, and says how many.
    func clear(_ filter: TaskFilter, limit: Int, now: UnixTime) async throws(TaskError) -> Int

    /// How many tasks are where.
    func statistics() async throws(TaskError) -> TaskStatistics

    /// Sets a queue up, or up anew.
    func put(_ queue: QueueSettings, now: UnixTime) async throws(TaskError)

    /// All queues that were set up or have tasks, by name.
    func queues() async throws(TaskError) -> [QueueSettings]

    /// Adds a schedule, or replaces the one of its name: never two.
    func put(_ schedule: ScheduleRecord, now: UnixTime) async throws(TaskError)

    /// Removes a schedule. Its runs remain.
    func removeSchedule(_ name: String, now: UnixTime) async throws(TaskError)

    /// Adds a run of a schedule at once, and returns it. Its policy for overlaps counts.
    func runNow(schedule name: String, now: UnixTime) async throws(TaskError) -> TaskRecord?

    /// Stops a schedule or lets it go on. What it missed meanwhile does not happen.
    func pauseSchedule(_ name: String, _ isPaused: Bool, now: UnixTime) async throws(TaskError)

    /// All schedules, by name.
    func schedules() async throws(TaskError) -> [ScheduleRecord]

    /// Calls `listener` when something happened, before any other call can learn of it, so that what it tells comes in
    /// order. It is quick and calls nobody back. Replaces the listener before it.
    func listen(_ listener: @escaping @Sendable (StoreNews) -> Void)

    /// What a person should know of how it was found: what was damaged, and where it lies now.
    func warnings() async throws(TaskError) -> [String]

    /// Lets others have what it keeps its tasks in. Whoever asks for something afterwards is told that it is closed,
    /// unless there is nothing to close. May be called twice.
    func close() async
}

/// What became of a task that was to be added.
public struct AddedTask: Sendable, Hashable {
    /// Why an earlier task stands for it.
    public enum Duplicate: String, Sendable, Hashable {
        /// It has the same idempotency key.
        case idempotencyKey
        /// It has the same name and unique key.
        case uniqueKey
    }

    /// The task, or the earlier one that stands for it.
    public let id: TaskID
    /// Where it was then.
    public let state: TaskState
    /// Set if it is an earlier one.
    public let duplicate: Duplicate?

    package init(id: TaskID, state: TaskState, duplicate: Duplicate? = nil) {
        (self.id, self.state, self.duplicate) = (id, state, duplicate)
    }
}

/// Asks for tasks.
package struct ClaimRequest: Sendable {
    package let worker: WorkerID
    /// The names for which it has handlers.
    package let names: Set<String>
    /// The names whose handlers share places, and which places: an index of ``places``.
    package let sharing: [String: Int]
    /// How many are held of each kind of place; `nil`: none is to be had, so tasks that need one are passed over.
    package let places: [Int?]
    package let limit: Int

    package init(
        worker: WorkerID, names: Set<String>, sharing: [String: Int] = [:], places: [Int?] = [],
        limit: Int
    ) {
        (self.worker, self.names, self.limit) = (worker, names, limit)
        (self.sharing, self.places) = (sharing, places)
    }
}

/// What a worker was given.
package struct Claim: Sendable, Hashable {
    /// In the order in which they should start.
    package var tasks: [TaskRecord] = []
    /// The kind of place that the next task lacks: nothing behind it was given, so that it keeps its turn.
    package var short: Int?

    package init() {}
}

/// How an attempt ended.
package struct TaskEnd: Sendable {
    package enum Outcome: Sendable {
        /// JSON text.
        case completed(result: String)
        /// `wait`: how long until it is tried again; `nil`: as its policy says.
        case failed(TaskFailure, wait: Duration?)
        case cancelled
        /// It wants to be called again, without counting this attempt.
        case snoozed(until: UnixTime)
        /// It stopped at a pause point.
        case paused
        /// It could not go on here; it is available again and the attempt does not count.
        case returned
        /// What ran it died in the attempt, for this reason. Crashes are counted apart from attempts.
        case crashed(String)
    }

    package let id: TaskID
    package let token: Int64
    package let outcome: Outcome
    /// The last lines it logged.
    package let log: [String]
    /// How far it was, if it said so.
    package let progress: TaskProgress?

    package init(
        id: TaskID, token: Int64, outcome: Outcome, log: [String] = [],
        progress: TaskProgress? = nil
    ) {
        (self.id, self.token, self.outcome) = (id, token, outcome)
        (self.log, self.progress) = (log, progress)
    }
}

/// A sign of life.
package struct Heartbeat: Sendable {
    /// What is new of one task.
    package struct Note: Sendable {
        package let id: TaskID
        package let token: Int64
        package let progress: TaskProgress?
        /// JSON text.
        package let checkpoint: String?

        package init(id: TaskID, token: Int64, progress: TaskProgress?, checkpoint: String?) {
            (self.id, self.token) = (id, token)
            (self.progress, self.checkpoint) = (progress, checkpoint)
        }
    }

    package let worker: WorkerID
    package let notes: [Note]
    /// What it runs, with the tokens.
    package let running: [TaskID: Int64]

    package init(worker: WorkerID, notes: [Note], running: [TaskID: Int64]) {
        (self.worker, self.notes, self.running) = (worker, notes, running)
    }

    /// How often one is sent while anything runs.
    package static let interval = Duration.seconds(5)
    /// Without one for so long, a worker counts as dead.
    package static let lease = Duration.seconds(30)
}

/// What a worker must know of what it runs.
package struct HeartbeatReply: Sendable, Hashable {
    /// It does not run them any more, whatever it thinks.
    package var lost: [TaskID] = []
    package var cancelRequested: [TaskID] = []
    package var pauseRequested: [TaskID] = []

    package init() {}
}

/// What can be done to a task.
package enum TaskCommand: Sendable, Hashable {
    case cancel, pause, resume
    /// Tries a failed, cancelled or skipped task again; a scheduled one at once.
    case retry
}
