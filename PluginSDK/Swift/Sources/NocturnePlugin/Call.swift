// Call.swift — one call in progress, as its handler sees it, and the handle that is completed once.
// Next: Host.swift.

public import NocturneJSON
internal import CNocturne
internal import Synchronization

/// One call in progress. May be kept and asked from any thread: after its completion it is canceled and
/// has no time left.
public struct Call: Sendable {
    /// The host and its services.
    public let host: Host
    let handle: CallHandle

    /// Whether nobody waits any more: the caller went away, or the deadline passed. Worth asking in every
    /// long loop; a call that still runs at its deadline gets the whole plugin killed.
    public var isCancelled: Bool { handle.isCancelled }

    /// Throws `CancellationError` if nobody waits any more.
    public func checkCancellation() throws(CancellationError) {
        if isCancelled { throw CancellationError() }
    }

    /// The time until the deadline, never negative; `nil` if there is none.
    public var remaining: Duration? {
        let nanoseconds = handle.remainingNanoseconds
        return nanoseconds == .max ? nil : .nanoseconds(nanoseconds)
    }

    /// The deadline on the clock that stops in suspend; `nil` if there is none.
    public var deadline: SuspendingClock.Instant? { remaining.map { .now + $0 } }

    /// Calls a tool of another plugin on behalf of this call, whose deadline and cancellation go along.
    ///
    /// The wait takes a thread of the SDK's own, at most ``CallThreads/maximum`` at once; no task waits
    /// for a thread.
    ///
    /// - Throws: ``HostError/tool(name:status:message:)`` with what the other plugin said, or why it
    ///   could not be asked.
    public func callTool(_ name: String, _ input: JSON) async throws(HostError) -> JSON {
        guard let table = host.tables.calls else {
            throw .unavailable(service: NOCTURNE_HOST_CALLS)
        }
        let bytes = input.bytes
        let result = await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = { [handle] in
                continuation.resume(returning: table.call(name, bytes, for: handle))
            }
            if !CallThreads.shared.run(work) {
                continuation.resume(
                    returning: .failure(.failed("\(name): no thread can be started", errno: 11)))
            }
        }
        let answer = try result.get()
        do {
            return try JSON(parsing: answer)
        } catch {
            throw .malformed("\(name): the answer is \(error)")
        }
    }
}

/// How a call ended.
struct Outcome: Sendable {
    /// An end that only tasks have.
    enum TaskEnd: Sendable { case paused, retryAfter(UInt64, String), snoozed(UInt64) }

    let status: UInt32
    let bytes: [UInt8]
    let taskEnd: TaskEnd?

    private init(status: UInt32, bytes: [UInt8], taskEnd: TaskEnd? = nil) {
        self.status = status
        self.bytes = bytes
        self.taskEnd = taskEnd
    }

    init(status: UInt32, message: String) {
        self.init(status: status, bytes: Array(message.utf8))
    }

    init(result bytes: [UInt8]) {
        guard bytes.count <= NOCTURNE_PAYLOAD_MAX else {
            self.init(
                status: NOCTURNE_FAILED,
                message: "the result has \(bytes.count) bytes; \(NOCTURNE_PAYLOAD_MAX) are allowed")
            return
        }
        self.init(status: NOCTURNE_OK, bytes: bytes)
    }

    init(error: any Error, ofTask isTask: Bool) {
        switch error {
        case is Paused where isTask:
            self.init(status: NOCTURNE_CANCELLED, bytes: [], taskEnd: .paused)
        case let later as RetryLater where isTask:
            self.init(
                status: NOCTURNE_RETRY, bytes: Array(later.reason.utf8),
                taskEnd: .retryAfter(later.delay.milliseconds, later.reason))
        case let snooze as Snooze where isTask:
            self.init(
                status: NOCTURNE_RETRY, bytes: [], taskEnd: .snoozed(snooze.delay.milliseconds))
        case let error as PluginError:
            let status =
                error.isInvalidInput
                ? NOCTURNE_INVALID_INPUT : error.isRetryable ? NOCTURNE_RETRY : NOCTURNE_FAILED
            self.init(status: status, message: error.message)
        case is CancellationError:
            self.init(status: NOCTURNE_CANCELLED, message: "canceled")
        case let error as HostError:
            let status =
                error.isCancelled
                ? NOCTURNE_CANCELLED : error.isRetryable ? NOCTURNE_RETRY : NOCTURNE_FAILED
            self.init(status: status, message: error.description)
        default:
            self.init(status: NOCTURNE_FAILED, message: String(describing: error))
        }
    }
}

/// The host's handle of a call. Gives the host's pointer out only while the call is not completed: a
/// completion waits until nested calls that use the pointer have returned.
final class CallHandle: Sendable {
    private struct State {
        var call: UInt  // The address of the host's handle; 0 once completed.
        var users = 0
        var outcome: Outcome?
    }

    private let state: Mutex<State>
    private let tables: HostTables
    let address: UInt

    init(_ call: OpaquePointer, tables: HostTables) {
        address = UInt(bitPattern: call)
        state = Mutex(State(call: address))
        self.tables = tables
    }

    var isCancelled: Bool {
        state.withLock { state in
            OpaquePointer(bitPattern: state.call).map { tables.isCancelled($0) } ?? true
        }
    }

    var remainingNanoseconds: Int64 {
        state.withLock { state in
            OpaquePointer(bitPattern: state.call).map { tables.remaining($0) } ?? 0
        }
    }

    /// Runs `body` with the host's pointer, which stays good until it returns; `nil` once the call is
    /// completed, or about to be.
    func use<Result>(_ body: (OpaquePointer) -> Result) -> Result? {
        let call = state.withLock { state -> OpaquePointer? in
            guard state.outcome == nil, let call = OpaquePointer(bitPattern: state.call) else {
                return nil
            }
            state.users += 1
            return call
        }
        guard let call else { return nil }
        let result = body(call)
        state.withLock { state in
            state.users -= 1
            completeIfUnused(&state)
        }
        return result
    }

    /// Completes the call; the first outcome counts.
    func complete(_ outcome: Outcome) {
        state.withLock { state in
            guard state.call != 0, state.outcome == nil else { return }
            state.outcome = outcome
            completeIfUnused(&state)
        }
    }

    private func completeIfUnused(_ state: inout State) {
        guard state.users == 0, let outcome = state.outcome,
            let call = OpaquePointer(bitPattern: state.call)
        else { return }
        state.call = 0
        state.outcome = nil
        tables.complete(call, outcome)
    }
}
