// ClockChangeTests.swift — what schedules do where clocks skip times or show them twice. Next: CronOracleTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct ClockChangeTests {
    private static let gaps = [
        CronCase(
            "30 2 * * *", "2025-03-30T03:00+02:00", "2025-03-31T02:30+02:00", in: "Europe/Berlin",
            from: "2025-03-30T00:00"),
        CronCase(
            "0 2 * * *", "2025-03-30T03:00+02:00", in: "Europe/Berlin", from: "2025-03-30T00:00"),
        CronCase(
            "15 1-3 * * *", "2025-03-30T01:15+01:00", "2025-03-30T03:00+02:00",
            "2025-03-30T03:15+02:00", in: "Europe/Berlin", from: "2025-03-30T00:00"),
        CronCase(
            "30 2,3 * * *", "2025-03-30T03:00+02:00", "2025-03-30T03:30+02:00",
            in: "Europe/Berlin", from: "2025-03-30T00:00"),
        CronCase(
            "0 */2 * * *", "2025-03-30T04:00+02:00", in: "Europe/Berlin", from: "2025-03-30T00:00"),
        CronCase(
            "* 2 * * *", "2025-03-31T02:00+02:00", in: "Europe/Berlin", from: "2025-03-30T00:00"),
        CronCase(
            "30 * * * *", "2025-03-30T01:30+01:00", "2025-03-30T03:30+02:00", in: "Europe/Berlin",
            from: "2025-03-30T00:00"),
        CronCase(
            "30 2 30 3 *", "2025-03-30T03:00+02:00", "2026-03-30T02:30+02:00", in: "Europe/Berlin",
            from: "2025-03-30T00:00"),
        CronCase(
            "0 0 * * *", "2018-11-04T01:00-02:00", in: "America/Sao_Paulo",
            from: "2018-11-03T12:00"),
        CronCase(
            "0 0 * * *", "2025-04-25T01:00+03:00", in: "Africa/Cairo", from: "2025-04-24T12:00"),
        CronCase(
            "15 2 * * *", "2025-10-05T02:30+11:00", in: "Australia/Lord_Howe",
            from: "2025-10-04T12:00"),
        CronCase(
            "45 * * * *", "2023-10-01T01:45+10:30", "2023-10-01T02:45+11:00",
            in: "Australia/Lord_Howe", from: "2023-09-30T15:00"),
        // The whole of 30 December was skipped.
        CronCase(
            "0 12 * * *", "2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00",
            "2011-12-31T12:00+14:00", in: "Pacific/Apia", from: "2011-12-29T12:00"),
        CronCase(
            "30 1 * * *", "2025-03-30T02:00+01:00", in: "Europe/Dublin", from: "2025-03-29T12:00"),
        CronCase(
            "30 2 * * *", "2022-03-13T03:00-02:30", in: "America/St_Johns",
            from: "2022-03-13T00:00"),
    ]

    private static let overlaps = [
        CronCase(
            "30 2 * * *", "2025-10-26T02:30+02:00", "2025-10-27T02:30+01:00", in: "Europe/Berlin",
            from: "2025-10-25T12:00"),
        CronCase(
            "*/30 2 * * *", "2025-10-26T02:00+02:00", "2025-10-26T02:30+02:00",
            "2025-10-26T02:00+01:00", "2025-10-26T02:30+01:00", in: "Europe/Berlin",
            from: "2025-10-25T12:00"),
        CronCase(
            "0 */2 * * *", "2025-10-26T00:00+02:00", "2025-10-26T02:00+02:00",
            "2025-10-26T02:00+01:00", "2025-10-26T04:00+01:00", in: "Europe/Berlin",
            from: "2025-10-25T21:00"),
        CronCase(
            "30 1 * * *", "2025-11-02T01:30-04:00", "2025-11-03T01:30-05:00",
            in: "America/New_York", from: "2025-11-01T12:00"),
        CronCase(
            "45 1 * * *", "2025-04-06T01:45+11:00", "2025-04-07T01:45+10:30",
            in: "Australia/Lord_Howe", from: "2025-04-05T12:00"),
        CronCase(
            "37 * * * *", "2010-04-04T01:37+11:00", "2010-04-04T01:37+10:30",
            in: "Australia/Lord_Howe", from: "2010-04-03T14:00"),
        CronCase(
            "* 4 * * *", "2009-04-05T04:00+10:30", in: "Australia/Lord_Howe",
            from: "2009-04-04T17:00"),
        // At one minute past midnight it was 23:01 again.
        CronCase(
            "23 */2 * * *", "2005-10-29T18:23-02:30", "2005-10-29T20:23-02:30",
            "2005-10-29T22:23-02:30", "2005-10-30T00:23-03:30", in: "America/St_Johns",
            from: "2005-10-29T20:00"),
    ]

    private static let far = [
        CronCase(
            "0 0 1 * *", "2024-04-01T00:00+02:00", in: "Europe/Berlin",
            from: "2024-03-01T00:00+01:00"),
        CronCase(
            "0 12 * * 0", "2022-03-27T12:00+02:00", in: "Europe/Berlin", from: "2022-03-24T00:00"),
        CronCase(
            "* * * */3 *", "2015-04-01T00:00-04:00", in: "America/New_York",
            from: "2015-02-15T00:00"),
        // After 2037 only the rule at the end of the zone's file is left.
        CronCase(
            "30 2 * 3 7L", "2095-03-27T03:00+02:00", in: "Europe/Berlin", from: "2095-01-01T00:00"),
        CronCase(
            "30 1 * 11 0#1", "2095-11-06T01:30-04:00", "2096-11-04T01:30-04:00",
            in: "America/New_York", from: "2095-01-01T00:00"),
    ]

    @Test(arguments: gaps)
    func `a job at a time of day runs once where the clock skips it, others follow the clock`(
        example: CronCase
    ) throws { try example.check() }

    @Test(arguments: overlaps)
    func `a job at a time of day runs once where the clock shows it twice, others follow the clock`(
        example: CronCase
    ) throws { try example.check() }

    @Test(arguments: far)
    func `changes between now and a distant run do not move it`(example: CronCase) throws {
        try example.check()
    }

    @Test(arguments: [
        (ClockGap.debian, "2025-03-30T03:00+02:00"), (.runAtEnd, "2025-03-30T03:00+02:00"),
        (.skip, "2025-03-31T02:30+02:00"), (.shift, "2025-03-30T03:30+02:00"),
    ])
    func `the policy of gaps can be chosen`(policy: ClockGap, run: String) throws {
        let start = try moment("2025-03-30T00:00")
        let schedule = try Schedule(
            "30 2 * * *", from: start, in: try Zone("Europe/Berlin"), gap: policy)
        #expect(show(schedule.next(after: start)) == show(try moment(run)))
    }

    @Test(arguments: [
        (ClockOverlap.debian, ["02:30+02:00"]), (.first, ["02:30+02:00"]),
        (.second, ["02:30+01:00"]), (.both, ["02:30+02:00", "02:30+01:00"]),
    ])
    func `the policy of overlaps can be chosen`(policy: ClockOverlap, times: [String]) throws {
        let start = try moment("2025-10-25T12:00")
        let schedule = try Schedule(
            "30 2 * * *", from: start, in: try Zone("Europe/Berlin"), overlap: policy)
        let runs = schedule.next(times.count + 1, after: start).map(show)
        let expected = (times.map { "2025-10-26T\($0)" }) + ["2025-10-27T02:30+01:00"]
        #expect(runs == (try expected.map { show(try moment($0)) }))
    }

    @Test func `a time that a zone always skips is told when the schedule is made`() throws {
        let start = try moment("2025-01-01T00:00")
        let berlin = try Zone("Europe/Berlin")
        #expect(throws: ScheduleError.never("* 2 * 3 7L")) {
            _ = try Schedule("* 2 * 3 7L", from: start, in: berlin)
        }
        #expect(throws: Never.self) { _ = try Schedule("30 2 * 3 7L", from: start, in: berlin) }
    }
}
