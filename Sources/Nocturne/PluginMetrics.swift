// PluginMetrics.swift — what plugins measure goes into the collector, with their id as a label; and they read their
// own. Next: PluginExporters.swift, NocturneHost/MetricSlab.swift.

internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics

/// Records what plugins measure. A plugin's series has the label `plugin`, so no plugin can speak for another or for
/// the host.
final class PluginMetrics: PluginMetricsSink {
    /// The label that says whose series it is.
    static let label = "plugin"
    /// Names that are the host's own.
    static let reserved = ["nocturne.", "process."]

    private let metrics: MetricsCollector

    init(_ metrics: MetricsCollector) { self.metrics = metrics }

    func series(
        _ series: PluginSeries, of plugin: PluginID
    ) throws(PluginSeriesRefusal) -> any PluginSeriesRecorder {
        for prefix in Self.reserved where series.name.hasPrefix(prefix) {
            throw .taken("names that begin with \(prefix) are the host's")
        }
        let own = series.labels.map { ($0.name, $0.value) }
        guard !own.contains(where: { $0.0 == Self.label }) else {
            throw .invalid("the label \(Self.label) is the host's: it says whose series it is")
        }
        let labels = Labels(own + [(Self.label, plugin.description)])
        let help = series.help
        let unit = series.unit.isEmpty ? nil : series.unit
        do throws(MetricsError) {
            let handle: PluginSeriesHandle =
                switch series.kind {
                case .counter:
                    .counter(
                        try metrics.makeCounter(
                            series.name, labels: labels, help: help, unit: unit))
                case .upDownCounter:
                    .upDownCounter(
                        try metrics.makeUpDownCounter(
                            series.name, labels: labels, help: help, unit: unit))
                case .gauge:
                    .gauge(
                        try metrics.makeGauge(series.name, labels: labels, help: help, unit: unit))
                case .histogram:
                    .histogram(
                        try metrics.makeHistogram(
                            series.name, labels: labels, help: help, unit: unit))
                }
            return handle
        } catch {
            switch error {
            case .kindClash, .nameClash: throw .taken("\(error)")
            case .limitReached: throw .full("\(error)")
            default: throw .invalid("\(error)")
            }
        }
    }

    func metrics(of plugin: PluginID, named name: String?) async -> JSONValue? {
        let labels: Labels = [Self.label: plugin.description]
        guard let name else {
            return .array(metrics.allMetrics(labels: labels).map(\.json))
        }
        guard let report = metrics.metric(name, labels: labels), report.seriesCount > 0
        else { return nil }
        return report.json
    }
}

/// One series of a plugin in the collector.
private enum PluginSeriesHandle: PluginSeriesRecorder {
    case counter(Counter)
    case upDownCounter(UpDownCounter)
    case gauge(Gauge)
    case histogram(Histogram)

    func record(_ change: PluginSeriesChange) {
        switch (self, change) {
        case (.counter(let counter), .added(let whole, let fraction)):
            if whole > 0 { counter.increment(Int(whole)) }
            if fraction > 0 { counter.increment(fraction) }
        case (.upDownCounter(let counter), .added(let whole, let fraction)):
            if whole != 0 { counter.increment(Int(whole)) }
            if fraction != 0 { counter.increment(fraction) }
        case (.gauge(let gauge), .set(let value)): gauge.set(value)
        case (.histogram(let histogram), .observed(let values)):
            histogram.merge(Distribution(values))
        default: break  // the host says only what fits the kind
        }
    }
}

extension Distribution {
    init(_ values: PluginObservations) {
        func buckets(_ buckets: [PluginObservations.Bucket]) -> [Sketch.Bucket] {
            buckets.map { Sketch.Bucket(index: $0.index, count: $0.count) }
        }
        self.init(
            count: values.count, sum: values.sum, range: values.range,
            sketch: Sketch(
                positive: buckets(values.positive), negative: buckets(values.negative),
                zeros: values.zeros))
    }
}
