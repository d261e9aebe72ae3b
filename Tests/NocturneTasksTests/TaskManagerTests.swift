// TaskManagerTests.swift — tasks from adding to their end, through the manager, in virtual time.
// Next: VirtualClock.swift.

import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskManagerTests {
    let clock = VirtualClock()
    let store = MemoryTaskStore()

    private func manager(
        _ maxConcurrent: Int = 4,
        _ change: (inout BackgroundTaskManager.Configuration) -> Void = { _ in }
    ) -> BackgroundTaskManager {
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: maxConcurrent)
        change(&configuration)
        return BackgroundTaskManager(
            configuration: configuration, store: store, worker: WorkerID("w1"), clock: clock)
    }

    @Test func `a task runs at once and its result can be waited for`() async throws {
        let manager = manager()
        manager.handle("double") { input, _ in JSONValue(2 * (input.int ?? 0)) }
        let added = try await manager.add(NewTask("double", input: 21))
        #expect(try await manager.result(of: added.id) == 42)
        let record = try #require(try await manager.task(added.id))
        #expect(record.state == .completed)
        #expect(record.attempt == 1)
        await manager.shutdown()
    }

    @Test func `three retries are at most four attempts, and failed is told once`() async throws {
        let manager = manager()
        let events = Collected<TaskEvent>()
        let stream = manager.taskEvents
        let reader = Task {
            for await case .event(let event) in stream { events.append(event) }
        }
        manager.handle("fail") { _, _ in throw TaskFailure(.error, "no") }
        let id = try await manager.add(NewTask("fail")).id
        try await clock.run(until: "it has failed") {
            try await manager.task(id)?.state == .failed
        }
        let record = try #require(try await manager.task(id))
        #expect(record.attempt == 4)
        #expect(record.attempts.map(\.outcome) == [.failed, .failed, .failed, .failed])
        await #expect(throws: TaskError.failed(id, TaskFailure(.error, "no"))) {
            try await manager.result(of: id)
        }
        try await eventually("failed is told") { events.all.last?.kind == .failed }
        let retries = [TaskEvent.Kind](repeating: .started, count: 4).flatMap { [$0, .retry] }
        #expect(events.all.map(\.kind) == [.added] + retries.dropLast() + [.failed])
        reader.cancel()
        await manager.shutdown()
    }

    @Test func `a task for later starts when its time has come and not before`() async throws {
        let manager = manager()
        let starts = Collected<UnixTime>()
        manager.handle("late") { [clock] _, _ in
            starts.append(clock.now)
            return nil
        }
        let start = clock.now
        var task = NewTask("late")
        task.start = .after(.seconds(90))
        let added = try await manager.add(task)
        #expect(added.state == .scheduled)
        try await clock.run(until: "it has started") { !starts.all.isEmpty }
        #expect(starts.all == [start.adding(.seconds(90))])
        await manager.shutdown()
    }

    @Test func `no more than maxConcurrent run at a time`() async throws {
        let manager = manager(3)
        let now = Collected<Int>()
        let running = Counter()
        manager.handle("busy") { _, _ in
            now.append(running.add(1))
            for _ in 0..<10 { await Task.yield() }
            _ = running.add(-1)
            return nil
        }
        let added = try await manager.add((0..<200).map { _ in NewTask("busy") })
        for task in added { _ = try await manager.result(of: task.id) }
        #expect(now.all.count == 200)
        #expect(now.all.max() ?? 0 <= 3)
        await manager.shutdown()
    }

    @Test func `cancelling a running task stops its handler`() async throws {
        let manager = manager()
        manager.handle("endless") { [clock] _, context in
            try await clock.sleep(until: .seconds(1 << 40))
            return nil
        }
        let id = try await manager.add(NewTask("endless")).id
        try await eventually("it runs") { try await manager.task(id)?.state == .running }
        try await manager.cancel(id)
        await #expect(throws: TaskError.cancelled(id)) { try await manager.result(of: id) }
        await manager.shutdown()
    }

    @Test func `progress never falls and the last one is told`() async throws {
        let manager = manager()
        let events = Collected<TaskEvent>()
        let stream = manager.taskEvents
        let reader = Task {
            for await case .event(let event) in stream { events.append(event) }
        }
        manager.handle("steps") { _, context in
            for percent in [10.0, 50, 30, 90] { context.updateProgress(percent, "\(percent)") }
            return nil
        }
        let id = try await manager.add(NewTask("steps")).id
        _ = try await manager.result(of: id)
        try await eventually("completed is told") { events.all.last?.kind == .completed }
        let told = events.all.compactMap { event -> Double? in
            if case .progress(_, let progress) = event { progress.percent } else { nil }
        }
        #expect(told == [10, 90])
        reader.cancel()
        await manager.shutdown()
    }
}

@Suite struct TaskEventTests {
    @Test func `a listener hears its kind, by the seed's name, until its token is cancelled`()
        async throws
    {
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 1))
        manager.handle("job") { input, _ in input }
        let typed = Collected<TaskEvent>(), named = Collected<String>(), all = Collected<String>()
        let tokens = [
            manager.on(.completed) { typed.append($0) },
            manager.on("task:completed") { named.append($0.kind.rawValue) },
            manager.on("tasks/task:*") { all.append($0.kind.rawValue) },
        ]
        let id = try await manager.add(NewTask("job", input: 7)).id
        try await eventually("all have heard of its end") {
            typed.all.count == 1 && named.all == ["task:completed"] && all.all.count == 3
        }
        #expect(typed.all.first?.task == id && typed.all.first?.payload["result"] == 7)
        #expect(all.all == ["task:added", "task:started", "task:completed"])
        for token in tokens { token.cancel() }
        let last = Collected<TaskEvent>()
        let token = manager.on(.completed) { last.append($0) }
        _ = try await manager.result(of: try await manager.add(NewTask("job")).id)
        try await eventually("who still listens hears") { last.all.count == 1 }
        #expect(typed.all.count == 1 && named.all.count == 1 && all.all.count == 3)
        token.cancel()
        await manager.shutdown()
    }

    @Test func `the bus carries the seed's names and fields, with where they come from`()
        async throws
    {
        let bus = EventBus()
        let manager = try await BackgroundTaskManager(
            configuration: .init(maxConcurrent: 1), bus: bus)
        manager.handle("work") { input, context in
            context.updateProgress(40, "almost")
            if input == "bad" { throw TaskFailure(.permanent, "no") }
            return 7
        }
        let good = try await manager.add(NewTask("work")).id
        _ = try await manager.result(of: good)
        let bad = try await manager.add(NewTask("work", input: "bad")).id
        _ = try await manager.end(of: bad)
        var events: [Event] = []
        for await case .event(let event) in bus.events(matching: "tasks/task:*", since: 0) {
            events.append(event)
            if event.name == "task:failed" { break }
        }
        #expect(
            events.map(\.name) == [
                "task:added", "task:started", "task:progress", "task:completed",
                "task:added", "task:started", "task:progress", "task:failed",
            ])
        #expect(events[2].payload["progress"] == 40)
        #expect(events[2].payload["message"] == "almost")
        #expect(events[3].payload["taskId"] == .string("\(good)"))
        #expect(events[3].payload["result"] == 7)
        #expect(events[3].payload["duration"]?.int != nil)
        #expect(events[7].payload["error"] == "no")
        await manager.shutdown()
    }

    @Test func `nothing is lost when thousands are added, run and cancelled at once`() async throws
    {
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 8))
        let runs = Counter()
        manager.handle("work") { _, context in
            _ = runs.add(1)
            await Task.yield()
            try Task.checkCancellation()
            return nil
        }
        let ids = try await withThrowingTaskGroup(of: [TaskID].self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var ids: [TaskID] = []
                    for number in 0..<250 {
                        let id = try await manager.add(NewTask("work")).id
                        ids.append(id)
                        if number % 5 == worker % 5 { _ = try? await manager.cancel(id) }
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for id in ids { _ = try await manager.end(of: id) }
        let statistics = try await manager.statistics()
        #expect(Set(ids).count == 2_000)
        #expect(statistics.count(.completed) + statistics.count(.cancelled) == 2_000)
        #expect(statistics.totals.started == runs.current)
        await manager.shutdown()
    }
}
