// CronOracle.swift — random expressions and what they mean by brute force: every value of every field in a table, every
// day counted up from 1970, every policy by its words. Shares no line with the product but the zone's offsets, which
// ZoneTests compare with the C library. Next: CronOracleTests.swift.

import NocturneCore
import NocturneTasks

/// A random field: its text, and for each number whether it is meant.
struct OracleField {
    private(set) var text = ""
    private(set) var isMeant: [Bool]
    /// What depends on the month.
    private(set) var specials: [Special] = []

    var beginsWithStar: Bool { text.hasPrefix("*") }

    enum Special {
        case last(Int), lastWeekday, nearestWeekday(Int), lastOf(Int), nth(Int, Int)
    }

    /// A field that is a star in one of `stars` cases.
    init(
        _ range: ClosedRange<Int>, names: [String] = [], stars: Int, days: Bool = false,
        using random: inout SeededGenerator
    ) {
        isMeant = Array(repeating: false, count: range.upperBound + 1)
        if random.isOneIn(stars) {
            text = "*"
            for value in range { isMeant[value] = true }
            return
        }
        var items: [String] = []
        for _ in 0...random.below(3) * random.below(2) {
            if days, random.isOneIn(4) {
                items.append(addSpecial(range, &random))
            } else {
                items.append(addItem(range, names, &random))
            }
        }
        text = items.joined(separator: ",")
    }

    /// Only this number.
    init(only value: Int) {
        text = "\(value)"
        isMeant = (0...value).map { $0 == value }
    }

    private mutating func addItem(
        _ range: ClosedRange<Int>, _ names: [String], _ random: inout SeededGenerator
    ) -> String {
        let count = range.count
        func shown(_ value: Int) -> String {
            let name = value - range.lowerBound
            guard names.indices.contains(name), random.isOneIn(3) else { return "\(value)" }
            return random.isOneIn(2) ? names[name] : names[name].lowercased()
        }
        let low = range.lowerBound + random.below(count)
        let step = 1 + random.below(random.isOneIn(2) ? 6 : count + 3)
        switch random.below(6) {
        case 0:
            mark(stride(from: range.lowerBound, through: range.upperBound, by: step))
            return "*/\(step)"
        case 1:
            mark(stride(from: low, through: range.upperBound, by: step))
            return "\(low)/\(step)"
        case 2:
            let high = range.lowerBound + random.below(count)
            // Wrapping ranges of days of the week are tested by cases: 7 is 0 there.
            guard low <= high || names.first != "SUN" else { fallthrough }
            let values =
                low <= high
                ? Array(low...high) : Array(low...range.upperBound) + Array(range.lowerBound...high)
            let isStepped = random.isOneIn(2)
            mark(
                values.enumerated().filter { $0.offset % (isStepped ? step : 1) == 0 }.map(
                    \.element))
            return "\(shown(low))-\(shown(high))" + (isStepped ? "/\(step)" : "")
        default:
            mark([low])
            return shown(low)
        }
    }

    private mutating func mark(_ values: some Sequence<Int>) {
        for value in values { isMeant[value] = true }
    }

    private mutating func addSpecial(
        _ range: ClosedRange<Int>, _ random: inout SeededGenerator
    ) -> String {
        let number = random.below(7)
        if range.upperBound == 7 {
            let occurrence = 1 + random.below(5)
            let isLast = random.isOneIn(3)
            specials.append(isLast ? .lastOf(number) : .nth(number, occurrence))
            return isLast ? "\(number)L" : "\(number)#\(occurrence)"
        }
        let day = 1 + random.below(31)
        switch random.below(4) {
        case 0:
            specials.append(.last(0))
            return "L"
        case 1:
            specials.append(.last(number + 1))
            return "L-\(number + 1)"
        case 2:
            specials.append(.lastWeekday)
            return "LW"
        default:
            specials.append(.nearestWeekday(day))
            return "\(day)W"
        }
    }
}

/// A random expression that can be asked about every second.
struct OracleExpression {
    private let second, minute, hour, dayOfMonth, month, dayOfWeek: OracleField
    private let hasSeconds: Bool
    /// For each minute of a day and each second of a minute whether it is meant.
    let minutesOfDay: [Bool], seconds: [Bool]

    private static let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ]
    private static let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]

    init(hasSeconds: Bool, isSparse: Bool, using random: inout SeededGenerator) {
        self.hasSeconds = hasSeconds
        second = hasSeconds ? OracleField(0...59, stars: 4, using: &random) : OracleField(only: 0)
        minute = OracleField(0...59, stars: 5, using: &random)
        hour = OracleField(0...23, stars: 4, using: &random)
        // Where days are rare, a window around a change of the clock would hold no run.
        let stars = isSparse ? 5 : 1 + random.below(2)
        dayOfMonth = OracleField(1...31, stars: stars, days: true, using: &random)
        month = OracleField(
            1...12, names: Self.months, stars: isSparse ? 3 : 1 + random.below(2), using: &random)
        dayOfWeek = OracleField(
            0...7, names: Self.weekdays, stars: stars, days: true, using: &random)
        let (minutes, hours, seconds) = (minute.isMeant, hour.isMeant, second.isMeant)
        minutesOfDay = (0..<1_440).map { hours[$0 / 60] && minutes[$0 % 60] }
        self.seconds = (0..<60).map { $0 < seconds.count && seconds[$0] }
    }

    var text: String {
        let fields = (hasSeconds ? [second] : []) + [minute, hour, dayOfMonth, month, dayOfWeek]
        return fields.map(\.text).joined(separator: " ")
    }

    var followsWallClock: Bool { minute.beginsWithStar || hour.beginsWithStar }

    func means(_ day: OracleDay) -> Bool {
        guard month.isMeant[day.month] else { return false }
        let byMonth = dayOfMonth.isMeant[day.day] || dayOfMonth.specials.contains(where: day.fits)
        let byWeek =
            dayOfWeek.isMeant[day.weekday] || day.weekday == 0 && dayOfWeek.isMeant[7]
            || dayOfWeek.specials.contains(where: day.fits)
        return dayOfMonth.beginsWithStar || dayOfWeek.beginsWithStar
            ? byMonth && byWeek : byMonth || byWeek
    }
}

/// A day, counted up from Thursday, 1970-01-01.
struct OracleDay {
    let year: Int, month: Int, day: Int, weekday: Int, daysInMonth: Int

    /// Day `n` is `n` days after the first; up to 2105.
    static let all: [OracleDay] = {
        var days: [OracleDay] = []
        var weekday = 4
        for year in 1970...2105 {
            let isLeap = year % 4 == 0 && year != 2100
            for (month, count) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .enumerated()
            {
                for day in 1...count {
                    days.append(
                        OracleDay(
                            year: year, month: month + 1, day: day, weekday: weekday,
                            daysInMonth: count))
                    weekday = (weekday + 1) % 7
                }
            }
        }
        return days
    }()

    private func isWeekday(_ other: Int) -> Bool {
        // 35 keeps it positive.
        (1...5).contains((weekday + other - day + 35) % 7)
    }

    func fits(_ special: OracleField.Special) -> Bool {
        switch special {
        case .last(let before): return day == daysInMonth - before
        case .lastWeekday: return day == (1...daysInMonth).last(where: isWeekday)
        case .nearestWeekday(let wanted):
            let weekdays = (1...daysInMonth).filter(isWeekday)
            return wanted <= daysInMonth
                && day == weekdays.min { abs($0 - wanted) < abs($1 - wanted) }
        case .lastOf(let wanted): return weekday == wanted && day + 7 > daysInMonth
        case .nth(let wanted, let occurrence):
            return weekday == wanted && (day + 6) / 7 == occurrence
        }
    }
}

/// All that a zone's wall clock shows and skips in a while, step by step.
struct OracleWindow {
    /// What a clock shows or skips.
    private struct Reading {
        /// When, in seconds since 1970-01-01 UTC.
        let at: Int
        /// What it shows, in seconds since its own 1970-01-01 00:00.
        let reading: Int
        /// How far it was ahead of UTC, before a skip.
        let offset: Int
        let day: Int, minuteOfDay: Int, second: Int

        init(at: Int, reading: Int, offset: Int) {
            (self.at, self.reading, self.offset) = (at, reading, offset)
            (day, minuteOfDay, second) = (reading / 86_400, reading / 60 % 1_440, reading % 60)
        }
    }

    private var shown: [Reading] = []
    private var skipped: [Reading] = []
    let checked: Range<Int>

    /// Steps through `range` to know it; only the runs of `checked` are asked for.
    init(_ zone: Zone, _ range: Range<Int>, step: Int, checked: Range<Int>) {
        self.checked = checked
        var previous: Int?
        for at in stride(from: range.lowerBound, to: range.upperBound, by: step) {
            let offset = zone.offset(at: UnixTime(seconds: Int64(at)))
            if let previous, offset > previous {
                skipped += stride(from: at + previous, to: at + offset, by: step).map {
                    Reading(at: at, reading: $0, offset: previous)
                }
            }
            shown.append(Reading(at: at, reading: at + offset, offset: offset))
            previous = offset
        }
    }

    /// The runs of an expression, by the words of the policies.
    func runs(of expression: OracleExpression, gap: ClockGap, overlap: ClockOverlap) -> [Int] {
        let follows = expression.followsWallClock
        var byReading: [Int: [Int]] = [:]
        for reading in meant(shown, by: expression) {
            byReading[reading.reading, default: []].append(reading.at)
        }
        var runs: Set<Int> = []
        for times in byReading.values {
            switch overlap {
            case .both: runs.formUnion(times)
            case .debian where follows: runs.formUnion(times)
            case .debian, .first: runs.insert(times[0])
            case .second: runs.insert(times[times.count - 1])
            }
        }
        for reading in meant(skipped, by: expression) {
            switch gap {
            case .skip: break
            case .debian where follows: break
            case .debian, .runAtEnd: runs.insert(reading.at)
            case .shift: runs.insert(reading.reading - reading.offset)
            }
        }
        return runs.filter(checked.contains).sorted()
    }

    private func meant(_ readings: [Reading], by expression: OracleExpression) -> [Reading] {
        let (minutes, seconds) = (expression.minutesOfDay, expression.seconds)
        var days: [Int: Bool] = [:]
        var meant: [Reading] = []
        for reading in readings where minutes[reading.minuteOfDay] && seconds[reading.second] {
            let day = days[reading.day] ?? expression.means(OracleDay.all[reading.day])
            days[reading.day] = day
            if day { meant.append(reading) }
        }
        return meant
    }
}
