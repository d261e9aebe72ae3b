// TaskSizeBench.swift — what many tasks cost while they wait: memory, processor time; and how long a large graph takes.
// Next: TaskRateBench.swift.

import CLinux
import Glibc
import NocturneCore
import NocturneTasks

struct TaskSizeBench {
    let isQuick: Bool

    func run() async throws {
        try await memory()
        try await graph()
        try await timers()
    }

    /// How much this process grows by for each task that waits. Floor: for each text of such an input in an array.
    private func memory() async throws {
        let count = isQuick ? 100_000 : 1_000_000
        let input = { (number: Int) -> JSONValue in
            ["file": .string("/srv/media/\(number).jpg"), "size": JSONValue(number)]
        }
        let empty = Process.grownKilobytes(getpid())
        // Kept to the end, so that the tasks take no memory that was used before.
        let texts = (0..<count).map { input($0).description }
        let before = Process.grownKilobytes(getpid())
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 2))
        for start in stride(from: 0, to: count, by: 1_000) {
            try await manager.add(
                (start..<start + 1_000).map { NewTask("encode", input: input($0)) })
        }
        let after = Process.grownKilobytes(getpid())
        withExtendedLifetime(texts) {}
        Bench.report(
            "tasks.waiting-\(count).memory", (after - before) * 1_024 / Double(count), "B/task",
            floor: (before - empty) * 1_024 / Double(count))
        await manager.shutdown()
    }

    /// A graph of 100 layers, each task of which waits for three of the layer before: checked, added, run to its end.
    /// Floor: as many Swift tasks, each layer waiting for the one before.
    private func graph() async throws {
        let (layers, width) = (100, 100)
        var graph = NewGraph()
        for layer in 0..<layers {
            for place in 0..<width {
                let parents = layer == 0 ? [] : (0..<3).map { (place * 7 + $0 * 31) % width }
                graph.add(
                    "\(layer)-\(place)", NewTask("node"),
                    after: parents.map { "\(layer - 1)-\($0)" })
            }
        }
        var start = clinux_now()
        for _ in 0..<layers {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<width { group.addTask {} }
            }
        }
        let floor = Double(clinux_now() - start) / 1e6

        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 64))
        let left = Countdown(graph.nodes.count)
        manager.handle("node") { _, _ in
            left.count()
            return nil
        }
        start = clinux_now()
        try await manager.add(graph)
        Bench.report("tasks.graph-10000.added", Double(clinux_now() - start) / 1e6, "ms")
        await left.wait()
        Bench.report(
            "tasks.graph-10000.done", Double(clinux_now() - start) / 1e6, "ms", floor: floor)
        await manager.shutdown()
    }

    /// What the process does while many tasks wait for their time. Floor: the same without any.
    private func timers() async throws {
        let manager = try await BackgroundTaskManager(configuration: .init(maxConcurrent: 2))
        manager.handle("later") { _, _ in nil }
        let floor = try await idle()
        let count = 100_000
        for start in stride(from: 0, to: count, by: 1_000) {
            try await manager.add(
                (start..<start + 1_000).map { number in
                    var task = NewTask("later")
                    task.start = .after(.seconds(3_600) + .milliseconds(number))
                    return task
                })
        }
        let idle = try await idle()
        Bench.report("tasks.timers-100000.idle.cpu", idle.percent, "%", floor: floor.percent)
        Bench.report("tasks.timers-100000.idle.wake-ups", idle.wakes, "1/s", floor: floor.wakes)
        await manager.shutdown()
    }

    private func idle() async throws -> (percent: Double, wakes: Double) {
        try await Task.sleep(for: .seconds(1))
        let seconds = isQuick ? 2 : 10
        let cpu = clock(), switches = Process.voluntarySwitches(getpid())
        try await Task.sleep(for: .seconds(seconds))
        let percent = Double(clock() - cpu) / Double(CLOCKS_PER_SEC) / Double(seconds) * 100
        let wakes = Process.voluntarySwitches(getpid()).reduce(0) { total, thread in
            total + thread.value - (switches[thread.key] ?? 0)
        }
        return (percent, Double(wakes) / Double(seconds))
    }
}
