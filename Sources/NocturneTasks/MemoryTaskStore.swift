// MemoryTaskStore.swift — tasks that last as long as the process. Next: TaskHandler.swift.

package import NocturneCore
internal import Synchronization

/// Keeps tasks in memory: a table behind a lock.
package final class MemoryTaskStore: TaskStore {
    private struct State {
        var table: TaskTable
        var listener: (@Sendable (StoreNews) -> Void)?
    }
    private let state: Mutex<State>

    package init(retention: TaskTable.Retention = .standard, seed: UInt64 = 0) {
        state = Mutex(State(table: TaskTable(retention: retention, seed: seed)))
    }

    package func listen(_ listener: @escaping @Sendable (StoreNews) -> Void) {
        state.withLock { $0.listener = listener }
    }

    package func warnings() async throws(TaskError) -> [String] { [] }

    package func close() async {}

    /// Does something with the table, and tells what happened while nobody else can see it.
    private func perform<Value: Sendable>(
        _ body: (inout TaskTable) throws(TaskError) -> Value
    ) throws(TaskError) -> Value {
        try state.withLock { state throws(TaskError) in
            defer {
                let news = state.table.takeNews()
                if !news.isEmpty { state.listener?(news) }
            }
            return try body(&state.table)
        }
    }

    package func add(_ tasks: [NewTask], now: UnixTime) async throws(TaskError) -> [AddedTask] {
        try perform { $0.add(tasks, now: now) }
    }

    package func add(
        _ graph: NewGraph, parents: [[Int]], now: UnixTime
    ) async throws(TaskError) -> [AddedTask] {
        try perform { $0.add(graph, parents: parents, now: now) }
    }

    package func claim(
        _ request: ClaimRequest, now: UnixTime
    ) async throws(TaskError) -> Claim {
        try perform { $0.claim(request, now: now) }
    }

    package func finish(
        _ ends: [TaskEnd], now: UnixTime
    ) async throws(TaskError) -> [TaskRecord?] {
        try perform { $0.finish(ends, now: now) }
    }

    package func heartbeat(
        _ beat: Heartbeat, now: UnixTime
    ) async throws(TaskError) -> HeartbeatReply {
        try perform { $0.heartbeat(beat, now: now) }
    }

    package func advance(to now: UnixTime) async throws(TaskError) {
        try perform { $0.advance(to: now) }
    }

    package func rescue(
        _ isDead: @Sendable (WorkerID) -> Bool, now: UnixTime
    ) async throws(TaskError) {
        try perform { $0.rescue(isDead, now: now) }
    }

    package func nextDue(after now: UnixTime) async throws(TaskError) -> UnixTime? {
        try perform { $0.nextDue(after: now) }
    }

    package func apply(
        _ command: TaskCommand, to id: TaskID, now: UnixTime
    ) async throws(TaskError) -> TaskRecord {
        try perform { table throws(TaskError) in try table.apply(command, to: id, now: now) }
    }

    package func task(_ id: TaskID) async throws(TaskError) -> TaskRecord? {
        try perform { $0.task(id) }
    }

    package func tasks(
        where filter: TaskFilter, limit: Int, before: TaskID?
    ) async throws(TaskError) -> [TaskRecord] {
        try perform { $0.tasks(where: filter, limit: limit, before: before) }
    }

    package func clear(
        _ filter: TaskFilter, limit: Int, now: UnixTime
    ) async throws(TaskError) -> Int {
        try perform { $0.clear(filter, limit: limit, now: now) }
    }

    package func statistics() async throws(TaskError) -> TaskStatistics {
        try perform { $0.statistics }
    }

    package func put(_ queue: QueueSettings, now: UnixTime) async throws(TaskError) {
        try perform { $0.put(queue) }
    }

    package func queues() async throws(TaskError) -> [QueueSettings] {
        try perform { $0.queueSettings }
    }

    package func put(_ schedule: ScheduleRecord, now: UnixTime) async throws(TaskError) {
        try perform { $0.put(schedule, now: now) }
    }

    package func removeSchedule(_ name: String, now: UnixTime) async throws(TaskError) {
        try perform { table throws(TaskError) in try table.removeSchedule(name) }
    }

    package func runNow(
        schedule name: String, now: UnixTime
    ) async throws(TaskError) -> TaskRecord? {
        try perform { table throws(TaskError) in try table.runNow(name, now: now) }
    }

    package func pauseSchedule(
        _ name: String, _ isPaused: Bool, now: UnixTime
    ) async throws(TaskError) {
        try perform { table throws(TaskError) in
            try table.pauseSchedule(name, isPaused, now: now)
        }
    }

    package func schedules() async throws(TaskError) -> [ScheduleRecord] {
        try perform { $0.schedules }
    }
}
