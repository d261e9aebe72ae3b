// OpenMetricsText.swift — where OpenMetrics 1.0.0 is not Prometheus' text format. Next: JSONExport.swift.

internal import NocturneCore

/// OpenMetrics 1.0.0 (https://github.com/prometheus/OpenMetrics, "specification/OpenMetrics.md"): counters are declared
/// without `_total`, units and moments of creation are told, and what could be taken for a counter's reset may not be.
extension PrometheusText {
    mutating func writeOpenMetricsHeader(of family: Family) {
        text.append("# HELP ")
        text.append(family.name)
        text.append(" ")
        appendEscaped(family.metric.help, quotes: true)
        text.append("\n# TYPE ")
        text.append(family.name)
        text.append(Self.type(of: family.metric.kind))
        // A unit that the name does not end in is not allowed, and no name is changed for it.
        if let unit = family.metric.unit, !unit.isEmpty,
            family.name.reversed().starts(with: ("_" + unit).utf8.reversed())
        {
            text.append("# UNIT ")
            text.append(family.name)
            text.append(" ")
            text.append(string: unit)
            text.append("\n")
        }
    }

    /// The name of the samples that say when a series was created; `nil` where there are none.
    func createdName(of family: Family) -> SampleName? {
        dialect == .openMetrics ? SampleName(family.name, "_created") : nil
    }

    mutating func writeCreated(_ name: SampleName, _ series: SeriesSnapshot) {
        begin(name, series.identity)
        text.append(seconds: series.created.milliseconds)
        text.append("\n")
    }

    /// Whether a sum may be told: in OpenMetrics it must never fall, which it may where there are values below zero.
    func maySum(_ distribution: Distribution, _ buckets: HistogramBuckets?) -> Bool {
        if dialect == .prometheus { return true }
        if let range = distribution.range, range.lowerBound < 0 { return false }
        if let first = buckets?.finite.first, first.bound < 0 { return false }
        return distribution.sum >= 0
    }

    /// Whether a quantile may be told: in OpenMetrics not if it is below zero.
    func mayBeQuantile(_ value: Double) -> Bool {
        dialect == .prometheus || !(value < 0)
    }
}
