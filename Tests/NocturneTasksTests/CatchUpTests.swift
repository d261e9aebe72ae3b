// CatchUpTests.swift — runs that nobody was there for, and runs due while others run. Next: TaskFixtures.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct CatchUpTests {
    /// What is due of an hourly schedule that ran at 10:00, as hours and minutes.
    private func due(
        _ policy: CatchUp, at now: String, text: String = "@hourly"
    ) throws -> (runs: [String], next: String) {
        let last = try moment("2025-06-01T10:00")
        let schedule = try Schedule(text, from: try moment("2025-01-01T00:00"))
        let (runs, next) = policy.due(of: schedule, after: last, now: try moment(now))
        return (runs.map { String(show($0).dropFirst(11).prefix(5)) }, show(next))
    }

    @Test(arguments: [
        (CatchUp.skip, [String]()), (.latest, ["13:00"]), (.all(upTo: 2), ["12:00", "13:00"]),
        (.all(upTo: 100), ["11:00", "12:00", "13:00"]),
        (.all(upTo: 100, within: .seconds(5_400)), ["13:00"]),
        (.all(upTo: 100, within: .seconds(5_460)), ["12:00", "13:00"]),
    ])
    func `of runs missed while asleep, the policy's happen, the oldest first`(
        policy: CatchUp, runs: [String]
    ) throws {
        let found = try due(policy, at: "2025-06-01T13:31")
        #expect(found.runs == runs)
        #expect(found.next == "2025-06-01T14:00:00Z")
    }

    @Test(arguments: [CatchUp.skip, .latest, .all(upTo: 9)])
    func `a run that is on time, or a minute late, was not missed`(policy: CatchUp) throws {
        for now in ["2025-06-01T11:00:00", "2025-06-01T11:00:01", "2025-06-01T11:01:00"] {
            #expect(try due(policy, at: now).runs == ["11:00"])
        }
        #expect(try due(policy, at: "2025-06-01T10:59:59").runs == [])
        #expect(try due(.skip, at: "2025-06-01T11:01:01").runs == [])
    }

    @Test func `no run happens twice when the clock is set back by minutes`() throws {
        let found = try due(.latest, at: "2025-06-01T09:50")
        #expect(found.runs == [])
        #expect(found.next == "2025-06-01T11:00:00Z")
    }

    @Test func `a clock set back by hours was wrong before, and its time counts`() throws {
        let found = try due(.latest, at: "2025-06-01T06:00")
        #expect(found.runs == [])
        #expect(found.next == "2025-06-01T07:00:00Z")
    }

    @Test func `years of missed seconds are not counted one by one`() throws {
        let found = try due(.all(upTo: 3), at: "2031-06-01T00:00:00", text: "* * * * * *")
        #expect(found.runs == ["23:59", "23:59", "00:00"])
        let start = try moment("2025-01-01T00:00")
        let burst = try Schedule("* * * 1 1 *", from: start)
        let now = try moment("2025-12-31T12:00")
        let runs = CatchUp.all(upTo: .max).due(of: burst, after: start, now: now).runs
        #expect(runs.count == CatchUp.longestBurst)
        #expect(runs.last.map(show) == "2025-01-01T23:59:59Z")
    }

    @Test func `an interval keeps its rhythm over missed runs`() throws {
        let start = try moment("2025-06-01T10:00:07")
        let schedule = try Schedule("@every 1h", from: start)
        let now = try moment("2025-06-01T13:31")
        let (runs, next) = CatchUp.latest.due(of: schedule, after: start, now: now)
        #expect(runs.map(show) == ["2025-06-01T13:00:07Z"])
        #expect(show(next) == "2025-06-01T14:00:07Z")
    }

    @Test func `the last run before a moment is the one after which none follows`() throws {
        var random = SeededGenerator(seed: 8)
        let berlin = try Zone("Europe/Berlin")
        let start = try moment("2025-01-01T00:00")
        for text in ["*/7 2 * * *", "30 2 * * 1", "0 0 1 * *", "@every 5h", "* * * * * *"] {
            let schedule = try Schedule(text, from: start, in: berlin)
            for _ in 0..<40 {
                let from = UnixTime(seconds: start.seconds + Int64(random.below(30_000_000)))
                let to = UnixTime(seconds: from.seconds + Int64(random.below(10_000)))
                var runs: [UnixTime] = []
                var next = schedule.next(after: from)
                while let run = next, run <= to {
                    runs.append(run)
                    next = schedule.next(after: run)
                }
                #expect(schedule.last(after: from, through: to) == runs.last)
            }
        }
    }

    @Test(arguments: RunOverlap.allCases)
    func `a run that nothing is in the way of starts`(policy: RunOverlap) {
        #expect(policy.decide(running: 0, waiting: 0) == .start)
    }

    @Test func `a run that is due while another runs is skipped, queued, started or takes over`() {
        typealias Decision = RunOverlap.Decision
        let decisions: [(RunOverlap, Decision, Decision)] = [
            (.skip, .skip, .skip), (.queueOne, .wait, .skip), (.allow, .start, .start),
            (.cancelRunning, .cancelThenStart, .cancelThenStart),
        ]
        for (policy, whileRunning, whileWaiting) in decisions {
            #expect(policy.decide(running: 1, waiting: 0) == whileRunning)
            #expect(policy.decide(running: 1, waiting: 1) == whileWaiting)
        }
    }
}
