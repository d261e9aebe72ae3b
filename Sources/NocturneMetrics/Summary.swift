// Summary.swift — a handle to a distribution of the last while. Next: SummaryWindow.swift.

public import CMetrics

/// How the values of the last while were distributed. Its count and sum are since the beginning.
///
/// Recorded as a ``Histogram`` is. What the last while was is found out when it is read: see ``SummaryWindow``.
public struct Summary: Sendable {
    @usableFromInline
    let series: Series

    init(_ series: Series) { self.series = series }

    /// Counts a value. NaN and the infinities are left out, and counted as ``Misuse/notFinite``.
    @inlinable
    public func record(_ value: Double) {
        guard !cmetrics_is_heard() else { return series.record(value) }
        let isRecorded = withExtendedLifetime(series) { cmetrics_record(series.slot, value) }
        if !isRecorded { series.noteNotFinite(value) }
    }

    /// What was recorded until now, since the beginning.
    public var distribution: Distribution { series.distribution }

    /// Which series it is.
    public var labels: Labels { series.identity.labels }

    /// Adds values that were counted elsewhere.
    package func merge(_ other: Distribution) { DistributionReading.merge(other, into: series) }
}
