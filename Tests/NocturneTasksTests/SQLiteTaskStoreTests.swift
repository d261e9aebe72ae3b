// SQLiteTaskStoreTests.swift — what a file must add to the rules of tasks: nothing is lost when it is closed, and
// whatever is wrong with it is told. Next: KillTests.swift.

import Glibc
import Testing

import NocturneCore
import NocturneTasks

@Suite struct SQLiteTaskStoreTests {
    private let now = TaskDirectory.start

    private func task(_ name: String = "job", _ change: (inout NewTask) -> Void = { _ in })
        -> NewTask
    {
        var task = NewTask(name, input: ["a": [1, 2.5, "ü\u{0}\n"]])
        change(&task)
        return task
    }

    private func claim(_ store: any TaskStore, _ limit: Int = 1, at time: UnixTime? = nil)
        async throws -> [TaskRecord]
    {
        try await store.claim(
            ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: limit), now: time ?? now
        ).tasks
    }

    /// Without what means nothing outside of its table.
    private func plain(_ record: TaskRecord?) -> TaskRecord? {
        var record = record
        record?.lane = -1
        return record
    }

    @Test func `every field of a task is there after it was closed and opened again`() async throws
    {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        let full = task { task in
            (task.queue, task.priority) = ("q", .background)
            task.retry = RetryPolicy(
                retries: 7,
                backoff: .linear(base: .nanoseconds(1_500_000), cap: .seconds(90)), jitter: 0.1)
            task.timeout = .microseconds(1_500)
            task.deadline = now.adding(.seconds(3_600))
            task.key = ConcurrencyKey("k", limit: 3)
            task.unique = UniqueKey("u", within: .seconds(60), states: [.running, .completed])
            task.idempotencyKey = "once"
            task.keepsResultFor = .seconds(30)
        }
        _ = try await store.add([full, task { $0.start = .after(.seconds(5)) }], now: now)
        var graph = NewGraph(onFailure: .cancelRest)
        graph.add("first", task())
        graph.add("second", task(), after: ["first"], rule: .allDone)
        _ = try await store.add(graph, parents: try graph.parents(), now: now)
        let claimed = try await claim(store, 9)
        #expect(claimed.map(\.id.number) == [3, 1])
        let beat = Heartbeat(
            worker: WorkerID("w"),
            notes: [
                Heartbeat.Note(
                    id: TaskID(1), token: claimed[1].token,
                    progress: TaskProgress(percent: 12.5, message: "½"), checkpoint: "[1]")
            ], running: [:])
        _ = try await store.heartbeat(beat, now: now)
        let failure = TaskFailure(.error, "no")
        _ = try await store.finish(
            [
                TaskEnd(
                    id: TaskID(1), token: claimed[1].token, outcome: .failed(failure, wait: nil),
                    log: ["a", "b"]),
                TaskEnd(id: TaskID(3), token: claimed[0].token, outcome: .completed(result: "{}")),
            ], now: now)
        var before: [TaskRecord?] = []
        for id in 1...4 { before.append(plain(try await store.task(TaskID(Int64(id))))) }
        await store.close()

        let again = try await directory.open()
        for id in 1...4 {
            #expect(plain(try await again.task(TaskID(Int64(id)))) == before[id - 1])
        }
        let record = try #require(try await again.task(TaskID(1)))
        #expect(record.backoff == full.retry)
        #expect(record.timeout == full.timeout && record.deadline == full.deadline)
        #expect(record.key == full.key && record.unique == full.unique)
        #expect(record.progress == TaskProgress(percent: 12.5, message: "½"))
        #expect(record.checkpoint == "[1]" && record.failure == failure)
        #expect(record.attempts.first?.log == ["a", "b"] && record.input == full.input)
        // What the table read is the same: the graph goes on, and both tasks can be claimed.
        let later = now.adding(.seconds(6))
        try await again.advance(to: later)
        #expect(Set(try await claim(again, 9, at: later).map(\.id.number)) == [1, 2, 4])
        let counts = try await again.statistics()
        #expect(counts.count(.completed) == 1 && counts.count(.running) == 3)
    }

    @Test func `queues and schedules are there after it was closed and opened again`() async throws
    {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        let queue = QueueSettings(
            "q", limit: 2, rate: StartRate(3, per: .milliseconds(1_500), burst: 2), isPaused: true)
        try await store.put(queue, now: now)
        let zone = try Zone("Europe/Berlin")
        for text in ["0 3 * * *", "@every 90m", "5/10 * L * FRI#2"] {
            let schedule = try Schedule(text, from: now, in: zone, gap: .shift, overlap: .second)
            try await store.put(
                ScheduleRecord(
                    text, task { $0.start = .at(now) }, schedule,
                    catchUp: .all(upTo: 3, within: .seconds(600)), overlap: .queueOne), now: now)
        }
        try await store.pauseSchedule("0 3 * * *", true, now: now)
        try await store.removeSchedule("@every 90m", now: now)
        let before = try await store.schedules()
        await store.close()

        let again = try await directory.open()
        #expect(try await again.schedules() == before)
        #expect(before.count == 2 && before[0].isPaused)
        #expect(try await again.queues() == [queue])
        #expect(try await again.warnings().isEmpty)
    }

    @Test func `ids, tokens and keys go on where they were`() async throws {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        let keyed = task { $0.idempotencyKey = "once" }
        let unique = task {
            $0.unique = UniqueKey("only", states: Set(TaskState.allCases))
        }
        _ = try await store.add([keyed, unique, task()], now: now)
        let claimed = try await claim(store, 3)
        _ = try await store.finish(
            claimed.map { TaskEnd(id: $0.id, token: $0.token, outcome: .completed(result: "1")) },
            now: now)
        _ = try await store.clear(TaskFilter(name: "other"), limit: 9, now: now)
        await store.close()

        let again = try await directory.open()
        let added = try await again.add([keyed, unique, task()], now: now)
        #expect(added.map(\.id.number) == [1, 2, 4])
        #expect(added.map(\.duplicate) == [.idempotencyKey, .uniqueKey, nil])
        let next = try #require(try await claim(again).first)
        #expect(next.token > claimed.map(\.token).max() ?? 0)
        #expect(try await again.clear(TaskFilter(), limit: 9, now: now) == 3)
        #expect(try await again.add([keyed, unique], now: now).map(\.id.number) == [5, 6])
    }

    @Test func `a claim is taken back at once, since its owner is dead`() async throws {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        _ = try await store.add([task()], now: now)
        let lost = try #require(try await claim(store).first)
        await store.close()

        let again = try await directory.open()
        let record = try #require(try await claim(again).first)
        #expect(record.id == lost.id && record.crashes == 1 && record.attempt == 1)
        let late = TaskEnd(id: lost.id, token: lost.token, outcome: .completed(result: "1"))
        #expect(try await again.finish([late], now: now) == [nil])
    }

    @Test(arguments: [true, false])
    func `finished tasks are kept by number and age, in memory and in the file`(
        isFile: Bool
    ) async throws {
        let directory = try TaskDirectory()
        let retention = TaskTable.Retention(count: 10, age: .seconds(100))
        let store: any TaskStore =
            isFile
            ? try await directory.open(retention: retention)
            : MemoryTaskStore(retention: retention)
        _ = try await store.add((0..<40).map { _ in task() }, now: now)
        for task in try await claim(store, 30) {
            let end = TaskEnd(id: task.id, token: task.token, outcome: .completed(result: "1"))
            _ = try await store.finish([end], now: now)
        }
        try await store.advance(to: now)
        let kept = try await store.tasks(
            where: TaskFilter(states: [.completed]), limit: 99, before: nil)
        #expect(kept.map(\.id.number) == Array((21...30).reversed()))
        #expect(try await store.statistics().count(.completed) == 10)
        try await store.advance(to: now.adding(.seconds(101)))
        #expect(try await store.statistics().count(.completed) == 0)
        #expect(try await store.task(TaskID(30)) == nil)
        #expect(try await store.statistics().count(.available) == 10)
    }

    @Test func `pages of a list meet without a gap, whatever the filter`() async throws {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        _ = try await store.add((0..<30).map { task($0 % 3 == 0 ? "other" : "job") }, now: now)
        for task in try await claim(store, 10) {
            let end = TaskEnd(id: task.id, token: task.token, outcome: .completed(result: "1"))
            _ = try await store.finish([end], now: now)
        }
        let filters = [
            TaskFilter(), TaskFilter(states: [.completed, .available]), TaskFilter(name: "job"),
            TaskFilter(states: [.completed, .available], queue: "default", name: "job"),
        ]
        for (filter, count) in zip(filters, [30, 30, 20, 20]) {
            var ids: [Int64] = []
            while true {
                let page = try await store.tasks(
                    where: filter, limit: 7, before: ids.last.map { TaskID($0) })
                if page.isEmpty { break }
                ids += page.map(\.id.number)
            }
            #expect(ids == ids.sorted(by: >) && Set(ids).count == count)
        }
    }

    @Test func `a graph that ended before the last start can be retried from what failed`()
        async throws
    {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        var graph = NewGraph()
        graph.add("a", task { $0.retry = RetryPolicy(retries: 0) })
        graph.add("b", task(), after: ["a"])
        _ = try await store.add(graph, parents: try graph.parents(), now: now)
        let first = try #require(try await claim(store).first)
        let failed = TaskEnd(
            id: first.id, token: first.token,
            outcome: .failed(TaskFailure(.error, "no"), wait: nil))
        _ = try await store.finish([failed], now: now)
        #expect(try await store.task(TaskID(2))?.state == .skipped)
        await store.close()

        let again = try await directory.open()
        _ = try await again.apply(.retry, to: TaskID(1), now: now)
        #expect(try await again.task(TaskID(2))?.state == .blocked)
        let second = try #require(try await claim(again).first)
        let done = TaskEnd(
            id: second.id, token: second.token, outcome: .completed(result: "1"))
        _ = try await again.finish([done], now: now)
        #expect(try await claim(again).map(\.id.number) == [2])
        #expect(try await again.statistics().count(.skipped) == 0)
    }

    @Test func `a second owner is told the pid of the first`() async throws {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        let error = await #expect(throws: TaskError.self) { try await directory.open() }
        #expect("\(try #require(error))".contains("belongs to a running host with pid \(getpid())"))
        await store.close()
        try await directory.open().close()
    }

    @Test func `a closed store refuses, and does not stand still`() async throws {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        _ = try await store.add([task()], now: now)
        await store.close()
        await store.close()
        await #expect(throws: TaskError.self) { try await store.add([task()], now: now) }
        await #expect(throws: TaskError.self) { try await store.task(TaskID(1)) }
        await #expect(throws: TaskError.self) { try await claim(store) }
    }

    @Test func `a damaged file is set aside and told, and an empty one serves`() async throws {
        let directory = try TaskDirectory()
        let file = open("\(directory.path)/tasks.db", O_WRONLY | O_CREAT, 0o644)
        let bytes = Array("no database".utf8)
        #expect(write(file, bytes, bytes.count) == bytes.count)
        close(file)
        let store = try await directory.open()
        let recovery = try #require(store.recovery)
        #expect("\(recovery)".contains("without the tasks and schedules in it"))
        #expect(directory.names.contains { $0.hasPrefix("tasks.db.corrupt-") })
        #expect(try await store.add([task()], now: now).map(\.id.number) == [1])
    }

    @Test func `a row that cannot be read is told and left, and keeps nobody from the others`()
        async throws
    {
        let directory = try TaskDirectory()
        let store = try await directory.open()
        let tasks = ["one", "marked", "three"].map { key in task { $0.idempotencyKey = key } }
        _ = try await store.add(tasks, now: now)
        await store.close()
        try directory.overwrite(#"{"idempotencyKey":"marked"}"#, with: "?")

        for _ in 0..<2 {
            let again = try await directory.open()
            let warnings = try await again.warnings()
            #expect(warnings.count == 1)
            #expect(warnings.first?.hasPrefix("task 2 cannot be read and is left as it is") == true)
            for limit in 1...3 {
                let page = try await again.tasks(where: TaskFilter(), limit: limit, before: nil)
                #expect(page.map(\.id.number) == Array([3, 1].prefix(limit)))
            }
            let error = await #expect(throws: TaskError.self) { try await again.task(TaskID(2)) }
            #expect(error?.description.contains("task 2") == true)
            await again.close()
        }
        let last = try await directory.open()
        #expect(try await claim(last, 9).map(\.id.number) == [1, 3])
    }

    @Test func `a file of a newer version is refused and left as it is`() async throws {
        let directory = try TaskDirectory()
        try await directory.open().close()
        let file = open("\(directory.path)/tasks.db", O_RDWR)
        // `user_version` lies at byte 60 (<https://www.sqlite.org/fileformat2.html>, 1.3).
        let version: [UInt8] = [0, 0, 0, 99]
        #expect(pwrite(file, version, 4, 60) == 4)
        close(file)
        let error = await #expect(throws: TaskError.self) { try await directory.open() }
        #expect("\(try #require(error))".contains("has version 99 and this Nocturne knows up to 1"))
        #expect(directory.names == ["tasks.db", "tasks.lock"])
    }

    /// sysfs lets nobody create a file, root included.
    @Test func `a directory that may not be written is an error that says so`() async throws {
        let error = await #expect(throws: TaskError.self) {
            try await TaskDirectory("/sys/kernel").open()
        }
        #expect("\(try #require(error))".contains("write permission"))
    }

    @Test func `when nothing more fits, those who ask are told, and all goes on once it does`()
        async throws
    {
        await #expect(processExitsWith: .success) {
            let directory = try TaskDirectory()
            let now = TaskDirectory.start
            let store = try await directory.open()
            _ = try await store.add([NewTask("job"), NewTask("job")], now: now)
            let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 1)
            let claimed = try #require(try await store.claim(request, now: now).tasks.first)
            let before = try await store.statistics()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let most = limit.rlim_max
            limit.rlim_cur = 128 << 10
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)

            let big = NewTask("job", input: .string(String(repeating: "x", count: 1 << 19)))
            for _ in 0..<3 {
                await #expect(throws: TaskError.self) {
                    try await store.add([NewTask("job"), big], now: now)
                }
            }
            // Nothing of it is seen, and who only looks is served.
            #expect(try await store.statistics() == before)
            #expect(try await store.tasks(where: TaskFilter(), limit: 9, before: nil).count == 2)

            limit.rlim_cur = most
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            // The claim holds, and no id was given out twice.
            let end = TaskEnd(
                id: claimed.id, token: claimed.token, outcome: .completed(result: "1"))
            let ended = try await store.finish([end], now: now)
            #expect(ended.first??.state == .completed)
            let added = try #require(try await store.add([big], now: now).first)
            #expect(try await store.task(added.id)?.input == big.input)
            #expect(try await store.statistics().totals.added == before.totals.added + 1)
        }
    }
}
