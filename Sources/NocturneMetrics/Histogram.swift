// Histogram.swift — a handle to a distribution since the beginning. Next: Summary.swift.

public import CMetrics

/// How values are distributed, since the beginning: durations, sizes.
///
/// Values are counted in buckets that grow by 1.09 % each, so any percentile is known to 0.542 % (``Sketch``), and
/// exactly within declared bounds. A cell per thread has 512 bytes for each power of two that occurs in it, and at most
/// 64 kB: for values that are further apart, neighboring buckets are joined, and ``Sketch/scale`` says so.
public struct Histogram: Sendable {
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

    /// What was recorded until now.
    public var distribution: Distribution { series.distribution }

    /// Which series it is.
    public var labels: Labels { series.identity.labels }

    /// Adds values that were counted elsewhere. Bounds other than the histogram's own are ignored.
    package func merge(_ other: Distribution) { DistributionReading.merge(other, into: series) }
}
