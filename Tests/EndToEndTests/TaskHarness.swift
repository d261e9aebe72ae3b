// TaskHarness.swift — a host with real plugins and a task manager that has them run tasks. Next: PluginTaskTests.swift.

import NocturneCore
import NocturneTasks
import Testing

@testable import Nocturne
@testable import NocturneHost

/// A host, a manager, and what joins them.
struct TaskHarness: Sendable {
    let harness: HostHarness
    let manager: BackgroundTaskManager
    private let joint: PluginTasks

    var host: PluginManager { harness.host }

    /// Runs `body` with a host that serves `fixtures` and a manager in memory; then shuts both down.
    static func run(
        _ fixtures: [String],
        configure: (inout BackgroundTaskManager.Configuration) -> Void = { _ in },
        _ body: (TaskHarness) async throws -> Void
    ) async throws {
        try await HostHarness.run(fixtures) { harness in
            var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 8)
            configuration.drain = .milliseconds(100)
            configuration.stopGrace = .milliseconds(500)
            configure(&configuration)
            let manager = try await BackgroundTaskManager(
                configuration: configuration, bus: harness.host.events)
            let tasks = TaskHarness(
                harness: harness, manager: manager,
                joint: PluginTasks(of: harness.host, for: manager))
            do {
                try await body(tasks)
            } catch {
                await manager.shutdown()
                throw error
            }
            await manager.shutdown()
        }
    }

    func add(
        _ name: String, _ input: JSONValue = [:], _ change: (inout NewTask) -> Void = { _ in }
    ) async throws -> TaskID {
        var task = NewTask(name, input: input)
        change(&task)
        return try await manager.add(task).id
    }

    /// Adds a task and waits for its end.
    func end(
        _ name: String, _ input: JSONValue = [:], _ change: (inout NewTask) -> Void = { _ in }
    ) async throws -> TaskRecord {
        try await manager.end(of: try await add(name, input, change))
    }

    func record(_ id: TaskID) async throws -> TaskRecord {
        try #require(try await manager.task(id))
    }

    func state(
        _ id: TaskID, _ state: TaskState, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await harness.eventually("task \(id) is \(state)", sourceLocation: sourceLocation) {
            try await manager.task(id)?.state == state
        }
    }

    /// Waits until a task has said that it is so far.
    func progress(
        _ id: TaskID, atLeast percent: Double, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await harness.eventually("\(percent) % of task \(id)", sourceLocation: sourceLocation) {
            try await manager.task(id)?.progress?.percent ?? 0 >= percent
        }
    }
}
