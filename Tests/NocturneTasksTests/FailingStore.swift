// FailingStore.swift — a store that does nothing, and says so, when a test wants that. Next: SameAnswersTests.swift.

import Synchronization

import NocturneCore
import NocturneTasks

/// Passes on what is asked, or throws and does not.
final class FailingStore: TaskStore {
    private struct State {
        var fails = false
        var failsToFinish = false
        var oneIn: Int?
        var random = SeededGenerator(seed: 0)
        var failures = 0
        var calls = 0
        var claimSizes: [Int] = []
        var finishSizes: [Int] = []
    }

    static let reason = TaskError.store("the disk is full")
    let inner: any TaskStore
    private let state = Mutex(State())

    init(_ inner: any TaskStore) { self.inner = inner }

    /// Everything fails.
    var fails: Bool {
        get { state.withLock { $0.fails } }
        set { state.withLock { $0.fails = newValue } }
    }

    /// Ends of attempts cannot be handed in.
    var failsToFinish: Bool {
        get { state.withLock { $0.failsToFinish } }
        set { state.withLock { $0.failsToFinish = newValue } }
    }

    /// At random, so often on average.
    var failsOneIn: (Int, seed: UInt64)? {
        get { nil }
        set {
            state.withLock { state in
                state.oneIn = newValue?.0
                state.random = SeededGenerator(seed: newValue?.seed ?? 0)
            }
        }
    }

    /// How often it threw.
    var failures: Int { state.withLock { $0.failures } }

    /// How often it was asked for something.
    var calls: Int { state.withLock { $0.calls } }

    /// How many tasks each claim brought that brought any.
    var claimSizes: [Int] { state.withLock { $0.claimSizes } }

    /// How many ends were to be handed in by each call, also by those that threw.
    var finishSizes: [Int] { state.withLock { $0.finishSizes } }

    private func check(isFinish: Bool = false) throws(TaskError) {
        let fails = state.withLock { state in
            state.calls += 1
            var fails = state.fails || isFinish && state.failsToFinish
            if let oneIn = state.oneIn, state.random.isOneIn(oneIn) { fails = true }
            if fails { state.failures += 1 }
            return fails
        }
        if fails { throw Self.reason }
    }

    func add(_ tasks: [NewTask], now: UnixTime) async throws(TaskError) -> [AddedTask] {
        try check()
        return try await inner.add(tasks, now: now)
    }

    func add(
        _ graph: NewGraph, parents: [[Int]], now: UnixTime
    ) async throws(TaskError) -> [AddedTask] {
        try check()
        return try await inner.add(graph, parents: parents, now: now)
    }

    func claim(_ request: ClaimRequest, now: UnixTime) async throws(TaskError) -> Claim {
        try check()
        let claim = try await inner.claim(request, now: now)
        if !claim.tasks.isEmpty { state.withLock { $0.claimSizes.append(claim.tasks.count) } }
        return claim
    }

    func finish(_ ends: [TaskEnd], now: UnixTime) async throws(TaskError) -> [TaskRecord?] {
        state.withLock { $0.finishSizes.append(ends.count) }
        try check(isFinish: true)
        return try await inner.finish(ends, now: now)
    }

    func heartbeat(_ beat: Heartbeat, now: UnixTime) async throws(TaskError) -> HeartbeatReply {
        try check()
        return try await inner.heartbeat(beat, now: now)
    }

    func advance(to now: UnixTime) async throws(TaskError) {
        try check()
        try await inner.advance(to: now)
    }

    func rescue(
        _ isDead: @Sendable (WorkerID) -> Bool, now: UnixTime
    ) async throws(TaskError) {
        try check()
        try await inner.rescue(isDead, now: now)
    }

    func nextDue(after now: UnixTime) async throws(TaskError) -> UnixTime? {
        try check()
        return try await inner.nextDue(after: now)
    }

    func apply(
        _ command: TaskCommand, to id: TaskID, now: UnixTime
    ) async throws(TaskError) -> TaskRecord {
        try check()
        return try await inner.apply(command, to: id, now: now)
    }

    func task(_ id: TaskID) async throws(TaskError) -> TaskRecord? {
        try check()
        return try await inner.task(id)
    }

    func tasks(
        where filter: TaskFilter, limit: Int, before: TaskID?
    ) async throws(TaskError) -> [TaskRecord] {
        try check()
        return try await inner.tasks(where: filter, limit: limit, before: before)
    }

    func clear(
        _ filter: TaskFilter, limit: Int, now: UnixTime
    ) async throws(TaskError) -> Int {
        try check()
        return try await inner.clear(filter, limit: limit, now: now)
    }

    func statistics() async throws(TaskError) -> TaskStatistics {
        try check()
        return try await inner.statistics()
    }

    func put(_ queue: QueueSettings, now: UnixTime) async throws(TaskError) {
        try check()
        try await inner.put(queue, now: now)
    }

    func queues() async throws(TaskError) -> [QueueSettings] {
        try check()
        return try await inner.queues()
    }

    func put(_ schedule: ScheduleRecord, now: UnixTime) async throws(TaskError) {
        try check()
        try await inner.put(schedule, now: now)
    }

    func removeSchedule(_ name: String, now: UnixTime) async throws(TaskError) {
        try check()
        try await inner.removeSchedule(name, now: now)
    }

    func runNow(schedule name: String, now: UnixTime) async throws(TaskError) -> TaskRecord? {
        try check()
        return try await inner.runNow(schedule: name, now: now)
    }

    func pauseSchedule(_ name: String, _ isPaused: Bool, now: UnixTime) async throws(TaskError) {
        try check()
        try await inner.pauseSchedule(name, isPaused, now: now)
    }

    func schedules() async throws(TaskError) -> [ScheduleRecord] {
        try check()
        return try await inner.schedules()
    }

    func listen(_ listener: @escaping @Sendable (StoreNews) -> Void) { inner.listen(listener) }

    func warnings() async throws(TaskError) -> [String] {
        try check()
        return try await inner.warnings()
    }

    func close() async { await inner.close() }
}
