// ZoneRule.swift — how a zone's clock changes every year from now on: the footer of a TZif file, which is a POSIX TZ
// string. Next: ZoneFile.swift.

/// A zone's offsets after the last change that its file lists.
struct ZoneRule: Sendable, Hashable {
    /// Seconds east of Greenwich.
    let standard: Int
    let daylight: Daylight?

    /// The part of a year with another offset.
    struct Daylight: Sendable, Hashable {
        let offset: Int
        let start: YearDay
        let end: YearDay
    }

    /// A moment of every year, by the clock that is about to change.
    struct YearDay: Sendable, Hashable {
        let day: Day
        /// Seconds after midnight, -167 to 167 hours: an extension of RFC 9636 to POSIX.
        let time: Int
    }

    enum Day: Sendable, Hashable {
        /// `Jn`: 1...365, 29 February is never counted.
        case julian(Int)
        /// `n`: 0...365, 29 February is counted.
        case ordinal(Int)
        /// `Mm.w.d`: the occurrence `week` of a day of the week in a month; 5 is the last.
        case weekly(month: Int, week: Int, dayOfWeek: Int)

        /// Days since 1970-01-01.
        func number(in year: Int) -> Int {
            switch self {
            case .julian(let day):
                let isAfterLeapDay = CivilDate.isLeap(year) && day >= 60
                return CivilDate(year, 1, 1).number + day - (isAfterLeapDay ? 0 : 1)
            case .ordinal(let day):
                return CivilDate(year, 1, 1).number + day
            case .weekly(let month, let week, let dayOfWeek):
                let first = CivilDate(year, month, 1).number
                let toFirst = (dayOfWeek - CivilDate.dayOfWeek(number: first) + 7) % 7
                let day = toFirst + 7 * (week - 1)
                return first + (day < CivilDate.days(inMonth: month, of: year) ? day : day - 7)
            }
        }
    }

    /// The changes from the year before last to the next year, seen from `second`: enough to know the offset then
    /// and the changes next to it.
    func changes(around second: Int) -> [ZoneChange] {
        guard let daylight else { return [] }
        let year = CivilDate(number: floorDivision(second, secondsPerDay).quotient).year
        var changes: [ZoneChange] = []
        for year in year - 2...year + 1 {
            let start = ZoneChange(
                at: daylight.start.day.number(in: year) * secondsPerDay + daylight.start.time
                    - standard,
                offset: daylight.offset)
            let end = ZoneChange(
                at: daylight.end.day.number(in: year) * secondsPerDay + daylight.end.time
                    - daylight.offset,
                offset: standard)
            for change in start.at < end.at ? [start, end] : [end, start] {
                // Daylight time all year: it ends when it starts again.
                if changes.last?.at == change.at { changes.removeLast() }
                changes.append(change)
            }
        }
        return changes
    }
}

// MARK: - POSIX

extension ZoneRule {
    /// Reads a TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`; `nil` if it is none.
    init?(posix text: [UInt8]) {
        var scanner = PosixScanner(bytes: text)
        guard scanner.skipName(), let offset = scanner.time(maximumHours: 24) else { return nil }
        // POSIX counts to the west.
        standard = -offset
        if scanner.isAtEnd {
            daylight = nil
            return
        }
        guard scanner.skipName() else { return nil }
        var daylightOffset = standard + 3_600
        if scanner.next != UInt8(ascii: ",") {
            guard let offset = scanner.time(maximumHours: 24) else { return nil }
            daylightOffset = -offset
        }
        guard scanner.skip(","), let start = scanner.yearDay(), scanner.skip(","),
            let end = scanner.yearDay(), scanner.isAtEnd
        else { return nil }
        daylight = Daylight(offset: daylightOffset, start: start, end: end)
    }
}

/// A position in a TZ string.
private struct PosixScanner {
    let bytes: [UInt8]
    var offset = 0

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }
    var isAtEnd: Bool { offset == bytes.count }

    mutating func skip(_ wanted: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: wanted) else { return false }
        offset += 1
        return true
    }

    /// `CEST` or `<+0330>`; what it says does not matter here.
    mutating func skipName() -> Bool {
        let start = offset
        if skip("<") {
            while let byte = next, byte != UInt8(ascii: ">") { offset += 1 }
            return skip(">")
        }
        while let byte = next, byte | 0x20 >= UInt8(ascii: "a"), byte | 0x20 <= UInt8(ascii: "z") {
            offset += 1
        }
        return offset - start >= 3
    }

    /// At most three digits.
    mutating func number(_ range: ClosedRange<Int>) -> Int? {
        let start = offset
        var number = 0
        while let byte = next, byte &- UInt8(ascii: "0") < 10, offset - start < 3 {
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
            offset += 1
        }
        return offset > start && range.contains(number) ? number : nil
    }

    /// `[+-]h[:mm[:ss]]` in seconds.
    mutating func time(maximumHours: Int) -> Int? {
        let isNegative = skip("-")
        if !isNegative { _ = skip("+") }
        guard var seconds = number(0...maximumHours).map({ $0 * 3_600 }) else { return nil }
        for unit in [60, 1] where skip(":") {
            guard let part = number(0...59) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    mutating func yearDay() -> ZoneRule.YearDay? {
        guard let day = day() else { return nil }
        guard skip("/") else { return ZoneRule.YearDay(day: day, time: 2 * 3_600) }
        return time(maximumHours: 167).map { ZoneRule.YearDay(day: day, time: $0) }
    }

    private mutating func day() -> ZoneRule.Day? {
        if skip("J") { return number(1...365).map { .julian($0) } }
        guard skip("M") else { return number(0...365).map { .ordinal($0) } }
        guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
            let day = number(0...6)
        else { return nil }
        return .weekly(month: month, week: week, dayOfWeek: day)
    }
}
