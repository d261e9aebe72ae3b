// BackgroundTaskManager+Asking.swift — what callers do with tasks: register handlers, add, look, wait, cancel.
// Next: TaskStore.swift.

public import NocturneCore
internal import Synchronization

// MARK: - Handlers

extension BackgroundTaskManager {
    /// Registers what runs the tasks of a name; those that waited for it start. Replaces an earlier handler: attempts
    /// that run go on with the old one.
    ///
    /// What `body` returns is the task's result; what it throws fails the attempt, but for ``Snooze``. ``RetryLater``
    /// says when to try again, a ``TaskFailure`` of the kind `permanent` not to. A result that is larger than
    /// ``NewTask/largestValueBytes``, or nested deeper than ``NewTask/deepestValue``, fails the task for good.
    ///
    /// - Parameters:
    ///   - wait: how long to wait after a failed attempt, from zero to ``RetryPolicy/longestWait``, to which others are
    ///     moved; `nil` from it: as the task's own policy says.
    ///   - body: is called in any thread, several times at once. Its Swift task is cancelled when it is to stop.
    public func handle(
        _ name: String,
        wait: (@Sendable (_ attempt: Int, any Error) -> Duration?)? = nil,
        _ body: @escaping @Sendable (JSONValue, TaskContext) async throws -> JSONValue
    ) {
        register(name, wait: wait) { text, context in
            let input = text == "null" ? .null : try JSONParser.parse(text)
            let result = try await body(input, context)
            return result.isNull ? "null" : result.description
        }
    }

    func register(
        _ name: String, wait: (@Sendable (_ attempt: Int, any Error) -> Duration?)?,
        _ run: @escaping @Sendable (String, TaskContext) async throws -> String
    ) {
        state.withLock { state in
            state.handlers[name] = TaskHandler(run: run, wait: wait)
            state.names.insert(name)
        }
        wake()
    }

    /// Takes a handler away. Attempts that run go on; tasks of its name wait for another, or are run by a plugin that
    /// has one.
    public func removeHandler(_ name: String) {
        state.withLock { state in
            state.handlers[name] = nil
            state.names.remove(name)
        }
    }

    /// Whether tasks of a name can run here.
    public func hasHandler(_ name: String) -> Bool {
        state.withLock { $0.names.contains(name) || $0.plugins.sharing[name] != nil }
    }
}

// MARK: - Adding

extension BackgroundTaskManager {
    /// Adds a task. `addTask` of the seed.
    ///
    /// A name without a handler is no error: the task waits for one, see ``hasHandler(_:)``. Nor is a queue that was
    /// not set up: it exists from then on, without limits.
    ///
    /// - Returns: the task, or the earlier one that stands for it by its unique or idempotency key.
    /// - Throws: ``TaskError/invalidName(_:_:)``, ``TaskError/invalidTime(_:_:)`` or ``TaskError/tooLarge(_:_:_:)`` for
    ///   what cannot be; ``TaskError/shutDown``; ``TaskError/store(_:)``, and then nothing was added.
    @discardableResult
    public func add(_ task: NewTask) async throws(TaskError) -> AddedTask {
        let added = try await add([task])
        guard let first = added.first else { throw .store("it added nothing") }
        return first
    }

    /// Adds tasks together: all of them or, if it throws, none. The answers come in the same order.
    ///
    /// - Throws: what ``add(_:)-(NewTask)`` throws.
    @discardableResult
    public func add(_ tasks: [NewTask]) async throws(TaskError) -> [AddedTask] {
        let now = clock.now
        var tasks = tasks
        for index in tasks.indices { try prepare(&tasks[index], now: now) }
        try checkIsOpen()
        return try await store.add(tasks, now: now)
    }

    /// Adds tasks that wait for each other, together: all of them or, if it throws, none.
    ///
    /// - Returns: the tasks in the order of the graph's; or, if an earlier task stands for the first, that one alone.
    /// - Throws: ``TaskError/cycle(_:)``, ``TaskError/unknownReference(_:by:)``, ``TaskError/repeatedReference(_:)`` or
    ///   ``TaskError/keyInGraph(_:)`` for what is no graph, and what ``add(_:)-(NewTask)`` throws.
    @discardableResult
    public func add(_ graph: NewGraph) async throws(TaskError) -> [AddedTask] {
        let parents = try graph.parents()
        let now = clock.now
        var prepared = NewGraph(onFailure: graph.onFailure)
        for node in graph.nodes {
            var task = node.task
            try prepare(&task, now: now)
            prepared.add(node.reference, task, after: node.after, rule: node.rule)
        }
        try checkIsOpen()
        return try await store.add(prepared, parents: parents, now: now)
    }

    func prepare(_ task: inout NewTask, now: UnixTime) throws(TaskError) {
        if task.retry == nil, configuration.defaultRetries != RetryPolicy().retries {
            task.retry = RetryPolicy(retries: configuration.defaultRetries)
        }
        try task.check(now: now)
    }

    func checkIsOpen() throws(TaskError) {
        guard !state.withLock({ $0.isDraining }) else { throw .shutDown }
    }
}

// MARK: - Looking and waiting

extension BackgroundTaskManager {
    /// One task; `nil` if there is none, or not any more. `getTask` of the seed.
    ///
    /// - Throws: ``TaskError/store(_:)``, also for a task that is there and cannot be read.
    public func task(_ id: TaskID) async throws(TaskError) -> TaskRecord? {
        guard var record = try await store.task(id) else { return nil }
        // What runs here is farther than the store has heard.
        if record.state == .running, let run = state.withLock({ $0.runs[id] }),
            run.task.token == record.token, let progress = run.progress
        {
            record.change { $0.progress = progress }
        }
        return record
    }

    /// Tasks that a filter means, the newest first. `getTasks` of the seed.
    ///
    /// - Parameters:
    ///   - limit: at most so many; none below 1.
    ///   - before: only tasks that were added before this one: the last of the page before.
    /// - Throws: ``TaskError/store(_:)``. A task that cannot be read is left out.
    public func tasks(
        where filter: TaskFilter = TaskFilter(), limit: Int = 100, before: TaskID? = nil
    ) async throws(TaskError) -> [TaskRecord] {
        try await store.tasks(where: filter, limit: limit, before: before)
    }

    /// Waits for the end of a task, and returns what it came to; `null` also if that is not kept any more.
    ///
    /// - Throws: ``TaskError/failed(_:_:)``, ``TaskError/cancelled(_:)`` or ``TaskError/skipped(_:)`` if it ended so.
    ///   Also `cancelled` if the caller's own Swift task is cancelled: the task goes on.
    public func result(of id: TaskID) async throws(TaskError) -> JSONValue {
        let text = try await resultText(of: id)
        return text == "null" ? .null : (try? JSONParser.parse(text)) ?? .null
    }

    func resultText(of id: TaskID) async throws(TaskError) -> String {
        let record = try await end(of: id)
        switch record.state {
        case .completed: return record.result ?? "null"
        case .failed:
            throw .failed(id, record.failure ?? TaskFailure(.error, "it is not known why"))
        case .skipped: throw .skipped(id)
        default: throw .cancelled(id)
        }
    }

    /// Waits for the end of a task, however it ends.
    ///
    /// - Throws: ``TaskError/notFound(_:)``; ``TaskError/shutDown`` if the manager ends first;
    ///   ``TaskError/cancelled(_:)`` if the caller's own Swift task is cancelled; ``TaskError/store(_:)``.
    public func end(of id: TaskID) async throws(TaskError) -> TaskRecord {
        let waiter = EndWaiter()
        // Wait first, then look: so no end falls in between.
        let isStopped = state.withLock { state in
            state.waiters[id, default: []].append(waiter)
            return state.isStopped
        }
        defer { dismiss(waiter, of: id) }
        guard let record = try await store.task(id) else { throw .notFound(id) }
        if record.state.isFinished { return record }
        if isStopped { throw .shutDown }
        if let record = await waiter.record { return record }
        throw Task.isCancelled ? .cancelled(id) : .shutDown
    }

    private func dismiss(_ waiter: EndWaiter, of id: TaskID) {
        state.withLock { state in
            state.waiters[id]?.removeAll { $0 === waiter }
            if state.waiters[id]?.isEmpty == true { state.waiters[id] = nil }
        }
    }
}

// MARK: - Commands

extension BackgroundTaskManager {
    /// Ends a task that waits, or asks its handler to stop if it runs: if it has not after ``Configuration/stopGrace``,
    /// the task is cancelled without it. One that completes before has completed. Once more is no error.
    /// `cancelTask` of the seed.
    ///
    /// - Returns: the task as it is then; with ``TaskRecord/isCancelRequested`` while it runs.
    /// - Throws: ``TaskError/wrongState(_:_:_:)`` if it is completed, failed or skipped; ``TaskError/notFound(_:)``;
    ///   ``TaskError/store(_:)``.
    @discardableResult
    public func cancel(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.cancel, to: id, now: clock.now)
    }

    /// Holds a task; one that runs is held at its next pause point, or before its next attempt. Its deadline counts on.
    /// Once more is no error. `pauseTask` of the seed.
    ///
    /// - Throws: ``TaskError/wrongState(_:_:_:)`` if it has ended; ``TaskError/notFound(_:)``; ``TaskError/store(_:)``.
    @discardableResult
    public func pause(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.pause, to: id, now: clock.now)
    }

    /// Lets a held task go on where it would be by now: it may wait for its time or for other tasks. Of one that runs,
    /// withdraws the wish to hold it. `resumeTask` of the seed.
    ///
    /// - Throws: ``TaskError/wrongState(_:_:_:)`` if it is neither held nor running; ``TaskError/notFound(_:)``;
    ///   ``TaskError/store(_:)``.
    @discardableResult
    public func resume(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        let record = try await store.apply(.resume, to: id, now: clock.now)
        state.withLock { $0.runs[id] }?.withdrawPause()
        return record
    }

    /// Tries a failed, cancelled or skipped task again, with all its attempts before it; one that is scheduled starts
    /// at once. `retryTask` of the seed.
    ///
    /// In a graph, all comes back that was skipped because of it, and what its failure cancelled; what completed stays.
    /// A run of a schedule waits for others of it that have not ended, unless they may run side by side.
    ///
    /// - Throws: ``TaskError/wrongState(_:_:_:)`` if it is blocked, running, held or completed;
    ///   ``TaskError/uniqueKeyHeld(_:by:)`` if a newer task has its unique key; ``TaskError/invalidTime(_:_:)`` if its
    ///   deadline has passed; ``TaskError/notFound(_:)``; ``TaskError/store(_:)``.
    @discardableResult
    public func retry(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.retry, to: id, now: clock.now)
    }

    /// How many tasks are where. `getStatistics` of the seed. Counts nothing, so it costs the same for any number.
    ///
    /// - Throws: ``TaskError/store(_:)``.
    public func statistics() async throws(TaskError) -> TaskStatistics {
        try await store.statistics()
    }
}
