// Counter.swift — a handle to a total that only rises. Next: UpDownCounter.swift.

public import CMetrics

/// A total that only rises: requests, bytes sent.
///
/// A handle is cheap to copy and to keep. Recording takes about a nanosecond from any number of threads: no lock, no
/// allocation, nothing to wait for. Not to be called from signal handlers.
public struct Counter: Sendable {
    @usableFromInline
    let series: Series

    init(_ series: Series) { self.series = series }

    /// Adds a whole amount. A negative one is left out, and counted as ``Misuse/negativeIncrement``.
    @inlinable
    public func increment(_ amount: Int = 1) {
        guard amount >= 0, !cmetrics_is_heard() else { return series.add(amount, as: .counter) }
        withExtendedLifetime(series) { cmetrics_add_whole(series.slot, Int64(amount)) }
    }

    /// Adds an amount: exactly if it is whole and below 2^53. A negative one is left out, and NaN and infinity are.
    @inlinable
    public func increment(_ amount: Double) {
        guard amount >= 0, amount < .infinity, !cmetrics_is_heard() else {
            return series.add(amount, as: .counter)
        }
        withExtendedLifetime(series) { cmetrics_add(series.slot, amount) }
    }

    /// The total now. Reading it adds up all threads, so it takes longer than recording.
    public var amount: Amount { series.amount }

    /// Which series it is.
    public var labels: Labels { series.identity.labels }

    /// Starts from 0 again, as after a restart.
    package func reset() { cmetrics_reset(series.slot) }
}
