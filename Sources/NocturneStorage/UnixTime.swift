// UnixTime.swift — the wall clock as the store writes it down. Next: HostStore.swift.

internal import Glibc

/// A moment, in milliseconds since 1970-01-01 00:00 UTC without leap seconds.
struct UnixTime: Sendable, Equatable {
    let milliseconds: Int64

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The wall clock. It can jump, so nothing is ordered or timed by it.
    static func now() -> UnixTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UnixTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The second of this moment in ISO 8601's basic form, fit for a file name: `20260131T235959Z`.
    var compactUTC: String {
        var seconds = time_t(milliseconds / 1_000), parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let day = "\(Int(parts.tm_year) + 1_900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
        return "\(day)T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
    }
}
