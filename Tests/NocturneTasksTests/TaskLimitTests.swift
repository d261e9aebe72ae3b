// TaskLimitTests.swift — values that make no sense, and sums that would overflow: moved to what is allowed or refused,
// never a crash. Next: TaskRateTests.swift.

import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskLimitTests {
    private let now = UnixTime(seconds: 1_750_000_000)

    private func refusal(_ change: (inout NewTask) -> Void) -> TaskError? {
        var task = NewTask("job")
        change(&task)
        do throws(TaskError) {
            try task.check(now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a policy has no values out of range, however it is made`() {
        for retries in [Int.min, -1, 0, 3, 10_000, 10_001, .max] {
            let policy = RetryPolicy(retries: retries)
            #expect(policy.retries == min(max(retries, 0), 10_000))
        }
        for jitter in [-1.0, 0, 0.5, 1, 2, .infinity, -.infinity, .nan] {
            let policy = RetryPolicy(
                backoff: .exponential(base: .seconds(1), cap: .seconds(8)), jitter: jitter)
            var random = SeededGenerator(seed: 1)
            for attempt in [Int.min, 0, 1, 3, 4, 63, 64, .max] {
                let wait = policy.wait(afterAttempt: attempt, using: &random)
                #expect(wait >= .zero && wait <= .seconds(8), "\(jitter), \(attempt)")
            }
        }
    }

    /// The sequences are those of the names, from any textbook.
    @Test func `waits grow as the policy is named, up to its cap and a year`() {
        func waits(_ backoff: RetryPolicy.Backoff) -> [Duration] {
            var random = SeededGenerator(seed: 1)
            let policy = RetryPolicy(backoff: backoff, jitter: 0)
            return (1...5).map { policy.wait(afterAttempt: $0, using: &random) }
        }
        #expect(waits(.fixed(.seconds(2))) == [2, 2, 2, 2, 2].map { .seconds($0) })
        #expect(
            waits(.linear(base: .seconds(2), cap: .seconds(7)))
                == [2, 4, 6, 7, 7].map {
                    .seconds($0)
                })
        #expect(
            waits(.exponential(base: .seconds(2), cap: .seconds(20)))
                == [2, 4, 8, 16, 20].map { .seconds($0) })
        let year = Duration.seconds(365 * 86_400), ever = Duration.seconds(Int64.max)
        #expect(waits(.fixed(ever)) == [year, year, year, year, year])
        #expect(waits(.exponential(base: ever, cap: ever)).allSatisfy { $0 == year })
        #expect(waits(.linear(base: .seconds(-5), cap: ever)).allSatisfy { $0 == .zero })
    }

    @Test func `jitter makes waits shorter by its part at most, and different`() {
        var random = SeededGenerator(seed: 1)
        let policy = RetryPolicy(backoff: .fixed(.seconds(100)), jitter: 0.25)
        let waits = (0..<1_000).map { _ in policy.wait(afterAttempt: 1, using: &random) }
        #expect(waits.allSatisfy { $0 > .seconds(75) - .milliseconds(1) && $0 <= .seconds(100) })
        #expect((waits.min() ?? .zero) < .seconds(76) && (waits.max() ?? .zero) > .seconds(99))
    }

    @Test func `times that make no sense are refused by what they are`() {
        let refused: [(String, (inout NewTask) -> Void)] = [
            ("the start of job", { $0.start = .at(UnixTime(milliseconds: -1)) }),
            ("the start of job", { $0.start = .at(UnixTime(milliseconds: .min)) }),
            ("the start of job", { $0.start = .at(UnixTime(seconds: 253_402_300_800)) }),
            ("the delay of job", { $0.start = .after(.seconds(Int64.max)) }),
            ("the delay of job", { $0.start = .after(.nanoseconds(-1)) }),
            ("the timeout of job", { $0.timeout = .zero }),
            ("the timeout of job", { $0.timeout = .seconds(Int64.min) }),
            ("the timeout of job", { $0.timeout = NewTask.longestTimeout + .milliseconds(1) }),
            ("the deadline of job", { $0.deadline = now }),
            ("the deadline of job", { $0.deadline = UnixTime(milliseconds: .max) }),
            (
                "the deadline of job",
                {
                    $0.start = .after(.seconds(60))
                    $0.deadline = now.adding(.seconds(60))
                }
            ),
            ("the time for which", { $0.keepsResultFor = .seconds(-1) }),
            ("the period of the unique key", { $0.unique = UniqueKey("u", within: .zero) }),
        ]
        for (what, change) in refused {
            let message = refusal(change)?.description ?? "taken"
            #expect(message.hasPrefix(what), "\(message)")
            #expect(message.contains(" must be "))
        }
        #expect(refusal { $0.timeout = NewTask.longestTimeout } == nil)
        #expect(refusal { $0.start = .at(UnixTime(milliseconds: 0)) } == nil)
    }

    @Test func `values are refused that are too large, or nested deeper than can be read back`() {
        func nested(_ levels: Int) -> JSONValue {
            (0..<levels).reduce(.null) { value, _ in .array([value, "[[[[\"\\"]) }
        }
        #expect(refusal { $0 = NewTask("job", input: nested(64)) } == nil)
        #expect(
            refusal { $0 = NewTask("job", input: nested(65)) }
                == .tooLarge("the input of job, in levels of nesting,", 65, 64))
        let longest = String(repeating: "x", count: (1 << 20) - 2)
        #expect(refusal { $0 = NewTask("job", input: .string(longest)) } == nil)
        #expect(
            refusal { $0 = NewTask("job", input: .string(longest + "x")) }
                == .tooLarge("the input of job, in bytes,", 1 << 20 + 1, 1 << 20))
        struct Weight: Encodable { let kilograms: Double }
        for kilograms in [Double.nan, .infinity] {
            let error = #expect(throws: TaskError.self) {
                try NewTask("job", encoding: Weight(kilograms: kilograms))
            }
            #expect(error?.code == "notEncodable")
        }
    }

    @Test func `no handler can return or save what could not be read back`() async throws {
        let deep = (0..<65).reduce(JSONValue.null) { value, _ in .array([value]) }
        let manager = BackgroundTaskManager(
            configuration: .init(maxConcurrent: 1), store: MemoryTaskStore(),
            worker: WorkerID("w"), clock: VirtualClock())
        manager.handle("returns") { _, _ in deep }
        manager.handle("saves") { _, context in
            try await context.checkpoint(deep)
            return nil
        }
        let returned = try await manager.end(of: manager.add(NewTask("returns")).id)
        #expect((returned.state, returned.attempt) == (.failed, 1))
        #expect(returned.failure?.kind == .permanent)
        #expect(returned.failure?.message.contains("65, the limit is 64") == true)
        var once = NewTask("saves")
        once.retry = RetryPolicy(retries: 0)
        let saved = try await manager.end(of: manager.add(once).id)
        #expect(saved.failure?.message.contains("levels of nesting") == true)
        await manager.shutdown()
    }

    @Test(arguments: StoreMaker.all)
    func `a snooze is not longer than a year, and not into the past`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add()
        try await store.end(
            try await store.claimOne(), .snoozed(until: UnixTime(milliseconds: .max)))
        let year = Duration.seconds(365 * 86_400)
        #expect(try await store.record(id).due == store.now.adding(year))
        try await store.apply(.retry, id)
        try await store.end(try await store.claimOne(), .snoozed(until: UnixTime(seconds: 0)))
        // So it does not get in front of those that wait longer.
        #expect(try await store.record(id).due == store.now)
        #expect(try await store.state(id) == .available)
    }

    @Test func `limits below one would stop tasks for ever, and become one`() {
        #expect(ConcurrencyKey("k", limit: 0).limit == 1)
        #expect(ConcurrencyKey("k", limit: .min).limit == 1)
        var queue = QueueSettings("q", limit: -3)
        #expect(queue.limit == 1)
        queue.limit = 0
        #expect(queue.limit == 1)
        queue.limit = nil
        #expect(queue.limit == nil)
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 0)
        #expect(configuration.maxConcurrent == 1)
        configuration.maxConcurrent = -1
        #expect(configuration.maxConcurrent == 1)
    }

    /// By the machine's own clock: Swift's sleep is one of those that such a wait would crash.
    @Test func `no wait is too long for the clock`() async throws {
        let ever = Duration.seconds(Int64.max)
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 1)
        (configuration.drain, configuration.stopGrace) = (ever, ever)
        #expect(configuration.drain == .seconds(86_400))
        let sleeper = Task { try await SystemClock().sleep(until: ever) }
        let manager = try await BackgroundTaskManager(configuration: configuration)
        manager.handle("job") { _, context in
            JSONValue(context.timeLeft.map { $0.components.seconds } ?? -1)
        }
        var bounded = NewTask("job")
        bounded.timeout = NewTask.longestTimeout
        // Less what has passed since the attempt began: a minute at most on a busy machine.
        let left = try #require(try await manager.result(of: manager.add(bounded).id).int)
        #expect((365 * 86_400 - 60..<365 * 86_400).contains(left))
        var late = NewTask("job")
        late.deadline = UnixTime(seconds: 253_402_300_799)
        #expect(try await manager.result(of: manager.add(late).id) == -1)
        await manager.shutdown()
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
    }

    /// The timer of the task that makes the sweep happen is among those that are looked through.
    @Test(arguments: [1_000, 1_024, 1_025, 1_026, 5_000])
    func `no timer is lost when thousands have become stale`(count: Int) throws {
        var table = TaskTable(), now = now
        var later = NewTask("job")
        later.start = .after(.seconds(600))
        for task in table.add([NewTask](repeating: later, count: count), now: now) {
            _ = try table.apply(.cancel, to: task.id, now: now)
        }
        let added = table.add([NewTask](repeating: later, count: 3), now: now)
        // One that runs when the sweep comes still ends at its deadline.
        var bounded = NewTask("bounded")
        bounded.deadline = now.adding(.seconds(900))
        let id = table.add([bounded], now: now)[0].id
        let claimed = table.claim(
            ClaimRequest(worker: WorkerID("w"), names: ["bounded"], limit: 1), now: now
        ).tasks
        for task in table.add([NewTask](repeating: later, count: count), now: now) {
            _ = try table.apply(.cancel, to: task.id, now: now)
        }
        _ = table.add([later], now: now)
        let given = TaskEnd(
            id: id, token: try #require(claimed.first).token, outcome: .paused)
        _ = table.finish([given], now: now)
        now = now.adding(.seconds(600))
        table.advance(to: now)
        #expect(added.allSatisfy { table.task($0.id)?.state == .available })
        now = now.adding(.seconds(300))
        table.advance(to: now)
        #expect(table.task(id)?.failure?.kind == .deadline)
    }
}
