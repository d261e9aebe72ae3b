// VirtualClock.swift — time that passes only when a test says so, and what waits for events in real time.

internal import Synchronization
package import NocturneCore

/// A clock that stands still until it is moved; whoever sleeps on it wakes when it has come far enough.
package final class VirtualClock: EngineClock {
    private struct Sleeper {
        let deadline: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }
    private struct State {
        var uptime = Duration.zero
        var start: UnixTime
        var sleepers: [Int: Sleeper] = [:]
        var next = 0
    }
    private let state: Mutex<State>

    package init(at start: UnixTime = UnixTime(seconds: 1_750_000_000)) {
        state = Mutex(State(start: start))
    }

    package var now: UnixTime { state.withLock { Self.moment($0.start, after: $0.uptime) } }
    package var uptime: Duration { state.withLock { $0.uptime } }

    private static func moment(_ start: UnixTime, after duration: Duration) -> UnixTime {
        UnixTime(milliseconds: start.milliseconds + duration.wholeMilliseconds)
    }

    /// How many wait for a later time.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// When the first sleeper wakes.
    package var nextWake: Duration? { state.withLock { $0.sleepers.values.map(\.deadline).min() } }

    package func sleep(until deadline: Duration) async throws {
        let key = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isDone = state.withLock { state in
                    if deadline <= state.uptime || Task.isCancelled { return true }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.removeValue(forKey: key) }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
        try Task.checkCancellation()
    }

    /// Sleeps on, whatever anybody asks.
    package func sleepStubbornly(until deadline: Duration) async {
        let job = Task { try await self.sleep(until: deadline) }
        _ = await job.result
    }

    package func advance(by duration: Duration) {
        let due = state.withLock { state -> [Sleeper] in
            state.uptime += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Sets the wall clock without time passing.
    package func set(by duration: Duration) {
        state.withLock { $0.start = Self.moment($0.start, after: duration) }
    }

    /// Lets time pass in steps, from sleeper to sleeper, until something holds.
    package func run(until what: String, _ holds: @Sendable () async throws -> Bool) async throws {
        for _ in 0..<10_000 {
            if try await holds() { return }
            for _ in 0..<20 { await Task.yield() }
            if try await holds() { return }
            if let wake = nextWake { advance(by: max(.zero, wake - uptime)) }
            try await Task.sleep(for: .microseconds(100))
        }
        throw NeverHappened(what: what)
    }
}

/// What a test waited for did not come. Thrown, so that a test does not go on to wait for what cannot come any more.
package struct NeverHappened: Error, CustomStringConvertible {
    package let what: String

    package var description: String { "never: \(what)" }
}

/// Waits, in real time, until something holds, at most a minute.
package func eventually(
    _ what: @autoclosure () -> String, _ holds: @Sendable () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !holds() {
        guard ContinuousClock.now < end else {
            throw NeverHappened(what: "\(what()), within a minute")
        }
        try await Task.sleep(for: .microseconds(200))
    }
}
