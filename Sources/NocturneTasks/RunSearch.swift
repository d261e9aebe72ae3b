// RunSearch.swift — finds the next run of an expression in a zone, one span between two changes of the clock after the
// other. Next: CatchUp.swift.

/// A search for runs. All times are seconds since 1970-01-01 UTC; a *reading* is what the wall clock shows at one,
/// as seconds since its own 1970-01-01 00:00.
struct RunSearch {
    private let expression: CronExpression
    private let zone: Zone
    private let gap: ClockGap
    private let overlap: ClockOverlap
    /// The first reading that is meant from `from` on. Searched once for all spans that lie between: an expression
    /// may mean a day of every 40 years.
    private var known: (from: Int, reading: Int?)?
    private var lastYear = 0

    /// The last year in which anything runs. Beyond it a date has no four digits.
    static let lastYear = 9_999

    init(_ expression: CronExpression, in zone: Zone, gap: ClockGap, overlap: ClockOverlap) {
        self.expression = expression
        self.zone = zone
        let follows = expression.followsWallClock
        self.gap = gap == .debian ? (follows ? .skip : .runAtEnd) : gap
        self.overlap = overlap == .debian ? (follows ? .both : .first) : overlap
    }

    /// The first run from `start` on; `nil` if there is none any more.
    mutating func first(from start: Int) -> Int? {
        var start = max(start, Self.firstSecond)
        // From the last change on that is not a rule, all repeats itself after 400 years.
        let horizon = Self.year(of: max(start, zone.lastListedChange ?? start)) + 400
        lastYear = min(horizon, Self.lastYear)
        known = nil
        while Self.year(of: start) <= lastYear {
            let span = zone.span(at: start)
            if let run = first(from: start, in: span) { return run }
            guard let end = span.end, let next = skipEmptySpans(from: end) else { return nil }
            start = next
        }
        return nil
    }

    /// Where to go on after a span without a run that ended at `end`; `nil` if no run can follow.
    private func skipEmptySpans(from end: Int) -> Int? {
        // No clock is as far from UTC as this, nor set back by as much: later readings are not before `known`.
        let slack = 3 * secondsPerDay
        guard let known, known.from + slack <= end else { return end }
        return known.reading.map { max(end, $0 - slack) }
    }

    /// 1 January of the year 1.
    private static let firstSecond = CivilDate(1, 1, 1).number * secondsPerDay

    private static func year(of second: Int) -> Int {
        CivilDate(number: floorDivision(second, secondsPerDay).quotient).year
    }

    private mutating func first(from start: Int, in span: Zone.Span) -> Int? {
        var runs: [Int] = []
        let end = span.end ?? .max
        var (regularStart, regularEnd) = (start, end)
        if let change = span.start {
            let ahead = span.offset - span.offsetBefore
            if ahead > 0, let run = first(from: start, inGapAt: change, of: span) {
                runs.append(run)
            }
            if ahead < 0, overlap == .first { regularStart = max(start, change - ahead) }
        }
        if let change = span.end, overlap == .second {
            regularEnd = change - max(0, span.offset - span.offsetAfter)
        }
        if let reading = reading(from: regularStart + span.offset),
            reading - span.offset < regularEnd
        {
            runs.append(reading - span.offset)
        }
        return runs.min()
    }

    /// The first run that stands for one whose reading is skipped when the span begins.
    private mutating func first(from start: Int, inGapAt change: Int, of span: Zone.Span) -> Int? {
        switch gap {
        case .runAtEnd:
            guard start == change, let reading = reading(from: change + span.offsetBefore),
                reading < change + span.offset
            else { return nil }
            return change
        case .shift:
            let end = min(change + span.offset - span.offsetBefore, span.end ?? .max)
            guard start < end, let reading = reading(from: start + span.offsetBefore),
                reading - span.offsetBefore < end
            else { return nil }
            return reading - span.offsetBefore
        case .skip, .debian:
            return nil
        }
    }

    private mutating func reading(from wall: Int) -> Int? {
        if let known, known.from <= wall, known.reading.map({ wall <= $0 }) ?? true {
            return known.reading
        }
        let reading = expression.reading(from: wall, through: lastYear)
        known = (wall, reading)
        return reading
    }
}
