// TaskStoreTests.swift — the rules of a task's life that every store must keep: order, claims, ends, retries.
// Next: TaskStoreLimitTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskStoreTests {
    // MARK: - Order

    @Test(arguments: StoreMaker.all)
    func `of one class, who was available first is first`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let first = try await store.add()
        let second = try await store.add()
        let late = try await store.add { $0.start = .after(.seconds(5)) }
        try await store.wait(.seconds(6))
        let last = try await store.add()
        #expect(try await store.drain() == [first, second, late, last])
    }

    @Test(arguments: StoreMaker.all)
    func `more urgent classes go first, and critical ones always`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        var ids: [TaskID] = []
        for priority in PriorityClass.allCases.reversed() {
            ids.append(try await store.add { $0.priority = priority })
        }
        #expect(try await store.drain() == ids.reversed())

        let waiting = try await store.add { $0.priority = .high }
        try await store.wait(.seconds(100_000))
        let critical = try await store.add { $0.priority = .critical }
        #expect(try await store.drain() == [critical, waiting])
    }

    @Test(arguments: [
        (PriorityClass.normal, 30), (.low, 5 * 60), (.background, 30 * 60),
    ])
    func `a task overtakes high ones that come later than its slack`(
        priority: PriorityClass, slackSeconds: Int
    ) async throws {
        for maker in StoreMaker.all {
            let store = try await StoreUnderTest(maker)
            let patient = try await store.add { $0.priority = priority }
            try await store.wait(.seconds(slackSeconds) - .milliseconds(1))
            let before = try await store.add { $0.priority = .high }
            try await store.wait(.milliseconds(2))
            let after = try await store.add { $0.priority = .high }
            #expect(try await store.drain() == [before, patient, after])
        }
    }

    @Test(arguments: StoreMaker.all)
    func `only names with a handler are claimed; the others wait`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let strange = try await store.add("strange")
        let known = try await store.add("job")
        #expect(try await store.claim(9).map(\.id) == [known])
        #expect(try await store.state(strange) == .available)
        #expect(try await store.claim(9, of: ["strange"]).map(\.id) == [strange])
    }

    // MARK: - Claims

    @Test(arguments: StoreMaker.all)
    func `each task is given to one worker, and no more than asked for`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var ids: [TaskID] = []
        for _ in 0..<10 { ids.append(try await store.add()) }
        let one = try await store.claim(4, by: "a")
        let two = try await store.claim(4, by: "b")
        let three = try await store.claim(4, by: "a")
        #expect((one + two + three).map(\.id) == ids)
        #expect([one.count, two.count, three.count] == [4, 4, 2])
        #expect(one.allSatisfy { $0.state == .running && $0.worker == WorkerID("a") })
        #expect(Set((one + two + three).map(\.token)).count == 10)
    }

    @Test(arguments: StoreMaker.all)
    func `an end counts once, and only of the claim that runs`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        let first = try await store.claimOne(by: "a")
        try await store.wait(Heartbeat.lease)
        #expect(try await store.state(id) == .available)
        #expect(try await store.complete(first) == nil)

        let second = try await store.claimOne(by: "b")
        #expect(try await store.complete(first, "1") == nil)
        #expect(try await store.complete(second, "2")?.state == .completed)
        #expect(try await store.complete(second, "3") == nil)
        #expect(try await store.record(id).result == "2")
    }

    @Test(arguments: StoreMaker.all)
    func `a worker that is heard of keeps its tasks`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        let task = try await store.claimOne()
        for _ in 0..<10 {
            try await store.wait(Heartbeat.lease - .seconds(1))
            #expect(try await store.beat([task]) == HeartbeatReply())
        }
        try await store.wait(Heartbeat.lease)
        var lost = HeartbeatReply()
        lost.lost = [id]
        #expect(try await store.beat([task]) == lost)
    }

    @Test(arguments: StoreMaker.all)
    func `tasks of a dead worker come back at once, those of others do not`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let mine = try await store.add()
        let its = try await store.add()
        _ = try await store.claim(1, by: "alive")
        _ = try await store.claim(1, by: "dead")
        try await store.store.rescue({ $0 == WorkerID("dead") }, now: store.now)
        #expect(try await store.state(mine) == .running)
        let back = try await store.record(its)
        #expect(back.state == .available)
        #expect((back.crashes, back.attempt) == (1, 0))
    }

    // MARK: - Retries

    @Test(arguments: StoreMaker.all)
    func `three retries are four attempts, each listed`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        for attempt in 1...4 {
            let task = try await store.claimOne()
            #expect(task.attempt == attempt)
            let after = try #require(try await store.fail(task))
            #expect(after.state == (attempt < 4 ? .scheduled : .failed))
            try await store.wait(.seconds(9))
            #expect(try await store.claim().isEmpty)
            try await store.wait(.seconds(1))
        }
        let record = try await store.record(id)
        #expect(record.attempts.map(\.number) == [1, 2, 3, 4])
        #expect(record.failure == TaskFailure(.error, "no"))
        #expect(try await store.claim().isEmpty)
    }

    @Test(arguments: StoreMaker.all)
    func `an error may say when to come back, or never to`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        try await store.fail(try await store.claimOne(), wait: .seconds(77))
        #expect(try await store.record(id).due == store.now.adding(.seconds(77)))
        try await store.wait(.seconds(77))
        #expect(try await store.fail(try await store.claimOne(), .permanent)?.state == .failed)
    }

    @Test(arguments: StoreMaker.all)
    func `three crashes fail a task as poison, and use no attempt`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        for crash in 1...3 {
            #expect(try await store.claimOne().attempt == 1)
            try await store.wait(Heartbeat.lease)
            let record = try await store.record(id)
            #expect(Int(record.crashes) == crash)
            #expect(record.state == (crash < 3 ? .available : .failed))
        }
        let record = try await store.record(id)
        #expect(record.failure?.kind == .poison)
        #expect(record.attempts.map(\.outcome) == [.crashed, .crashed, .crashed])
    }

    @Test(arguments: StoreMaker.all)
    func `snoozing and giving back use no attempt`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        for _ in 0..<9 {
            try await store.end(
                try await store.claimOne(), .snoozed(until: store.now.adding(.seconds(60))))
            #expect(try await store.claim().isEmpty)
            try await store.wait(.seconds(60))
            try await store.end(try await store.claimOne(), .returned)
            #expect(try await store.state(id) == .available)
        }
        #expect(try await store.claimOne().attempt == 1)
    }

    @Test(arguments: StoreMaker.all)
    func `a failed task can be tried again, with all its attempts`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add { $0.retry = RetryPolicy(retries: 0) }
        try await store.fail(try await store.claimOne())
        #expect(try await store.apply(.retry, id).state == .available)
        let task = try await store.claimOne()
        #expect(task.attempt == 1)
        #expect(try await store.complete(task)?.state == .completed)
        await #expect(throws: TaskError.wrongState(id, .completed, "retry")) {
            try await store.apply(.retry, id)
        }
    }

    // MARK: - Ends

    @Test(arguments: StoreMaker.all)
    func `a deadline fails a task that waits, and bounds its retries`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let end = store.now.adding(.seconds(15))
        let waiting = try await store.add { $0.deadline = end }
        let other = try await store.add("other") { $0.deadline = end }
        try await store.fail(try await store.claimOne())
        try await store.wait(.seconds(15))
        for id in [waiting, other] {
            #expect(try await store.record(id).failure?.kind == .deadline)
            #expect(try await store.state(id) == .failed)
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a task that comes back after its deadline fails instead of waiting for ever`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        for outcome in [
            TaskEnd.Outcome.failed(TaskFailure(.error, "no"), wait: nil), .returned,
            .snoozed(until: store.now.adding(.seconds(100))),
        ] {
            try await store.add { $0.deadline = store.now.adding(.seconds(10)) }
            let task = try await store.claimOne()
            try await store.wait(.seconds(11))
            let after = try #require(try await store.end(task, outcome))
            #expect((after.state, after.failure?.kind) == (.failed, .deadline))
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a result is kept as long as the task says`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add { $0.keepsResultFor = .seconds(60) }
        try await store.complete(try await store.claimOne(), "[1]")
        try await store.wait(.seconds(59))
        #expect(try await store.record(id).result == "[1]")
        try await store.wait(.seconds(1))
        #expect(try await store.record(id).result == nil)
        #expect(try await store.state(id) == .completed)
    }

    @Test(arguments: StoreMaker.all)
    func `only finished tasks are cleared, and only those that are meant`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let done = try await store.add()
        try await store.complete(try await store.claimOne())
        let failed = try await store.add { $0.retry = RetryPolicy(retries: 0) }
        try await store.fail(try await store.claimOne())
        let waiting = try await store.add()
        let completed = TaskFilter(states: [.completed])
        #expect(try await store.store.clear(completed, limit: 9, now: store.now) == 1)
        #expect(try await store.store.task(done) == nil)
        #expect(try await store.state(failed) == .failed)
        #expect(try await store.store.clear(TaskFilter(), limit: 9, now: store.now) == 1)
        #expect(try await store.state(waiting) == .available)
    }

    @Test(arguments: StoreMaker.all)
    func `statistics say where tasks are and what happened`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        for _ in 0..<3 { try await store.add() }
        try await store.add("job") { $0.queue = "mail" }
        try await store.add("other") { $0.start = .after(.seconds(60)) }
        try await store.complete(try await store.claimOne())
        try await store.fail(try await store.claimOne())
        let statistics = try await store.store.statistics()
        #expect(
            statistics.rows.map { "\($0.queue)/\($0.name)" } == [
                "default/job", "default/other", "mail/job",
            ])
        #expect(statistics.rows[0].counts == [.completed: 1, .scheduled: 1, .available: 1])
        #expect(statistics.totals.started == 2)
        #expect(statistics.totals.retried == 1)
        #expect(statistics.count(.scheduled) == 2)
    }

    @Test(arguments: StoreMaker.all)
    func `tasks are listed page by page, the newest first`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        var ids: [TaskID] = []
        for number in 0..<20 { ids.append(try await store.add(number % 2 == 0 ? "job" : "other")) }
        let filter = TaskFilter(name: "job")
        let jobs = ids.indices.filter { $0 % 2 == 0 }.reversed().map { ids[$0] }
        let first = try await store.store.tasks(where: filter, limit: 4, before: nil)
        let second = try await store.store.tasks(where: filter, limit: 100, before: first.last?.id)
        #expect((first + second).map(\.id) == jobs)
    }
}
