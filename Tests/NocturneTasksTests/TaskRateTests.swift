// TaskRateTests.swift — how often tasks of a queue start, against counting; and that nobody is held up by others.
// Next: SameAnswersTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct TaskRateTests {
    private let start = UnixTime(seconds: 1_750_000_000)

    /// A bucket that leaks, by the definition of ITU-T I.371: each start pours one interval in, time takes it out, and
    /// one may start if what is in it is at most the burst's slack. In whole units of 1/count milliseconds.
    @Test(arguments: 0..<20)
    func `starts come as from a leaking bucket`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = 1 + random.below(9), period = 1 + random.below(5_000)
        let burst = 1 + random.below(6)
        var table = TaskTable()
        table.put(
            QueueSettings(
                "q", rate: StartRate(count, per: .milliseconds(period), burst: burst)))
        var task = NewTask("job")
        task.queue = "q"
        _ = table.add([NewTask](repeating: task, count: 400), now: start)
        var now = start, level = 0, claims = 0, last = start, lease = start
        while claims < 400 {
            now = now.adding(milliseconds: Int64(random.below(2 * period)))
            level = max(0, level - Int(now.milliseconds - last.milliseconds) * count)
            last = now
            let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 10)
            let claimed = table.claim(request, now: now).tasks.count
            var expected = 0
            while expected < 10, claims + expected < 400, level <= (burst - 1) * period {
                level += period
                expected += 1
            }
            try #require(claimed == expected, "\(count) per \(period) ms, burst \(burst)")
            claims += claimed
            if claimed > 0 { lease = now.adding(Heartbeat.lease) }
            // And the moment that it announces is the first at which one may start.
            if level > (burst - 1) * period, claims < 400 {
                let wait = (level - (burst - 1) * period + count - 1) / count
                let next = min(now.adding(milliseconds: Int64(wait)), lease)
                try #require(table.nextDue(after: now) == next)
            }
        }
    }

    @Test func `rates out of range are moved to the nearest, and none overflows`() {
        let absurd = StartRate(.max, per: .seconds(Int64.max), burst: .max)
        #expect(absurd.burst == StartRate.largestBurst)
        #expect(absurd.period == StartRate.longestPeriod)
        #expect(StartRate(.min, per: .seconds(Int64.min), burst: .min).count == 1)
        for rate in [
            absurd, StartRate(1, per: .seconds(Int64.max), burst: .max),
            StartRate(1, per: .seconds(Int64.max)), StartRate(0, per: .zero, burst: 0),
        ] {
            var table = TaskTable()
            table.put(QueueSettings(NewTask.standardQueue, rate: rate))
            _ = table.add([NewTask](repeating: NewTask("job"), count: 50), now: start)
            let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 50)
            for _ in 0..<5 { _ = table.claim(request, now: start) }
            #expect(table.statistics.count(.running) == min(rate.burst, 50))
            #expect(table.nextDue(after: start) != nil)
        }
    }

    @Test(arguments: [1, 3])
    func `a clock that is set back, or a rate that is set up anew, stops no queue`(burst: Int) {
        var table = TaskTable()
        func put(_ rate: StartRate) { table.put(QueueSettings(NewTask.standardQueue, rate: rate)) }
        put(StartRate(1, per: .seconds(10), burst: burst))
        _ = table.add([NewTask](repeating: NewTask("job"), count: 50), now: start)
        func claim(_ now: UnixTime) -> Int {
            let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 50)
            return table.claim(request, now: now).tasks.count
        }
        #expect(claim(start) == burst)
        // Back by little: none starts more often than the rate says.
        #expect(claim(start.adding(.seconds(-1))) == 0)
        let dayBefore = start.adding(.seconds(-86_400))
        #expect(claim(dayBefore) == burst)
        #expect(claim(dayBefore) == 0)
        #expect(claim(dayBefore.adding(.seconds(10))) == 1)
        put(StartRate(1, per: .seconds(86_400)))
        let later = dayBefore.adding(.seconds(100_000))
        #expect(claim(later) == 1)
        put(StartRate(10, per: .seconds(1)))
        #expect(claim(later) == 1)
        #expect(claim(later) == 0)
    }

    @Test func `a key with thousands of tasks holds up none with another key, or without`() {
        var table = TaskTable()
        var busy = NewTask("job")
        busy.key = ConcurrencyKey("busy")
        _ = table.add([NewTask](repeating: busy, count: 5_000), now: start)
        var other = busy
        other.key = ConcurrencyKey("other")
        let late = table.add([other, NewTask("job")], now: start.adding(.seconds(1)))
        let claimed = table.claim(
            ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 10),
            now: start.adding(.seconds(1))
        ).tasks
        #expect(claimed.map(\.id) == [TaskID(1)] + late.map(\.id))
    }

    /// 100 %: as many high ones come as can be done.
    @Test(arguments: [PriorityClass.normal, .low, .background])
    func `under a full load of high ones a task starts when its slack has passed`(
        priority: PriorityClass
    ) throws {
        var table = TaskTable(retention: .init(count: 100, age: .seconds(60)))
        var now = start
        var patient = NewTask("job"), high = NewTask("job")
        (patient.priority, high.priority) = (priority, .high)
        let id = table.add([patient], now: now)[0].id
        let request = ClaimRequest(worker: WorkerID("w"), names: ["job"], limit: 10)
        while table.task(id)?.state == .available {
            _ = table.add([NewTask](repeating: high, count: 10), now: now)
            let ends = table.claim(request, now: now).tasks.map {
                TaskEnd(id: $0.id, token: $0.token, outcome: .completed(result: "null"))
            }
            _ = table.finish(ends, now: now)
            now = now.adding(.seconds(1))
            try #require(now.since(start) < .seconds(7_200))
        }
        let slack = try #require(priority.slack)
        let waited = now.adding(.seconds(-1)).since(start)
        #expect(waited >= slack && waited <= slack + .seconds(1), "\(waited)")
    }
}
