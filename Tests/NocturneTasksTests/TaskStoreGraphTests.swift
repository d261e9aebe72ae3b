// TaskStoreGraphTests.swift — graphs and schedules, as every store must treat them. Next: TaskTableModelTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskStoreGraphTests {
    private func add(_ graph: NewGraph, to store: StoreUnderTest) async throws -> [TaskID] {
        try await store.store.add(graph, parents: try graph.parents(), now: store.now).map(\.id)
    }

    private func end(_ state: TaskState, _ task: TaskRecord, in store: StoreUnderTest) async throws
    {
        switch state {
        case .completed: try await store.complete(task)
        case .failed: try await store.fail(task, .permanent)
        default: try await store.end(task, .cancelled)
        }
    }

    // MARK: - Rules

    /// Two tasks end as given, in order; then this is where the third stands after each. From Airflow's description
    /// of its trigger rules.
    @Test(arguments: [
        (
            TriggerRule.allSucceeded, [TaskState.completed, .completed],
            [TaskState.blocked, .available]
        ),
        (.allSucceeded, [.completed, .failed], [.blocked, .skipped]),
        (.allSucceeded, [.cancelled, .completed], [.skipped, .skipped]),
        (.allDone, [.failed, .cancelled], [.blocked, .available]),
        (.oneSucceeded, [.completed, .failed], [.available, .available]),
        (.oneSucceeded, [.failed, .completed], [.blocked, .available]),
        (.oneSucceeded, [.failed, .failed], [.blocked, .skipped]),
        (.oneFailed, [.failed, .completed], [.available, .available]),
        (.oneFailed, [.completed, .completed], [.blocked, .skipped]),
        (.noneFailed, [.completed, .completed], [.blocked, .available]),
        (.noneFailed, [.completed, .cancelled], [.blocked, .skipped]),
        (.noneFailed, [.failed, .completed], [.skipped, .skipped]),
    ])
    func `a task starts when its rule says so, and is skipped when it never will`(
        rule: TriggerRule, ends: [TaskState], states: [TaskState]
    ) async throws {
        for maker in StoreMaker.all {
            let store = try await StoreUnderTest(maker)
            var graph = NewGraph()
            graph.add("a", store.task("parent"))
            graph.add("b", store.task("parent"))
            graph.add("c", store.task("child"), after: ["a", "b"], rule: rule)
            let ids = try await add(graph, to: store)
            #expect(try await store.state(ids[2]) == .blocked)
            for (end, state) in zip(ends, states) {
                try await self.end(end, try await store.claimOne(of: ["parent"]), in: store)
                #expect(try await store.state(ids[2]) == state)
            }
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a skip goes on to all behind it, but those that run anyway`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph()
        graph.add("last", store.task(), after: ["middle"], rule: .noneFailed)
        graph.add("middle", store.task(), after: ["first"])
        graph.add("first", store.task())
        graph.add("far", store.task(), after: ["middle"])
        graph.add("always", store.task(), after: ["far"], rule: .always)
        let ids = try await add(graph, to: store)
        let claimed = try await store.claim(9)
        try #require(claimed.map(\.id) == [ids[2], ids[4]])
        try await store.fail(claimed[0], .permanent)
        var states: [TaskState] = []
        for id in ids { states.append(try await store.state(id)) }
        // `last` takes a skipped one for none that failed.
        #expect(states == [.available, .skipped, .failed, .skipped, .running])
    }

    @Test(arguments: StoreMaker.all)
    func `a chain of any length is skipped without end of the stack`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph()
        graph.add("0", store.task())
        for number in 1..<20_000 { graph.add("\(number)", store.task(), after: ["\(number - 1)"]) }
        let ids = try await add(graph, to: store)
        try await store.fail(try await store.claimOne(), .permanent)
        #expect(try await store.state(ids[19_999]) == .skipped)
        #expect(try await store.store.statistics().count(.skipped) == 19_999)
    }

    @Test(arguments: StoreMaker.all)
    func `a failure cancels the rest where the graph says so, but not what is there for it`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph(onFailure: .cancelRest)
        graph.add("a", store.task())
        graph.add("b", store.task())
        graph.add("c", store.task(), after: ["b"])
        graph.add("cleanup", store.task("cleanup"), after: ["a", "b", "c"], rule: .allDone)
        let ids = try await add(graph, to: store)
        let claimed = try await store.claim(2)
        try #require(claimed.count == 2)
        try await store.fail(claimed[0], .permanent)
        #expect(try await store.beat([claimed[1]]).cancelRequested == [ids[1]])
        #expect(try await store.state(ids[2]) == .cancelled)
        #expect(try await store.state(ids[3]) == .blocked)
        try await store.end(claimed[1], .cancelled)
        #expect(try await store.drain(of: ["cleanup"]) == [ids[3]])
    }

    @Test(arguments: StoreMaker.all)
    func `a failed task that is tried again brings back what was skipped behind it`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph()
        graph.add("good", store.task())
        graph.add("bad", store.task("bad"))
        graph.add("both", store.task(), after: ["good", "bad"])
        graph.add("end", store.task(), after: ["both"])
        let ids = try await add(graph, to: store)
        #expect(try await store.drain() == [ids[0]])
        try await store.fail(try await store.claimOne(of: ["bad"]), .permanent)
        #expect(try await store.state(ids[3]) == .skipped)
        try await store.apply(.retry, ids[1])
        #expect(try await store.state(ids[3]) == .blocked)
        #expect(try await store.drain(of: ["bad", "job"]) == [ids[1], ids[2], ids[3]])
    }

    @Test(arguments: StoreMaker.all)
    func `a held task of a graph learns what happened when it goes on`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var graph = NewGraph()
        graph.add("a", store.task())
        graph.add("b", store.task("b"), after: ["a"])
        graph.add("c", store.task("c"), after: ["a"], rule: .oneFailed)
        let ids = try await add(graph, to: store)
        for id in ids[1...] { try await store.apply(.pause, id) }
        _ = try await store.drain()
        for id in ids[1...] { #expect(try await store.state(id) == .paused) }
        #expect(try await store.apply(.resume, ids[1]).state == .available)
        #expect(try await store.apply(.resume, ids[2]).state == .skipped)
    }

    // MARK: - Schedules

    private func schedule(
        _ text: String, from store: StoreUnderTest, overlap: RunOverlap = .allow,
        catchUp: CatchUp = .latest, name: String = "nightly"
    ) throws -> ScheduleRecord {
        ScheduleRecord(
            name, store.task(), try Schedule(text, from: store.now), catchUp: catchUp,
            overlap: overlap)
    }

    private func runs(_ store: StoreUnderTest) async throws -> [TaskRecord] {
        var filter = TaskFilter()
        filter.schedule = "nightly"
        return try await store.store.tasks(where: filter, limit: 100, before: nil).reversed()
    }

    @Test(arguments: StoreMaker.all)
    func `each run of a schedule is a task of its own, for its moment, once`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now
        try await store.store.put(try schedule("@every 10m", from: store), now: store.now)
        #expect(try await store.store.nextDue(after: store.now) == start.adding(.seconds(600)))
        for _ in 0..<31 { try await store.wait(.seconds(60)) }
        let moments = try await runs(store).compactMap(\.run?.moment)
        #expect(moments == [600, 1_200, 1_800].map { start.adding(.seconds($0)) })
        #expect(try await store.drain().count == 3)
    }

    @Test(arguments: StoreMaker.all)
    func `a schedule that is added again replaces the one of its name and repeats nothing`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        try await store.store.put(try schedule("@every 10m", from: store), now: store.now)
        try await store.wait(.seconds(601))
        try await store.store.put(try schedule("@every 1h", from: store), now: store.now)
        try await store.wait(.seconds(3_599))
        #expect(try await runs(store).count == 1)
        try await store.wait(.seconds(1))
        #expect(try await runs(store).count == 2)
        #expect(try await store.store.schedules().map(\.schedule.description) == ["@every 1h"])
    }

    @Test(arguments: StoreMaker.all)
    func `runs that overlap follow the schedule's policy`(maker: StoreMaker) async throws {
        let expected: [RunOverlap: [TaskState]] = [
            .skip: [.running, .skipped, .skipped], .queueOne: [.running, .blocked, .skipped],
            .allow: [.running, .available, .available],
            .cancelRunning: [.running, .cancelled, .blocked],
        ]
        for overlap in RunOverlap.allCases {
            let store = try await StoreUnderTest(maker)
            try await store.store.put(
                try schedule("@every 10s", from: store, overlap: overlap), now: store.now)
            try await store.wait(.seconds(10))
            let first = try await store.claimOne()
            for _ in 0..<2 { try await store.wait(.seconds(10)) }
            #expect(try await runs(store).map(\.state) == expected[overlap], "\(overlap)")
            let isAsked = try await store.beat([first]).cancelRequested == [first.id]
            #expect(isAsked == (overlap == .cancelRunning))
            try await store.end(first, isAsked ? .cancelled : .completed(result: "null"))
            #expect(
                try await store.claim(9).count == (overlap == .allow ? 2 : overlap == .skip ? 0 : 1)
            )
        }
    }

    @Test(arguments: StoreMaker.all)
    func `a schedule that is held makes up for nothing, one that was missed does as it says`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        try await store.store.put(
            try schedule("@every 1h", from: store, catchUp: .all(upTo: 3)), now: store.now)
        try await store.wait(.seconds(10 * 3_600))
        #expect(try await runs(store).count == 3)
        try await store.store.pauseSchedule("nightly", true, now: store.now)
        try await store.wait(.seconds(10 * 3_600))
        try await store.store.pauseSchedule("nightly", false, now: store.now)
        try await store.wait(.seconds(60))
        #expect(try await runs(store).count == 3)
        let extra = try await store.store.runNow(schedule: "nightly", now: store.now)
        #expect(extra?.state == .available)
        try await store.store.removeSchedule("nightly", now: store.now)
        try await store.wait(.seconds(7_200))
        #expect(try await runs(store).count == 4)
        await #expect(throws: TaskError.noSchedule("nightly")) {
            try await store.store.removeSchedule("nightly", now: store.now)
        }
    }
}

@Suite struct NewGraphTests {
    @Test func `a ring is refused, and shown in the order in which its tasks wait`() throws {
        var graph = NewGraph()
        for (name, after) in [("a", ["c"]), ("b", ["a"]), ("c", ["b", "x"]), ("x", [])] {
            graph.add(name, NewTask("job"), after: after)
        }
        let error = #expect(throws: TaskError.self) { try graph.parents() }
        #expect(error == .cycle(["a", "b", "c", "a"]))
    }

    @Test func `unknown and repeated references are refused by name`() {
        var graph = NewGraph()
        graph.add("a", NewTask("job"), after: ["nobody"])
        #expect(throws: TaskError.unknownReference("nobody", by: "a")) { try graph.parents() }
        graph = NewGraph()
        graph.add("a", NewTask("job"))
        graph.add("a", NewTask("job"))
        #expect(throws: TaskError.repeatedReference("a")) { try graph.parents() }
        graph = NewGraph()
        graph.add("a", NewTask("job"), after: ["a"])
        #expect(throws: TaskError.cycle(["a", "a"])) { try graph.parents() }
    }
}
