// RetryPolicy.swift — whether and when a failed task is tried again. Next: TaskAttempt.swift.

internal import NocturneCore

/// How often a failed task is tried again, and how long it waits before.
public struct RetryPolicy: Sendable, Hashable {
    /// How the wait grows with each failed attempt.
    public enum Backoff: Sendable, Hashable {
        /// Always the same.
        case fixed(Duration)
        /// The base, twice the base, three times the base …
        case linear(base: Duration, cap: Duration)
        /// The base, twice the base, four times the base …
        case exponential(base: Duration, cap: Duration)
    }

    /// How often it is tried again: 3 is at most four attempts. 0...``mostRetries``.
    public let retries: Int
    /// How long it waits.
    public let backoff: Backoff
    /// By which part of itself a wait is made shorter at most, at random, so that tasks that failed together do
    /// not come back together: 0...1.
    public let jitter: Double

    /// A limit against typing errors.
    public static let mostRetries = 10_000
    /// A wait is not longer, whatever the policy says: a year.
    public static let longestWait = Duration.seconds(365 * 86_400)
    /// 1 s, 2 s, 4 s … up to an hour, made up to a quarter shorter.
    public static let standardBackoff = Backoff.exponential(
        base: .seconds(1), cap: .seconds(3_600))

    /// A policy; values out of range are moved to the nearest.
    public init(
        retries: Int = 3, backoff: Backoff = RetryPolicy.standardBackoff, jitter: Double = 0.25
    ) {
        self.retries = min(max(retries, 0), Self.mostRetries)
        self.backoff = backoff
        self.jitter = jitter.isNaN ? 0 : min(max(jitter, 0), 1)
    }

    /// How long to wait after the attempt of this number (from 1) failed.
    public func wait(
        afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let longest = Double(Self.longestWait.wholeMilliseconds)
        let number = Double(max(attempt, 1))
        var wait: Double
        switch backoff {
        case .fixed(let always): wait = Double(always.wholeMilliseconds)
        case .linear(let base, let cap):
            wait = min(Double(base.wholeMilliseconds) * number, Double(cap.wholeMilliseconds))
        case .exponential(let base, let cap):
            // 2^62 milliseconds are beyond any cap.
            let factor = Double(Int64(1) << Int64(min(number - 1, 62)))
            wait = min(Double(base.wholeMilliseconds) * factor, Double(cap.wholeMilliseconds))
        }
        wait = min(max(wait, 0), longest)
        if jitter > 0 { wait *= 1 - jitter * Double.random(in: 0..<1, using: &generator) }
        return .milliseconds(Int64(wait))
    }
}

/// Random numbers that repeat with their seed (SplitMix64): the order of waits is part of a table's state.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
