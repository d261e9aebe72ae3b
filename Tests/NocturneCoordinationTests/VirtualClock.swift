// VirtualClock.swift — a clock that tests set by hand. Next: MessagesTests.swift.

import NocturneCore
import Synchronization

/// Time that goes on only when it is told to.
final class VirtualClock: EngineClock {
    private struct State {
        var uptime = Duration.zero
        var sleepers: [Int: (deadline: Duration, wake: CheckedContinuation<Void, any Error>)] = [:]
        var cancelled: Set<Int> = []
        var nextKey = 0
    }
    private let state = Mutex(State())

    var now: UnixTime { UnixTime(milliseconds: 0) }
    var uptime: Duration { state.withLock { $0.uptime } }
    /// How many wait for a later time.
    var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: Duration) async throws {
        let key = state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(key) != nil { return .failure(CancellationError()) }
                    if state.uptime >= deadline { return .success(()) }
                    state.sleepers[key] = (deadline, continuation)
                    return nil
                }
                if let isOver { continuation.resume(with: isOver) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: key)
                if sleeper == nil { state.cancelled.insert(key) }
                return sleeper
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
    }

    func advance(by time: Duration) {
        let due = state.withLock { state in
            state.uptime += time
            let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
            for key in due.keys { state.sleepers[key] = nil }
            return due
        }
        for sleeper in due.values { sleeper.wake.resume() }
    }
}
