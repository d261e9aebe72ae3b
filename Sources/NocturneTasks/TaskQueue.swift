// TaskQueue.swift — what bounds the tasks of a queue and of a key: how many run, how often one starts.
// Next: TaskStatistics.swift.

internal import NocturneCore

/// What bounds the tasks of one queue.
public struct QueueSettings: Sendable, Hashable {
    /// The queue's name.
    public var name: String
    /// How many of its tasks may run at the same time, of all managers together; `nil`: no limit of its own. Below 1
    /// becomes 1: to stop a queue is to pause it.
    public var limit: Int? {
        didSet { limit = limit.map { max($0, 1) } }
    }
    /// How often one may start; `nil`: as often as there is one.
    public var rate: StartRate?
    /// While it is paused, none of its tasks starts.
    public var isPaused = false

    /// A queue.
    public init(
        _ name: String, limit: Int? = nil, rate: StartRate? = nil, isPaused: Bool = false
    ) {
        (self.name, self.rate, self.isPaused) = (name, rate, isPaused)
        self.limit = limit.map { max($0, 1) }
    }
}

/// How often tasks of a queue may start: evenly spread, but some at once after a rest.
public struct StartRate: Sendable, Hashable {
    /// So many …
    public let count: Int
    /// … in this time.
    public let period: Duration
    /// So many may start at once after a rest.
    public let burst: Int

    /// More than any machine starts at once.
    public static let largestBurst = 1_000_000
    /// The longest period that makes sense, a year.
    public static let longestPeriod = Duration.seconds(365 * 86_400)

    /// A rate; values out of range are moved to the nearest.
    ///
    /// - Parameters:
    ///   - count: at least 1.
    ///   - period: from a millisecond to ``longestPeriod``.
    ///   - burst: 1...``largestBurst``.
    public init(_ count: Int, per period: Duration, burst: Int = 1) {
        self.count = max(count, 1)
        self.period = min(max(period, .milliseconds(1)), Self.longestPeriod)
        self.burst = min(max(burst, 1), Self.largestBurst)
    }
}

/// The generic cell rate algorithm (ITU-T I.371): one moment says all about the past.
struct StartMeter: Sendable {
    /// When the next one would start if they were evenly spread, in microseconds since 1970-01-01.
    private var expected: Double = -.infinity

    /// When one may start; `now` or before: at once.
    func earliest(_ rate: StartRate, now: UnixTime) -> UnixTime {
        if isAhead(rate, of: now) { return now }
        let slack = Double(rate.burst - 1) * Self.interval(rate)
        // Sums of thirds are not exact: without the tenth, one that may start now would wait a millisecond more.
        let earliest = (expected - slack) / 1_000 - 0.1
        return earliest < 0
            ? UnixTime(milliseconds: 0) : UnixTime(milliseconds: Int64(earliest.rounded(.up)))
    }

    mutating func start(_ rate: StartRate, now: UnixTime) {
        let time = Self.microseconds(now)
        expected = (isAhead(rate, of: now) ? time : max(expected, time)) + Self.interval(rate)
    }

    /// Whether it is twice as far as starts can bring it: the clock was set back far, or the rate was another one. Then
    /// the past says nothing, and must not stop the queue until time has caught up.
    private func isAhead(_ rate: StartRate, of now: UnixTime) -> Bool {
        expected > Self.microseconds(now) + 2 * Double(rate.burst) * Self.interval(rate)
    }

    private static func microseconds(_ time: UnixTime) -> Double {
        Double(time.milliseconds) * 1_000
    }

    private static func interval(_ rate: StartRate) -> Double {
        Double(rate.period.wholeMilliseconds) * 1_000 / Double(rate.count)
    }
}

/// A queue within a table.
struct TaskQueue: Sendable {
    var settings: QueueSettings
    /// It was set up, and did not just come to be with a task.
    var isConfigured = false
    var running = 0
    var meter = StartMeter()
    /// The places of its lanes.
    var lanes: [Int] = []

    var hasPlace: Bool {
        !settings.isPaused && settings.limit.map { running < $0 } ?? true
    }

    func mayStart(now: UnixTime) -> Bool {
        hasPlace && settings.rate.map { meter.earliest($0, now: now) <= now } ?? true
    }
}

/// The tasks that share a concurrency key.
struct KeyGroup: Sendable {
    var limit: Int
    /// Those that have not ended: the group lives as long as there are any.
    var members = 0
    var running = 0
    /// Available tasks whose turn came while `limit` of them ran, by lane. Each lane has at least as many outside as
    /// there are free places, so that none waits for a task of a lane that nobody serves.
    var parked: [Int: Heap<ReadyTask>] = [:]
}
