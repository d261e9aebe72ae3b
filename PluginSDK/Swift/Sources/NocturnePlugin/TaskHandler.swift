// TaskHandler.swift — the closures that run tasks, and what they see of the task. Next: Call.swift.

public import NocturneJSON
internal import CNocturne
internal import Synchronization

/// A closure that runs a task: JSON or values of the author's own types in, the result out. Otherwise as ``Handler``.
///
/// What it throws ends the attempt: ``RetryLater`` and ``Snooze`` as they say, ``PluginError`` for good unless it is
/// retryable, anything else for good. What ``TaskContext/pausePoint(_:)`` throws holds the task.
public struct TaskHandler: Sendable {
    let handler: Handler

    /// Runs a task with JSON, at once.
    public init(_ body: @escaping @Sendable (JSON, TaskContext) throws -> JSON) {
        handler = Handler { (input: JSON, call: Call) throws -> JSON in
            try body(input, TaskContext(call))
        }
    }

    /// Runs a task with JSON, and may wait.
    public init(_ body: @escaping @Sendable (JSON, TaskContext) async throws -> JSON) {
        handler = Handler { (input: JSON, call: Call) async throws -> JSON in
            try await body(input, TaskContext(call))
        }
    }

    /// Runs a task with values of the author's own types, at once.
    public init<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ body: @escaping @Sendable (Input, TaskContext) throws -> Output
    ) {
        handler = Handler { (input: Input, call: Call) throws -> Output in
            try body(input, TaskContext(call))
        }
    }

    /// Runs a task with values of the author's own types, and may wait.
    public init<Input: Decodable & SendableMetatype, Output: Encodable & SendableMetatype>(
        _ body: @escaping @Sendable (Input, TaskContext) async throws -> Output
    ) {
        handler = Handler { (input: Input, call: Call) async throws -> Output in
            try await body(input, TaskContext(call))
        }
    }
}

/// One attempt at a task, as its handler sees it. May be used from any thread until the handler has returned.
public struct TaskContext: Sendable {
    /// The call that this attempt is; for tools of other plugins.
    public let call: Call
    /// The task's id in the host.
    public let id: String
    /// The task's name.
    public let name: String
    /// The queue that it stands in.
    public let queue: String
    /// The number of this attempt, from 1.
    public let attempt: Int
    /// How often a process died in an attempt at it.
    public let crashes: Int
    private let saved: SavedCheckpoint
    private let table: TasksTable

    /// The host and its services.
    public var host: Host { call.host }

    init(_ call: Call) throws(HostError) {
        guard let table = call.host.tables.tasks else {
            throw .unavailable(service: NOCTURNE_HOST_TASKS)
        }
        let info: JSON
        do {
            info = try JSON(parsing: try table.info(call.handle))
        } catch let error as HostError {
            throw error
        } catch {
            throw .malformed("what the host says of the task (\(error))")
        }
        self.call = call
        self.table = table
        id = info["id"]?.string ?? ""
        name = info["name"]?.string ?? ""
        queue = info["queue"]?.string ?? ""
        attempt = Int(info["attempt"]?.integer ?? 1)
        crashes = Int(info["crashes"]?.integer ?? 0)
        saved = SavedCheckpoint(info["checkpoint"].flatMap { $0 == .null ? nil : $0 })
    }

    /// What was saved last by ``checkpoint(_:)``, in this attempt or an earlier one; `nil` at the very beginning.
    public var checkpoint: JSON? { saved.value.withLock { $0 } }

    /// Somebody asked to stop, or the time is up: return soon, or the whole plugin is killed. The Swift task of an
    /// asynchronous handler is canceled, too.
    public var isCancelled: Bool { call.isCancelled }

    /// Somebody wants the task to be held, or the plugin to be replaced: ``pausePoint(_:)`` will leave.
    public var isPauseRequested: Bool { table.isPauseRequested(call.handle) }

    /// How much time is left until the plugin is killed; `nil`: as much as it takes.
    public var timeLeft: Duration? { call.remaining }

    /// Says how far the task is: 0...100, never less than before in this attempt. Worth calling as often as there is
    /// something to say; a message keeps 1,024 bytes.
    public func updateProgress(_ percent: Double, _ message: String? = nil) {
        table.progress(call.handle, percent, message)
    }

    /// Writes a line into the attempt's log, of which the last 100 are kept, with 1,024 bytes each.
    public func log(_ line: String) { table.log(call.handle, line) }

    /// Saves what a later attempt needs to go on from here; it finds it in ``checkpoint``. At most 1 MiB of JSON.
    /// Blocks its thread until the host has it.
    ///
    /// - Throws: ``HostError``; ``HostError/failed(_:errno:)`` also when the task is not this attempt's any more.
    public func checkpoint(_ value: JSON) throws(HostError) {
        try table.checkpoint(call.handle, value.bytes)
        saved.value.withLock { $0 = value }
    }

    /// A place where the task may be held: if it is to pause, this saves the checkpoint and leaves the handler by
    /// throwing; later the handler is called again and finds the checkpoint. Also throws `CancellationError`.
    public func pausePoint(_ value: JSON? = nil) throws {
        try call.checkCancellation()
        guard isPauseRequested else { return }
        if let value { try checkpoint(value) }
        throw Paused()
    }
}

/// The latest checkpoint of an attempt.
private final class SavedCheckpoint: Sendable {
    let value: Mutex<JSON?>

    init(_ value: JSON?) { self.value = Mutex(value) }
}

/// Thrown by a task's handler: try again, but not before so much time has passed. It counts as a failed attempt.
public struct RetryLater: Error, Sendable, Hashable {
    /// How long to wait, at least.
    public let delay: Duration
    /// Why.
    public let reason: String

    /// A failure with its wait, as of a server that says when to come back.
    public init(after delay: Duration, _ reason: String) {
        (self.delay, self.reason) = (delay, reason)
    }
}

/// Thrown by a task's handler: nothing to do yet, call again later. It does not count as an attempt.
public struct Snooze: Error, Sendable, Hashable {
    /// When to call again; less than a second counts as one.
    public let delay: Duration

    /// Asks to be called again after a while.
    public init(for delay: Duration) { self.delay = delay }
}

/// Thrown by ``TaskContext/pausePoint(_:)`` to leave the handler.
struct Paused: Error {}

extension Duration {
    /// Whole milliseconds, never negative.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : whole + UInt64(attoseconds / 1_000_000_000_000_000)
    }
}
