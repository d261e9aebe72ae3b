// CronCaseTests.swift — what cron means, case by case: moments of Debian's cron, and of Quartz for what Debian
// has not; peers are known to differ in many. Next: ClockChangeTests.swift.

import Testing

import NocturneCore
import NocturneTasks

/// An expression and its next runs.
struct CronCase: Sendable, CustomTestStringConvertible {
    let text: String
    let zone: String
    let start: String
    let runs: [String]

    init(
        _ text: String, _ runs: String..., in zone: String = "UTC", from start: String = newYear
    ) {
        (self.text, self.zone, self.start, self.runs) = (text, zone, start, runs)
    }

    static let newYear = "2025-01-01T00:00"

    var testDescription: String { "\(text) in \(zone) from \(start)" }

    func check() throws {
        let start = try moment(start)
        let schedule = try Schedule(text, from: start, in: try Zone(zone))
        let found = schedule.next(runs.count, after: start)
        #expect(found.map(show) == (try runs.map { show(try moment($0)) }))
    }
}

@Suite struct CronCaseTests {
    private static let times = [
        CronCase("* * * * *", "2025-01-01T00:01"),
        CronCase("*/7 * * * *", "2025-01-01T00:07", "2025-01-01T00:14"),
        CronCase("*/7 * * * *", "2025-01-01T01:00", from: "2025-01-01T00:56"),
        CronCase("5/15 * * * *", "2025-01-01T00:05", "2025-01-01T00:20"),
        CronCase("59/15 * * * *", "2025-01-01T00:59", "2025-01-01T01:59"),
        CronCase("*/60 * * * *", "2025-01-01T01:00", "2025-01-01T02:00"),
        CronCase("0-59/61 * * * *", "2025-01-01T01:00", "2025-01-01T02:00"),
        CronCase("8-8/6 * * * *", "2025-01-01T00:08", "2025-01-01T01:08"),
        CronCase("0 22-2 * * *", "2025-01-01T01:00", "2025-01-01T02:00", "2025-01-01T22:00"),
        CronCase(
            "50-10/10 * * * *", "2025-01-01T00:10", "2025-01-01T00:50", "2025-01-01T01:00",
            "2025-01-01T01:10", "2025-01-01T01:50"),
        CronCase("*/15 * * * * *", "2025-01-01T00:00:15", "2025-01-01T00:00:30"),
        CronCase("00 00 01 01 *", "2026-01-01T00:00"),
        CronCase("59 23 31 12 *", "2026-12-31T23:59", from: "2025-12-31T23:59"),
        CronCase(" 0\t\t0  1 1 * ", "2026-01-01T00:00"),
        CronCase("0 0 0 1 1 ? 2027/2", "2027-01-01T00:00", "2029-01-01T00:00"),
        CronCase("0 0 0 1 1 ? 2099/1", "2099-01-01T00:00"),
    ]

    private static let days = [
        CronCase("0 0 29 2 *", "2028-02-29T00:00"),
        CronCase("0 0 29 2 *", "2104-02-29T00:00", from: "2096-03-01T00:00"),
        CronCase("0 0 29 2 1", "2025-02-03T00:00"),
        CronCase("0 0 31 * *", "2025-01-31T00:00", "2025-03-31T00:00"),
        CronCase("0 0 1,15 * 1", "2025-01-06T00:00", "2025-01-13T00:00", "2025-01-15T00:00"),
        CronCase("0 0 */2 * 1", "2025-01-13T00:00", "2025-01-27T00:00"),
        CronCase(
            "0 0 * * */2", "2025-01-02T00:00", "2025-01-04T00:00", "2025-01-05T00:00",
            "2025-01-07T00:00"),
        CronCase("0 0 1-31 * 1", "2025-01-02T00:00", "2025-01-03T00:00"),
        CronCase("0 0 ? * 1", "2025-01-06T00:00"),
        CronCase("0 0 * * 7", "2025-01-05T00:00", "2025-01-12T00:00"),
        CronCase("0 0 * * 0,7", "2025-01-05T00:00", "2025-01-12T00:00"),
        CronCase(
            "0 0 * * 5-7", "2025-01-03T00:00", "2025-01-04T00:00", "2025-01-05T00:00",
            "2025-01-10T00:00"),
        CronCase(
            "0 0 * * 6-1", "2025-01-04T00:00", "2025-01-05T00:00", "2025-01-06T00:00",
            "2025-01-11T00:00"),
        CronCase("0 0 * * SUN-MON", "2025-01-05T00:00", "2025-01-06T00:00", "2025-01-12T00:00"),
        CronCase("0 0 * * FRI-SUN", "2025-01-03T00:00", "2025-01-04T00:00", "2025-01-05T00:00"),
        CronCase("0 0 * * 7-2", "2025-01-05T00:00", "2025-01-06T00:00", "2025-01-07T00:00"),
        CronCase("0 0 * * 0-7", "2025-01-02T00:00", "2025-01-03T00:00"),
        CronCase("0 0 1 NOV-FEB *", "2025-02-01T00:00", "2025-11-01T00:00", "2025-12-01T00:00"),
        CronCase("0 0 * * mon-fri", "2025-01-02T00:00", "2025-01-03T00:00", "2025-01-06T00:00"),
        CronCase("0 0 * * MON,wed", "2025-01-06T00:00", "2025-01-08T00:00"),
        CronCase(
            "0 0 * * 4/1", "2025-01-02T00:00", "2025-01-03T00:00", "2025-01-04T00:00",
            "2025-01-05T00:00", "2025-01-09T00:00"),
        CronCase("0 0 13 * 5", "2025-01-03T00:00", "2025-01-10T00:00", "2025-01-13T00:00"),
        CronCase("0 0 1-7 * */7", "2025-01-05T00:00", "2025-02-02T00:00"),
    ]

    private static let letters = [
        CronCase("0 0 L * *", "2025-01-31T00:00", "2025-02-28T00:00"),
        CronCase("0 0 L-3 * *", "2025-01-28T00:00", "2025-02-25T00:00"),
        CronCase("0 0 LW * *", "2025-01-31T00:00", "2025-02-28T00:00", "2025-03-31T00:00"),
        CronCase("0 0 LW 8 *", "2025-08-29T00:00"),
        CronCase("0 0 15W * *", "2025-01-15T00:00", "2025-02-14T00:00"),
        CronCase("0 0 1W 2 *", "2025-02-03T00:00"),
        CronCase("0 0 31W * *", "2025-01-31T00:00", "2025-03-31T00:00", "2025-05-30T00:00"),
        CronCase("0 0 * * 5L", "2025-01-31T00:00", "2025-02-28T00:00"),
        CronCase("0 0 * * fril", "2025-01-31T00:00", "2025-02-28T00:00"),
        CronCase("0 0 * * MON#1", "2025-01-06T00:00", "2025-02-03T00:00"),
        CronCase("0 0 * * 1#5", "2025-03-31T00:00"),
        CronCase("0 0 * * 0#5", "2025-03-30T00:00"),
        CronCase("0 0 * * 7#5", "2025-03-30T00:00"),
        CronCase(
            "0 0 * 2 MON#5", "2044-02-29T00:00", "2072-02-29T00:00", "2112-02-29T00:00",
            "2140-02-29T00:00", "2168-02-29T00:00", from: "2020-01-01T00:00"),
    ]

    private static let nicknames = [
        CronCase("@hourly", "2025-01-01T01:00"),
        CronCase("@daily", "2025-01-02T00:00"),
        CronCase("@MIDNIGHT", "2025-01-02T00:00"),
        CronCase("@weekly", "2025-01-05T00:00"),
        CronCase("@monthly", "2025-02-01T00:00"),
        CronCase("@yearly", "2026-01-01T00:00"),
        CronCase("@annually", "2026-01-01T00:00"),
        CronCase("@every 1h30m", "2025-01-01T01:30", "2025-01-01T03:00"),
        CronCase("@every 45s", "2025-01-01T00:00:45", "2025-01-01T00:01:30"),
        CronCase("CRON_TZ=UTC 0 3 * * *", "2025-01-01T03:00", in: "Europe/Berlin"),
        CronCase("TZ=Europe/Berlin 0 3 * * *", "2025-01-01T02:00"),
    ]

    @Test(arguments: times)
    func `times of day are those of the fields`(example: CronCase) throws { try example.check() }

    @Test(arguments: days)
    func `days are joined by or, and by and after a star`(example: CronCase) throws {
        try example.check()
    }

    @Test(arguments: letters)
    func `letters count from the end of the month and by weeks`(example: CronCase) throws {
        try example.check()
    }

    @Test(arguments: nicknames)
    func `nicknames, intervals and zones in the text are read`(example: CronCase) throws {
        try example.check()
    }

    @Test func `a run is later than any fraction of a second before it`() throws {
        let schedule = try Schedule("* * * * *", from: try moment("2025-01-01T00:00"))
        let run = try moment("2025-01-01T00:05")
        for (milliseconds, later) in [(-1, 0), (0, 60), (1, 60), (59_999, 60), (-60_000, 0)] {
            let time = UnixTime(milliseconds: run.milliseconds + Int64(milliseconds))
            let next = UnixTime(seconds: run.seconds + Int64(later))
            #expect(schedule.next(after: time) == next)
        }
        // Before 1970 fractions count backwards.
        let early = try Schedule("* * * * * *", from: UnixTime(milliseconds: -5_500))
        #expect(early.next(after: early.start) == UnixTime(seconds: -5))
    }

    @Test func `a schedule runs only after its start, and an interval is counted from it`() throws {
        let start = try moment("2025-01-01T00:00:07")
        let every = try Schedule("@every 1m", from: start)
        #expect(show(every.next(after: try moment("2024-01-01T00:00"))) == "2025-01-01T00:01:07Z")
        #expect(
            show(every.next(after: try moment("2025-01-01T00:01:07"))) == "2025-01-01T00:02:07Z")
        #expect(
            show(every.next(after: try moment("2025-01-01T00:02:06"))) == "2025-01-01T00:02:07Z")
        let daily = try Schedule("@daily", from: start)
        #expect(show(daily.next(after: try moment("2024-01-01T00:00"))) == "2025-01-02T00:00:00Z")
    }
}
