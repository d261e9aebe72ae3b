// TaskStopTests.swift — handlers that do not listen, managers that end, and what is left of both.
// Next: StoreOutageTests.swift.

import Synchronization
import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskStopTests {
    let clock = VirtualClock()
    let store = MemoryTaskStore()
    let gate = Counter()

    /// Hears nothing until somebody opens the gate.
    private static func wait(for gate: Counter) async {
        let job = Task { try await eventually("the gate is opened") { gate.current > 0 } }
        _ = await job.result
    }

    private func manager(
        _ change: (inout BackgroundTaskManager.Configuration) -> Void = { _ in }
    ) -> BackgroundTaskManager {
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 1)
        change(&configuration)
        return BackgroundTaskManager(
            configuration: configuration, store: store, worker: WorkerID("w"), clock: clock)
    }

    @Test func `a handler that does not listen to a cancellation loses its place after the grace`()
        async throws
    {
        let manager = manager { $0.stopGrace = .seconds(7) }
        manager.handle("deaf") { [gate] _, _ in
            await Self.wait(for: gate)
            return "too late"
        }
        manager.handle("other") { _, _ in "ran" }
        let id = try await manager.add(NewTask("deaf")).id
        let other = try await manager.add(NewTask("other")).id
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        try await manager.cancel(id)
        try await manager.cancel(id)
        #expect(try await manager.task(id)?.isCancelRequested == true)
        try await clock.run(until: "it is cancelled") {
            try await manager.task(id)?.state == .cancelled
        }
        #expect(clock.uptime >= .seconds(7) && clock.uptime < .seconds(8), "\(clock.uptime)")
        #expect(try await manager.result(of: other) == "ran")
        // What it returns at last is nobody's.
        _ = gate.add(1)
        await manager.shutdown()
        #expect(try await manager.task(id)?.state == .cancelled)
        #expect(try await manager.statistics().totals.completed == 1)
    }

    @Test func `what completes within the grace has completed, though it was to be cancelled`()
        async throws
    {
        let manager = manager()
        manager.handle("slow to hear") { [clock] _, context in
            await clock.sleepStubbornly(until: .seconds(3))
            return JSONValue(context.isCancelled)
        }
        let id = try await manager.add(NewTask("slow to hear")).id
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        try await manager.cancel(id)
        try await clock.run(until: "it has ended") {
            try await manager.task(id)?.state.isFinished == true
        }
        #expect(try await manager.result(of: id) == true)
        await manager.shutdown()
    }

    @Test func `shutdown from eight callers ends once, and those who wait are told`() async throws {
        let manager = manager { ($0.drain, $0.stopGrace) = (.seconds(2), .seconds(1)) }
        manager.handle("deaf") { [gate] _, _ in
            await Self.wait(for: gate)
            return nil
        }
        let id = try await manager.add(NewTask("deaf")).id
        let later = try await manager.add(NewTask("nobody's")).id
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        let waiting = Task { try await manager.result(of: later) }
        let ended = Counter()
        let callers = (0..<8).map { _ in
            Task {
                await manager.shutdown()
                _ = ended.add(1)
            }
        }
        try await clock.run(until: "all have ended") { ended.current == 8 }
        for caller in callers { await caller.value }
        await #expect(throws: TaskError.shutDown) { try await waiting.value }
        #expect(try await store.task(id)?.state == .available)
        #expect(try await store.task(id)?.attempt == 0)
        // And whoever comes later is not left waiting.
        await #expect(throws: TaskError.shutDown) { try await manager.result(of: later) }
        await #expect(throws: TaskError.shutDown) { try await manager.add(NewTask("job")) }
        _ = gate.add(1)
    }

    @Test func `a manager that nobody holds goes away, whatever it waits for`() async throws {
        let holder = WeakReference()
        do {
            let manager = manager()
            holder.manager = manager
            manager.handle("job") { _, _ in nil }
            _ = try await manager.result(of: manager.add(NewTask("job")).id)
            var later = NewTask("job")
            later.start = .after(.seconds(3_600))
            try await manager.add(later)
            try await eventually("it waits") { [clock] in clock.nextWake != nil }
        }
        try await eventually("it is gone") { holder.manager == nil }
        try await eventually("nobody waits for it") { [clock] in clock.nextWake == nil }
    }

    /// Its alarm for the timeout outlives the run that it was for.
    @Test func `a manager is at rest when the time of what has long ended is over`() async throws {
        let store = FailingStore(store)
        let manager = BackgroundTaskManager(
            configuration: .init(maxConcurrent: 1), store: store, worker: WorkerID("w"),
            clock: clock)
        manager.handle("job") { _, _ in nil }
        var bounded = NewTask("job")
        bounded.timeout = .seconds(10)
        _ = try await manager.result(of: manager.add(bounded).id)
        for _ in 0..<20 {
            clock.advance(by: .seconds(5))
            try await Task.sleep(for: .milliseconds(1))
        }
        try await eventually("it waits for nothing") { [clock] in clock.nextWake == nil }
        #expect(store.calls < 60, "some 10 for the task, and none or a few for each alarm")
        await manager.shutdown()
    }

    // MARK: - What is left

    @Test func `a finished task has its last progress, however short it was`() async throws {
        let manager = manager()
        manager.handle("steps") { input, context in
            for percent in 0...70 { context.updateProgress(Double(percent), "at \(percent)") }
            if input.isNull { throw TaskFailure(.permanent, "no") }
            return nil
        }
        for input in [JSONValue.null, 1] {
            let record = try await manager.end(
                of: manager.add(NewTask("steps", input: input)).id)
            #expect(record.progress?.percent == 70)
            #expect(record.progress?.message == "at 70")
        }
        await manager.shutdown()
    }

    @Test func `a task of a graph reads what those directly before it came to`() async throws {
        let manager = manager { $0.maxConcurrent = 4 }
        manager.handle("number") { input, _ in input }
        manager.handle("fails") { _, _ in throw TaskFailure(.permanent, "no") }
        manager.handle("sum") { _, context in
            let results = try await context.parentResults()
            return .object(JSONObject(results.map { ($0.key, $0.value) }))
        }
        var graph = NewGraph()
        graph.add("root", NewTask("number", input: 1))
        graph.add("two", NewTask("number", input: 2), after: ["root"])
        graph.add("three", NewTask("number", input: 3))
        graph.add("none", NewTask("fails"))
        graph.add("sum", NewTask("sum"), after: ["two", "three", "none"], rule: .allDone)
        let added = try await manager.add(graph)
        #expect(try await manager.result(of: added[4].id) == ["two": 2, "three": 3])
        #expect(try await manager.result(of: manager.add(NewTask("sum")).id) == [:])
        await manager.shutdown()
    }
}

/// Knows a manager without keeping it.
private final class WeakReference: Sendable {
    private struct Weak { weak var manager: BackgroundTaskManager? }
    private let reference = Mutex(Weak())

    var manager: BackgroundTaskManager? {
        get { reference.withLock { $0.manager } }
        set { reference.withLock { $0.manager = newValue } }
    }
}
