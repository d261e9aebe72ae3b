// CronField.swift — what may stand in which field of a cron expression. Next: CronItem.swift.

/// A field of a cron expression.
public enum CronField: Sendable, Hashable, CaseIterable {
    /// The first field of six or seven; 0 if there are five.
    case second
    /// 0-59
    case minute
    /// 0-23
    case hour
    /// 1-31, or counted from the end
    case dayOfMonth
    /// 1-12 or JAN-DEC
    case month
    /// 0-7 or SUN-SAT; both 0 and 7 are Sunday
    case dayOfWeek
    /// The last field of seven; every year if it is missing.
    case year

    /// What it holds in five fields, and so on; other numbers of fields mean nothing.
    static let layouts: [Int: [CronField]] = [
        5: [.minute, .hour, .dayOfMonth, .month, .dayOfWeek],
        6: [.second, .minute, .hour, .dayOfMonth, .month, .dayOfWeek],
        7: allCases,
    ]

    /// As errors call it.
    var title: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        case .year: "year"
        }
    }

    /// Numbers that may be written in it.
    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        // As in Quartz, the one peer that has defined this field.
        case .year: 1970...2099
        }
    }

    /// How many numbers there are before a wrapping range starts again; day 7 is day 0.
    var cycle: Int { self == .dayOfWeek ? 7 : range.count }

    /// Three letters each; their numbers count from `range.lowerBound`.
    var names: [String] {
        switch self {
        case .month:
            [
                "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
            ]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        default: []
        }
    }
}
