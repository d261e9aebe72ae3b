// Schedule.swift — when a recurring task runs: an expression by the clocks of a zone, or an interval.
// Next: RunSearch.swift.

public import NocturneCore

/// When a recurring task runs.
///
/// Its runs are fixed moments, known in advance: they depend on nothing but the schedule, so that the same run is
/// never started twice and a late one can be told from a new one.
public struct Schedule: Sendable, Hashable, CustomStringConvertible {
    /// What makes it recur.
    public enum Recurrence: Sendable, Hashable {
        /// Whenever the zone's wall clock shows what the expression means.
        case cron(CronExpression)
        /// After each interval, counted from ``Schedule/start``; whole seconds.
        case every(Duration)
    }

    /// What makes it recur.
    public let recurrence: Recurrence
    /// Whose clocks the expression means. An interval knows no clocks.
    public let zone: Zone
    /// Nothing runs at or before this moment; usually when the schedule was added.
    public private(set) var start: UnixTime
    /// What happens to runs at times that the clock skips.
    public let gap: ClockGap
    /// What happens to runs at times that the clock shows twice.
    public let overlap: ClockOverlap

    /// Reads a schedule: a ``CronExpression``, `CRON_TZ=Europe/Berlin` or `TZ=Europe/Berlin` before one, or
    /// `@every` and an interval of whole days, hours, minutes and seconds such as `90m` and `1h30m`.
    ///
    /// - Parameters:
    ///   - start: nothing runs at or before it, and an interval is counted from it.
    ///   - zone: the zone of an expression that names none.
    /// - Throws: ``ScheduleError``; ``ScheduleError/never(_:)`` if there is no run after `start`.
    public init(
        _ text: String, from start: UnixTime, in zone: Zone = .utc, gap: ClockGap = .debian,
        overlap: ClockOverlap = .debian
    ) throws(ScheduleError) {
        var parser = try CronParser(text)
        self.zone = try parser.zone() ?? zone
        if let interval = try parser.interval() {
            recurrence = .every(interval)
        } else {
            recurrence = .cron(try CronExpression(&parser))
        }
        (self.start, self.gap, self.overlap) = (start, gap, overlap)
        guard next(after: start) != nil else { throw .never(text) }
    }

    /// Whether its runs come at the same times as another's, but for their starts.
    func recurs(as other: Schedule) -> Bool {
        recurrence == other.recurrence && zone.name == other.zone.name
            && gap == other.gap && overlap == other.overlap
    }

    /// The same, from another start.
    func starting(at start: UnixTime) -> Schedule {
        var schedule = self
        schedule.start = start
        return schedule
    }

    /// Its canonical form: read with the same start and policies it gives an equal schedule.
    public var description: String {
        let prefix = zone == .utc ? "" : "CRON_TZ=\(zone) "
        return switch recurrence {
        case .cron(let expression): prefix + expression.description
        case .every(let interval): prefix + "@every \(IntervalText(interval).short)"
        }
    }

    /// The first run later than `time`; `nil` if none is left: after the last year of an expression, or of four
    /// digits.
    public func next(after time: UnixTime) -> UnixTime? {
        let after = max(time, start)
        switch recurrence {
        case .cron(let expression):
            // Beyond the last year there is nothing to search, and sums might overflow.
            guard after.seconds < Self.searchEnd else { return nil }
            var search = RunSearch(expression, in: zone, gap: gap, overlap: overlap)
            return search.first(from: Int(after.seconds) + 1).map { UnixTime(seconds: Int64($0)) }
        case .every(let interval):
            let step = interval.wholeMilliseconds
            let passed = after.milliseconds.subtractingReportingOverflow(start.milliseconds)
            guard !passed.overflow else { return nil }
            let (ahead, overflow) = step.multipliedReportingOverflow(
                by: passed.partialValue / step + 1)
            let (next, second) = start.milliseconds.addingReportingOverflow(ahead)
            return overflow || second ? nil : UnixTime(milliseconds: next)
        }
    }

    /// The next runs later than `time`, at most `count`, in order.
    public func next(_ count: Int, after time: UnixTime) -> [UnixTime] {
        var runs: [UnixTime] = []
        var last = time
        while runs.count < count, let run = next(after: last) {
            runs.append(run)
            last = run
        }
        return runs
    }

    /// The last run later than `time` and no later than `end`; `nil` if there is none.
    public func last(after time: UnixTime, through end: UnixTime) -> UnixTime? {
        guard var found = next(after: time), found <= end else { return nil }
        // Whether a run follows is true up to the last one and false from it on: halve the rest.
        var low = found.milliseconds, high = end.milliseconds
        while low < high {
            let middle = low + (high - low) / 2
            if let run = next(after: UnixTime(milliseconds: middle)), run <= end {
                found = run
                low = run.milliseconds
            } else {
                high = middle
            }
        }
        return found
    }

    private static let searchEnd =
        Int64(CivilDate(RunSearch.lastYear + 1, 1, 1).number) * Int64(secondsPerDay)
}
