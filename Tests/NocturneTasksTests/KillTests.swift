// KillTests.swift — processes that are killed in the middle of their work lose nothing and do nothing twice.

import Glibc
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
        let store = try await directory.open(now: UnixTime.now())
        try await check(Journal(directory.path), store)
    }

    private func check(_ journal: Journal, _ store: SQLiteTaskStore) async throws {
        while true {
            let tasks = try await store.claim(Victim.request, now: UnixTime.now()).tasks
            if tasks.isEmpty { break }
            _ = try await store.finish(
                tasks.map { TaskEnd(id: $0.id, token: $0.token, outcome: Victim.outcome) },
                now: UnixTime.now())
        }
        #expect(journal.added.count > rounds && journal.finished.count > rounds / 2)
        #expect(Set(journal.added).count == journal.added.count, "an id was given out twice")
        #expect(Set(journal.finished).count == journal.finished.count, "a task ended twice")
        for id in journal.added {
            let task = try #require(try await store.task(TaskID(id)), "task \(id) is lost")
            // One that is running at three kills is given up, as it should be.
            #expect(task.state == .completed || task.failure?.kind == .poison, "\(id)")
        }
        let repeats = journal.started.count - Set(journal.started).count
        #expect(repeats <= rounds * Victim.mostInFlight)
        let statistics = try await store.statistics()
        #expect(statistics.count(.available) + statistics.count(.running) == 0)
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
    static let workers = 4, perClaim = 4
    static let mostInFlight = workers * perClaim
    static let outcome = TaskEnd.Outcome.completed(result: "1")
    static let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: perClaim)
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

    func work(killedAfter microseconds: Int) async throws {
        let store = try await TaskDirectory(path).open(now: UnixTime.now())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: .microseconds(microseconds))
                kill(getpid(), SIGKILL)
            }
            for _ in 0..<8 {
                group.addTask {
                    while true {
                        let added = try await store.add([NewTask("job")], now: UnixTime.now())
                        for task in added { note("a", task.id) }
                    }
                }
            }
            for _ in 0..<Self.workers {
                group.addTask { while true { try await serve(store) } }
            }
            try await group.waitForAll()
        }
    }

    private func serve(_ store: SQLiteTaskStore) async throws {
        let tasks = try await store.claim(Self.request, now: UnixTime.now()).tasks
        for task in tasks { note("s", task.id) }
        let ends = tasks.map { TaskEnd(id: $0.id, token: $0.token, outcome: Self.outcome) }
        for case let task? in try await store.finish(ends, now: UnixTime.now()) {
            note("f", task.id)
        }
    }
}
