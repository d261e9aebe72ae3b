// CivilDate.swift — days of the Gregorian calendar, counted. Next: CronField.swift.

/// A day of the proleptic Gregorian calendar, in no zone.
struct CivilDate: Equatable {
    let year: Int
    /// 1...12
    let month: Int
    /// 1...31
    let day: Int

    init(_ year: Int, _ month: Int, _ day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day that is `number` days after 1970-01-01.
    init(number: Int) {
        // Years that begin in March have their leap day at the end, and eras of 400 such years are all
        // alike: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = number + Self.daysFromMarchOfYear0To1970
        let era = floorDivision(shifted, Self.daysInEra).quotient
        let dayOfEra = shifted - era * Self.daysInEra
        let leapDays = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    var number: Int {
        let marchYear = month <= 2 ? year - 1 : year
        let era = floorDivision(marchYear, 400).quotient
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * Self.daysInEra + dayOfEra - Self.daysFromMarchOfYear0To1970
    }

    /// 0 is Sunday.
    static func dayOfWeek(number: Int) -> Int {
        // 1970-01-01 was a Thursday.
        floorDivision(number + 4, 7).remainder
    }

    static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static let daysInEra = 146_097
    private static let daysFromMarchOfYear0To1970 = 719_468
}

/// Seconds of a day without a change of the clock.
let secondsPerDay = 86_400

/// The quotient rounded down, and what is left, which is not negative.
func floorDivision(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}
