// EndWaiter.swift — waits for the end of one task. Next: BackgroundTaskManager+Asking.swift.

internal import Synchronization

/// One who waits for the end of a task. It may come before the waiting begins.
final class EndWaiter: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<TaskRecord?, Never>)
        case ended(TaskRecord?)
    }
    private let state = Mutex(State.idle)

    /// The first call counts; `nil`: the waiting ends, the task does not.
    func end(_ record: TaskRecord?) {
        let continuation = state.withLock { state -> CheckedContinuation<TaskRecord?, Never>? in
            switch state {
            case .idle:
                state = .ended(record)
                return nil
            case .waiting(let continuation):
                state = .ended(record)
                return continuation
            case .ended: return nil
            }
        }
        continuation?.resume(returning: record)
    }

    /// Waits; to be asked once. `nil` also when the caller's Swift task is cancelled.
    var record: TaskRecord? {
        get async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let ended = state.withLock { state -> TaskRecord?? in
                        if case .ended(let record) = state { return .some(record) }
                        state = .waiting(continuation)
                        return nil
                    }
                    if let ended { continuation.resume(returning: ended) }
                }
            } onCancel: {
                end(nil)
            }
        }
    }
}
