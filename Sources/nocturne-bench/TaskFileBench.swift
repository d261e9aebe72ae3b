// TaskFileBench.swift — tasks that outlast the loss of power: how many a second, beside what the disk and SQLite can
// do, and how soon a long file answers. Next: ScheduleBench.swift.

import CLinux
import GRDBSQLite
import Glibc
import NocturneCore
import NocturneTasks

struct TaskFileBench {
    let isQuick: Bool

    func run() async throws {
        // Not /tmp, which may be no disk.
        var template = Array("/var/tmp/nocturne-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BenchError("no directory in /var/tmp") }
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { system("rm -rf '\(root)'") }
        let flush = try flushes(root)
        Bench.report("floor.fdatasync.p50", flush.microseconds(0.5), "us")
        Bench.report("floor.fdatasync.p99", flush.microseconds(0.99), "us")
        for submitters in [1, TaskRateBench.submitters] {
            let count = submitters * (isQuick ? 100 : submitters == 1 ? 500 : 1_000)
            let floor = try BareTable(root).rows(count, together: submitters)
            let directory = "\(root)/\(submitters)"
            try await measure(directory, submitters, count, floor: floor)
        }
        try await lists(root)
    }

    /// `added`: nobody runs them; `done`: added, run and finished.
    private func measure(
        _ directory: String, _ submitters: Int, _ count: Int, floor: Double
    ) async throws {
        var configuration = BackgroundTaskManager.Configuration(
            maxConcurrent: TaskRateBench.submitters)
        (configuration.enablePersistence, configuration.statePath) = (true, directory)
        let manager = try await BackgroundTaskManager(configuration: configuration)
        let start = clinux_now()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<submitters {
                group.addTask {
                    for _ in 0..<count / submitters { try await manager.add(NewTask("later")) }
                }
            }
            try await group.waitForAll()
        }
        let added = Double(count) / Double(clinux_now() - start) * 1e9
        Bench.report("tasks.durable.added.by-\(submitters)", added, "tasks/s", floor: floor)
        let load = TaskLoad(manager, count: count, batch: 1)
        let done = try await load.run(submitters: submitters)
        Bench.report("tasks.durable.done.by-\(submitters)", done, "tasks/s", floor: floor)
        await manager.shutdown()
    }

    /// Writing a page of 4 KiB over another and waiting for the disk.
    private func flushes(_ root: String) throws -> Samples {
        let file = open("\(root)/floor", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw BenchError("no file in \(root)") }
        defer { close(file) }
        let page = [UInt8](repeating: 1, count: 4_096)
        for place in 0..<256 { pwrite(file, page, page.count, off_t(place * page.count)) }
        fsync(file)
        var samples = Samples()
        for round in 0..<(isQuick ? 200 : 1_000) {
            let start = clinux_now()
            pwrite(file, page, page.count, off_t(round % 256 * page.count))
            fdatasync(file)
            samples.add(clinux_now() - start)
        }
        return samples
    }

    /// How soon the newest hundred are found among many that have ended, none of which is in memory. Floor: one task
    /// by its id.
    private func lists(_ root: String) async throws {
        let count = isQuick ? 20_000 : 1_000_000
        let directory = "\(root)/lists"
        mkdir(directory, 0o700)
        let store = try await SQLiteTaskStore.open(
            directory: directory, now: .now(),
            retention: TaskTable.Retention(count: count * 2, age: .seconds(86_400)))
        try await fill(store, count)
        let rounds = isQuick ? 50 : 200
        let floor = try await Samples(rounds) { _ = try await store.task(TaskID(Int64(count / 2))) }
        let filters: [(String, TaskFilter)] = [
            ("any", TaskFilter()), ("state", TaskFilter(states: [.failed])),
            ("name", TaskFilter(name: "rare")), ("queue", TaskFilter(queue: "rare")),
            ("missing", TaskFilter(states: [.cancelled], queue: "rare", name: "rare")),
        ]
        for (name, filter) in filters {
            let samples = try await Samples(rounds) {
                _ = try await store.tasks(where: filter, limit: 100, before: nil)
            }
            Bench.report(
                "tasks.durable.list-\(count).\(name).p50", samples.microseconds(0.5), "us",
                floor: floor.microseconds(0.5))
        }
        let samples = try await Samples(rounds) { _ = try await store.statistics() }
        Bench.report(
            "tasks.durable.list-\(count).statistics.p50", samples.microseconds(0.5), "us",
            floor: floor.microseconds(0.5))
        await store.close()
    }

    /// Tasks that ran; the first thousand in another queue, of another name, and failed.
    private func fill(_ store: SQLiteTaskStore, _ count: Int) async throws {
        let worker = WorkerID("bench")
        for start in stride(from: 0, to: count, by: 1_000) {
            let name = start == 0 ? "rare" : "usual"
            let tasks = (0..<1_000).map { _ in
                var task = NewTask(name)
                task.queue = name
                return task
            }
            _ = try await store.add(tasks, now: .now())
            let claimed = try await store.claim(
                ClaimRequest(worker: worker, names: [name], limit: 1_000), now: .now())
            let outcome: TaskEnd.Outcome =
                start == 0
                ? .failed(TaskFailure(.permanent, "as meant"), wait: nil)
                : .completed(result: "null")
            _ = try await store.finish(
                claimed.tasks.map { TaskEnd(id: $0.id, token: $0.token, outcome: outcome) },
                now: .now())
        }
    }
}

extension Samples {
    /// How long `body` takes, so many times.
    fileprivate init(_ rounds: Int, _ body: () async throws -> Void) async throws {
        self.init()
        for _ in 0..<rounds {
            let start = clinux_now()
            try await body()
            add(clinux_now() - start)
        }
    }
}

/// SQLite and nothing else: a table of numbered texts, kept through the loss of power.
private struct BareTable {
    private let database: OpaquePointer

    init(_ root: String) throws {
        var opened: OpaquePointer?
        let name = "\(root)/bare.db"
        unlink(name)
        sqlite3_open(name, &opened)
        guard let opened else { throw BenchError("SQLite does not open \(name)") }
        database = opened
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("CREATE TABLE row (id INTEGER PRIMARY KEY, name TEXT NOT NULL, input TEXT NOT NULL)")
    }

    private func run(_ sql: String) { sqlite3_exec(database, sql, nil, nil, nil) }

    /// Rows a second, so many in each transaction. Closes the table.
    func rows(_ count: Int, together: Int) -> Double {
        var insert: OpaquePointer?
        sqlite3_prepare_v2(
            database, "INSERT INTO row (name, input) VALUES ('later', 'null')", -1, &insert, nil)
        let start = clinux_now()
        for _ in 0..<count / together {
            run("BEGIN IMMEDIATE")
            for _ in 0..<together {
                sqlite3_step(insert)
                sqlite3_reset(insert)
            }
            run("COMMIT")
        }
        let rate = Double(count) / Double(clinux_now() - start) * 1e9
        sqlite3_finalize(insert)
        sqlite3_close(database)
        return rate
    }
}
