// SameAnswersTests.swift — random work on a store in memory and on one in a file that is closed and opened again and
// again: both give the same answers. Next: KillTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct SameAnswersTests {
    @Test(arguments: 0..<6)
    func `a file answers as memory does, however often it is closed and opened`(
        seed: UInt64
    ) async throws {
        var run = try await TwinRun(seed: seed)
        for step in 0..<300 {
            try await run.step()
            if step % 60 == 59 { try await run.reopen() }
            if step % 20 == 19 { try await run.compare() }
        }
        #expect(run.finished > 5 && run.refusals > 0)
    }
}

/// Two stores, asked the same.
private struct TwinRun {
    private let directory: TaskDirectory
    private let memory = MemoryTaskStore(seed: 1)
    private var file: SQLiteTaskStore
    private var random: SeededGenerator
    private var now = TaskDirectory.start
    private var running: [TaskRecord] = []
    private var last: Int64 = 0
    private(set) var finished = 0
    private(set) var refusals = 0
    private let names = ["a", "b"]
    private let worker = WorkerID("w")

    init(seed: UInt64) async throws {
        random = SeededGenerator(seed: seed)
        directory = try TaskDirectory()
        file = try await directory.open()
    }

    /// Asks both, and expects the same answer or the same error.
    @discardableResult
    private mutating func ask<Answer: Equatable & Sendable>(
        _ what: String, _ body: (any TaskStore) async throws -> Answer
    ) async throws -> Answer? {
        let first: Result<Answer, TaskError>, second: Result<Answer, TaskError>
        do { first = .success(try await body(memory)) } catch {
            first = .failure(try #require(error as? TaskError))
        }
        do { second = .success(try await body(file)) } catch {
            second = .failure(try #require(error as? TaskError))
        }
        let isSame = first == second
        try #require(isSame, "\(what): \(Self.difference("\(first)", "\(second)"))")
        if case .failure = first { refusals += 1 }
        return try? first.get()
    }

    /// Where two texts part, with what is around.
    private static func difference(_ first: String, _ second: String) -> String {
        // The order of a set means nothing.
        func ordered(_ text: String) -> String {
            let parts = text.split(separator: "Set([", omittingEmptySubsequences: false)
            return (parts.first ?? "") + parts.dropFirst().map { $0.drop { $0 != "]" } }.joined()
        }
        let (first, second) = (ordered(first), ordered(second))
        let same = zip(first, second).prefix { $0 == $1 }.count
        func around(_ text: String) -> String {
            String(text.dropFirst(max(0, same - 300)).prefix(400))
        }
        return "memory says …\(around(first))…, the file …\(around(second))…"
    }

    mutating func step() async throws {
        let now = now
        switch random.below(18) {
        case 0..<3: try await add()
        case 3: try await addGraph()
        case 4..<7: try await claim()
        case 7..<10: try await finish()
        case 10, 11: try await command()
        case 12..<14: try await pass(.seconds(1 + random.below(40)))
        case 14: try await beat()
        case 15:
            let queue = QueueSettings(
                random.pick(["x", "y"]), limit: random.isOneIn(2) ? nil : 1 + random.below(3),
                isPaused: random.isOneIn(5))
            try await ask("put") { try await $0.put(queue, now: now) == () }
        default: try await schedule()
        }
    }

    private mutating func task() -> NewTask {
        var task = NewTask(random.pick(names), input: JSONValue(random.below(100)))
        task.queue = random.pick(["x", "y"])
        task.priority = random.pick(PriorityClass.allCases)
        task.retry = RetryPolicy(
            retries: random.below(3), backoff: .fixed(.seconds(5)), jitter: 0)
        if random.isOneIn(4) { task.key = ConcurrencyKey("k\(random.below(2))", limit: 2) }
        if random.isOneIn(4) { task.start = .after(.seconds(random.below(60))) }
        if random.isOneIn(6) { task.deadline = now.adding(.seconds(60 + random.below(120))) }
        if random.isOneIn(5) { task.keepsResultFor = .seconds(random.below(60)) }
        if random.isOneIn(4) {
            task.unique = UniqueKey(
                "u\(random.below(3))", within: random.isOneIn(2) ? nil : .seconds(90),
                states: random.isOneIn(2) ? Set(TaskState.allCases) : UniqueKey("").states)
        }
        if random.isOneIn(6) { task.idempotencyKey = "i\(random.below(9))" }
        return task
    }

    private mutating func add() async throws {
        let tasks = (0...random.below(3)).map { _ in task() }
        let now = now
        let added = try await ask("add") { try await $0.add(tasks, now: now) }
        last = max(last, added?.map(\.id.number).max() ?? 0)
    }

    private mutating func addGraph() async throws {
        var graph = NewGraph(onFailure: random.pick(GraphFailurePolicy.allCases))
        for number in 0...random.below(5) {
            var task = task()
            (task.unique, task.idempotencyKey, task.start) = (nil, nil, .now)
            let before = (0..<number).filter { _ in random.isOneIn(2) }.map { "n\($0)" }
            graph.add(
                "n\(number)", task, after: before, rule: random.pick(TriggerRule.allCases))
        }
        let parents = try graph.parents(), now = now
        let added = try await ask("graph") { [graph] in
            try await $0.add(graph, parents: parents, now: now)
        }
        last = max(last, added?.map(\.id.number).max() ?? 0)
    }

    private mutating func claim() async throws {
        let request = ClaimRequest(
            worker: worker, names: Set(random.isOneIn(3) ? ["a"] : names), limit: random.below(6))
        let now = now
        let claimed = try await ask("claim") {
            try await $0.claim(request, now: now).tasks.map(plain)
        }
        running += claimed ?? []
    }

    private mutating func finish() async throws {
        guard !running.isEmpty else { return }
        let task = running.remove(at: random.below(running.count))
        let outcome: TaskEnd.Outcome = random.pick([
            .completed(result: "null"), .completed(result: "[1]"), .completed(result: "2"),
            .failed(TaskFailure(.error, "no"), wait: nil), .cancelled, .paused, .returned,
            .failed(TaskFailure(.permanent, "never"), wait: .seconds(3)),
            .snoozed(until: now.adding(.seconds(random.below(20)))),
        ])
        let end = TaskEnd(
            id: task.id, token: task.token, outcome: outcome,
            log: random.isOneIn(2) ? [] : ["a line"],
            progress: random.isOneIn(2) ? nil : TaskProgress(percent: 50, message: "half"))
        let now = now
        let ended = try await ask("finish") {
            try await $0.finish([end, end], now: now).map { $0.map(plain) }
        }
        if ended?.first??.state.isFinished == true { finished += 1 }
    }

    private mutating func command() async throws {
        let id = TaskID(Int64(1 + random.below(Int(last) + 2)))
        let command = random.pick([TaskCommand.cancel, .pause, .resume, .retry, .retry])
        let now = now
        try await ask("\(command) \(id)") { plain(try await $0.apply(command, to: id, now: now)) }
    }

    private mutating func pass(_ time: Duration) async throws {
        now = now.adding(time)
        let now = now
        try await ask("advance") { try await $0.advance(to: now) == () }
        try await forgetLost()
    }

    private mutating func beat() async throws {
        let notes = running.map { task in
            Heartbeat.Note(
                id: task.id, token: task.token,
                progress: random.isOneIn(2)
                    ? nil : TaskProgress(percent: Double(random.below(100)), message: nil),
                checkpoint: random.isOneIn(2) ? nil : "[\(random.below(9))]")
        }
        let beat = Heartbeat(
            worker: worker, notes: notes,
            running: Dictionary(uniqueKeysWithValues: running.map { ($0.id, $0.token) }))
        let now = now
        try await ask("heartbeat") { store in
            let reply = try await store.heartbeat(beat, now: now)
            return [reply.lost, reply.cancelRequested, reply.pauseRequested].map { $0.sorted() }
        }
        try await forgetLost()
    }

    private mutating func schedule() async throws {
        let now = now, name = random.pick(["s", "t"])
        switch random.below(5) {
        case 0: try await ask("remove") { try await $0.removeSchedule(name, now: now) == () }
        case 1:
            let isPaused = random.isOneIn(2)
            try await ask("hold") { try await $0.pauseSchedule(name, isPaused, now: now) == () }
        case 2:
            try await ask("run") { try await $0.runNow(schedule: name, now: now).map(plain) }
        default:
            let text = random.pick(["@every 1m", "*/2 * * * *", "CRON_TZ=Europe/Berlin 0 * * * *"])
            let record = ScheduleRecord(
                name, task(), try Schedule(text, from: now),
                catchUp: random.pick([.skip, .latest, .all(upTo: 3)]),
                overlap: random.pick(RunOverlap.allCases))
            try await ask("put") { try await $0.put(record, now: now) == () }
        }
        last =
            try await memory.tasks(where: TaskFilter(), limit: 1, before: nil).first?.id.number
            ?? 0
    }

    private mutating func forgetLost() async throws {
        var still: [TaskRecord] = []
        for task in running {
            let record = try await memory.task(task.id)
            if record?.token == task.token, record?.state == .running { still.append(task) }
        }
        running = still
    }

    /// The process ends, and the next one begins: what it ran is available again.
    mutating func reopen() async throws {
        await file.close()
        file = try await directory.open(now: now)
        try await memory.rescue({ _ in true }, now: now)
        running = []
        try await compare()
    }

    mutating func compare() async throws {
        var filters = [TaskFilter(), TaskFilter(name: "a"), TaskFilter(queue: "y")]
        filters += TaskState.allCases.map { TaskFilter(states: [$0]) }
        filters[1].schedule = "s"
        for filter in filters {
            try await ask("list") { store in
                try await store.tasks(where: filter, limit: .max, before: nil).map(plain)
            }
        }
        try await ask("statistics") { store in
            let statistics = try await store.statistics()
            return TaskState.allCases.map { statistics.count($0) }
        }
        try await ask("schedules") { try await $0.schedules() }
        try await ask("queues") { try await $0.queues().filter { $0.limit != nil || $0.isPaused } }
    }
}

/// Without what means nothing outside of its table.
private func plain(_ record: TaskRecord) -> TaskRecord {
    var record = record
    record.lane = -1
    return record
}
