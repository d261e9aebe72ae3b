// TaskClock.swift — the time that a task manager goes by; in tests, one that is set by hand. Next: TaskContext.swift.

package import NocturneCore

/// The time that a task manager goes by.
package protocol TaskClock: Sendable {
    /// The wall clock: for moments that people mean.
    var now: UnixTime { get }
    /// A clock that nobody sets: for how long something takes.
    var uptime: Duration { get }
    /// Waits until `uptime` is at least `deadline`, or throws when the caller's task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// The machine's own clocks. Suspended time does not count as uptime.
package struct SystemTaskClock: TaskClock {
    package init() {}

    package var now: UnixTime { UnixTime.now() }

    package var uptime: Duration { .uptime }

    package func sleep(until deadline: Duration) async throws {
        try await Task.sleep(for: deadline - uptime, clock: .suspending)
    }
}
