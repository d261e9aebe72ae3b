// KillTests.swift — managers whose process is killed in the middle of their work lose nothing, apply nothing twice and
// run nothing again that was not in flight.

import Glibc
import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct KillTests {
    /// So many processes are killed; more if the environment says so.
    private var rounds: Int {
        getenv("NOCTURNE_KILL_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 50
    }

    @Test(.timeLimit(.minutes(30)))
    func `after kill -9 in a loop, nothing is lost and nothing was done twice`() async throws {
        let directory = try TaskDirectory(), path = directory.path
        var random = SeededGenerator(seed: 4)
        for _ in 0..<rounds {
            let microseconds = 5_000 + random.below(60_000)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, microseconds = microseconds as Int] in
                try await Victim(path).work(killedAfter: microseconds)
            }
        }
        let survivor = try await Victim(path).manager()
        try await survivor.removeSchedule("tick")
        try await eventually("all that is left has ended") {
            let statistics = try await survivor.statistics()
            return TaskState.allCases.allSatisfy { $0.isFinished || statistics.count($0) == 0 }
        }
        try await check(try Journal(path), survivor)
        await survivor.shutdown()
    }

    private func check(_ journal: Journal, _ manager: BackgroundTaskManager) async throws {
        var tasks: [Int64: TaskRecord] = [:]
        var last: TaskID?
        while true {
            let page = try await manager.tasks(limit: 1_000, before: last)
            for task in page { tasks[task.id.number] = task }
            last = page.last?.id
            if page.isEmpty { break }
        }
        #expect(journal.added.count > rounds && journal.finished.count > rounds / 2)
        #expect(Set(journal.added).count == journal.added.count, "an id was given out twice")
        #expect(Set(journal.finished).count == journal.finished.count, "a task ended twice")
        #expect(journal.added.allSatisfy { tasks[$0] != nil }, "a task is lost")
        #expect(journal.finished.allSatisfy { tasks[$0]?.state == .completed }, "an end is lost")

        let starts = Dictionary(grouping: journal.started, by: { $0 }).mapValues(\.count)
        for (id, task) in tasks {
            // One that is running at three kills is given up, as it should be, and what is behind it skipped.
            #expect(
                task.state == .completed || task.failure?.kind == .poison || task.state == .skipped)
            // Each time but the last was cut short by a kill, which is counted.
            let times = starts[id] ?? 0
            #expect(times <= Int(task.crashes) + 1, "task \(id) ran \(times) times")
            #expect(task.state != .completed || times > 0, "task \(id) never ran")
        }
        let repeats = starts.values.reduce(0) { $0 + $1 - 1 }
        #expect(repeats <= rounds * Victim.mostInFlight)

        // No task of a graph began before those that it waits for.
        let first = Dictionary(
            journal.started.enumerated().map { ($1, $0) }, uniquingKeysWith: min)
        for (id, task) in tasks {
            for parent in task.node?.parents ?? [] {
                guard let begin = first[id] else { continue }
                #expect(first[parent.number].map { $0 < begin } == true)
            }
        }
        #expect(tasks.values.contains { $0.node?.parents.count == 2 && $0.state == .completed })
        // No moment of the schedule had two runs.
        let moments = tasks.values.compactMap(\.run?.moment)
        #expect(!moments.isEmpty && Set(moments).count == moments.count)
    }
}

/// What processes of which none ended well said they did: written with one call of the system after each answer.
private struct Journal {
    var added: [Int64] = []
    var started: [Int64] = []
    var finished: [Int64] = []

    init(_ directory: String) throws {
        let file = try #require(fopen(directory + "/journal", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        while fgets(&line, 64, file) != nil {
            let text = String(decoding: line.prefix { $0 > 32 }.map(UInt8.init), as: UTF8.self)
            let id = try #require(Int64(text.dropFirst()))
            switch text.first {
            case "a": added.append(id)
            case "s": started.append(id)
            default: finished.append(id)
            }
        }
    }
}

/// Adds tasks and runs them until it is killed.
private struct Victim: Sendable {
    static let mostInFlight = 16
    private let path: String
    private let journal: Int32

    init(_ path: String) {
        self.path = path
        journal = open(path + "/journal", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    }

    private func note(_ kind: String, _ id: TaskID) {
        let line = Array("\(kind)\(id)\n".utf8)
        _ = write(journal, line, line.count)
    }

    func manager() async throws -> BackgroundTaskManager {
        var configuration = BackgroundTaskManager.Configuration(maxConcurrent: Self.mostInFlight)
        (configuration.enablePersistence, configuration.statePath) = (true, path)
        let manager = try await BackgroundTaskManager(configuration: configuration)
        let events = manager.taskEvents
        Task {
            for await case .event(.completed(let task)) in events { note("f", task.id) }
        }
        manager.handle("job") { _, context in
            note("s", context.task.id)
            return 1
        }
        return manager
    }

    func work(killedAfter microseconds: Int) async throws {
        let manager = try await manager()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: .microseconds(microseconds))
                kill(getpid(), SIGKILL)
            }
            try await manager.add(
                ScheduleRecord(
                    "tick", NewTask("job"), try Schedule("* * * * * *", from: .now()),
                    overlap: .allow))
            for _ in 0..<8 { group.addTask { while true { try await add(to: manager) } } }
            try await group.waitForAll()
        }
    }

    private func add(to manager: BackgroundTaskManager) async throws {
        var diamond = NewGraph()
        diamond.add("first", NewTask("job"))
        diamond.add("left", NewTask("job"), after: ["first"])
        diamond.add("right", NewTask("job"), after: ["first"])
        diamond.add("last", NewTask("job"), after: ["left", "right"])
        for task in try await manager.add(diamond) { note("a", task.id) }
        for _ in 0..<5 { note("a", try await manager.add(NewTask("job")).id) }
    }
}
