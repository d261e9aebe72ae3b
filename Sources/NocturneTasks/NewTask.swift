// NewTask.swift — what is asked for when a task is added. Next: RetryPolicy.swift.

public import NocturneCore

/// A task to be added: what to do, when, how urgent it is, and what must not happen at the same time.
public struct NewTask: Sendable, Hashable {
    /// When it may start.
    public enum Start: Sendable, Hashable {
        /// As soon as somebody is free.
        case now
        /// Not before this moment by the wall clock.
        case at(UnixTime)
        /// Not before so much time has passed; not negative.
        case after(Duration)
    }

    /// The handler that runs it. One that nobody has registered yet is no error: the task waits for it.
    public var name: String
    /// The input for its handler, as JSON text.
    public let input: String
    /// The queue it stands in. A queue exists when something stands in it.
    public var queue = NewTask.standardQueue
    /// How urgent it is.
    public var priority = PriorityClass.normal
    /// When it may start.
    public var start = Start.now
    /// How often and when it is tried again; `nil`: as the manager's configuration says.
    public var retry: RetryPolicy?
    /// How long one attempt may take, from a millisecond to ``longestTimeout``; `nil`: as long as it likes.
    public var timeout: Duration?
    /// If it has not ended by then, it fails and is not tried again; later than its start.
    public var deadline: UnixTime?
    /// Of tasks with the same key only so many run at the same time.
    public var key: ConcurrencyKey?
    /// Of tasks with the same name and unique key there is only one.
    public var unique: UniqueKey?
    /// A second task with the same key is not added within ``idempotencyPeriod``; the first is returned instead.
    public var idempotencyKey: String?
    /// How long its result is kept after it completed, at least zero; `nil`: as long as the task itself.
    public var keepsResultFor: Duration?

    /// The queue of tasks that name none.
    public static let standardQueue = "default"
    /// A day: longer than anybody retries a request.
    public static let idempotencyPeriod = Duration.seconds(86_400)
    /// Bytes of a name of any kind.
    public static let longestNameBytes = 200
    /// A year: longer than any process runs.
    public static let longestTimeout = Duration.seconds(365 * 86_400)
    /// No moment is at or after this one: the year 10000.
    static let endOfTime = UnixTime(milliseconds: 253_402_300_800_000)

    /// A task with an input.
    public init(_ name: String, input: JSONValue = .null) {
        self.init(name, json: input.isNull ? "null" : input.description)
    }

    /// A task with an input that is JSON text already.
    package init(_ name: String, json: String) { (self.name, input) = (name, json) }

    /// Looks for what makes no sense, so that stores need not.
    package func check(now: UnixTime) throws(TaskError) {
        try Self.check(name: name, of: "task")
        try Self.check(name: queue, of: "queue")
        if let key { try Self.check(name: key.name, of: "key") }
        if let unique { try Self.check(name: unique.key, of: "unique key") }
        if let idempotencyKey { try Self.check(name: idempotencyKey, of: "idempotency key") }
        try Self.check(value: input, of: "the input of \(name)")
        try checkTimes(now: now)
    }

    private func checkTimes(now: UnixTime) throws(TaskError) {
        var due = now
        switch start {
        case .now: break
        case .at(let time):
            guard time < Self.endOfTime, time.milliseconds >= 0 else {
                throw .invalidTime("the start of \(name)", "between the years 1970 and 9999")
            }
            due = max(time, now)
        case .after(let delay):
            due = now.adding(delay)
            guard delay >= .zero, due < Self.endOfTime else {
                throw .invalidTime(
                    "the delay of \(name)", "not negative, and end before the year 10000")
            }
        }
        if let timeout, timeout.wholeMilliseconds < 1 || timeout > Self.longestTimeout {
            throw .invalidTime("the timeout of \(name)", "from a millisecond to a year")
        }
        if let deadline, deadline <= due || deadline >= Self.endOfTime {
            throw .invalidTime(
                "the deadline of \(name)", "later than its start, and before the year 10000")
        }
        if let period = unique?.period, period.wholeMilliseconds < 1 {
            throw .invalidTime("the period of the unique key of \(name)", "at least a millisecond")
        }
        if let keepsResultFor, keepsResultFor < .zero {
            throw .invalidTime("the time for which \(name) keeps its result", "not negative")
        }
    }

    package static func check(name: String, of what: String) throws(TaskError) {
        guard !name.isEmpty, name.utf8.count <= longestNameBytes,
            name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw .invalidName(what, name) }
    }
}

/// Bounds how many tasks run at the same time of those that share its name, whatever their names and queues.
public struct ConcurrencyKey: Sendable, Hashable {
    /// What they share: a tenant, a file, a device.
    public var name: String
    /// How many of them may run, at least 1. If tasks disagree, the one that was added last decides.
    public let limit: Int

    /// A key; a limit below 1 becomes 1.
    public init(_ name: String, limit: Int = 1) {
        (self.name, self.limit) = (name, max(limit, 1))
    }
}

/// Keeps a second task of the same name and key from being added.
public struct UniqueKey: Sendable, Hashable {
    /// What makes two tasks of one name the same.
    public var key: String
    /// Only a task that was added so recently counts, more than 0; `nil`: however long ago.
    public var period: Duration?
    /// Only a task in one of these states counts.
    public var states: Set<TaskState>

    /// A key; by default every task that has not ended counts.
    public init(
        _ key: String, within period: Duration? = nil,
        states: Set<TaskState> = Set(TaskState.allCases.filter { !$0.isFinished })
    ) {
        (self.key, self.period, self.states) = (key, period, states)
    }
}

extension UnixTime {
    /// Later by a duration; stops at the ends of time.
    package func adding(_ duration: Duration) -> UnixTime {
        adding(milliseconds: duration.wholeMilliseconds)
    }

    package func adding(milliseconds other: Int64) -> UnixTime {
        let (sum, overflow) = milliseconds.addingReportingOverflow(other)
        return UnixTime(milliseconds: overflow ? (other < 0 ? .min : .max) : sum)
    }

    /// How much later it is than `other`.
    package func since(_ other: UnixTime) -> Duration {
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(other.milliseconds)
        return .milliseconds(overflow ? (milliseconds < 0 ? .min : .max) : difference)
    }
}
