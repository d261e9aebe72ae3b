// ScheduleError.swift — why a schedule was refused: where, what stands there, what may. Next: Zone.swift.

internal import NocturneCore

/// Why a text is no schedule.
public enum ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text is longer than any that makes sense; nothing of it was read.
    case tooLong(bytes: Int, limit: Int)
    /// Neither five nor six nor seven fields.
    case fieldCount(Int, at: Place)
    /// Something else should stand here.
    case unexpected(String, expected: String, at: Place, hint: String?)
    /// A number or an interval beyond what is allowed here.
    case outOfRange(String, allowed: String, at: Place, hint: String?)
    /// It reads well, but there is no such date, or none that is still to come.
    case never(String)
    /// Its time zone cannot be had.
    case zone(ZoneError)

    /// A place in the text of a schedule.
    public struct Place: Sendable, Hashable {
        /// The whole text.
        public let text: String
        /// The field, if it is a matter of one.
        public let field: CronField?
        /// Unicode scalars from the start of the text; the first is 1.
        public let column: Int
    }

    /// Where it is, if it is a matter of one place.
    public var place: Place? {
        switch self {
        case .fieldCount(_, let place), .unexpected(_, _, let place, _),
            .outOfRange(_, _, let place, _):
            place
        case .tooLong, .never, .zone: nil
        }
    }

    /// What may have been meant.
    public var hint: String? {
        switch self {
        case .unexpected(_, _, _, let hint), .outOfRange(_, _, _, let hint): hint
        case .fieldCount(let count, _):
            count < 5
                ? "the five fields are minute, hour, day of month, month, day of week"
                : "seven fields begin with the second and end with the year"
        case .never: "no such date is to come, or its clock skips that time"
        case .tooLong, .zone: nil
        }
    }

    /// What is wrong, where, and what to do.
    public var description: String {
        let problem =
            switch self {
            case .tooLong(let bytes, let limit):
                "a schedule of \(bytes) bytes: at most \(limit) are read"
            case .fieldCount(let count, let place):
                "\(place): found \(count) \(count == 1 ? "field" : "fields"), expected 5, 6 or 7"
            case .unexpected(let found, let expected, let place, _):
                "\(place): found \(found), expected \(expected)"
            case .outOfRange(let found, let allowed, let place, _):
                "\(place): \(found) is out of range, allowed is \(allowed)"
            case .never(let text): "schedule \(quoted(text)) would never run"
            case .zone(let error): "\(error)"
            }
        return hint.map { "\(problem); \($0)" } ?? problem
    }
}

extension ScheduleError.Place: CustomStringConvertible {
    /// The text, the field and the column.
    public var description: String {
        "schedule \(quoted(text)), " + (field.map { "\($0.title), " } ?? "") + "column \(column)"
    }
}
