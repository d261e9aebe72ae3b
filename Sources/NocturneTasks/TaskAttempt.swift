// TaskAttempt.swift — what became of one attempt at a task. Next: TaskRecord.swift.

public import NocturneCore

/// Why an attempt or a task ended badly.
public struct TaskFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The handler threw.
        case error
        /// The handler said that trying again is useless.
        case permanent
        /// It took longer than its timeout.
        case timeout
        /// Its deadline passed.
        case deadline
        /// The process that ran it died or was not heard of.
        case crash
        /// It died with its process too often.
        case poison
        /// Its input does not fit its handler.
        case input
    }

    /// What kind.
    public let kind: Kind
    /// In words, at most ``longestMessage`` bytes.
    public let message: String

    /// Enough for any sentence; a stack belongs into the log.
    public static let longestMessage = 4_096

    /// A failure; the message is cut at ``longestMessage`` bytes.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message =
            message.utf8.count <= Self.longestMessage
            ? message
            : String(decoding: message.utf8.prefix(Self.longestMessage - 3), as: UTF8.self) + "…"
    }

    /// The message.
    public var description: String { message }
}

/// What became of one attempt.
public struct TaskAttempt: Sendable, Hashable {
    /// How it ended.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        /// The task is completed.
        case completed
        /// It failed.
        case failed
        /// The process that ran it died or was not heard of.
        case crashed
        /// It was cancelled.
        case cancelled
        /// The handler asked to be called again later.
        case snoozed
        /// It was held.
        case paused
        /// It was given back because the manager shut down.
        case returned
    }

    /// From 1; attempts that are not counted share the number of the next.
    public let number: Int
    /// When it began.
    public let started: UnixTime
    /// When it ended.
    public let ended: UnixTime
    /// Who ran it.
    public let worker: WorkerID?
    /// How it ended.
    public let outcome: Outcome
    /// Why, if it failed.
    public let failure: TaskFailure?
    /// The last lines it logged, at most ``mostLines``.
    public let log: [String]

    /// As many of the last lines are kept.
    public static let mostLines = 100
    /// As many bytes of a line are kept.
    public static let longestLine = 1_024
    /// As many of the last attempts of a task are kept.
    public static let mostKept = 20
}

/// How far a task is.
public struct TaskProgress: Sendable, Hashable {
    /// 0...100.
    public let percent: Double
    /// In words.
    public let message: String?

    /// As many bytes of a message are kept.
    public static let longestMessage = 1_024

    package init(percent: Double, message: String?) {
        self.percent = percent.isNaN ? 0 : min(max(percent, 0), 100)
        self.message = message.map { text in
            text.utf8.count <= Self.longestMessage
                ? text : String(decoding: text.utf8.prefix(Self.longestMessage), as: UTF8.self)
        }
    }
}
