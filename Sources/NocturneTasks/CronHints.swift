// CronHints.swift — what somebody may have meant who made a common mistake. Next: ScheduleError.swift.

internal import NocturneCore

/// Hints for errors of cron expressions.
enum CronHint {
    static let questionMark = "? stands for a day of the month or of the week; did you mean *?"
    static let occurrence = "a month has no more than five of a day of the week; L is the last"

    /// For a number that is out of range.
    static func number(_ number: Int, in field: CronField) -> String? {
        switch (field, number) {
        case (.second, 60), (.minute, 60), (.hour, 24): "did you mean 0?"
        case (.dayOfMonth, 0), (.month, 0): "did you mean 1?"
        case (.dayOfMonth, _): "did you mean L, the last day of the month?"
        case (.dayOfWeek, _): "0 and 7 are Sunday, 6 is Saturday"
        case (.year, 0...99): "did you mean \(2_000 + number)?"
        default: nil
        }
    }

    /// For a scalar at which neither a number nor a name begins.
    static func start(_ scalar: Unicode.Scalar?, in field: CronField) -> String? {
        switch scalar {
        case ",": "a value is missing before the comma"
        case "?" where field == .dayOfMonth || field == .dayOfWeek: "? stands alone"
        case "?": questionMark
        case "-", "+": "numbers have no sign"
        case nil, " ", "\t": "something is missing at the end of the field"
        default: nil
        }
    }

    /// For a word that is no name of the field.
    static func word(_ word: String, in field: CronField) -> String? {
        let upper = word.uppercased()
        if upper == "L", field == .dayOfWeek {
            return "did you mean SAT, or 5L for the last Friday?"
        }
        if field == .dayOfWeek, upper.first == "L" {
            return "did you mean \(upper.dropFirst())L?"
        }
        for other in [CronField.month, .dayOfWeek] where other != field {
            if other.names.contains(where: { upper == $0 }) {
                return "\(upper) belongs to the field \(other.title)"
            }
        }
        if field == .dayOfMonth, upper == "W" || upper == "WL" {
            return "did you mean \(upper == "W" ? "15W" : "LW")?"
        }
        // JANUARY, THURS; then MOM.
        let name =
            field.names.first { upper.hasPrefix($0) }
            ?? Spelling.closest(to: upper, of: field.names, within: 1)
        return name.map { "did you mean \($0)?" }
    }

    /// For what may not follow an item.
    static func after(_ item: CronItem?, found: Unicode.Scalar?, in field: CronField) -> String? {
        switch (item, found) {
        case (.every, "-"): "a range needs a number on both sides"
        case (_, "-"): "a range has two ends; lists are joined by commas"
        case (_, "/"): "this cannot have a step"
        case (_, "#") where field != .dayOfWeek: "# belongs to the field day of week"
        case (_, "W"), (_, "w"): "W belongs to a number in the field day of month"
        case (_, "L"), (_, "l"): "L belongs to the fields of days"
        case (_, "?"): "? stands alone"
        default: nil
        }
    }

    /// For a unit that an interval has not, or not there.
    static func unit(_ word: String) -> String? {
        if IntervalText.units.contains(where: { $0.name == word }) {
            return "larger units come first, each once"
        }
        return ["ms", "us", "ns"].contains(word) ? "an interval is whole seconds" : nil
    }

    static func nickname(_ word: String, of known: [String]) -> String? {
        switch word.lowercased() {
        case "@reboot": return "add the task when the program starts"
        case "@every": return "an interval is a schedule, but no expression"
        default: break
        }
        return Spelling.closest(to: word.lowercased(), of: known, within: 2).map {
            "did you mean \($0)?"
        }
    }
}
