// TaskDelayBench.swift — how long a task waits that could start at once: when nothing else is to do, and when a
// million others wait. Next: TaskFileBench.swift.

import CLinux
import Glibc
import NocturneCore
import NocturneTasks
import Synchronization

struct TaskDelayBench {
    let isQuick: Bool

    func run() async throws {
        try await pickUp()
        let rounds = isQuick ? 500 : 5_000
        let floor = try await handOver(queued: 0, rounds: rounds)
        for queued in isQuick ? [100_000] : [100_000, 1_000_000] {
            let samples = try await handOver(queued: queued, rounds: rounds)
            for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
                Bench.report(
                    "tasks.hand-over.queued-\(queued).\(label)", samples.microseconds(share), "us",
                    floor: floor.microseconds(share))
            }
        }
    }

    /// From the call that adds a task to its handler's first line, when all threads sleep. Floor: to the first line of
    /// a bare Swift task, alternately.
    private func pickUp() async throws {
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 2))
        let started = Atomic<Int64>(0)
        manager.handle("now") { _, _ in
            started.store(clinux_now(), ordering: .releasing)
            return nil
        }
        var samples = Samples(), floor = Samples()
        for _ in 0..<(isQuick ? 300 : 3_000) {
            try await Task.sleep(for: .milliseconds(2))
            let start = clinux_now()
            let task = try await manager.add(NewTask("now"))
            _ = try await manager.end(of: task.id)
            samples.add(started.load(ordering: .acquiring) - start)

            try await Task.sleep(for: .milliseconds(2))
            let bare = clinux_now()
            floor.add(await Task { clinux_now() }.value - bare)
        }
        await manager.shutdown()
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            Bench.report(
                "tasks.pick-up.\(label)", samples.microseconds(share), "us",
                floor: floor.microseconds(share))
        }
    }

    /// From the end of a handler to the first line of the next, where only one runs at a time: that place is taken by
    /// a critical task, which was just added to the queue in which `queued` others of its name wait.
    private func handOver(queued: Int, rounds: Int) async throws -> Samples {
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 1))
        let relay = Relay(rounds)
        manager.handle("step") { _, _ in
            await relay.step(manager)
            return nil
        }
        // Held, so that they do not start before they all wait.
        try await manager.put(QueueSettings(NewTask.standardQueue, isPaused: true))
        for _ in 0..<queued / 1_000 {
            try await manager.add((0..<1_000).map { _ in NewTask("step") })
        }
        try await manager.add(Relay.critical)
        try await manager.put(QueueSettings(NewTask.standardQueue))
        await relay.left.wait()
        manager.removeHandler("step")
        await manager.shutdown()
        return relay.samples
    }
}

/// Tasks each of which adds the next and then ends.
private final class Relay: Sendable {
    static let critical: NewTask = {
        var task = NewTask("step")
        task.priority = .critical
        return task
    }()

    private struct State {
        var last: Int64?
        var samples = Samples()
    }
    let left: Countdown
    private let state = Mutex(State())

    init(_ rounds: Int) { left = Countdown(rounds) }

    var samples: Samples { state.withLock { $0.samples } }

    func step(_ manager: BackgroundTaskManager) async {
        let now = clinux_now()
        state.withLock { state in
            if let last = state.last { state.samples.add(now - last) }
        }
        _ = try? await manager.add(Self.critical)
        left.count()
        state.withLock { $0.last = clinux_now() }
    }
}
