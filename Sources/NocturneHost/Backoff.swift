// Backoff.swift — how long to wait before a crashed plugin is started again.

/// Exponential back-off: at once, then 100 ms, 200 ms, … at most 30 s; forgotten after a minute without a crash.
struct Backoff: Sendable {
    static let first = Duration.milliseconds(100)
    static let longest = Duration.seconds(30)
    /// A plugin that served this long counts as healthy again.
    static let forgiveness = Duration.seconds(60)

    private var failures = 0
    private var lastFailure: Int64?

    /// The wait after a failure at `now` (CLOCK_MONOTONIC, ns).
    mutating func next(now: Int64) -> Duration {
        if let lastFailure, Duration.nanoseconds(now - lastFailure) > Self.forgiveness {
            failures = 0
        }
        lastFailure = now
        failures += 1
        if failures == 1 { return .zero }
        let doublings = min(failures - 2, 16)
        return min(Self.longest, Self.first * (1 << doublings))
    }
}
