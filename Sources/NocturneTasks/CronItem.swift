// CronItem.swift — one item of a field's list, and a field's whole list. Next: CronDays.swift.

/// What stands between two commas.
enum CronItem: Sendable, Hashable {
    /// `*` and `*/step`; also `?`.
    case every(step: Int)
    /// `low`, `low-high`, `low-high/step`. A range with `high` below `low` wraps around: `22-2`.
    case range(low: Int, high: Int, step: Int)
    /// `L` and `L-3`: so many days before the last day of the month.
    case last(before: Int)
    /// `LW`: the last Monday-to-Friday of the month.
    case lastWeekday
    /// `15W`: the Monday-to-Friday nearest to this day, in the same month.
    case weekday(near: Int)
    /// `5L`: the last such day of the week in the month.
    case lastOf(dayOfWeek: Int)
    /// `1#2`: the second Monday of the month.
    case nth(dayOfWeek: Int, occurrence: Int)

    /// The numbers that it stands for; none if that depends on the month.
    func values(in field: CronField) -> [Int] {
        switch self {
        case .every(let step):
            return Array(
                stride(from: field.range.lowerBound, through: field.range.upperBound, by: step))
        case .range(let low, let high, let step):
            let end = high < low ? high + field.cycle : high
            return stride(from: low, through: end, by: step).map {
                $0 > field.range.upperBound ? $0 - field.cycle : $0
            }
        case .last, .lastWeekday, .weekday, .lastOf, .nth:
            return []
        }
    }

    var text: String {
        switch self {
        case .every(let step): step == 1 ? "*" : "*/\(step)"
        case .range(let low, let high, let step):
            (low == high ? "\(low)" : "\(low)-\(high)") + (step == 1 ? "" : "/\(step)")
        case .last(let before): before == 0 ? "L" : "L-\(before)"
        case .lastWeekday: "LW"
        case .weekday(let day): "\(day)W"
        case .lastOf(let day): "\(day)L"
        case .nth(let day, let occurrence): "\(day)#\(occurrence)"
        }
    }
}

/// A field's list of items, at least one.
struct CronList: Sendable, Hashable {
    let field: CronField
    let items: [CronItem]
    /// Bit `n` is set if the number `n` is meant; 7 of the days of the week is bit 0. Years have none.
    let bits: UInt64
    /// Those whose days depend on the month.
    let special: [CronItem]

    init(_ field: CronField, _ items: [CronItem]) {
        self.field = field
        self.items = items
        special = items.filter { $0.values(in: field).isEmpty }
        guard field != .year else {
            bits = 0
            return
        }
        bits = items.reduce(0) { bits, item in
            item.values(in: field).reduce(bits) {
                $0 | 1 << UInt64($1 == 7 && field == .dayOfWeek ? 0 : $1)
            }
        }
    }

    /// Whether its text begins with a star. To Debian's cron that is more than "all values": it also
    /// decides how the two fields of days are joined and what a change of the clock does.
    var beginsWithStar: Bool {
        if case .every = items.first { true } else { false }
    }

    /// Whether it leaves everything open.
    var isStar: Bool { items == [.every(step: 1)] }

    /// The least number from `low` on.
    func next(from low: Int) -> Int? { bits.nextBit(from: low) }

    /// The least year from `low` on. Unlike bits this also serves a calendar that goes beyond 2099.
    func nextYear(from low: Int) -> Int? {
        if isStar { return low }
        return items.compactMap { item -> Int? in
            switch item {
            case .every(let step):
                Self.next(from: low, field.range.lowerBound, field.range.upperBound, step)
            case .range(let first, let last, let step): Self.next(from: low, first, last, step)
            case .last, .lastWeekday, .weekday, .lastOf, .nth: nil
            }
        }.min()
    }

    private static func next(from low: Int, _ first: Int, _ last: Int, _ step: Int) -> Int? {
        let steps = max(0, low - first + step - 1) / step
        let value = first + steps * step
        return value <= last ? value : nil
    }

    var text: String { items.map(\.text).joined(separator: ",") }
}

extension UInt64 {
    /// The least bit that is set, from `low` on.
    func nextBit(from low: Int) -> Int? {
        let rest = low < bitWidth ? (self >> UInt64(low)) << UInt64(low) : 0
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }
}
