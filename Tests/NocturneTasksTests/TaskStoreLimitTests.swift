// TaskStoreLimitTests.swift — what every store must hold back or hold together: cancelled and paused tasks, queues,
// keys, duplicates. Next: TaskStoreGraphTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskStoreLimitTests {
    // MARK: - Cancel, pause, resume

    @Test(arguments: StoreMaker.all)
    func `a task that waits is cancelled at once, one that runs is asked to stop`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let running = try await store.add()
        let task = try await store.claimOne()
        let available = try await store.add()
        let scheduled = try await store.add { $0.start = .after(.seconds(5)) }
        for id in [available, scheduled] {
            #expect(try await store.apply(.cancel, id).state == .cancelled)
        }
        #expect(try await store.apply(.cancel, running).state == .running)
        #expect(try await store.beat([task]).cancelRequested == [running])
        #expect(try await store.end(task, .cancelled)?.state == .cancelled)
        try await store.wait(.seconds(6))
        #expect(try await store.claim(9).isEmpty)
    }

    @Test(arguments: StoreMaker.all)
    func `a failure after a request to cancel is no retry, a success is one`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        for (outcome, state) in [
            (TaskEnd.Outcome.failed(TaskFailure(.error, "x"), wait: nil), TaskState.cancelled),
            (.returned, .cancelled), (.completed(result: "null"), .completed),
        ] {
            let id = try await store.add()
            let task = try await store.claimOne()
            try await store.apply(.cancel, id)
            #expect(try await store.end(task, outcome)?.state == state)
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a held task does not start, and goes on where it was`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let available = try await store.add()
        let scheduled = try await store.add { $0.start = .after(.seconds(50)) }
        for id in [available, scheduled] {
            #expect(try await store.apply(.pause, id).state == .paused)
        }
        try await store.wait(.seconds(20))
        #expect(try await store.claim(9).isEmpty)
        #expect(try await store.apply(.resume, available).state == .available)
        #expect(try await store.apply(.resume, scheduled).state == .scheduled)
        try await store.wait(.seconds(30))
        #expect(try await store.claim(9).map(\.id) == [available, scheduled])
        await #expect(throws: TaskError.notFound(TaskID(99))) {
            try await store.apply(.pause, TaskID(99))
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a running task is held at its pause point and keeps its checkpoint`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        let task = try await store.claimOne()
        try await store.apply(.pause, id)
        #expect(try await store.beat([task], checkpoint: "7").pauseRequested == [id])
        #expect(try await store.end(task, .paused)?.state == .paused)
        #expect(try await store.claim().isEmpty)
        try await store.apply(.resume, id)
        let again = try await store.claimOne()
        #expect((again.attempt, again.checkpoint) == (1, "7"))
    }

    @Test(arguments: StoreMaker.all)
    func `an attempt that pauses after its pause was taken back goes on`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        let task = try await store.claimOne()
        try await store.apply(.pause, id)
        #expect(try await store.beat([task], checkpoint: "7").pauseRequested == [id])
        try await store.apply(.resume, id)
        #expect(try await store.beat([task]).pauseRequested == [])
        #expect(try await store.end(task, .paused)?.state == .available)
        // The next attempt may hold itself, as nobody has resumed that one.
        let again = try await store.claimOne()
        #expect((again.attempt, again.checkpoint) == (1, "7"))
        #expect(try await store.end(again, .paused)?.state == .paused)
    }

    @Test(arguments: StoreMaker.all)
    func `a checkpoint survives the crash of its worker, and is refused from a lost claim`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        try await store.add()
        let task = try await store.claimOne(by: "a")
        _ = try await store.beat([task], by: "a", checkpoint: "1")
        try await store.wait(Heartbeat.lease)
        let again = try await store.claimOne(by: "b")
        #expect(again.checkpoint == "1")
        #expect(try await store.beat([task], by: "a", checkpoint: "2").lost == [task.id])
        #expect(try await store.record(task.id).checkpoint == "1")
    }

    // MARK: - Queues

    @Test(arguments: StoreMaker.all)
    func `a paused queue starts nothing, and others are not held by it`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let held = try await store.add { $0.queue = "slow" }
        let other = try await store.add()
        try await store.store.put(QueueSettings("slow", isPaused: true), now: store.now)
        #expect(try await store.claim(9).map(\.id) == [other])
        try await store.store.put(QueueSettings("slow"), now: store.now)
        #expect(try await store.claim(9).map(\.id) == [held])
        #expect(try await store.store.queues().map(\.name) == ["default", "slow"])
    }

    @Test(arguments: StoreMaker.all)
    func `no more tasks of a queue run than its limit, whoever runs them`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        try await store.store.put(QueueSettings("default", limit: 2), now: store.now)
        for _ in 0..<5 { try await store.add() }
        let first = try await store.claim(9, by: "a")
        try #require(first.count == 2)
        #expect(try await store.claim(9, by: "b").isEmpty)
        try await store.complete(first[0])
        #expect(try await store.claim(9, by: "b").count == 1)
        #expect(try await store.claim(9, by: "a").isEmpty)
    }

    @Test(arguments: StoreMaker.all)
    func `a rate spreads the starts of a queue, and lets a burst through after a rest`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let rate = StartRate(10, per: .seconds(1), burst: 3)
        try await store.store.put(QueueSettings("default", rate: rate), now: store.now)
        for _ in 0..<40 { try await store.add() }
        var started: [Int] = []
        for _ in 0..<20 {
            started.append(try await store.claim(99).count)
            let next = try await store.store.nextDue(after: store.now)
            #expect(
                next == store.now.adding(.milliseconds(100 - Int64(started.count - 1) % 2 * 50)))
            try await store.wait(.milliseconds(50))
        }
        #expect(started == [3] + (1..<20).map { $0 % 2 == 0 ? 1 : 0 })
        try await store.wait(.seconds(60))
        #expect(try await store.claim(99).count == 3)
    }

    // MARK: - Keys

    @Test(arguments: StoreMaker.all)
    func `tasks with one key run one after another, across names and queues`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let key = ConcurrencyKey("disk")
        let first = try await store.add { $0.key = key }
        let second = try await store.add { $0.key = key }
        let third = try await store.add("other") { task in
            task.key = key
            task.queue = "mail"
        }
        let free = try await store.add()
        let names: Set = ["job", "other"]
        let claimed = try await store.claim(9, of: names)
        try #require(claimed.map(\.id) == [first, free])
        try await store.complete(claimed[0])
        // Whoever serves only the other name is not held up by one of this name that nobody runs.
        let other = try await store.claim(9, of: ["other"])
        try #require(other.map(\.id) == [third])
        #expect(try await store.claim(9, of: names).isEmpty)
        try await store.complete(other[0])
        #expect(try await store.claim(9, of: names).map(\.id) == [second])
    }

    @Test(arguments: StoreMaker.all)
    func `a key gets free when its task crashes, is held or put off`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        for _ in 0..<4 { try await store.add { $0.key = ConcurrencyKey("k") } }
        let first = try await store.claim(9, by: "a")
        try #require(first.count == 1)
        try await store.end(first[0], .snoozed(until: store.now.adding(.seconds(600))))
        let second = try await store.claim(9, by: "b")
        try #require(second.count == 1)
        try await store.fail(second[0], wait: .seconds(600))
        #expect(try await store.claim(9, by: "c").count == 1)
        #expect(try await store.claim(9, by: "c").isEmpty)
        try await store.wait(Heartbeat.lease)
        #expect(try await store.claim(9, by: "d").count == 1)
    }

    @Test(arguments: StoreMaker.all)
    func `cancelling a task that waits for its key frees nothing and holds up nobody`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var ids: [TaskID] = []
        for _ in 0..<4 { ids.append(try await store.add { $0.key = ConcurrencyKey("k") }) }
        let first = try await store.claimOne()
        #expect(try await store.claim(9).isEmpty)
        try await store.apply(.cancel, ids[1])
        #expect(try await store.claim(9).isEmpty)
        try await store.complete(first)
        try await store.apply(.cancel, ids[2])
        #expect(try await store.claim(9).map(\.id) == [ids[3]])
    }

    // MARK: - Duplicates

    @Test(arguments: StoreMaker.all)
    func `of tasks with one unique key there is one, while it counts`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let task = store.task { $0.unique = UniqueKey("u") }
        let added = try await store.addAll([task, task])
        #expect(added[1] == AddedTask(id: added[0].id, state: .available, duplicate: .uniqueKey))
        let other = try await store.addAll([store.task("other") { $0.unique = UniqueKey("u") }])
        #expect(other[0].duplicate == nil)
        try await store.complete(try await store.claimOne())
        #expect(try await store.addAll([task])[0].duplicate == nil)
    }

    @Test(arguments: StoreMaker.all)
    func `a unique key with a period counts finished tasks, too, until it has passed`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let task = store.task {
            $0.unique = UniqueKey("u", within: .seconds(60), states: Set(TaskState.allCases))
        }
        let id = try await store.addAll([task])[0].id
        try await store.complete(try await store.claimOne())
        try await store.wait(.seconds(59))
        #expect(
            try await store.addAll([task])
                == [AddedTask(id: id, state: .completed, duplicate: .uniqueKey)])
        try await store.wait(.seconds(1))
        #expect(try await store.addAll([task])[0].duplicate == nil)
    }

    @Test(arguments: StoreMaker.all)
    func `the same request is not added twice within a day, however the task ended`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let task = store.task { $0.idempotencyKey = "request-1" }
        let id = try await store.addAll([task])[0].id
        try await store.complete(try await store.claimOne())
        try await store.wait(NewTask.idempotencyPeriod - .seconds(1))
        #expect(
            try await store.addAll([task])
                == [AddedTask(id: id, state: .completed, duplicate: .idempotencyKey)])
        try await store.wait(.seconds(1))
        #expect(try await store.addAll([task])[0].duplicate == nil)
    }
}
