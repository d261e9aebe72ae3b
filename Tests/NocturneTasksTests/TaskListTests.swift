// TaskListTests.swift — what is listed and cleared is what a look at every task finds; and what grows with names and
// calls that come and go does not. Next: TaskStoreGraphTests.swift.

import Glibc
import Synchronization
import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskListTests {
    /// Sixty tasks of three names in three queues, in all states; one graph and one schedule among them.
    private func filled(_ maker: StoreMaker) async throws -> StoreUnderTest {
        let store = try await StoreUnderTest(maker)
        var random = SeededGenerator(seed: 7)
        var graph = NewGraph()
        for node in 0..<6 { graph.add("\(node)", store.task(), after: node == 0 ? [] : ["0"]) }
        _ = try await store.store.add(graph, parents: try graph.parents(), now: store.now)
        let schedule = try Schedule("@hourly", from: store.now)
        try await store.store.put(
            ScheduleRecord("hourly", store.task("b"), schedule), now: store.now)
        for _ in 0..<60 {
            let queue = ["default", "mail", "disk"][random.below(3)]
            try await store.add(["a", "b", "job"][random.below(3)]) { $0.queue = queue }
            if random.isOneIn(3) { try await store.wait(.seconds(600)) }
            let names: Set = [["a", "b", "job"][random.below(3)]]
            guard let task = try await store.claim(1, of: names).first else { continue }
            switch random.below(4) {
            case 0: try await store.fail(task, .permanent)
            case 1: try await store.end(task, .cancelled)
            case 2: try await store.complete(task)
            default: break
            }
        }
        return store
    }

    /// Every combination of what a filter can say.
    private func filters(_ store: StoreUnderTest) -> [TaskFilter] {
        var filters = [TaskFilter()]
        func either(_ change: (inout TaskFilter) -> Void) {
            filters += filters.map { filter in
                var changed = filter
                change(&changed)
                return changed
            }
        }
        either { $0.queue = "mail" }
        either { $0.name = "b" }
        either { $0.graph = TaskID(1) }
        either { $0.schedule = "hourly" }
        either { $0.finishedBefore = store.now.adding(.seconds(-3_600)) }
        let states: [Set<TaskState>] = [
            [], [.failed], [.available, .completed], Set(TaskState.allCases),
        ]
        return filters
            + filters.flatMap { filter in
                states.map { states in
                    var changed = filter
                    changed.states = states
                    return changed
                }
            }
    }

    private func everyTask(_ store: StoreUnderTest) async throws -> [TaskRecord] {
        var records: [TaskRecord] = []
        for id in 1...200 {
            if let record = try await store.store.task(TaskID(Int64(id))) { records.append(record) }
        }
        return records
    }

    @Test(arguments: StoreMaker.all)
    func `a list has what a look at every task finds, whatever the filter`(
        maker: StoreMaker
    ) async throws {
        let store = try await filled(maker)
        let all = try await everyTask(store).reversed()
        try #require(Set(all.map(\.state)).count >= 6, "the example has few states")
        for filter in filters(store) {
            let meant = all.filter(filter.matches).map(\.id)
            let page = try await store.store.tasks(where: filter, limit: 9, before: nil)
            #expect(page.map(\.id) == Array(meant.prefix(9)), "\(filter)")
            let rest = try await store.store.tasks(where: filter, limit: 99, before: TaskID(40))
            #expect(rest.map(\.id) == meant.filter { $0 < TaskID(40) }, "\(filter)")
        }
    }

    @Test(arguments: StoreMaker.all)
    func `clearing removes what a look at every task finds, whatever the filter`(
        maker: StoreMaker
    ) async throws {
        for place in [0, 1, 2, 4, 16, 33, 37] {
            let store = try await filled(maker)
            let filter = filters(store)[place]
            let all = try await everyTask(store)
            let open = all.filter { $0.node != nil && !$0.state.isFinished }
            let meant = all.filter {
                $0.state.isFinished && filter.matches($0) && ($0.node == nil || open.isEmpty)
            }
            let few = try await store.store.clear(filter, limit: 2, now: store.now)
            #expect(few == min(2, meant.count), "\(filter)")
            let rest = try await store.store.clear(filter, limit: 99, now: store.now)
            #expect(few + rest == meant.count, "\(filter)")
            let left = try await everyTask(store)
            #expect(left.map(\.id) == all.map(\.id).filter { !meant.map(\.id).contains($0) })
        }
    }

    @Test func `names that come and go leave no places behind, and their totals stay`() throws {
        var table = TaskTable(retention: TaskTable.Retention(count: 10, age: .seconds(60)))
        let now = UnixTime(seconds: 1_750_000_000)
        for number in 0..<5_000 {
            let name = "name \(number)"
            var task = NewTask(name)
            task.queue = "queue \(number % 100 == 0 ? 0 : number)"
            _ = table.add([task], now: now)
            // One in a hundred has no handler and stays.
            if number % 100 == 0 { continue }
            let request = ClaimRequest(worker: WorkerID("w"), names: [name], limit: 9)
            let claimed = table.claim(request, now: now).tasks
            try #require(claimed.map(\.name) == [name] && claimed.map(\.queue) == [task.queue])
            _ = table.finish(
                claimed.map {
                    TaskEnd(
                        id: $0.id, token: $0.token, outcome: .completed(result: "null"), log: [])
                }, now: now)
        }
        // 1,024 before anything is forgotten, twice as many as are in use when those are more.
        #expect(table.statistics.rows.count <= 1_024)
        #expect(table.queueSettings.count <= 1_024)
        #expect(table.statistics.totals.completed == 4_950)
        #expect(table.statistics.totals.added == 5_000)
        #expect(table.statistics.count(.available) == 50)
        let names = Set((0..<5_000).map { "name \($0)" })
        let request = ClaimRequest(worker: WorkerID("w"), names: names, limit: 99)
        #expect(table.claim(request, now: now).tasks.allSatisfy { $0.queue == "queue 0" })
    }

    @Test(arguments: StoreMaker.all)
    func `a listener is called no deeper in the stack after hundreds of calls than at first`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let depths = Mutex<[Int]>([])
        store.store.listen { _ in depths.withLock { $0.append(Self.stackDepth) } }
        for second in 1...300 { try await store.add { $0.start = .after(.seconds(second)) } }
        for _ in 1...300 { try await store.wait(.seconds(1)) }
        let told = depths.withLock { $0 }
        try #require(told.count >= 300)
        // A page: what differs is the way into the store, not one step for each call.
        #expect((told.max() ?? 0) - (told.min() ?? 0) < 4_096)
    }

    /// How many bytes of its stack this thread uses: what glibc knows of a thread lies at the end of its stack.
    private static var stackDepth: Int {
        var here = 0
        return withUnsafePointer(to: &here) { Int(pthread_self()) - Int(bitPattern: $0) }
    }
}
