// ClockChange.swift — what a schedule does where a wall clock skips times, or shows them twice. Next: RunSearch.swift.

/// What happens to runs at times that the wall clock skips, for example when summer time begins.
public enum ClockGap: String, Sendable, Hashable, CaseIterable {
    /// As Debian's cron: ``runAtEnd`` for jobs at a time of day, ``skip`` for those that follow the wall clock because
    /// minute or hour begins with a star. Here for gaps of any size; cron itself takes one of more than three hours
    /// for a correction of the clock.
    case debian
    /// One run at the end of the gap stands for all that fell into it.
    case runAtEnd
    /// They do not happen.
    case skip
    /// Each happens as long after the start of the gap as it would have without it: 02:30 becomes 03:30.
    case shift
}

/// What happens to runs at times that the wall clock shows twice, for example when summer time ends.
public enum ClockOverlap: String, Sendable, Hashable, CaseIterable {
    /// As Debian's cron: ``first`` for jobs at a time of day, ``both`` for those that follow the wall clock because
    /// minute or hour begins with a star.
    case debian
    /// They happen the first time only.
    case first
    /// They happen the second time only.
    case second
    /// They happen both times.
    case both
}
