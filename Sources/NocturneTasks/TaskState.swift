// TaskState.swift — where a task is in its life, and how urgent it is. Next: NewTask.swift.

package import NocturneCore

/// Where a task is in its life.
public enum TaskState: UInt8, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// Other tasks must end first.
    case blocked
    /// Its time has not come, be it the first time or after a failure.
    case scheduled
    /// It may start as soon as somebody is free to run it.
    case available
    /// Somebody runs it.
    case running
    /// Somebody asked to hold it.
    case paused
    /// It ended well.
    case completed
    /// It ended badly and is not tried again unless somebody asks.
    case failed
    /// Somebody asked to end it.
    case cancelled
    /// It was not to run, because of what became of others.
    case skipped

    /// The state by its name.
    public init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = state
    }

    /// Whether nothing happens to it any more unless somebody asks.
    public var isFinished: Bool { rawValue >= Self.completed.rawValue }

    /// Its name, as in JSON.
    public var description: String {
        switch self {
        case .blocked: "blocked"
        case .scheduled: "scheduled"
        case .available: "available"
        case .running: "running"
        case .paused: "paused"
        case .completed: "completed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .skipped: "skipped"
        }
    }
}

/// How urgent a task is.
///
/// Within a queue the task with the earliest *virtual deadline* starts first: the moment it became available, plus
/// the slack of its class. So more urgent ones overtake, but nobody waits for ever: a task that is not critical starts
/// before every one that becomes available later than its own slack after it, whatever its class (other than critical).
public enum PriorityClass: UInt8, Sendable, Hashable, CaseIterable, Comparable,
    CustomStringConvertible
{
    /// Before all others, always: a full load of these leaves nothing to the rest.
    case critical
    /// No slack.
    case high
    /// 30 seconds.
    case normal
    /// 5 minutes.
    case low
    /// 30 minutes.
    case background

    /// The class by its name.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = found
    }

    /// How much longer than one of class high a task may be made to wait; `nil` for critical ones, which have no order
    /// in common with the others.
    public var slack: Duration? {
        switch self {
        case .critical: nil
        case .high: .zero
        case .normal: .seconds(30)
        case .low: .seconds(5 * 60)
        case .background: .seconds(30 * 60)
        }
    }

    /// Sorts tasks that are available since `time`: less is first.
    package func order(since time: UnixTime) -> Int64 {
        // No moment that anybody means is 140,000 years away, so critical ones come first.
        guard let slack else { return time.milliseconds &- (1 << 52) }
        return time.milliseconds &+ slack.wholeMilliseconds
    }

    /// Its name, as in JSON.
    public var description: String {
        switch self {
        case .critical: "critical"
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        case .background: "background"
        }
    }

    /// The more urgent is less.
    public static func < (left: PriorityClass, right: PriorityClass) -> Bool {
        left.rawValue < right.rawValue
    }
}
