// RateLimit.swift — how often something may happen: a token bucket.

/// Allows `burst` at once, and `perSecond` in the long run.
struct RateLimit: Sendable {
    private let burst: Double
    private let perMillisecond: Double
    private var tokens: Double
    private var last: Int64?

    init(burst: Int, perSecond: Int) {
        self.burst = Double(burst)
        perMillisecond = Double(perSecond) / 1_000
        tokens = Double(burst)
    }

    /// Whether it may happen at `now`, in milliseconds of any clock. A clock that goes back adds nothing.
    mutating func take(now: Int64) -> Bool {
        tokens = min(burst, tokens + Double(max(0, now - (last ?? now))) * perMillisecond)
        last = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
