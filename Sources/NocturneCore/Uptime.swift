// Uptime.swift — the clock that nobody sets, for how long something takes. Next: Quantity.swift.

internal import Glibc

extension Duration {
    /// How long the machine has run, without the time that it was suspended (CLOCK_MONOTONIC).
    package static var uptime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
