// CronSentence.swift — an expression in English. Next: Schedule.swift.

extension CronExpression {
    /// What it means in English, without a zone: `every weekday at 02:30`.
    ///
    /// Expressions that mean different times have different sentences.
    public var sentence: String {
        let times = timesOfDay
        let dayFirst = times != nil && daysAreEvery
        let time = times ?? CronTimeWords(self).text
        let words = dayFirst ? [days(after: "every"), time] : [time, days(after: "on")]
        let inYears = years.isStar ? [] : ["in \(CronWords.list(years))"]
        return (words + inYears).filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// More times than this are told by their fields.
    private static let longestListOfTimes = 6

    /// `at 02:30 and 14:30`, if the times of a day are few and none comes of a star.
    private var timesOfDay: String? {
        let lists = [hours, minutes, seconds]
        let count = lists.reduce(1) { $0 * $1.bits.nonzeroBitCount }
        guard count <= Self.longestListOfTimes, !lists.contains(where: \.beginsWithStar) else {
            return nil
        }
        let texts = CronWords.numbers(hours.bits).flatMap { hour in
            CronWords.numbers(minutes.bits).flatMap { minute in
                CronWords.numbers(seconds.bits).map { second in
                    "\(CronWords.two(hour)):\(CronWords.two(minute))"
                        + (seconds.bits == 1 ? "" : ":\(CronWords.two(second))")
                }
            }
        }
        return "at " + CronWords.and(texts)
    }

    // MARK: - Days

    /// Whether the days are told by "every": all of them, or days of the week only.
    private var daysAreEvery: Bool { daysOfMonth.isStar && daysOfWeek.special.isEmpty }

    private func days(after preposition: String) -> String {
        let inMonths = months.isStar ? "" : CronWords.list(months)
        if daysOfMonth.isStar, daysOfWeek.isStar {
            // "every 15 minutes" needs no days, "every day at 02:30" does.
            let days = preposition == "every" ? "every day" : ""
            return inMonths.isEmpty ? days : days + (days.isEmpty ? "" : " ") + "in \(inMonths)"
        }
        let ofMonth = " of " + (inMonths.isEmpty ? "the month" : inMonths)
        if daysOfMonth.isStar {
            if daysOfWeek.special.isEmpty {
                let isPlural = preposition == "on"
                return preposition + " " + CronWords.daysOfWeek(daysOfWeek, isPlural: isPlural)
                    + (inMonths.isEmpty ? "" : " in \(inMonths)")
            }
            return "on " + CronWords.daysOfWeek(daysOfWeek, isPlural: false) + ofMonth
        }
        let days = "on " + CronWords.daysOfMonth(daysOfMonth) + ofMonth
        if daysOfWeek.isStar { return days }
        if daysOfMonth.beginsWithStar || daysOfWeek.beginsWithStar {
            return "\(days) if it is \(CronWords.daysOfWeek(daysOfWeek, isPlural: false))"
        }
        guard daysOfWeek.special.isEmpty else {
            return "\(days) and on \(CronWords.daysOfWeek(daysOfWeek, isPlural: false))\(ofMonth)"
        }
        return "\(days) and on \(CronWords.daysOfWeek(daysOfWeek, isPlural: true))"
            + (inMonths.isEmpty ? "" : " in \(inMonths)")
    }
}

extension Schedule {
    /// What it means in English: `every weekday at 02:30 in Europe/Berlin`.
    public var sentence: String {
        switch recurrence {
        case .cron(let expression): "\(expression.sentence) in \(zone)"
        case .every(let interval): "every \(IntervalText(interval).long)"
        }
    }
}

/// The part of a sentence about seconds, minutes and hours.
private struct CronTimeWords {
    let expression: CronExpression

    init(_ expression: CronExpression) {
        self.expression = expression
    }

    /// `every 15 minutes from 09:00 through 17:59`, `at second 30 of minutes 5 and 10 of every hour`.
    var text: String {
        let (seconds, minutes, hours) = (expression.seconds, expression.minutes, expression.hours)
        var words: String
        var isEvery = true
        if seconds.bits != 1 {
            (words, isEvery) = lead(seconds)
            words += following(minutes, isEvery: &isEvery)
        } else if minutes.bits != 1 {
            (words, isEvery) = lead(minutes)
        } else {
            return onTheHour(hours)
        }
        if isEvery, let whole = wholeHours(hours) { return words + whole }
        return words + following(hours, isEvery: &isEvery)
    }

    /// Hours whose minute is 0.
    private func onTheHour(_ hours: CronList) -> String {
        if hours.items.count == 1, case .range(let low, let high, 1) = hours.items[0] {
            return "every hour from \(CronWords.two(low)):00 through \(CronWords.two(high)):00"
        }
        let (text, isEvery) = lead(hours)
        return isEvery ? text : "at minute 0 of \(CronWords.units(hours))"
    }

    /// The smallest unit that says something.
    private func lead(_ list: CronList) -> (text: String, isEvery: Bool) {
        let unit = list.field.title
        if list.isStar { return ("every \(unit)", true) }
        if case .every(let step) = list.items[0], list.items.count == 1,
            list.field.cycle % step == 0
        {
            return ("every \(step) \(unit)s", true)
        }
        return ("at \(CronWords.units(list))", false)
    }

    /// A larger unit. A star needs no word after "every".
    private func following(_ list: CronList, isEvery: inout Bool) -> String {
        if list.isStar {
            defer { isEvery = true }
            return isEvery ? "" : " of every \(list.field.title)"
        }
        isEvery = false
        return " of \(CronWords.units(list))"
    }

    /// One range of hours, as times: `from 09:00 through 17:59`.
    private func wholeHours(_ hours: CronList) -> String? {
        guard hours.items.count == 1, case .range(let low, let high, 1) = hours.items[0] else {
            return nil
        }
        return " from \(CronWords.two(low)):00 through \(CronWords.two(high)):59"
    }
}

/// Words for lists of numbers.
private enum CronWords {
    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    static func numbers(_ bits: UInt64) -> [Int] { (0..<64).filter { bits >> UInt64($0) & 1 == 1 } }

    /// `a`, `a and b`, `a, b and c`
    static func and(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }

    static func ordinal(_ number: Int) -> String {
        let ending =
            switch (number % 10, number % 100) {
            case (_, 11...13): "th"
            case (1, _): "st"
            case (2, _): "nd"
            case (3, _): "rd"
            default: "th"
            }
        return "\(number)\(ending)"
    }

    /// The list of a month or year: `January`, `2025 through 2030`.
    static func list(_ list: CronList) -> String {
        and(list.items.map { item(of: list.field, $0) })
    }

    /// With the unit's name: `minute 5`, `minutes 5 and 10`, `every 7th minute`.
    static func units(_ list: CronList) -> String {
        let unit = list.field.title
        let isSteps = list.items.contains {
            if case .every = $0 { true } else { $0.text.contains("/") }
        }
        let words = list.items.map { item(of: list.field, $0) }
        if isSteps { return and(words) }
        let isOne = list.items.count == 1 && !list.items[0].text.contains("-")
        return "\(unit)\(isOne ? "" : "s") " + and(words)
    }

    /// One item of any field but those of days.
    static func item(of field: CronField, _ item: CronItem) -> String {
        switch item {
        case .every(let step):
            step == 1 ? "every \(field.title)" : "every \(ordinal(step)) \(field.title)"
        case .range(let low, let high, let step):
            if low == high {
                name(low, in: field)
            } else {
                (step == 1 ? "" : "every \(ordinal(step)) \(field.title) from ")
                    + "\(name(low, in: field)) through \(name(high, in: field))"
            }
        case .last, .lastWeekday, .weekday, .lastOf, .nth: item.text
        }
    }

    static func daysOfMonth(_ list: CronList) -> String {
        let plain = list.items.filter { !list.special.contains($0) }
        let isPlural = plain.count > 1 || plain.contains { $0.text.contains("-") }
        let isSteps = plain.contains { $0.text.contains("/") || $0.text == "*" }
        let days = plain.map {
            item(of: .dayOfMonth, $0).replacing("day of month", with: "day")
        }
        let prefix = plain.isEmpty || isSteps ? "" : isPlural ? "days " : "day "
        let specials = list.special.map { item in
            switch item {
            case .last(0): "the last day"
            case .last(let before): "the \(ordinal(before + 1)) day from the end"
            case .lastWeekday: "the last weekday"
            case .weekday(let day): "the weekday nearest to day \(day)"
            default: item.text
            }
        }
        return and((plain.isEmpty ? [] : [prefix + and(days)]) + specials)
    }

    static func daysOfWeek(_ list: CronList, isPlural: Bool) -> String {
        let ending = isPlural ? "s" : ""
        let plain = list.items.filter { !list.special.contains($0) }
        let bits = list.bits
        var words: [String] = []
        switch bits {
        case 0: break
        case 0b0111110: words = ["weekday\(ending)"]
        case 0b1000001: words = ["Saturday\(ending)", "Sunday\(ending)"]
        case 0b1111111: words = ["day\(ending) of the week"]
        default:
            if plain.count == 1, case .range(let low, let high, 1) = plain[0], low != high {
                words = ["\(dayNames[low]) through \(dayNames[high % 7])"]
            } else {
                words = numbers(bits).map { dayNames[$0] + ending }
            }
        }
        words += list.special.map { item in
            switch item {
            case .lastOf(let day): "the last \(dayNames[day])"
            case .nth(let day, let occurrence): "the \(ordinal(occurrence)) \(dayNames[day])"
            default: item.text
            }
        }
        return and(words)
    }

    private static func name(_ number: Int, in field: CronField) -> String {
        field == .month ? monthNames[number - 1] : "\(number)"
    }

    private static let dayNames = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let monthNames = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
}
