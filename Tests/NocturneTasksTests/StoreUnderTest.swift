// StoreUnderTest.swift — a store with a time of its own, and a few words for what the rules of tasks are said in.
// Next: TaskStoreTests.swift, which every store must pass.

import Testing

import NocturneCore
import NocturneTasks

/// Makes empty stores of one kind.
struct StoreMaker: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () async throws -> any TaskStore

    static let all = [
        StoreMaker(testDescription: "memory") { MemoryTaskStore(seed: 1) },
        StoreMaker(testDescription: "SQLite") {
            // The open file outlives its names.
            try await TaskDirectory().open()
        },
    ]
}

/// A store, and the time that its callers tell it.
final class StoreUnderTest {
    let store: any TaskStore
    private(set) var now = UnixTime(seconds: 1_750_000_000)

    init(_ maker: StoreMaker) async throws {
        store = try await maker.make()
    }

    func wait(_ duration: Duration) async throws {
        now = now.adding(duration)
        try await store.advance(to: now)
    }

    /// Adds a task, and returns its id.
    @discardableResult
    func add(
        _ name: String = "job", input: JSONValue = nil, _ change: (inout NewTask) -> Void = { _ in }
    ) async throws -> TaskID {
        try #require(try await addAll([task(name, input: input, change)]).first).id
    }

    func task(
        _ name: String = "job", input: JSONValue = nil, _ change: (inout NewTask) -> Void = { _ in }
    ) -> NewTask {
        var task = NewTask(name, input: input)
        task.retry = RetryPolicy(retries: 3, backoff: .fixed(.seconds(10)), jitter: 0)
        change(&task)
        return task
    }

    func addAll(_ tasks: [NewTask]) async throws -> [AddedTask] {
        try await store.add(tasks, now: now)
    }

    func claim(
        _ limit: Int = 1, of names: Set<String> = ["job"], by worker: String = "w"
    ) async throws -> [TaskRecord] {
        try await store.claim(
            ClaimRequest(worker: WorkerID(worker), names: names, limit: limit), now: now
        ).tasks
    }

    func claimOne(of names: Set<String> = ["job"], by worker: String = "w") async throws
        -> TaskRecord
    {
        try #require(try await claim(1, of: names, by: worker).first)
    }

    @discardableResult
    func end(_ task: TaskRecord, _ outcome: TaskEnd.Outcome) async throws -> TaskRecord? {
        let end = TaskEnd(id: task.id, token: task.token, outcome: outcome, log: [])
        return try #require(try await store.finish([end], now: now).first)
    }

    @discardableResult
    func complete(_ task: TaskRecord, _ result: String = "null") async throws -> TaskRecord? {
        try await end(task, .completed(result: result))
    }

    @discardableResult
    func fail(
        _ task: TaskRecord, _ kind: TaskFailure.Kind = .error, wait: Duration? = nil
    ) async throws -> TaskRecord? {
        try await end(task, .failed(TaskFailure(kind, "no"), wait: wait))
    }

    func beat(
        _ tasks: [TaskRecord], by worker: String = "w", checkpoint: String? = nil
    ) async throws -> HeartbeatReply {
        let notes = tasks.map {
            Heartbeat.Note(id: $0.id, token: $0.token, progress: nil, checkpoint: checkpoint)
        }
        let running = Dictionary(uniqueKeysWithValues: tasks.map { ($0.id, $0.token) })
        return try await store.heartbeat(
            Heartbeat(
                worker: WorkerID(worker), notes: checkpoint == nil ? [] : notes, running: running),
            now: now)
    }

    @discardableResult
    func apply(_ command: TaskCommand, _ id: TaskID) async throws -> TaskRecord {
        try await store.apply(command, to: id, now: now)
    }

    func record(_ id: TaskID) async throws -> TaskRecord {
        try #require(try await store.task(id))
    }

    func state(_ id: TaskID) async throws -> TaskState { try await record(id).state }

    /// Claims and completes everything that can be, and returns the names in their order.
    func drain(of names: Set<String> = ["job"]) async throws -> [TaskID] {
        var ids: [TaskID] = []
        while let task = try await claim(1, of: names).first {
            ids.append(task.id)
            try await complete(task)
        }
        return ids
    }
}
