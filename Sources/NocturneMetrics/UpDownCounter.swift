// UpDownCounter.swift — a handle to a total that rises and falls. Next: Gauge.swift.

public import CMetrics

/// A total that rises and falls by amounts: connections, things in a queue. Exported as a gauge.
///
/// As fast as a ``Counter``, unlike ``Gauge/add(_:)``.
public struct UpDownCounter: Sendable {
    @usableFromInline
    let series: Series

    init(_ series: Series) { self.series = series }

    /// Adds a whole amount; a negative one takes away.
    @inlinable
    public func increment(_ amount: Int = 1) {
        guard !cmetrics_is_heard() else { return series.add(amount, as: .upDownCounter) }
        withExtendedLifetime(series) { cmetrics_add_whole(series.slot, Int64(amount)) }
    }

    /// Adds an amount: exactly if it is whole and below 2^53. NaN and the infinities are left out.
    @inlinable
    public func increment(_ amount: Double) {
        guard amount.isFinite, !cmetrics_is_heard() else {
            return series.add(amount, as: .upDownCounter)
        }
        withExtendedLifetime(series) { cmetrics_add(series.slot, amount) }
    }

    /// Takes a whole amount away.
    @inlinable
    public func decrement(_ amount: Int = 1) { increment(0 &- amount) }

    /// Takes an amount away.
    @inlinable
    public func decrement(_ amount: Double) { increment(-amount) }

    /// The total now.
    public var amount: Amount { series.amount }

    /// Which series it is.
    public var labels: Labels { series.identity.labels }
}
