// BackgroundTaskManager+Asking.swift — what callers do with tasks: register handlers, add, look, wait, cancel.
// Next: TaskStore.swift.

public import NocturneCore
internal import Synchronization

// MARK: - Handlers

extension BackgroundTaskManager {
    /// Registers what runs the tasks of a name; those that waited for it start. Replaces an earlier handler: attempts
    /// that run go on with the old one.
    ///
    /// - Parameters:
    ///   - wait: how long to wait after a failed attempt; `nil` from it: as the task's own policy says.
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
    @discardableResult
    public func add(_ task: NewTask) async throws(TaskError) -> AddedTask {
        let added = try await add([task])
        guard let first = added.first else { throw .store("it added nothing") }
        return first
    }

    /// Adds tasks together: all of them or, if it throws, none. The answers come in the same order.
    @discardableResult
    public func add(_ tasks: [NewTask]) async throws(TaskError) -> [AddedTask] {
        let now = clock.now
        var tasks = tasks
        for index in tasks.indices { try prepare(&tasks[index], now: now) }
        try checkIsOpen()
        return try await store.add(tasks, now: now)
    }

    /// Adds tasks that wait for each other, together.
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
    /// - Parameter before: only tasks that were added before this one: the last of the page before.
    public func tasks(
        where filter: TaskFilter = TaskFilter(), limit: Int = 100, before: TaskID? = nil
    ) async throws(TaskError) -> [TaskRecord] {
        try await store.tasks(where: filter, limit: limit, before: before)
    }

    /// Waits for the end of a task, and returns what it came to.
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
    /// Ends a task that waits, or asks its handler to stop if it runs. `cancelTask` of the seed.
    @discardableResult
    public func cancel(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.cancel, to: id, now: clock.now)
    }

    /// Holds a task; one that runs is held at its next pause point. `pauseTask` of the seed.
    @discardableResult
    public func pause(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.pause, to: id, now: clock.now)
    }

    /// Lets a held task go on. `resumeTask` of the seed.
    @discardableResult
    public func resume(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        state.withLock { $0.runs[id] }?.withdrawPause()
        return try await store.apply(.resume, to: id, now: clock.now)
    }

    /// Tries a failed, cancelled or skipped task again, with all its attempts before it; one that waits for its next
    /// attempt starts at once. `retryTask` of the seed.
    @discardableResult
    public func retry(_ id: TaskID) async throws(TaskError) -> TaskRecord {
        try await store.apply(.retry, to: id, now: clock.now)
    }

    /// How many tasks are where. `getStatistics` of the seed.
    public func statistics() async throws(TaskError) -> TaskStatistics {
        try await store.statistics()
    }
}
