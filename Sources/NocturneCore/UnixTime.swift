// UnixTime.swift — the wall clock as stores and schedules write it down. Next: Uptime.swift.

internal import Glibc

/// A moment, in milliseconds since 1970-01-01 00:00 UTC without leap seconds.
public struct UnixTime: Sendable, Hashable, Comparable {
    /// Milliseconds since the epoch; negative before it.
    public let milliseconds: Int64

    /// A moment by its milliseconds since the epoch.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// A moment by its seconds since the epoch; the nearest one that there is, beyond ± 292 million years.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The wall clock. It can jump, so nothing is ordered or timed by it.
    public static func now() -> UnixTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Order in time.
    public static func < (left: UnixTime, right: UnixTime) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The second of this moment in ISO 8601's basic form, fit for a file name: `20260131T235959Z`.
    package var compactUTC: String {
        var seconds = time_t(milliseconds / 1_000), parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let day = "\(Int(parts.tm_year) + 1_900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
        return "\(day)T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
    }
}
