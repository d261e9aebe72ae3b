// ScheduleErrorTests.swift — what is refused, at which column, and with which hint. Next: HostileScheduleTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct ScheduleErrorTests {
    /// A mistake: the field and column that are named, and a part of the hint.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let text: String
        let field: CronField?
        let column: Int
        let hint: String?

        init(_ text: String, _ field: CronField?, _ column: Int, _ hint: String? = nil) {
            (self.text, self.field, self.column, self.hint) = (text, field, column, hint)
        }

        var testDescription: String { text }
    }

    private static let mistakes = [
        Mistake("60 * * * *", .minute, 1, "did you mean 0?"),
        Mistake("60 0 * * * *", .second, 1, "did you mean 0?"),
        Mistake("0 24 * * *", .hour, 3, "did you mean 0?"),
        Mistake("0 0 0 * *", .dayOfMonth, 5, "did you mean 1?"),
        Mistake("0 0 32 * *", .dayOfMonth, 5, "did you mean L"),
        Mistake("0 0 * 13 *", .month, 7),
        Mistake("0 0 * 0 *", .month, 7, "did you mean 1?"),
        Mistake("0 0 * * 8", .dayOfWeek, 9, "0 and 7 are Sunday"),
        Mistake("0 0 0 1 1 * 27", .year, 13, "did you mean 2027?"),
        Mistake("0 0 0 1 1 * 2100", .year, 13),
        Mistake("0 0 0 1 1 * 2030-2027", .year, 18, "did you mean 2027-2030?"),
        Mistake("*/0 * * * *", .minute, 3),
        Mistake("1-5/0 * * * *", .minute, 5),
        Mistake("*/ * * * *", .minute, 3),
        Mistake("1,2,,3 * * * *", .minute, 5, "missing before the comma"),
        Mistake("1-,3 * * * *", .minute, 3, "missing before the comma"),
        Mistake("1- * * * *", .minute, 3, "missing at the end"),
        Mistake("-1 * * * *", .minute, 1, "no sign"),
        Mistake("+5 * * * *", .minute, 1, "no sign"),
        Mistake("1-5-7 * * * *", .minute, 4, "lists are joined by commas"),
        Mistake("*-5 * * * *", .minute, 2, "on both sides"),
        Mistake("1/2/3 * * * *", .minute, 4, "cannot have a step"),
        Mistake("¹ * * * *", .minute, 1),
        Mistake("０ * * * *", .minute, 1),
        Mistake("0 0 * JANUARY *", .month, 7, "did you mean JAN?"),
        Mistake("0 0 * FEV *", .month, 7, "did you mean FEB?"),
        Mistake("0 0 * MON *", .month, 7, "MON belongs to the field day of week"),
        Mistake("0 0 * * thursday", .dayOfWeek, 9, "did you mean THU?"),
        Mistake("0 0 * * MON,TEU", .dayOfWeek, 13, "did you mean TUE?"),
        Mistake("0 MON * * *", .hour, 3, "MON belongs to the field day of week"),
        Mistake("0 0 * * 1#6", .dayOfWeek, 11, "no more than five"),
        Mistake("0 0 * * 1#", .dayOfWeek, 11),
        Mistake("0 0 1#2 * *", .dayOfMonth, 6, "# belongs to the field day of week"),
        Mistake("0 0 * * L", .dayOfWeek, 9, "5L for the last Friday"),
        Mistake("0 0 * * L5", .dayOfWeek, 9, "did you mean 5L?"),
        Mistake("0 0 L-0 * *", .dayOfMonth, 7),
        Mistake("0 0 L-31 * *", .dayOfMonth, 7),
        Mistake("0 0 W * *", .dayOfMonth, 5, "did you mean 15W?"),
        Mistake("0 0 WL * *", .dayOfMonth, 5, "did you mean LW?"),
        Mistake("0 0 1-5W * *", .dayOfMonth, 8, "W belongs to a number"),
        Mistake("0 0 15W/2 * *", .dayOfMonth, 8, "cannot have a step"),
        Mistake("0 0 * 5L *", .month, 8, "L belongs to the fields of days"),
        Mistake("0 ? * * *", .hour, 3, "did you mean *?"),
        Mistake("0 0 ?,1 * *", .dayOfMonth, 6),
        Mistake("0 0 1,? * *", .dayOfMonth, 7, "? stands alone"),
        Mistake("0 0 1\n * *", .dayOfMonth, 6),
        Mistake("* * * *", nil, 1, "the five fields are minute, hour"),
        Mistake("", nil, 1, "the five fields are"),
        Mistake(" \t ", nil, 4, "the five fields are"),
        Mistake("  1 2 3 4 5 6 7 8", nil, 3, "seven fields begin with the second"),
        Mistake("@reboot", nil, 1, "when the program starts"),
        Mistake("  @dialy", nil, 3, "did you mean @daily?"),
        Mistake("@daily 5", nil, 8),
        Mistake("@evry 5m", nil, 1, "did you mean @every?"),
        Mistake("@every", nil, 7),
        Mistake("@every 5", nil, 9),
        Mistake("@every 5x", nil, 9),
        Mistake("@every 500ms", nil, 11, "whole seconds"),
        Mistake("@every 30m1h", nil, 12, "larger units come first"),
        Mistake("@every 1h1h", nil, 11, "larger units come first"),
        Mistake("@every 1h 30m", nil, 11),
        Mistake("@every 0s", nil, 8),
        Mistake("@every 3651d", nil, 8),
        Mistake("@every 99999999999999999999d", nil, 8),
        Mistake("@every -5m", nil, 8),
        Mistake("CRON_TZ= 0 0 * * *", nil, 9, "such as"),
        Mistake("CRON_TZ=UTC 0 24 * * *", .hour, 15, "did you mean 0?"),
    ]

    @Test(arguments: mistakes)
    func `a mistake is told by field, column and hint`(mistake: Mistake) throws {
        let error = try #require(try refusal(mistake.text))
        #expect(error.place?.field == mistake.field, "\(error)")
        #expect(error.place?.column == mistake.column, "\(error)")
        if let hint = mistake.hint {
            #expect(error.hint?.contains(hint) == true, "\(error)")
        } else {
            #expect(error.hint == nil, "\(error)")
        }
    }

    @Test(arguments: [
        (
            "0 24 * * *",
            "schedule \"0 24 * * *\", hour, column 3: 24 is out of range, allowed is 0-23; did you mean 0?"
        ),
        (
            "0 0 * JANUARY *",
            "schedule \"0 0 * JANUARY *\", month, column 7: found \"JANUARY\", "
                + "expected 1-12, JAN-DEC or *; did you mean JAN?"
        ),
        (
            "* * * *",
            "schedule \"* * * *\", column 1: found 4 fields, expected 5, 6 or 7; "
                + "the five fields are minute, hour, day of month, month, day of week"
        ),
        (
            "0 0 30 2 *",
            "schedule \"0 0 30 2 *\" would never run; no such date is to come, or its clock skips that time"
        ),
        (
            "CRON_TZ=Berlin 0 0 * * *",
            "there is no time zone \"Berlin\"; did you mean Europe/Berlin?"
        ),
    ])
    func `an error is one sentence that says what to do`(text: String, message: String) throws {
        #expect(try refusal(text)?.description == message)
    }

    @Test(arguments: [
        "0 0 30 2 *", "0 0 31 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31W 2 ?", "0 0 30 2 */1",
        "0 0 0 29 2 * 2025-2027", "0 0 0 1 1 * 2024",
    ])
    func `a date that never comes is told when the schedule is made`(text: String) throws {
        #expect(try refusal(text) == .never(text))
    }

    @Test func `the calendar is asked to its end before a date is called impossible`() throws {
        // 29 February is a Monday every 28 years, and 40 across a year such as 2100.
        let start = try moment("2072-03-01T00:00")
        let schedule = try Schedule("0 0 * 2 MON#5", from: start)
        #expect(show(schedule.next(after: start)) == "2112-02-29T00:00:00Z")
        #expect(try refusal("0 0 0 1 1 * 2025", from: "2024-12-31T23:59") == nil)
        #expect(try refusal("0 0 0 1 1 * 2025", from: "2025-01-01T00:00") != nil)
    }
}
