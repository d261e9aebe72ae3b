// EngineClock.swift — the time that an engine goes by; in tests, one that is set by hand. Next: UnixTime.swift.

/// The time that an engine goes by: a task manager, a metrics collector.
package protocol EngineClock: Sendable {
    /// The wall clock: for moments that people mean.
    var now: UnixTime { get }
    /// A clock that nobody sets: for how long something takes.
    var uptime: Duration { get }
    /// Waits until `uptime` is at least `deadline`, or throws when the caller's task is cancelled.
    func sleep(until deadline: Duration) async throws
}

/// The machine's own clocks. Suspended time does not count as uptime.
package struct SystemClock: EngineClock {
    package init() {}

    package var now: UnixTime { UnixTime.now() }

    package var uptime: Duration { .uptime }

    /// Swift's own clocks end the process when they are to sleep for longer than 2⁶³ seconds.
    private static let longestSleep = Duration.seconds(86_400)

    package func sleep(until deadline: Duration) async throws {
        repeat {
            try await Task.sleep(for: min(deadline - uptime, Self.longestSleep), clock: .suspending)
        } while uptime < deadline
    }
}
