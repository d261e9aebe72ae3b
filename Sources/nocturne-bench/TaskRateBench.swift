// TaskRateBench.swift — how many tasks a second are added, run and finished in memory. Next: TaskDelayBench.swift.

import CLinux
import NocturneCore
import NocturneTasks
import Synchronization

struct TaskRateBench {
    let isQuick: Bool
    /// So many add tasks at the same time, each waiting for the answer before its next.
    static let submitters = 64
    /// So many are added together.
    static let batch = 100

    func run() async throws {
        let count = isQuick ? 32_000 : 192_000
        let floor = await best { await Self.bareTasks(count) }
        let manager = try await BackgroundTaskManager(
            configuration: .init(maxConcurrent: Self.submitters))
        for batch in [1, Self.batch] {
            let rate = try await best {
                let load = TaskLoad(manager, count: count, batch: batch)
                return try await load.run(submitters: Self.submitters)
            }
            let name = batch == 1 ? "one-by-one" : "batches-of-\(batch)"
            Bench.report("tasks.memory.\(name)", rate, "tasks/s", floor: floor)
        }
        await manager.shutdown()
    }

    /// The best round: rounds differ mostly by what else the machine does.
    private func best(_ round: () async throws -> Double) async rethrows -> Double {
        var best = 0.0
        for _ in 0..<3 { best = max(best, try await round()) }
        return best
    }

    /// Swift tasks a second that do nothing, begun by as many as add tasks.
    private static func bareTasks(_ count: Int) async -> Double {
        let left = Countdown(count)
        let start = clinux_now()
        for _ in 0..<submitters {
            Task {
                for _ in 0..<count / submitters { await Task { left.count() }.value }
            }
        }
        await left.wait()
        return Double(count) / Double(clinux_now() - start) * 1e9
    }
}

/// Many tasks that do nothing.
struct TaskLoad {
    private let manager: BackgroundTaskManager
    private let count: Int
    private let batch: Int
    private let left: Countdown

    init(_ manager: BackgroundTaskManager, count: Int, batch: Int) {
        (self.manager, self.count, self.batch) = (manager, count, batch)
        let left = Countdown(count)
        self.left = left
        manager.handle("nothing") { _, _ in
            left.count()
            return nil
        }
    }

    /// Adds, runs and finishes all of them; how many a second.
    func run(submitters: Int) async throws -> Double {
        let before = try await manager.statistics().totals.completed
        let start = clinux_now()
        try await add(submitters: submitters)
        await left.wait()
        // The last have ended, but that may not be kept yet.
        while try await manager.statistics().totals.completed < before + count {
            await Task.yield()
        }
        return Double(count) / Double(clinux_now() - start) * 1e9
    }

    private func add(submitters: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<submitters {
                group.addTask { [manager, count, batch] in
                    for _ in 0..<count / submitters / batch {
                        if batch == 1 {
                            try await manager.add(NewTask("nothing"))
                        } else {
                            try await manager.add((0..<batch).map { _ in NewTask("nothing") })
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Waits until something has happened so many times.
final class Countdown: Sendable {
    private struct State {
        var left: Int
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(left: count)) }

    func count() {
        let waiter = state.withLock { state in
            state.left -= 1
            return state.left == 0 ? state.waiter : nil
        }
        waiter?.resume()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.left > 0 { state.waiter = continuation }
                return state.left <= 0
            }
            if isOver { continuation.resume() }
        }
    }
}
