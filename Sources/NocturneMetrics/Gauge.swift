// Gauge.swift — a handle to a value that is set. Next: Histogram.swift.

public import CMetrics
public import Synchronization

/// A value that is set: a temperature, memory in use. It is 0 until then.
public struct Gauge: Sendable {
    @usableFromInline
    let series: Series

    init(_ series: Series) { self.series = series }

    /// Sets the value: any number, also NaN and the infinities.
    @inlinable
    public func set(_ value: Double) {
        series.level.store(value.bitPattern, ordering: .relaxed)
        if !series.wasSet.load(ordering: .relaxed) {
            series.wasSet.store(true, ordering: .relaxed)
        }
        if cmetrics_is_heard() { series.tell(value, as: .gauge) }
    }

    /// Adds to the value. All threads change one word, so a number that many threads count is better off with an
    /// ``UpDownCounter``. NaN and the infinities are left out.
    @inlinable
    public func add(_ amount: Double) {
        guard amount.isFinite else { return series.noteNotFinite(amount) }
        var old = series.level.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: old) + amount).bitPattern
            let (isDone, found) = series.level.weakCompareExchange(
                expected: old, desired: sum, ordering: .relaxed)
            if isDone { break }
            old = found
        }
        series.wasSet.store(true, ordering: .relaxed)
        if cmetrics_is_heard() { series.tell(amount, as: .gauge) }
    }

    /// The value now.
    public var value: Double { series.gaugeLevel }

    /// Which series it is.
    public var labels: Labels { series.identity.labels }
}
