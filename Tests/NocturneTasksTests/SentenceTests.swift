// SentenceTests.swift — schedules in English. Next: CatchUpTests.swift.

import Testing

import NocturneCore
import NocturneTasks

@Suite struct SentenceTests {
    @Test(arguments: [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/7 * * * *", "at every 7th minute of every hour"),
        ("0 * * * *", "every hour"),
        ("0 */2 * * *", "every 2 hours"),
        ("0 9-17 * * *", "every hour from 09:00 through 17:00"),
        ("0 */7 * * *", "at minute 0 of every 7th hour"),
        ("30 * * * *", "at minute 30 of every hour"),
        ("0,30 * * * *", "at minutes 0 and 30 of every hour"),
        ("30 */2 * * *", "at minute 30 of every 2nd hour"),
        ("30 2 * * *", "every day at 02:30"),
        ("30 2 * * 1-5", "every weekday at 02:30"),
        ("0 9,17 * * MON,WED", "every Monday and Wednesday at 09:00 and 17:00"),
        ("0 9 * * 6,0", "every Saturday and Sunday at 09:00"),
        ("0 9 * * TUE-THU", "every Tuesday through Thursday at 09:00"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 through 17:59 on weekdays"),
        ("* 2 * * SUN", "every minute from 02:00 through 02:59 on Sundays"),
        ("5-10 9,12 * * *", "at minutes 5 through 10 of hours 9 and 12"),
        ("0 0 1 * *", "at 00:00 on day 1 of the month"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month"),
        ("0 0 */2 * *", "at 00:00 on every 2nd day of the month"),
        ("@yearly", "at 00:00 on day 1 of January"),
        ("0 0 1 JAN,JUN-AUG *", "at 00:00 on day 1 of January and June through August"),
        ("0 0 * 5 *", "every day in May at 00:00"),
        ("0 0 * 5 1", "every Monday in May at 00:00"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 L-2 * *", "at 00:00 on the 3rd day from the end of the month"),
        (
            "0 0 15W,LW * *",
            "at 00:00 on the weekday nearest to day 15 and the last weekday of the month"
        ),
        ("0 0 * * 5L", "at 00:00 on the last Friday of the month"),
        ("0 0 * 2 MON#2", "at 00:00 on the 2nd Monday of February"),
        ("0 0 13 * 5", "at 00:00 on day 13 of the month and on Fridays"),
        ("0 0 1-7 * */7", "at 00:00 on days 1 through 7 of the month if it is Sunday"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("30 * * * * *", "at second 30 of every minute"),
        ("*/10 5 * * * *", "every 10 seconds of minute 5 of every hour"),
        ("30 */5 9-17 * * *", "at second 30 of every 5th minute of hours 9 through 17"),
        ("15 30 2 * * *", "every day at 02:30:15"),
        ("0 0 0 1 1 * 2027", "at 00:00 on day 1 of January in 2027"),
        ("0 30 2 * * * 2027-2029", "every day at 02:30 in 2027 through 2029"),
    ])
    func `an expression is told as a person would`(text: String, sentence: String) throws {
        #expect(try CronExpression(text).sentence == sentence)
    }

    @Test(arguments: [
        ("30 2 * * 1-5", "every weekday at 02:30 in Europe/Berlin"),
        ("CRON_TZ=UTC @hourly", "every hour in UTC"),
        ("@every 90m", "every 1 hour 30 minutes"), ("@every 24h", "every day"),
        ("@every 45s", "every 45 seconds"),
    ])
    func `a schedule is told with its zone, an interval without`(
        text: String, sentence: String
    ) throws {
        let schedule = try Schedule(
            text, from: try moment("2025-01-01T00:00"), in: try Zone("Europe/Berlin"))
        #expect(schedule.sentence == sentence)
    }

    @Test func `expressions that run at different times have different sentences`() throws {
        var random = SeededGenerator(seed: 6)
        var meant: [String: (text: String, expression: OracleExpression)] = [:]
        for place in 0..<2_000 {
            let expression = OracleExpression(
                hasSeconds: place % 4 == 0, isSparse: place % 2 == 0, using: &random)
            guard let cron = try? CronExpression(expression.text) else { continue }
            let sentence = cron.sentence
            guard let other = meant[sentence] else {
                meant[sentence] = (expression.text, expression)
                continue
            }
            // Six years hold every month beginning on nearly every day, and a leap year.
            let isSame =
                other.expression.minutesOfDay == expression.minutesOfDay
                && other.expression.seconds == expression.seconds
                && OracleDay.all[..<2_200].allSatisfy {
                    other.expression.means($0) == expression.means($0)
                }
            guard isSame else {
                Issue.record("\(expression.text) and \(other.text) are both \(sentence)")
                return
            }
        }
    }
}
