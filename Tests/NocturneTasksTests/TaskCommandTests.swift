// TaskCommandTests.swift — what each command does to a task in each state. Next: StoreOutageTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskCommandTests {
    /// From the documentation of the manager's methods: where a task is after a command; not in the list: refused.
    private static let outcomes: [TaskState: [TaskCommand: TaskState]] = [
        .blocked: [.cancel: .cancelled, .pause: .paused],
        .scheduled: [.cancel: .cancelled, .pause: .paused, .retry: .available],
        .available: [.cancel: .cancelled, .pause: .paused, .retry: .available],
        .running: [.cancel: .running, .pause: .running, .resume: .running],
        .paused: [.cancel: .cancelled, .pause: .paused, .resume: .available],
        .completed: [:],
        .failed: [.retry: .available],
        .cancelled: [.cancel: .cancelled, .retry: .available],
        .skipped: [.retry: .available],
    ]

    /// A task in a state, reached as tasks do.
    private func task(in state: TaskState, _ store: StoreUnderTest) async throws -> TaskID {
        switch state {
        case .blocked:
            var graph = NewGraph()
            graph.add("parent", store.task("parent"))
            graph.add("child", store.task(), after: ["parent"])
            return try await store.store.add(
                graph, parents: try graph.parents(), now: store.now)[1].id
        case .skipped: return try await skipped(in: store)
        case .scheduled: return try await store.add { $0.start = .after(.seconds(60)) }
        default: break
        }
        let id = try await store.add()
        switch state {
        case .running: _ = try await store.claimOne()
        case .paused, .cancelled: try await store.apply(state == .paused ? .pause : .cancel, id)
        case .completed: try await store.complete(try await store.claimOne())
        case .failed: try await store.fail(try await store.claimOne(), .permanent)
        default: break
        }
        return id
    }

    /// The run of a schedule that came while another had not ended.
    private func skipped(in store: StoreUnderTest) async throws -> TaskID {
        let schedule = ScheduleRecord(
            "often", store.task("parent"), try Schedule("@every 1m", from: store.now))
        try await store.store.put(schedule, now: store.now)
        _ = try await store.store.runNow(schedule: "often", now: store.now)
        let run = try #require(try await store.store.runNow(schedule: "often", now: store.now))
        try await store.complete(try await store.claimOne(of: ["parent"]))
        return run.id
    }

    @Test(arguments: StoreMaker.all, TaskState.allCases)
    func `each command does in each state what is said of it, and twice the same`(
        maker: StoreMaker, state: TaskState
    ) async throws {
        for command in [TaskCommand.cancel, .pause, .resume, .retry] {
            let store = try await StoreUnderTest(maker)
            let id = try await task(in: state, store)
            #expect(try await store.state(id) == state)
            let expected = Self.outcomes[state]?[command]
            if let expected {
                let record = try await store.apply(command, id)
                #expect(record.state == expected, "\(command)")
                #expect(record.isCancelRequested == (state == .running && command == .cancel))
                #expect(record.isPauseRequested == (state == .running && command == .pause))
            } else {
                await #expect(throws: TaskError.wrongState(id, state, "\(command)")) {
                    try await store.apply(command, id)
                }
            }
            // Again: what follows from where it is by now.
            let after = try await store.state(id)
            #expect(after == expected ?? state)
            let second = try? await store.apply(command, id).state
            #expect(second == Self.outcomes[after]?[command], "\(command) twice")
        }
    }

    @Test(arguments: StoreMaker.all)
    func `eight who command the same task at once agree on where it is`(
        maker: StoreMaker
    ) async throws {
        let store = try await maker.make()
        let now = UnixTime(seconds: 1_750_000_000)
        for round in 0..<20 {
            let id = try #require(try await store.add([NewTask("job")], now: now).first).id
            let done = await withTaskGroup(of: [TaskCommand].self) { group in
                for seed in 0..<8 {
                    group.addTask {
                        var random = SeededGenerator(seed: UInt64(round * 8 + seed))
                        var done: [TaskCommand] = []
                        for _ in 0..<10 {
                            let command = random.pick([TaskCommand.pause, .resume, .cancel, .retry])
                            if (try? await store.apply(command, to: id, now: now)) != nil {
                                done.append(command)
                            }
                        }
                        return done
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            let record = try #require(try await store.task(id))
            #expect([.available, .paused, .cancelled].contains(record.state))
            #expect(!done.isEmpty)
            if record.state != .cancelled { _ = try await store.apply(.cancel, to: id, now: now) }
            #expect(try await store.statistics().count(.cancelled) == round + 1)
            #expect(try await store.statistics().count(.available) == 0)
        }
    }

    @Test(arguments: StoreMaker.all)
    func `of eight who end an attempt at once, one does`(maker: StoreMaker) async throws {
        let store = try await StoreUnderTest(maker)
        for _ in 0..<20 {
            try await store.add()
            let task = try await store.claimOne()
            let end = TaskEnd(id: task.id, token: task.token, outcome: .completed(result: "1"))
            let count = await withTaskGroup(of: Int.self) {
                [shared = store.store, now = store.now] group in
                for _ in 0..<8 {
                    group.addTask {
                        ((try? await shared.finish([end], now: now)) ?? []).count { $0 != nil }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(count == 1)
        }
        #expect(try await store.store.statistics().totals.completed == 20)
    }
}
