// CronDays.swift — which days of a month an expression means. Next: CronExpression.swift.

/// The two fields of days, joined by Debian's rule: if one of them begins with a star, both must agree; else
/// either is enough.
struct CronDays {
    let daysOfMonth: CronList
    let daysOfWeek: CronList

    /// Bit `n` is set if day `n` of this month is meant.
    func mask(year: Int, month: Int) -> UInt64 {
        let month = Month(
            days: CivilDate.days(inMonth: month, of: year),
            first: CivilDate.dayOfWeek(number: CivilDate(year, month, 1).number))
        let byMonth = daysOfMonth.special.reduce(daysOfMonth.bits) { $0 | month.mask(of: $1) }
        let byWeek = daysOfWeek.special.reduce(month.weekly(daysOfWeek.bits)) {
            $0 | month.mask(of: $1)
        }
        let mustAgree = daysOfMonth.beginsWithStar || daysOfWeek.beginsWithStar
        return (mustAgree ? byMonth & byWeek : byMonth | byWeek) & month.all
    }

    /// A month as it matters here.
    private struct Month {
        /// 28...31
        let days: Int
        /// Day of the week of its first day; 0 is Sunday.
        let first: Int

        /// Bits 1...days.
        var all: UInt64 { (1 << UInt64(days + 1)) - 2 }

        func dayOfWeek(of day: Int) -> Int { (first + day - 1) % 7 }

        /// All days that fall on days of the week whose bits are set.
        func weekly(_ bits: UInt64) -> UInt64 {
            let week = (bits >> UInt64(first) | bits << UInt64(7 - first)) & 0x7F
            // Five weeks, from day 1 on.
            return (week | week << 7 | week << 14 | week << 21 | week << 28) << 1
        }

        func mask(of item: CronItem) -> UInt64 {
            switch item {
            case .last(let before): bit(days - before)
            case .lastWeekday: bit(nearestWeekday(to: days))
            // A month without that day has no weekday near it either: as in Quartz.
            case .weekday(let day): day > days ? 0 : bit(nearestWeekday(to: day))
            case .lastOf(let day): bit(days - (dayOfWeek(of: days) - day + 7) % 7)
            case .nth(let day, let occurrence):
                bit(1 + (day - first + 7) % 7 + 7 * (occurrence - 1))
            case .every, .range: 0
            }
        }

        private func bit(_ day: Int) -> UInt64 { day < 1 || day > days ? 0 : 1 << UInt64(day) }

        /// Friday for a Saturday and Monday for a Sunday, but never in another month.
        private func nearestWeekday(to day: Int) -> Int {
            switch dayOfWeek(of: day) {
            case 6: day > 1 ? day - 1 : day + 2
            case 0: day < days ? day + 1 : day - 2
            default: day
            }
        }
    }
}
