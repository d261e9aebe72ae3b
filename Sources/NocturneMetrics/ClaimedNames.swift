// ClaimedNames.swift — which names a metric takes in Prometheus' formats, so that no two metrics share one.
// Next: Family.swift.

/// The names that metrics take in Prometheus' formats: their own, and those with the suffixes of their kinds
/// (https://prometheus.io/docs/specs/om/open_metrics_spec, "MetricFamily name").
struct ClaimedNames {
    /// Which metric took a name.
    private var owners: [String: String] = [:]

    /// All names that a metric takes.
    static func names(of metric: String, _ kind: MetricKind) -> [String] {
        var name = MetricName.prometheus(metric)
        switch kind {
        case .gauge, .upDownCounter: return [name]
        case .counter:
            // A counter that is named so already does not get the suffix twice.
            if name.utf8.count > 6, name.hasSuffix("_total") { name.removeLast(6) }
            return [name, name + "_total", name + "_created"]
        case .histogram:
            return [name, name + "_bucket", name + "_count", name + "_sum", name + "_created"]
        case .summary: return [name, name + "_count", name + "_sum", name + "_created"]
        }
    }

    /// Takes the names for a metric, or none of them.
    mutating func claim(_ metric: String, _ kind: MetricKind) throws(MetricsError) {
        let names = Self.names(of: metric, kind)
        for name in names {
            if let other = owners[name] {
                throw .nameClash(metric, with: other, both: name)
            }
        }
        for name in names { owners[name] = metric }
    }

    /// Gives the names back.
    mutating func release(_ metric: String, _ kind: MetricKind) {
        for name in Self.names(of: metric, kind) { owners[name] = nil }
    }
}
