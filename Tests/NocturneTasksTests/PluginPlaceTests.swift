// PluginPlaceTests.swift — how the manager finds places in plugins for tasks, against a plugin of this process.
// Next: EndToEndTests/PluginTaskTests.swift, with real ones.

import NocturneCore
import Synchronization
import TestKit
import Testing

@testable import NocturneTasks

/// Plugins with places; what runs in one ends when the test says so.
private final class FakePlugins: PluginCaller {
    struct Run: Sendable {
        let task: PluginTask
        let end: @Sendable (PluginTaskEnd) -> Void
    }
    struct State {
        var free: Int
        var line: [(key: Int, resume: @Sendable ((any PluginPlace)?) -> Void)] = []
        var next = 0
        var taken = 0
        var runs: [Run] = []
        var pauses: [Bool] = []
    }
    let state: Mutex<State>

    init(places: Int) { state = Mutex(State(free: places)) }

    func takePlace(in plugin: PluginID) -> (any PluginPlace)? {
        state.withLock { state in
            guard state.free > 0, state.line.isEmpty else { return nil }
            state.free -= 1
            state.taken += 1
            return FakePlace(self)
        }
    }

    func waitForPlace(in plugin: PluginID) async -> (any PluginPlace)? {
        let key = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.line.append((key, { continuation.resume(returning: $0) })) }
                giveOut()
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.line.firstIndex { $0.key == key }.map { state.line.remove(at: $0) }
            }
            waiter?.resume(nil)
        }
    }

    func addPlace() {
        state.withLock { $0.free += 1 }
        giveOut()
    }

    private func giveOut() {
        let waiter = state.withLock { state -> (@Sendable ((any PluginPlace)?) -> Void)? in
            guard state.free > 0, !state.line.isEmpty else { return nil }
            state.free -= 1
            state.taken += 1
            return state.line.removeFirst().resume
        }
        waiter?(FakePlace(self))
    }

    /// Ends what has run longest.
    func endFirst(_ end: PluginTaskEnd = .completed("null")) {
        state.withLock { $0.runs.removeFirst() }.end(end)
    }

    var running: [String] { state.withLock { $0.runs.map(\.task.input) } }
}

private final class FakePlace: PluginPlace {
    let plugins: FakePlugins

    init(_ plugins: FakePlugins) { self.plugins = plugins }

    func run(_ task: PluginTask) async -> PluginTaskEnd {
        let end = await withCheckedContinuation { continuation in
            plugins.state.withLock { state in
                state.runs.append(
                    FakePlugins.Run(task: task) { continuation.resume(returning: $0) })
            }
        }
        plugins.addPlace()
        return end
    }

    func call(_ call: PluginEngineCall) async -> PluginEngineCallEnd {
        plugins.addPlace()
        return .withdrawn("it only runs tasks")
    }

    func setPauseRequested(_ isRequested: Bool) {
        plugins.state.withLock { $0.pauses.append(isRequested) }
    }

    func giveBack() { plugins.addPlace() }
}

@Suite struct PluginPlaceTests {
    private func manager(_ most: Int = 8) -> BackgroundTaskManager {
        BackgroundTaskManager(
            configuration: BackgroundTaskManager.Configuration(maxConcurrent: most),
            store: MemoryTaskStore(), worker: WorkerID("w"), clock: VirtualClock())
    }

    @Test func `as many tasks run as there are places, and each free one is filled`() async throws {
        let manager = manager(), plugins = FakePlugins(places: 2)
        manager.setTasks(["a", "b"], of: "plugin", through: plugins)
        var ids: [TaskID] = []
        for number in 0..<5 {
            ids.append(
                try await manager.add(
                    NewTask(number % 2 == 0 ? "a" : "b", input: JSONValue(number))
                ).id)
        }
        for expected in [["0", "1"], ["1", "2"], ["2", "3"], ["3", "4"]] {
            try await eventually("\(expected) run") { plugins.running == expected }
            #expect(try await manager.statistics().count(.running) == 2)
            plugins.endFirst()
        }
        try await eventually("the last runs") { plugins.running == ["4"] }
        plugins.endFirst()
        _ = try await manager.end(of: try #require(ids.last))
        for id in ids {
            let record = try #require(try await manager.task(id))
            #expect((record.state, record.attempt) == (.completed, 1), "no claim was given back")
        }
        try await eventually("all places are given back") {
            plugins.state.withLock { $0.free == 2 && $0.line.isEmpty }
        }
        await manager.shutdown()
    }

    @Test func `without a task that waits no place is taken`() async throws {
        let manager = manager(), plugins = FakePlugins(places: 1)
        manager.setTasks(["a"], of: "plugin", through: plugins)
        manager.handle("own") { _, _ in nil }
        for _ in 0..<10 {
            _ = try await manager.result(of: try await manager.add(NewTask("own")).id)
        }
        #expect(plugins.state.withLock { $0.taken } == 0)
        await manager.shutdown()
    }

    @Test func `a task that waits for a place keeps its turn before those that came later`()
        async throws
    {
        let manager = manager(1), plugins = FakePlugins(places: 0)
        manager.setTasks(["a"], of: "plugin", through: plugins)
        let order = Collected<String>()
        let gate = Collected<CheckedContinuation<Void, Never>>()
        manager.handle("own") { input, _ in
            order.append(input.string ?? "")
            if input == "first" { await withCheckedContinuation { gate.append($0) } }
            return nil
        }
        _ = try await manager.add(NewTask("own", input: "first"))
        try await eventually("the first runs") { gate.all.count == 1 }
        let waiting = try await manager.add(NewTask("a"))
        _ = try await manager.add(NewTask("own", input: "later"))
        // The plugin gets a place while nothing may start here.
        plugins.addPlace()
        gate.all[0].resume()
        try await eventually("the plugin's task runs") { plugins.running.count == 1 }
        #expect(order.all == ["first"], "it was added before the later one")
        plugins.endFirst()
        _ = try await manager.end(of: waiting.id)
        try await eventually("the later one ran") { order.all == ["first", "later"] }
        await manager.shutdown()
    }

    @Test func `a plugin that goes leaves its tasks waiting, and nobody in its line`() async throws
    {
        let manager = manager(), plugins = FakePlugins(places: 0)
        manager.setTasks(["a"], of: "plugin", through: plugins)
        let id = try await manager.add(NewTask("a")).id
        try await eventually("it is in line") { plugins.state.withLock { $0.line.count } == 1 }
        manager.setTasks([], of: "plugin", through: plugins)
        try await eventually("the line is empty") { plugins.state.withLock { $0.line.isEmpty } }
        #expect(!manager.hasHandler("a"))
        plugins.addPlace()
        manager.setTasks(["a"], of: "plugin", through: plugins)
        try await eventually("it runs") { plugins.running.count == 1 }
        plugins.endFirst()
        #expect(try await manager.end(of: id).state == .completed)
        await manager.shutdown()
    }

    @Test func `a shutdown leaves the line`() async throws {
        let manager = manager(), plugins = FakePlugins(places: 0)
        manager.setTasks(["a"], of: "plugin", through: plugins)
        _ = try await manager.add(NewTask("a"))
        try await eventually("it is in line") { plugins.state.withLock { $0.line.count } == 1 }
        await manager.shutdown()
        try await eventually("the line is empty") { plugins.state.withLock { $0.line.isEmpty } }
        plugins.addPlace()
        #expect(plugins.state.withLock { $0.free } == 1 && plugins.running.isEmpty)
    }

    @Test func `a request to pause reaches the plugin, and so does its end`() async throws {
        let manager = manager(), plugins = FakePlugins(places: 1)
        manager.setTasks(["a"], of: "plugin", through: plugins)
        let id = try await manager.add(NewTask("a")).id
        try await eventually("it runs") { plugins.running.count == 1 }
        try await manager.pause(id)
        try await eventually("it is heard") { plugins.state.withLock { $0.pauses } == [true] }
        try await manager.resume(id)
        try await eventually("it is taken back") {
            plugins.state.withLock { $0.pauses.last } == false
        }
        plugins.endFirst()
        #expect(try await manager.end(of: id).state == .completed)
        await manager.shutdown()
    }

    private func state(
        _ manager: BackgroundTaskManager, _ plugins: FakePlugins, _ seed: Int
    ) -> String {
        let runs = manager.state.withLock { state in
            "runs: \(state.runs.keys), ends: \(state.ends.count), claiming: \(state.claiming), "
                + "finishing: \(state.finishing), pools: \(state.plugins.pools)"
        }
        let places = plugins.state.withLock { "free: \($0.free), in line: \($0.line.count)" }
        return "seed \(seed); \(runs); \(places)"
    }

    @Test func `random plugins, places and ends lose no task and no place`() async throws {
        for seed in 0..<20 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let manager = manager(3), plugins = FakePlugins(places: generator.below(3))
            manager.setTasks(["a", "b"], of: "plugin", through: plugins)
            manager.handle("own") { _, _ in nil }
            let places = plugins.state.withLock { $0.free }
            var added = 0, more = 0
            for _ in 0..<200 {
                switch generator.below(6) {
                case 0, 1:
                    let name = generator.pick(["a", "b", "own"])
                    _ = try await manager.add(NewTask(name))
                    added += 1
                case 2, 3:
                    if !plugins.running.isEmpty {
                        let ends: [PluginTaskEnd] = [.completed("1"), .withdrawn("gone")]
                        plugins.endFirst(generator.pick(ends))
                    }
                case 4:
                    manager.setTasks(
                        generator.pick([[], ["a"], ["a", "b"]]), of: "plugin", through: plugins)
                default:
                    if more < 2 {
                        more += 1
                        plugins.addPlace()
                    }
                }
            }
            if places + more == 0 {
                more = 1
                plugins.addPlace()
            }
            manager.setTasks(["a", "b"], of: "plugin", through: plugins)
            let all = added
            try await eventually("all have completed, \(state(manager, plugins, seed))") {
                while !plugins.running.isEmpty { plugins.endFirst() }
                return try await manager.statistics().count(.completed) == all
            }
            let total = places + more
            try await eventually("all places are free, \(state(manager, plugins, seed))") {
                plugins.state.withLock { $0.free == total && $0.line.isEmpty }
            }
            await manager.shutdown()
        }
    }
}
