// StoreOutageTests.swift — a store that fails for a while, as on a full disk: nothing is lost, nothing runs twice, and
// somebody hears of it. Next: FailingStore.swift.

import Glibc
import TestKit
import Testing

import NocturneCore
import NocturneTasks

@Suite struct StoreOutageTests {
    let clock = VirtualClock()
    let store = FailingStore(MemoryTaskStore(seed: 1))

    private func manager(_ maxConcurrent: Int = 4) -> BackgroundTaskManager {
        BackgroundTaskManager(
            configuration: .init(maxConcurrent: maxConcurrent), store: store,
            worker: WorkerID("w"), clock: clock)
    }

    @Test func `work that ends while the store fails is handed in when it answers again`()
        async throws
    {
        let manager = manager()
        let stream = manager.taskEvents
        let told = Collected<TaskEventDelivery>()
        let reader = Task {
            for await delivery in stream {
                switch delivery {
                case .storeFailed, .storeRecovered: told.append(delivery)
                default: break
                }
            }
        }
        let runs = Counter()
        manager.handle("job") { [clock] _, context in
            _ = runs.add(1)
            try await clock.sleep(until: .seconds(10))
            return "done"
        }
        let ids = try await manager.add([NewTask](repeating: NewTask("job"), count: 4)).map(\.id)
        try await eventually("they run") { runs.current == 4 }
        store.fails = true
        // Longer than a lease, so that signs of life are missing, too.
        try await clock.run(until: "the outage is long") { [clock] in clock.uptime > .seconds(100) }
        await #expect(throws: TaskError.self) { try await manager.add(NewTask("job")) }
        #expect(told.all == [.storeFailed(FailingStore.reason)])
        store.fails = false
        try await clock.run(until: "all have ended") {
            try await manager.statistics().count(.completed) == 4
        }
        #expect(runs.current == 4)
        for id in ids { #expect(try await manager.result(of: id) == "done") }
        #expect(try await manager.statistics().totals.crashed == 0)
        try await eventually("it is told once") { told.all.count == 2 }
        #expect(told.all.last == .storeRecovered)
        reader.cancel()
        await manager.shutdown()
    }

    @Test func `what can start together costs one claim, and what has ended together one call`()
        async throws
    {
        let manager = manager(64)
        let runs = Counter()
        store.failsToFinish = true
        manager.handle("job") { _, _ in
            _ = runs.add(1)
            return nil
        }
        try await manager.add([NewTask](repeating: NewTask("job"), count: 64))
        try await eventually("all have run") { runs.current == 64 }
        try await clock.run(until: "all ends wait") { [store] in store.finishSizes.last == 64 }
        store.failsToFinish = false
        try await clock.run(until: "they were handed in") {
            try await manager.statistics().count(.completed) == 64
        }
        #expect(store.claimSizes == [64])
        #expect(store.finishSizes.last == 64)
        #expect(store.finishSizes.count == store.failures + 1)
        await manager.shutdown()
    }

    @Test func `work that goes on through an outage longer than a lease is not taken away`()
        async throws
    {
        let manager = manager()
        let runs = Counter(), gate = Counter()
        // It does not wait by the clock, which would then run ahead of the manager.
        manager.handle("long") { _, context in
            context.updateProgress(40)
            _ = runs.add(1)
            try await eventually("it may end") { gate.current == 1 }
            return "done"
        }
        let id = try await manager.add(NewTask("long")).id
        try await eventually("it runs") { runs.current == 1 }
        for outage in 1...3 {
            store.fails = true
            let end = Duration.seconds(100 * outage)
            try await clock.run(until: "the outage is long") { [clock] in clock.uptime > end }
            store.fails = false
            try await clock.run(until: "it is heard of again") { [clock] in
                clock.uptime > end + .seconds(20)
            }
        }
        // What it said before the first outage was not lost with it.
        try await clock.run(until: "its progress is known") { [store] in
            try await store.task(id)?.progress?.percent == 40
        }
        _ = gate.add(1)
        #expect(try await manager.result(of: id) == "done")
        #expect(runs.current == 1)
        await manager.shutdown()
    }

    @Test(arguments: 0..<4)
    func `a store that fails every third time loses nothing and does nothing twice`(
        seed: UInt64
    ) async throws {
        store.failsOneIn = (3, seed)
        let manager = manager()
        let runs = Collected<Int64>()
        manager.handle("job") { input, context in
            runs.append(input.int ?? 0)
            if context.task.attempt == 1, input.int ?? 0 > 40 { throw TaskFailure(.error, "no") }
            return input
        }
        var ids: [TaskID] = []
        for number in 0..<50 {
            // Who is told that it was not added may ask again.
            while true {
                let added = try? await manager.add(NewTask("job", input: JSONValue(number)))
                guard let added else { continue }
                ids.append(added.id)
                break
            }
        }
        store.failsOneIn = (3, seed + 100)
        try await clock.run(until: "all have ended") { [store] in
            try await store.inner.statistics().count(.completed) == 50
        }
        store.failsOneIn = nil
        for (number, id) in ids.enumerated() {
            #expect(try await manager.result(of: id) == JSONValue(number))
        }
        let expected = (0..<50).flatMap { $0 > 40 ? [$0, $0] : [$0] }
        #expect(runs.all.sorted() == expected.map(Int64.init))
        #expect(try await manager.statistics().totals.crashed == 0)
        await manager.shutdown()
    }

    /// The same with a real file, on a disk that is really full: of what the process may write, nothing is left.
    @Test func `a disk that is full for a second costs nothing but that second`() async throws {
        await #expect(processExitsWith: .success) {
            let directory = try TaskDirectory()
            var configuration = BackgroundTaskManager.Configuration(maxConcurrent: 4)
            (configuration.enablePersistence, configuration.statePath) = (true, directory.path)
            let manager = try await BackgroundTaskManager(configuration: configuration)
            let told = Collected<TaskEventDelivery>()
            let stream = manager.taskEvents
            Task {
                for await delivery in stream {
                    if delivery == .storeRecovered { told.append(delivery) }
                    if case .storeFailed = delivery { told.append(delivery) }
                }
            }
            let runs = Counter(), gate = Counter()
            manager.handle("job") { _, _ in
                _ = runs.add(1)
                try await eventually("the disk is full") { gate.current == 1 }
                return .string(String(repeating: "x", count: 100_000))
            }
            let jobs = [NewTask](repeating: NewTask("job"), count: 4)
            let ids = try await manager.add(jobs).map(\.id)
            try await eventually("they run") { runs.current == 4 }
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let most = limit.rlim_max
            limit.rlim_cur = 128 << 10
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            _ = gate.add(1)
            try await eventually("it is told") { told.all.count == 1 }
            #expect(try await manager.statistics().count(.running) == 4)
            limit.rlim_cur = most
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            for id in ids { #expect(try await manager.result(of: id).string?.count == 100_000) }
            #expect(runs.current == 4)
            try await eventually("that it is over is told") { told.all.last == .storeRecovered }
            await manager.shutdown()
        }
    }

    @Test
    func `a manager that is shut down while the store fails ends, and the next runs the rest`()
        async throws
    {
        let first = manager()
        first.handle("job") { _, _ in "done" }
        store.failsToFinish = true
        let id = try await first.add(NewTask("job")).id
        try await eventually("it has run") { [store] in store.failures > 0 }
        let shutdown = Task { await first.shutdown() }
        let isOver = Counter()
        Task {
            await shutdown.value
            _ = isOver.add(1)
        }
        try await clock.run(until: "it gives up") { isOver.current == 1 }
        #expect(try await store.inner.task(id)?.state == .running)
        store.failsToFinish = false

        let second = BackgroundTaskManager(
            configuration: .init(maxConcurrent: 1), store: store, worker: WorkerID("w2"),
            clock: clock)
        second.handle("job") { _, _ in "done again" }
        try await second.start()
        try await clock.run(until: "the lease of the first has ended") {
            try await second.task(id)?.state == .completed
        }
        #expect(try await second.result(of: id) == "done again")
        await second.shutdown()
    }
}
