// TaskHandlerTests.swift — what handlers can do and what happens to those that do not stop. Next: VirtualClock.swift.

import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskHandlerTests {
    let clock = VirtualClock()
    let store = MemoryTaskStore()

    private func manager(
        _ worker: String = "w1",
        _ change: (inout BackgroundTaskManager.Configuration) -> Void = { _ in }
    ) -> BackgroundTaskManager {
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 2)
        change(&configuration)
        return BackgroundTaskManager(
            configuration: configuration, store: store, worker: WorkerID(worker), clock: clock)
    }

    @Test func `a task is held at its pause point, frees its place and goes on there`() async throws
    {
        let manager = manager("w1") { $0.maxConcurrent = 1 }
        let seen = Collected<Int64>()
        manager.handle("count") { _, context in
            for step in (context.checkpoint?.int ?? 0) + 1...50 {
                seen.append(step)
                if step == 10 {
                    try await manager.pause(context.task.id)
                    // Nobody can say when the request comes.
                    try await eventually("it leaves") {
                        try await context.pausePoint(JSONValue(step))
                        return false
                    }
                }
                try await context.pausePoint(JSONValue(step))
            }
            return "done"
        }
        manager.handle("other") { _, _ in "ran" }
        let id = try await manager.add(NewTask("count")).id
        try await eventually("it is held") { try await manager.task(id)?.state == .paused }
        #expect(try await manager.result(of: try await manager.add(NewTask("other")).id) == "ran")
        try await manager.resume(id)
        #expect(try await manager.result(of: id) == "done")
        #expect(seen.all == Array(1...50))
        #expect(try await manager.task(id)?.attempt == 1)
        await manager.shutdown()
    }

    @Test func `a handler that takes too long is stopped, and its task is tried again`()
        async throws
    {
        let manager = manager()
        manager.handle("slow") { [clock] _, context in
            if context.task.attempt == 2 { return "second" }
            try await clock.sleep(until: .seconds(1 << 40))
            return nil
        }
        var task = NewTask("slow")
        task.timeout = .seconds(30)
        let id = try await manager.add(task).id
        try await clock.run(until: "it has completed") {
            try await manager.task(id)?.state == .completed
        }
        let record = try #require(try await manager.task(id))
        #expect(record.attempts.first?.failure?.kind == .timeout)
        let ran = try #require(record.attempts.first.map { $0.ended.since($0.started) })
        #expect(ran >= .seconds(30) && ran < .seconds(36))
        await manager.shutdown()
    }

    @Test func `a handler that does not stop is given up, and what it returns is dropped`()
        async throws
    {
        let manager = manager("w1") { $0.maxConcurrent = 1 }
        let returned = Counter()
        manager.handle("stubborn") { [clock] _, _ in
            await clock.sleepStubbornly(until: .seconds(1_000))
            _ = returned.add(1)
            return "too late"
        }
        manager.handle("other") { _, _ in "ran" }
        var task = NewTask("stubborn")
        task.timeout = .seconds(10)
        task.retry = RetryPolicy(retries: 0)
        let id = try await manager.add(task).id
        let other = try await manager.add(NewTask("other")).id
        try await clock.run(until: "it is given up") {
            try await manager.task(id)?.state == .failed
        }
        #expect(clock.uptime < .seconds(20))
        #expect(try await manager.result(of: other) == "ran")
        clock.advance(by: .seconds(2_000))
        try await eventually("it returns at last") { returned.current == 1 }
        await manager.shutdown()
        #expect(try await manager.task(id)?.state == .failed)
    }

    @Test func `long work is not taken for dead`() async throws {
        let manager = manager()
        manager.handle("long") { [clock] _, context in
            try await clock.sleep(until: .seconds(3_600))
            return "done"
        }
        let id = try await manager.add(NewTask("long")).id
        try await clock.run(until: "it has completed") {
            try await manager.task(id)?.state == .completed
        }
        let record = try #require(try await manager.task(id))
        #expect((record.attempt, record.crashes) == (1, 0))
        await manager.shutdown()
    }

    @Test func `a wall clock that is set forward by a day takes no task away`() async throws {
        let manager = manager()
        manager.handle("long") { [clock] _, context in
            try await clock.sleep(until: .seconds(300))
            return "done"
        }
        let id = try await manager.add(NewTask("long")).id
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        clock.set(by: .seconds(86_400))
        try await clock.run(until: "it has completed") {
            try await manager.task(id)?.state == .completed
        }
        #expect(try await manager.task(id)?.crashes == 0)
        await manager.shutdown()
    }

    @Test func `errors say when to come back, snoozes cost nothing, logs are kept`() async throws {
        let manager = manager()
        let calls = Counter()
        manager.handle("moody") { _, context in
            context.log("call \(calls.current)")
            switch calls.add(1) {
            case 1: throw Snooze(for: .seconds(100))
            case 2: throw RetryLater(after: .seconds(1_000), "busy")
            default: return "done"
            }
        }
        let start = clock.now
        let id = try await manager.add(NewTask("moody")).id
        try await clock.run(until: "it has completed") {
            try await manager.task(id)?.state == .completed
        }
        let record = try #require(try await manager.task(id))
        #expect(record.attempts.map(\.outcome) == [.snoozed, .failed, .completed])
        #expect(record.attempts.map(\.log) == [["call 0"], ["call 1"], ["call 2"]])
        #expect(record.attempt == 2)
        #expect(record.started == start.adding(.seconds(1_100)))
        await manager.shutdown()
    }

    @Test func `a handler may decide about waits itself`() async throws {
        let manager = manager()
        manager.handle("custom", wait: { attempt, _ in .seconds(attempt * attempt * 100) }) {
            _, _ in
            throw TaskFailure(.error, "no")
        }
        let id = try await manager.add(NewTask("custom")).id
        try await clock.run(until: "it has failed") { try await manager.task(id)?.state == .failed }
        let starts = try #require(try await manager.task(id)).attempts.map(\.started)
        let waits = zip(starts, starts.dropFirst()).map { $1.since($0) }
        #expect(waits == [.seconds(100), .seconds(400), .seconds(900)])
        await manager.shutdown()
    }

    @Test func `tasks wait for a handler, however late it comes`() async throws {
        let manager = manager()
        let id = try await manager.add(NewTask("later")).id
        #expect(!manager.hasHandler("later"))
        #expect(try await manager.task(id)?.state == .available)
        manager.handle("later") { _, _ in 1 }
        #expect(try await manager.result(of: id) == 1)
        await manager.shutdown()
    }

    @Test func `shutdown waits for what runs, and gives back what does not end`() async throws {
        let first = manager("w1") { $0.drain = .seconds(20) }
        first.handle("short") { [clock] _, _ in
            try await clock.sleep(until: .seconds(10))
            return "done"
        }
        first.handle("stubborn") { [clock] _, _ in
            await clock.sleepStubbornly(until: .seconds(100))
            return "too late"
        }
        let short = try await first.add(NewTask("short")).id
        let stubborn = try await first.add(NewTask("stubborn")).id
        try await eventually("both run") { try await first.statistics().count(.running) == 2 }
        let waiter = Task { try await first.result(of: stubborn) }
        let stopping = Task { await first.shutdown() }
        try await clock.run(until: "it is given back") {
            try await first.task(stubborn)?.state == .available
        }
        await stopping.value
        #expect(try await first.task(short)?.state == .completed)
        await #expect(throws: TaskError.shutDown) { try await waiter.value }
        await #expect(throws: TaskError.shutDown) { try await first.add(NewTask("short")) }
        clock.advance(by: .seconds(200))

        let second = manager("w2")
        second.handle("stubborn") { _, context in JSONValue(context.task.attempt) }
        #expect(try await second.result(of: stubborn) == 1)
        await second.shutdown()
    }

    @Test func `a handler that stops for a shutdown is run again, and loses no attempt`()
        async throws
    {
        let first = manager("w1") { $0.drain = .seconds(1) }
        first.handle("long") { [clock] _, _ in
            try await clock.sleep(until: .seconds(1 << 40))
            return nil
        }
        let id = try await first.add(NewTask("long")).id
        try await eventually("it runs") { try await first.task(id)?.state == .running }
        let stopping = Task { await first.shutdown() }
        try await clock.run(until: "it is given back") {
            try await first.task(id)?.state == .available
        }
        await stopping.value
        #expect(try await first.task(id)?.attempt == 0)
    }

    @Test func `a shutdown need not wait for a pause point, where the next manager goes on`()
        async throws
    {
        let first = manager("w1") { $0.drain = .seconds(3_600) }
        first.handle("long") { _, context in
            while true {
                try await context.pausePoint(7)
                await Task.yield()
            }
        }
        let id = try await first.add(NewTask("long")).id
        try await eventually("it runs") { try await first.task(id)?.state == .running }
        await first.shutdown()  // while the clock stands still
        #expect(try await first.task(id)?.state == .available)

        let second = manager("w2")
        second.handle("long") { _, context in
            [context.checkpoint ?? .null, JSONValue(context.task.attempt)]
        }
        #expect(try await second.result(of: id) == [7, 1])
        await second.shutdown()
    }

    @Test func `a schedule runs through the manager, and again after it was changed`() async throws
    {
        let manager = manager()
        let runs = Collected<UnixTime>()
        manager.handle("tick") { _, context in
            runs.append(context.task.run?.moment ?? UnixTime(seconds: 0))
            return nil
        }
        let start = clock.now
        let every = { (text: String) in
            ScheduleRecord("ticker", NewTask("tick"), try Schedule(text, from: self.clock.now))
        }
        try await manager.add(try every("@every 1m"))
        try await clock.run(until: "three ran") { runs.all.count >= 3 }
        try await manager.add(try every("@every 1h"))
        try await clock.run(until: "a fourth ran") { runs.all.count >= 4 }
        let moments = runs.all.map { $0.since(start) }
        #expect(moments == [.seconds(60), .seconds(120), .seconds(180), .seconds(180 + 3_600)])
        await manager.shutdown()
    }

    @Test func `a graph runs in its order, and says how far it is`() async throws {
        let manager = manager()
        let order = Collected<String>()
        manager.handle("step") { input, _ in
            order.append(input.string ?? "")
            if input == "bad" { throw TaskFailure(.permanent, "no") }
            return nil
        }
        var graph = NewGraph()
        graph.add("top", NewTask("step", input: "top"))
        graph.add("left", NewTask("step", input: "left"), after: ["top"])
        graph.add("bad", NewTask("step", input: "bad"), after: ["left"])
        graph.add("end", NewTask("step", input: "end"), after: ["bad"])
        let ids = try await manager.add(graph).map(\.id)
        await #expect(throws: TaskError.skipped(ids[3])) { try await manager.result(of: ids[3]) }
        #expect(order.all == ["top", "left", "bad"])
        #expect(
            try await manager.graphProgress(ids[0]) == [.completed: 2, .failed: 1, .skipped: 1])
        #expect(try await manager.retryFailed() == 1)
        try await eventually("it failed again") {
            try await manager.task(ids[2])?.attempts.count == 2
        }
        await manager.shutdown()
    }

    @Test func `waiting for a result can be given up, and the task goes on`() async throws {
        let manager = manager()
        manager.handle("later") { [clock] _, _ in
            try await clock.sleep(until: .seconds(10))
            return 1
        }
        let id = try await manager.add(NewTask("later")).id
        let waiter = Task { try await manager.result(of: id) }
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        waiter.cancel()
        await #expect(throws: TaskError.cancelled(id)) { try await waiter.value }
        try await clock.run(until: "it has completed") {
            try await manager.task(id)?.state == .completed
        }
        await #expect(throws: TaskError.notFound(TaskID(77))) {
            try await manager.result(of: TaskID(77))
        }
        await manager.shutdown()
    }

    @Test func `handlers take and return types, and an input that does not fit fails at once`()
        async throws
    {
        struct Order: Codable, Equatable, Sendable {
            let item: String
            let count: Int
        }
        let manager = manager()
        manager.handle("double") { (order: Order, _) in
            Order(item: order.item, count: order.count * 2)
        }
        let order = Order(item: "tea", count: 2)
        let id = try await manager.add(try NewTask("double", encoding: order)).id
        #expect(try await manager.result(of: id, as: Order.self) == Order(item: "tea", count: 4))

        let bad = try await manager.add(NewTask("double", input: ["item": "tea"])).id
        let record = try await manager.end(of: bad)
        #expect((record.state, record.attempt) == (.failed, 1))
        #expect(record.failure?.kind == .input)
        #expect(record.failure?.message.contains("count") == true)
        await manager.shutdown()
    }

    @Test func `what no store would take is refused before it gets there`() async throws {
        let manager = manager()
        var task = NewTask("")
        await #expect(throws: TaskError.invalidName("task", "")) { try await manager.add(task) }
        task = NewTask("big", input: .string(String(repeating: "a", count: 1 << 20)))
        await #expect(
            throws: TaskError.tooLarge("the input of big, in bytes,", 1 << 20 + 2, 1 << 20)
        ) { try await manager.add([NewTask("good"), task]) }
        task = NewTask("late")
        task.start = .after(.seconds(-1))
        await #expect(throws: TaskError.self) { try await manager.add(task) }
        task.start = .at(UnixTime(milliseconds: .max))
        await #expect(throws: TaskError.self) { try await manager.add(task) }
        #expect(try await manager.tasks().isEmpty)
        await manager.shutdown()
    }
}

@Suite struct WorkerIDTests {
    @Test func `a worker of this process lives, one of a process that ended is dead`() throws {
        let mine = WorkerID.ofThisProcess()
        #expect(!mine.isDead)
        #expect(mine != WorkerID.ofThisProcess())
        var parts = mine.description.split(separator: "/").map(String.init)
        parts[3] += "1"
        #expect(WorkerID(parts.joined(separator: "/")).isDead, "another began under its number")
        parts[2] = "\(Int32.max)"
        #expect(WorkerID(parts.joined(separator: "/")).isDead, "no such process")
        parts[1] = "an earlier boot"
        #expect(WorkerID(parts.joined(separator: "/")).isDead)
        parts[0] = "another machine"
        #expect(!WorkerID(parts.joined(separator: "/")).isDead)
        #expect(!WorkerID("anything").isDead)
    }
}
