// BackgroundTaskManager+Operating.swift — what operators do: queues, schedules, whole graphs, dead letters, clearing.
// Next: TaskStore.swift.

internal import NocturneCore

// MARK: - Queues

extension BackgroundTaskManager {
    /// Sets a queue up, or up anew: its limit, its rate, whether it is paused. What runs goes on.
    ///
    /// - Throws: ``TaskError/invalidName(_:_:)`` or ``TaskError/store(_:)``.
    public func put(_ queue: QueueSettings) async throws(TaskError) {
        try NewTask.check(name: queue.name, of: "queue")
        try await store.put(queue, now: clock.now)
    }

    /// All queues that were set up or have had tasks, by name.
    public func queues() async throws(TaskError) -> [QueueSettings] { try await store.queues() }

    /// Starts no more tasks of a queue, or starts them again. What runs goes on.
    ///
    /// - Throws: ``TaskError/noQueue(_:)`` if it was not set up and no task stood in it, or ``TaskError/store(_:)``.
    public func setPaused(_ isPaused: Bool, queue name: String) async throws(TaskError) {
        let known = try await store.queues().first { $0.name == name }
        guard var queue = known else { throw .noQueue(name) }
        queue.isPaused = isPaused
        try await store.put(queue, now: clock.now)
    }
}

// MARK: - Schedules

extension BackgroundTaskManager {
    /// Adds a recurring task, or replaces the one of its name: there are never two. One that was paused stays so. If
    /// its times are the same as before, it goes on where it was, and what it missed is made up for as its policy says;
    /// else nothing happens for times that are past. So a program may add its schedules at each start.
    ///
    /// - Throws: what ``add(_:)-(NewTask)`` throws for its task.
    public func add(_ schedule: ScheduleRecord) async throws(TaskError) {
        let now = clock.now
        try NewTask.check(name: schedule.name, of: "schedule")
        var task = schedule.task
        try prepare(&task, now: now)
        try checkIsOpen()
        try await store.put(schedule.adding(task), now: now)
    }

    /// All recurring tasks, by name.
    public func schedules() async throws(TaskError) -> [ScheduleRecord] {
        try await store.schedules()
    }

    /// Removes a recurring task. Its runs remain.
    ///
    /// - Throws: ``TaskError/noSchedule(_:)`` or ``TaskError/store(_:)``, like the next two.
    public func removeSchedule(_ name: String) async throws(TaskError) {
        try await store.removeSchedule(name, now: clock.now)
    }

    /// Stops a recurring task or lets it go on; what it missed meanwhile does not happen.
    public func setPaused(_ isPaused: Bool, schedule name: String) async throws(TaskError) {
        try await store.pauseSchedule(name, isPaused, now: clock.now)
    }

    /// Adds a run at once, and returns it. The schedule's policy for overlaps counts: it may be skipped.
    @discardableResult
    public func runNow(schedule name: String) async throws(TaskError) -> TaskRecord? {
        try await store.runNow(schedule: name, now: clock.now)
    }
}

// MARK: - Many at once

extension BackgroundTaskManager {
    /// Tries all failed tasks again that a filter means (the *dead letters*), the newest first, and says how many.
    /// Those that ``retry(_:)`` would refuse stay as they are.
    ///
    /// - Throws: ``TaskError/store(_:)``; those before are tried again by then.
    @discardableResult
    public func retryFailed(where filter: TaskFilter = TaskFilter()) async throws(TaskError) -> Int
    {
        var filter = filter
        filter.states = [.failed]
        return try await each(where: filter) { id throws(TaskError) in _ = try await retry(id) }
    }

    /// Cancels all tasks that a filter means and that have not ended, the newest first, and says how many.
    @discardableResult
    public func cancelAll(where filter: TaskFilter) async throws(TaskError) -> Int {
        var filter = filter
        let unfinished = Set(TaskState.allCases.filter { !$0.isFinished })
        filter.states = filter.states?.intersection(unfinished) ?? unfinished
        return try await each(where: filter) { id throws(TaskError) in _ = try await cancel(id) }
    }

    private func each(
        where filter: TaskFilter, _ body: (TaskID) async throws(TaskError) -> Void
    ) async throws(TaskError) -> Int {
        var count = 0
        var last: TaskID?
        while true {
            let page = try await store.tasks(where: filter, limit: Self.batch, before: last)
            for record in page {
                do throws(TaskError) {
                    try await body(record.id)
                    count += 1
                } catch {
                    // One that cannot, or has moved on since it was listed, is left as it is.
                    if case .store = error { throw error }
                }
            }
            guard page.count == Self.batch else { return count }
            last = page.last?.id
        }
    }

    /// Removes completed tasks, and says how many. `clearCompleted` of the seed.
    @discardableResult
    public func clearCompleted() async throws(TaskError) -> Int {
        try await clear(TaskFilter(states: [.completed]))
    }

    /// Removes finished tasks that a filter means, and says how many. Tasks of a graph that goes on stay.
    @discardableResult
    public func clear(_ filter: TaskFilter) async throws(TaskError) -> Int {
        var total = 0
        while true {
            let count = try await store.clear(filter, limit: Self.batch, now: clock.now)
            total += count
            if count < Self.batch { return total }
        }
    }

    /// So many are dealt with at once, so that nobody else waits for long.
    static let batch = 1_000
}

// MARK: - Graphs

extension BackgroundTaskManager {
    /// How far a graph is, by the id of its first task: how many of its tasks are in each state.
    public func graphProgress(_ graph: TaskID) async throws(TaskError) -> [TaskState: Int] {
        var filter = TaskFilter()
        filter.graph = graph
        var counts: [TaskState: Int] = [:]
        var last: TaskID?
        while true {
            let page = try await store.tasks(where: filter, limit: Self.batch, before: last)
            for record in page { counts[record.state, default: 0] += 1 }
            guard page.count == Self.batch else { return counts }
            last = page.last?.id
        }
    }
}
