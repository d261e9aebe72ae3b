// TaskTableModelTests.swift — random lives of random tasks: the table does what the naive list says, and bounds hold.
// Next: NaiveTasks.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskTableModelTests {
    @Test(arguments: 0..<10)
    func `a table does what a plain list of tasks would do`(seed: Int) throws {
        var run = ModelRun(seed: UInt64(seed))
        for _ in 0..<400 {
            run.step()
            if run.generator.isOneIn(50) { run.compare() }
        }
        run.compare()
        try run.drain()
    }

    /// Under a full load of high ones a background task starts when its slack has passed, and not much later: by then
    /// it is the first, and one place gets free with each end.
    @Test(arguments: [PriorityClass.normal, .low, .background])
    func `no load of higher classes makes a task wait beyond its slack`(
        priority: PriorityClass
    ) throws {
        var table = TaskTable(retention: .init(count: 100, age: .seconds(60)))
        var now = UnixTime(seconds: 1_750_000_000)
        let worker = WorkerID("w")
        var patient = NewTask("job")
        patient.priority = priority
        let id = table.add([patient], now: now)[0].id
        let start = now
        var high = NewTask("job")
        high.priority = .high
        // Every second 12 come, and 10 can be done: the load is above 100 %.
        while table.task(id)?.state == .available {
            _ = table.add([NewTask](repeating: high, count: 12), now: now)
            let claimed = table.claim(
                ClaimRequest(worker: worker, names: ["job"], limit: 10), now: now
            ).tasks
            _ = table.finish(
                claimed.map {
                    TaskEnd(id: $0.id, token: $0.token, outcome: .completed(result: "null"))
                }, now: now)
            now = now.adding(.seconds(1))
            try #require(now.since(start) < .seconds(7_200))
        }
        let slack = try #require(priority.slack)
        let waited = now.since(start)
        // What was due before it must be done first: the backlog of the overload, a fifth of the slack.
        #expect(waited >= slack)
        #expect(waited <= slack * 1.2 + .seconds(2), "\(waited)")
    }

    @Test func `changes hold every task as it is at last, also those that are dropped`() throws {
        var generator = SeededGenerator(seed: 5)
        var table = TaskTable(
            retention: .init(count: 0, age: .zero), notesChanges: true)
        var written: [TaskID: TaskRecord] = [:]
        var now = UnixTime(seconds: 1_750_000_000)
        let worker = WorkerID("w")
        for _ in 0..<2_000 {
            now = now.adding(milliseconds: Int64(generator.below(500)))
            switch generator.below(3) {
            case 0: _ = table.add([NewTask("job")], now: now)
            case 1:
                let claimed = table.claim(
                    ClaimRequest(worker: worker, names: ["job"], limit: 2), now: now
                ).tasks
                let ends = claimed.map {
                    TaskEnd(
                        id: $0.id, token: $0.token,
                        outcome: generator.isOneIn(2)
                            ? .completed(result: "1")
                            : .failed(TaskFailure(.permanent, "no"), wait: nil))
                }
                _ = table.finish(ends, now: now)
            default: table.advance(to: now)
            }
            let changes = table.takeChanges()
            #expect(changes.removed.isEmpty)
            for record in changes.tasks { written[record.id] = record }
        }
        #expect(written.count == Int(table.statistics.totals.added))
        #expect(written.values.count { $0.state.isFinished } > 500)
        #expect(written.values.allSatisfy { $0.state.isFinished || table.task($0.id) == $0 })
        #expect(table.count == written.values.count { !$0.state.isFinished })
    }

    @Test(arguments: 0..<4)
    func `a table that is written down and read back goes on as if nothing had been`(
        seed: Int
    ) throws {
        var run = ModelRun(seed: UInt64(seed) + 1_000)
        for _ in 0..<250 { run.step() }
        run.reopen()
        run.compare()
        for _ in 0..<250 { run.step() }
        run.compare()
        try run.drain()
    }
}

/// A table and the naive list, in step.
private struct ModelRun {
    var generator: SeededGenerator
    var table = TaskTable(notesChanges: true)
    var naive = NaiveTasks()
    var now = UnixTime(seconds: 1_750_000_000)
    let names = ["a", "b", "c"]
    let queues = ["x", "y"]
    let workers = (0..<3).map { WorkerID("w\($0)") }

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func step() {
        switch generator.below(20) {
        case 0..<5: add()
        case 5..<9: claim()
        case 9..<14: finish()
        case 14..<16: command()
        case 16..<18: pass(Int64(generator.below(15_000)))
        case 18: setQueue()
        default: crashOrBeat()
        }
        _ = table.takeNews()
    }

    private mutating func add() {
        var tasks: [NewTask] = []
        for _ in 0...generator.below(4) {
            var task = NewTask(generator.pick(names))
            task.queue = generator.pick(queues)
            task.priority = generator.pick(PriorityClass.allCases)
            task.retry = RetryPolicy(retries: 3, backoff: .fixed(NaiveTasks.backoff), jitter: 0)
            if generator.isOneIn(3) {
                task.key = ConcurrencyKey("k\(generator.below(3))", limit: 2)
            }
            if generator.isOneIn(4) { task.start = .after(.seconds(generator.below(60))) }
            tasks.append(task)
        }
        for (task, added) in zip(tasks, table.add(tasks, now: now)) {
            naive.add(task, id: added.id, now: now)
        }
    }

    private mutating func claim() {
        let unbounded = Set(names.filter { _ in !generator.isOneIn(3) })
        let bounded = names.filter { _ in generator.isOneIn(3) }
        let request = ClaimRequest(
            worker: generator.pick(workers), names: unbounded,
            sharing: Dictionary(bounded.map { ($0, generator.below(2)) }) { $1 },
            places: (0..<2).map { _ in generator.isOneIn(3) ? nil : generator.below(3) },
            limit: generator.below(5))
        let claim = table.claim(request, now: now)
        let expected = naive.claim(request, now: now)
        #expect(claim.tasks.map(\.id) == expected.ids)
        #expect(claim.short == expected.short)
        for record in claim.tasks {
            let index = Int(record.id.number) - 1
            naive.items[index].token = record.token
        }
    }

    private mutating func finish() {
        let running = naive.items.indices.filter { naive.items[$0].state == .running }
        guard !running.isEmpty else { return }
        let index = generator.pick(running)
        let failure = TaskFailure(generator.isOneIn(4) ? .permanent : .error, "no")
        let outcome: TaskEnd.Outcome = generator.pick([
            .completed(result: "null"), .completed(result: "1"), .failed(failure, wait: nil),
            .cancelled, .snoozed(until: now.adding(.seconds(generator.below(30)))), .paused,
            .returned, .crashed("no"),
        ])
        let item = naive.items[index]
        let end = TaskEnd(id: item.id, token: item.token, outcome: outcome)
        let stale = TaskEnd(id: item.id, token: item.token + 1, outcome: .completed(result: "2"))
        let answers = table.finish([stale, end, end], now: now)
        #expect(answers[0] == nil && answers[1] != nil && answers[2] == nil)
        naive.finish(index, outcome, now: now)
    }

    private mutating func command() {
        guard !naive.items.isEmpty else { return }
        let index = generator.below(naive.items.count)
        let command = generator.pick([TaskCommand.cancel, .pause, .resume, .resume, .retry])
        let isAllowed = naive.apply(command, index, now: now)
        let done = try? table.apply(command, to: naive.items[index].id, now: now)
        #expect((done != nil) == isAllowed)
    }

    private mutating func pass(_ milliseconds: Int64) {
        now = now.adding(milliseconds: milliseconds)
        table.advance(to: now)
        naive.advance(to: now)
    }

    private mutating func setQueue() {
        var settings = QueueSettings(
            generator.pick(queues), limit: generator.isOneIn(2) ? nil : 1 + generator.below(3))
        settings.isPaused = generator.isOneIn(4)
        table.put(settings)
        naive.limits[settings.name] = settings.limit
        naive.paused.remove(settings.name)
        if settings.isPaused { naive.paused.insert(settings.name) }
    }

    private mutating func crashOrBeat() {
        let worker = generator.pick(workers)
        if generator.isOneIn(3) {
            table.rescue({ $0 == worker }, now: now)
            if naive.leases[worker] != nil { naive.crash(worker, now: now) }
        } else {
            let mine = naive.items.filter { $0.state == .running && $0.worker == worker }
            let tokens = Dictionary(uniqueKeysWithValues: mine.map { ($0.id, $0.token) })
            let reply = table.heartbeat(
                Heartbeat(worker: worker, notes: [], running: tokens), now: now)
            #expect(Set(reply.cancelRequested) == Set(mine.filter(\.isCancelRequested).map(\.id)))
            #expect(Set(reply.pauseRequested) == Set(mine.filter(\.isPauseRequested).map(\.id)))
            #expect(reply.lost.isEmpty)
            naive.leases[worker] = mine.isEmpty ? nil : now.adding(Heartbeat.lease)
        }
    }

    /// Reads all tasks back into an empty table, as a store does after a restart, but with the workers alive.
    mutating func reopen() {
        var fresh = TaskTable(notesChanges: true)
        for settings in table.queueSettings { fresh.put(settings) }
        let records = table.tasks(where: TaskFilter(), limit: .max)
        for record in records.sorted(by: { $0.name < $1.name }) { fresh.restore(record, now: now) }
        table = fresh
        for (worker, _) in naive.leases {
            let runs = naive.items.contains { $0.state == .running && $0.worker == worker }
            naive.leases[worker] = runs ? now.adding(Heartbeat.lease) : nil
        }
    }

    /// Nothing is lost, nothing is in two places, and everything that is counted is counted right.
    func compare() {
        #expect(table.count == naive.items.count)
        let wrong = naive.items.filter { item in
            guard let record = table.task(item.id) else { return true }
            let waits = !item.state.isFinished && item.state != .running
            return record.state != item.state || Int(record.attempt) != item.attempt
                || Int(record.crashes) != item.crashes || waits && record.due != item.due
        }
        let shown = wrong.prefix(3).map { "\($0.id): \($0.state), \($0.attempt), \($0.crashes)" }
        #expect(wrong.count == 0, "lost, or not as in the list: \(shown)")
        for state in TaskState.allCases {
            #expect(
                table.statistics.count(state) == naive.items.count { $0.state == state }, "\(state)"
            )
        }
        let totals = table.statistics.totals
        let ends = totals.completed + totals.failed + totals.cancelled
        #expect(ends <= naive.items.reduce(0) { $0 + $1.ends })
    }

    /// When nothing new comes and every attempt goes well, everything ends.
    mutating func drain() throws {
        for queue in queues {
            table.put(QueueSettings(queue))
            naive.limits[queue] = nil
            naive.paused.remove(queue)
        }
        for index in naive.items.indices where naive.items[index].state == .paused {
            _ = naive.apply(.resume, index, now: now)
            _ = try table.apply(.resume, to: naive.items[index].id, now: now)
        }
        for _ in 0..<2_000 where naive.items.contains(where: { !$0.state.isFinished }) {
            pass(20_000)
            let request = ClaimRequest(worker: workers[0], names: Set(names), limit: 50)
            let claimed = table.claim(request, now: now).tasks
            #expect(claimed.map(\.id) == naive.claim(request, now: now).ids)
            for record in claimed { naive.items[Int(record.id.number) - 1].token = record.token }
            for index in naive.items.indices where naive.items[index].state == .running {
                let item = naive.items[index]
                let end = TaskEnd(
                    id: item.id, token: item.token, outcome: .completed(result: "null"))
                #expect(table.finish([end], now: now)[0]?.state == .completed)
                naive.finish(index, end.outcome, now: now)
            }
        }
        #expect(naive.items.allSatisfy { $0.state.isFinished })
        compare()
    }
}
