// TaskHandler.swift — what runs the tasks of a name, and what it may say when it stops early. Next: TaskContext.swift.

internal import NocturneCore

/// What runs the tasks of one name.
struct TaskHandler: Sendable {
    /// From JSON text to JSON text.
    let run: @Sendable (String, TaskContext) async throws -> String
    /// How long to wait after the attempt of this number failed; `nil`: as the task's own policy says.
    let wait: (@Sendable (_ attempt: Int, any Error) -> Duration?)?
}

/// Thrown by a handler: try again, but not before so much time has passed. It counts as a failed attempt.
public struct RetryLater: Error, Sendable, Hashable {
    /// How long to wait, at least: from zero to ``RetryPolicy/longestWait``, to which others are moved.
    public let delay: Duration
    /// Why.
    public let reason: String

    /// A failure with its wait, as of a server that says when to come back.
    public init(after delay: Duration, _ reason: String) {
        (self.delay, self.reason) = (delay, reason)
    }
}

/// Thrown by a handler: nothing to do yet, call again later. It does not count as an attempt.
public struct Snooze: Error, Sendable, Hashable {
    /// How long to wait before: from zero to ``RetryPolicy/longestWait``, to which others are moved.
    public let delay: Duration

    /// Asks to be called again after a while.
    public init(for delay: Duration) { self.delay = delay }
}

/// Thrown by ``TaskContext/pausePoint(_:)`` to leave the handler; nobody else has a reason to catch it.
struct Paused: Error {}
