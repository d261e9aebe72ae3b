// CronExpression.swift — a cron expression as a value: which readings of a wall clock it means. Next: CronParser.swift.

/// A cron expression of five fields (minute, hour, day of month, month, day of week), six (seconds first) or seven
/// (years last), or a nickname: `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`.
///
/// A field is a list of `*`, `n`, `a-b`, `a-b/step`, `*/step` and `n/step` (from `n` to the end). Months and days of
/// the week have names, in any case. Ranges may wrap (`22-2`, `FRI-MON`); those of years not. Days of the month may
/// also be `L` (the last), `L-3` (three days before it), `15W` (the weekday nearest to it in the month; none if the
/// month has no such day) and `LW`; days of the week `5L` (the last Friday) and `MON#2` (the second Monday). `?` is
/// `*` there.
///
/// If the fields of days are both restricted, either is enough; if one begins with a star, as `*/2` does, both must
/// agree. That is Debian's rule.
public struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    let seconds: CronList
    let minutes: CronList
    let hours: CronList
    let daysOfMonth: CronList
    let months: CronList
    let daysOfWeek: CronList
    let years: CronList

    /// Reads an expression. Fields stand apart by any number of spaces and tabs.
    ///
    /// - Throws: ``ScheduleError`` with field, column and often a hint; ``ScheduleError/never(_:)`` for a date that no
    ///   calendar has, such as 30 February.
    public init(_ text: String) throws(ScheduleError) {
        var parser = try CronParser(text)
        try self.init(&parser)
    }

    /// Reads what is left of a text.
    init(_ parser: inout CronParser) throws(ScheduleError) {
        let lists = try parser.expression()
        func list(_ field: CronField) -> CronList {
            lists.first { $0.field == field }
                ?? CronList(
                    field,
                    [field == .second ? .range(low: 0, high: 0, step: 1) : .every(step: 1)])
        }
        seconds = list(.second)
        minutes = list(.minute)
        hours = list(.hour)
        daysOfMonth = list(.dayOfMonth)
        months = list(.month)
        daysOfWeek = list(.dayOfWeek)
        years = list(.year)
        // The calendar repeats itself after 400 years.
        let first = CivilDate(CronField.year.range.lowerBound, 1, 1)
        guard day(from: first.number, through: first.year + 400) != nil else {
            throw .never(parser.text)
        }
    }

    /// Its canonical form: reads back as an equal expression. Names become numbers, and defaults are left out.
    public var description: String {
        var lists = [minutes, hours, daysOfMonth, months, daysOfWeek]
        if seconds.items != [.range(low: 0, high: 0, step: 1)] || !years.isStar {
            lists.insert(seconds, at: 0)
        }
        if !years.isStar { lists.append(years) }
        return lists.map(\.text).joined(separator: " ")
    }

    /// Whether minute or hour begins with a star. To Debian's cron such a job follows the wall clock through its
    /// changes; the others are meant for a time of day, and run once whatever the clock does.
    public var followsWallClock: Bool { minutes.beginsWithStar || hours.beginsWithStar }

    // MARK: - Search

    /// The first reading of the wall clock that is meant, from `wall` on: seconds since 1970-01-01 00:00 as
    /// that clock shows them.
    func reading(from wall: Int, through lastYear: Int) -> Int? {
        let (today, second) = floorDivision(wall, secondsPerDay)
        guard let day = day(from: today, through: lastYear) else { return nil }
        if day == today {
            if let time = time(from: second) { return day * secondsPerDay + time }
            guard let later = self.day(from: today + 1, through: lastYear) else { return nil }
            return time(from: 0).map { later * secondsPerDay + $0 }
        }
        return time(from: 0).map { day * secondsPerDay + $0 }
    }

    /// The first day that is meant, from day `number` on.
    private func day(from number: Int, through lastYear: Int) -> Int? {
        let days = CronDays(daysOfMonth: daysOfMonth, daysOfWeek: daysOfWeek)
        var date = CivilDate(number: number)
        while let year = years.nextYear(from: date.year), year <= lastYear {
            if year > date.year { date = CivilDate(year, 1, 1) }
            guard let month = months.next(from: date.month) else {
                date = CivilDate(year + 1, 1, 1)
                continue
            }
            let first = month > date.month ? 1 : date.day
            if let day = days.mask(year: year, month: month).nextBit(from: first) {
                return CivilDate(year, month, day).number
            }
            date = month < 12 ? CivilDate(year, month + 1, 1) : CivilDate(year + 1, 1, 1)
        }
        return nil
    }

    /// The first time of day that is meant, from `second` of the day on.
    private func time(from second: Int) -> Int? {
        let (hour, minute) = (second / 3_600, second / 60 % 60)
        if hours.next(from: hour) == hour {
            if minutes.next(from: minute) == minute, let next = seconds.next(from: second % 60) {
                return hour * 3_600 + minute * 60 + next
            }
            if let later = minutes.next(from: minute + 1), let first = seconds.next(from: 0) {
                return hour * 3_600 + later * 60 + first
            }
        }
        guard let later = hours.next(from: hour + 1), let minute = minutes.next(from: 0),
            let second = seconds.next(from: 0)
        else { return nil }
        return later * 3_600 + minute * 60 + second
    }
}
