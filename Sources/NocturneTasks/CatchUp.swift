// CatchUp.swift — which runs still happen that nobody was there for: the host was down, asleep, or its clock was set.
// Next: RunOverlap.swift.

public import NocturneCore

/// What happens to runs that were missed: the newest happen, at most ``maximum`` and none older than ``window``.
public struct CatchUp: Sendable, Hashable {
    /// At least 1.
    public let maximum: Int
    /// How late a run may start, at least ``onTime``.
    public let window: Duration

    /// Missed runs do not happen.
    public static let skip = CatchUp(maximum: 1, window: onTime)
    /// The newest one happens, however late, up to a year: the default of the field.
    public static let latest = CatchUp(maximum: 1, window: longestWindow)

    /// A run that starts this late was not missed: a busy or dozing machine is that late.
    public static let onTime = Duration.seconds(60)
    /// The longest window that makes sense, a year.
    public static let longestWindow = Duration.seconds(365 * 86_400)
    /// More runs at once than this would be a burst that nobody wants.
    public static let longestBurst = 1_000

    private init(maximum: Int, window: Duration) {
        (self.maximum, self.window) = (maximum, window)
    }

    /// The newest missed runs happen, the oldest of them first.
    ///
    /// - Parameters:
    ///   - maximum: 1...``longestBurst``; values beyond are moved to the nearest.
    ///   - window: ``onTime``...``longestWindow``; values beyond are moved to the nearest.
    public static func all(
        upTo maximum: Int, within window: Duration = longestWindow
    ) -> CatchUp {
        CatchUp(
            maximum: min(max(maximum, 1), longestBurst),
            window: min(max(window, onTime), longestWindow))
    }

    /// The runs of `schedule` that are due, in order, and when to look again.
    ///
    /// - Parameters:
    ///   - last: the newest run that was handled, or the schedule's start.
    ///   - now: by the wall clock. If that was set back by less than ``clockCorrection``, nothing runs until it has
    ///     caught up with `last`, so that no run happens twice; if by more, `last` was a mistake of the clock.
    public func due(
        of schedule: Schedule, after last: UnixTime, now: UnixTime
    ) -> (runs: [UnixTime], next: UnixTime?) {
        let correction = Self.clockCorrection.wholeMilliseconds
        let isCorrected = now.milliseconds < last.milliseconds.subtracting(correction)
        let last = isCorrected ? now : last
        let oldest = UnixTime(
            milliseconds: now.milliseconds.subtracting(window.wholeMilliseconds + 1))
        let start = max(last, oldest)
        var runs: [UnixTime] = []
        var end = now
        while runs.count < maximum, let run = schedule.last(after: start, through: end) {
            runs.append(run)
            end = UnixTime(milliseconds: run.milliseconds - 1)
        }
        return (runs.reversed(), schedule.next(after: max(last, now)))
    }

    /// Debian's cron, too, takes a jump of three hours for a correction of the clock.
    public static let clockCorrection = Duration.seconds(3 * 3_600)
}

extension Int64 {
    /// Stops at the smallest value.
    fileprivate func subtracting(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? .min : difference
    }
}
