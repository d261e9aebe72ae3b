// TaskScheduleTests.swift — recurring tasks over restarts, wrong clocks and long absences.
// Next: TaskRevivalTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskScheduleTests {
    private func put(
        _ text: String, from start: UnixTime? = nil, catchUp: CatchUp = .latest,
        _ store: StoreUnderTest
    ) async throws {
        let schedule = ScheduleRecord(
            "nightly", store.task(), try Schedule(text, from: start ?? store.now),
            catchUp: catchUp, overlap: .allow)
        try await store.store.put(schedule, now: store.now)
    }

    /// The moments of all runs so far, in seconds after `start`.
    private func moments(_ store: StoreUnderTest, since start: UnixTime) async throws -> [Int64] {
        let tasks = try await store.store.tasks(where: TaskFilter(), limit: 9_999, before: nil)
        return tasks.reversed().compactMap { $0.run?.moment.since(start).components.seconds }
    }

    // MARK: - Added at each start of a program

    @Test(arguments: StoreMaker.all)
    func `an interval that is added at each start keeps its rhythm`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now
        for _ in 0..<10 {
            try await put("@every 10m", store)
            // Shorter than the interval: begun anew each time, it would never come.
            try await store.wait(.seconds(400))
        }
        #expect(try await moments(store, since: start) == [600, 1_200, 1_800, 2_400, 3_000, 3_600])
    }

    @Test(arguments: StoreMaker.all)
    func `the run that was missed while the program was down happens after it was added again`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now
        try await put("@every 10m", store)
        try await store.wait(.seconds(605))
        // Nobody was there for 6 runs. The first thing that the program does is to add its schedule.
        let later = start.adding(.seconds(4_205))
        try await store.store.put(
            ScheduleRecord("nightly", store.task(), try Schedule("@every 10m", from: later)),
            now: later)
        try await store.wait(.seconds(3_600))
        #expect(try await moments(store, since: start) == [600, 4_200])
    }

    @Test(arguments: StoreMaker.all)
    func `what an operator paused stays paused, and other times begin anew`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now
        try await put("@every 10m", store)
        try await store.store.pauseSchedule("nightly", true, now: store.now)
        try await put("@every 10m", store)
        try await store.wait(.seconds(3_600))
        try await put("@every 20m", store)
        try await store.wait(.seconds(3_600))
        #expect(try await moments(store, since: start).isEmpty)
        try await store.store.pauseSchedule("nightly", false, now: store.now)
        try await store.wait(.seconds(1_200))
        #expect(try await moments(store, since: start) == [8_400])
        // The past is not run, whatever the start says; one that is to come counts.
        try await put("@every 7m", from: start, store)
        try await store.wait(.zero)
        #expect(try await moments(store, since: start) == [8_400])
        try await put("@every 7m", from: store.now.adding(.seconds(6_000)), store)
        try await store.wait(.seconds(6_419))
        #expect(try await moments(store, since: start) == [8_400])
        try await store.wait(.seconds(1))
        #expect(try await moments(store, since: start) == [8_400, 14_820])
    }

    // MARK: - Clocks

    @Test(arguments: StoreMaker.all, [Int64(-1), 1])
    func `a clock that is a year wrong for a while costs one run at most, and repeats none`(
        maker: StoreMaker, sign: Int64
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now, year = Duration.seconds(sign * 365 * 86_400)
        try await put("@every 1h", store)
        try await store.wait(.seconds(3_600))
        try await store.wait(year)
        try await store.wait(.seconds(60))
        // Forward: the newest of a year's runs. Back: none, for nothing is due before the schedule began.
        let wrong = try await moments(store, since: start)
        #expect(wrong.first == 3_600 && wrong.count == (sign > 0 ? 2 : 1))
        try await store.wait(.zero - year)
        for _ in 0..<120 { try await store.wait(.seconds(60)) }
        let right = try await moments(store, since: start).dropFirst(wrong.count)
        #expect(right == [7_200, 10_800])
    }

    @Test(arguments: StoreMaker.all)
    func `hours in which a clock was wrong are made up for once, and what ran before is not`(
        maker: StoreMaker
    ) async throws {
        let store = try await StoreUnderTest(maker)
        let start = store.now
        try await put("@every 1h", catchUp: .all(upTo: 9), store)
        for _ in 0..<5 { try await store.wait(.seconds(3_600)) }
        // A day back, 10 hours there, and forward again to what is right: 5 + 10 hours after the start.
        try await store.wait(.seconds(-86_400))
        for _ in 0..<10 { try await store.wait(.seconds(3_600)) }
        try await store.wait(.seconds(86_400))
        let hours = try await moments(store, since: start).map { $0 / 3_600 }
        #expect(hours.sorted() == Array(Set(hours)).sorted(), "none twice")
        #expect(Set(hours).isSuperset(of: 1...5) && Set(hours).isSuperset(of: 7...15))
    }

    // MARK: - Many

    @Test func `ten thousand schedules that are due at once run once each`() throws {
        var table = TaskTable(), now = UnixTime(seconds: 1_750_000_000)
        for number in 0..<10_000 {
            table.put(
                ScheduleRecord(
                    "s\(number)", NewTask("job"), try Schedule("@every 1m", from: now)), now: now)
        }
        now = now.adding(.seconds(60))
        #expect(table.nextDue(after: now) == now)
        for _ in 0..<3 { table.advance(to: now) }
        #expect(table.count == 10_000)
        #expect(table.nextDue(after: now) == now.adding(.seconds(60)))
    }

    @Test(arguments: [
        (CatchUp.latest, 1), (.skip, 1), (.all(upTo: 50), 50), (.all(upTo: .max), 1_000),
    ])
    func `a month of missed seconds is a burst of the size that was asked for`(
        catchUp: CatchUp, count: Int
    ) throws {
        for text in ["* * * * * *", "@every 1s"] {
            var table = TaskTable(), now = UnixTime(seconds: 1_750_000_000)
            table.put(
                ScheduleRecord(
                    "s", NewTask("job"), try Schedule(text, from: now), catchUp: catchUp,
                    overlap: .allow), now: now)
            now = now.adding(.seconds(30 * 86_400))
            table.advance(to: now)
            // The policy that skips takes what is less than a minute late for being on time.
            #expect(table.count == count, "\(text)")
            table.advance(to: now)
            #expect(table.count == count)
            #expect(table.task(TaskID(Int64(count)))?.run?.moment == now)
        }
    }
}
