// TaskRevivalTests.swift — tasks that ended and are tried again: nothing that holds for new ones is broken by them.
// Next: TaskCommandTests.swift.

import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskRevivalTests {
    private func add(_ graph: NewGraph, to store: StoreUnderTest) async throws -> [TaskID] {
        try await store.store.add(graph, parents: try graph.parents(), now: store.now).map(\.id)
    }

    private func states(_ ids: [TaskID], _ store: StoreUnderTest) async throws -> [TaskState] {
        var states: [TaskState] = []
        for id in ids { states.append(try await store.state(id)) }
        return states
    }

    // MARK: - Keys

    @Test(arguments: StoreMaker.all)
    func `a task does not come back while another has its unique key, and is told which`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let first = try await store.add { $0.unique = UniqueKey("u") }
        try await store.fail(try await store.claimOne(), .permanent)
        let second = try await store.add { $0.unique = UniqueKey("u") }
        #expect(second != first)
        await #expect(throws: TaskError.uniqueKeyHeld("u", by: second)) {
            try await store.apply(.retry, first)
        }
        #expect(try await store.state(first) == .failed)
        try await store.apply(.cancel, second)
        #expect(try await store.apply(.retry, first).state == .available)
        // Now it is the one that counts.
        let third = try await store.addAll([store.task { $0.unique = UniqueKey("u") }])
        #expect(third.map(\.id) == [first])
    }

    @Test(arguments: StoreMaker.all)
    func `a key that outlived its period keeps nobody from coming back, and is held again`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let key = UniqueKey("u", within: .seconds(60), states: Set(TaskState.allCases))
        let first = try await store.add { $0.unique = key }
        try await store.fail(try await store.claimOne(), .permanent)
        try await store.wait(.seconds(61))
        let second = try await store.add { $0.unique = key }
        try await store.complete(try await store.claimOne())
        await #expect(throws: TaskError.uniqueKeyHeld("u", by: second)) {
            try await store.apply(.retry, first)
        }
        try await store.wait(.seconds(61))
        #expect(try await store.apply(.retry, first).state == .available)
    }

    @Test func `only the first task of a graph may have a key that counts for all of it`() throws {
        var graph = NewGraph()
        var keyed = NewTask("job")
        keyed.idempotencyKey = "k"
        graph.add("a", keyed)
        graph.add("b", NewTask("job"), after: ["a"])
        #expect(try graph.parents() == [[], [0]])
        graph.add("c", keyed, after: ["a"])
        #expect(throws: TaskError.keyInGraph("c")) { try graph.parents() }
        graph = NewGraph()
        graph.add("", NewTask("job"))
        #expect(throws: TaskError.invalidName("reference", "")) { try graph.parents() }
    }

    // MARK: - Graphs

    /// The last one stands behind the failed one directly, too, so it is met before what else is before it.
    @Test(arguments: StoreMaker.all)
    func `all that was skipped behind a failed task comes back with it, whatever the way there`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph()
        graph.add("first", store.task())
        graph.add("short", store.task(), after: ["first", "third"])
        graph.add("second", store.task(), after: ["first"])
        graph.add("third", store.task(), after: ["second"])
        let ids = try await add(graph, to: store)
        try await store.fail(try await store.claimOne(), .permanent)
        #expect(try await states(ids, store) == [.failed, .skipped, .skipped, .skipped])
        try await store.apply(.retry, ids[0])
        #expect(try await states(ids, store) == [.available, .blocked, .blocked, .blocked])
        #expect(try await store.drain() == [ids[0], ids[2], ids[3], ids[1]])
        let kept = try await store.store.statistics().totals
        #expect((kept.completed, kept.skipped) == (4, 3))
    }

    @Test(arguments: StoreMaker.all)
    func `what a failure cancelled comes back with the failed task, but not what people cancelled`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph(onFailure: .cancelRest)
        graph.add("fails", store.task())
        graph.add("beside", store.task("other"))
        graph.add("behind", store.task(), after: ["beside"])
        graph.add("unwanted", store.task("other"))
        graph.add("always", store.task("other"), after: ["fails"], rule: .allDone)
        let ids = try await add(graph, to: store)
        try await store.apply(.cancel, ids[3])
        try await store.wait(.seconds(1))
        try await store.fail(try await store.claimOne(), .permanent)
        let afterwards: [TaskState] = [.failed, .cancelled, .cancelled, .cancelled, .available]
        #expect(try await states(ids, store) == afterwards)
        try await store.apply(.retry, ids[0])
        let again: [TaskState] = [.available, .available, .blocked, .cancelled, .available]
        #expect(try await states(ids, store) == again)
        _ = try await store.drain(of: ["job", "other"])
        let ended: [TaskState] = [.completed, .completed, .completed, .cancelled, .completed]
        #expect(try await states(ids, store) == ended)
    }

    // MARK: - Schedules

    @Test(arguments: StoreMaker.all)
    func `a run that is tried again waits for those that its schedule keeps it from`(
        maker: StoreMaker
    ) async throws {
        for overlap in RunOverlap.allCases {
            let store = try await StoreUnderTest(maker)
            let schedule = ScheduleRecord(
                "nightly", store.task(), try Schedule("@every 10m", from: store.now),
                overlap: overlap)
            try await store.store.put(schedule, now: store.now)
            try await store.wait(.seconds(600))
            let first = try await store.claimOne()
            try await store.fail(first, .permanent)
            try await store.wait(.seconds(600))
            let second = try await store.claimOne()
            let again = try await store.apply(.retry, first.id)
            #expect(again.state == (overlap == .allow ? .available : .blocked), "\(overlap)")
            try await store.complete(second)
            #expect(try await store.drain() == [first.id])
        }
    }

    // MARK: - Dead letters

    @Test func `all dead letters of a queue are tried again, but for those that cannot be`()
        async throws
    {
        let clock = VirtualClock()
        let manager = BackgroundTaskManager(
            configuration: .init(maxConcurrent: 4), store: MemoryTaskStore(),
            worker: WorkerID("w"), clock: clock)
        let isHealed = Counter()
        manager.handle("job") { _, _ in
            if isHealed.current == 0 { throw TaskFailure(.permanent, "no") }
            return nil
        }
        func task(_ change: (inout NewTask) -> Void = { _ in }) -> NewTask {
            var task = NewTask("job")
            task.queue = "mail"
            change(&task)
            return task
        }
        let late = try await manager.add(
            task { $0.deadline = clock.now.adding(.seconds(10)) })
        let keyed = try await manager.add(task { $0.unique = UniqueKey("u") })
        let plain = try await manager.add([task(), task { $0.queue = "other" }])
        for id in [late.id, keyed.id] + plain.map(\.id) { _ = try await manager.end(of: id) }
        clock.advance(by: .seconds(11))
        _ = isHealed.add(1)
        manager.removeHandler("job")
        let holder = try await manager.add(task { $0.unique = UniqueKey("u") })
        #expect(holder.duplicate == nil)
        var filter = TaskFilter()
        filter.queue = "mail"
        #expect(try await manager.retryFailed(where: filter) == 1)
        #expect(try await manager.task(plain[0].id)?.state == .available)
        for id in [late.id, keyed.id, plain[1].id] {
            #expect(try await manager.task(id)?.state == .failed)
        }
        await manager.shutdown()
    }
}
