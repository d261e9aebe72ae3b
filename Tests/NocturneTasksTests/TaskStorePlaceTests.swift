// TaskStorePlaceTests.swift — what every store must do for handlers that share places, and for those that die.
// Next: PluginPlaceTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskStorePlaceTests {
    private func claim(
        _ store: StoreUnderTest, _ sharing: [String: Int], places: [Int?], limit: Int = 9
    ) async throws -> Claim {
        try await store.store.claim(
            ClaimRequest(
                worker: WorkerID("w"), names: ["free"], sharing: sharing, places: places,
                limit: limit),
            now: store.now)
    }

    @Test(arguments: StoreMaker.all)
    func `names that share places start as many together as there are, in the order of all`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        var ids: [TaskID] = []
        for name in ["one", "two", "free", "two", "one", "free", "other"] {
            ids.append(try await store.add(name))
        }
        let sharing = ["one": 0, "two": 0, "other": 1]
        let none = try await claim(store, sharing, places: [0, 0])
        #expect(none.tasks.isEmpty && none.short == 0, "who lacks a place keeps its turn")
        let others = try await claim(store, sharing, places: [nil, 0])
        #expect(others.tasks.map(\.id) == [ids[2], ids[5]], "unless there are none to be had")
        #expect(others.short == 1)
        let some = try await claim(store, sharing, places: [3, 1])
        #expect(some.tasks.map(\.id) == [ids[0], ids[1], ids[3]])
        #expect(some.short == 0)
        let rest = try await claim(store, sharing, places: [2, 1])
        #expect(rest.tasks.map(\.id) == [ids[4], ids[6]])
        #expect(rest.short == nil, "nobody waits for what is left")
    }

    @Test(arguments: StoreMaker.all)
    func `a place is not what a task lacks whose queue or key is full`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        try await store.store.put(QueueSettings("held", isPaused: true), now: store.now)
        try await store.add("one") { $0.queue = "held" }
        #expect(try await claim(store, ["one": 0], places: [0]).short == nil)
        let key = ConcurrencyKey("disk")
        try await store.add("one") { $0.key = key }
        try await store.add("one") { $0.key = key }
        let first = try await claim(store, ["one": 0], places: [1])
        #expect(first.tasks.count == 1)
        #expect(try await claim(store, ["one": 0], places: [2]).tasks.isEmpty)
        #expect(try await claim(store, ["one": 0], places: [0]).short == nil)
    }

    @Test(arguments: StoreMaker.all)
    func `an attempt that died with its handler counts as a crash, with its log`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let id = try await store.add { $0.retry = RetryPolicy(retries: 0) }
        for crash in 1...3 {
            let task = try await store.claimOne()
            let ends = [
                TaskEnd(
                    id: id, token: task.token, outcome: .crashed("signal \(crash)"), log: ["last"])
            ]
            let record = try #require(try await store.store.finish(ends, now: store.now)[0])
            #expect((Int(record.crashes), record.attempt) == (crash, 0))
            #expect(record.state == (crash < 3 ? .available : .failed))
            #expect(record.attempts.last?.log == ["last"])
            #expect(record.attempts.last?.outcome == .crashed)
        }
        #expect(try await store.store.task(id)?.failure?.kind == .poison)
        #expect(try await store.store.task(id)?.failure?.message.contains("signal 3") == true)
    }
}
