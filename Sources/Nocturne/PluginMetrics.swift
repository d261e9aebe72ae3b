// PluginMetrics.swift — what plugins measure goes into the collector, with their id as a label; and they read their
// own. Next: PluginExporters.swift, NocturneHost/MetricSlab.swift.

internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics
internal import Synchronization

/// Records what plugins measure. A plugin's series has the label `plugin`, so no plugin can speak for another or for
/// the host.
final class PluginMetrics: PluginMetricsSink {
    /// The label that says whose series it is.
    static let label = "plugin"
    /// Names that are the host's own, as Prometheus has them: `nocturne_x` would keep the host from `nocturne.x`.
    static let reserved = ["nocturne_", "process_"]
    /// Metrics that one plugin may have made since the host started: as many as it has series. They stay when it ends,
    /// so one that starts again and again with other names would take all that there may be
    /// (``RegistryLimits/families``).
    static let nameLimit = 1_024

    private let metrics: MetricsCollector
    private let reader: PluginMetricsReader
    private let names = Mutex<[PluginID: Set<String>]>([:])

    init(_ metrics: MetricsCollector) {
        (self.metrics, reader) = (metrics, PluginMetricsReader(metrics))
    }

    func series(
        _ series: PluginSeries, of plugin: PluginID
    ) throws(PluginSeriesRefusal) -> any PluginSeriesRecorder {
        let labels = try Self.labels(of: series, plugin)
        guard names.withLock({ Self.hasRoom(for: series.name, in: $0[plugin, default: []]) })
        else { throw .full("it has made \(Self.nameLimit) metrics, which is the limit") }
        let handle = try handle(series, labels)
        names.withLock { _ = $0[plugin, default: []].insert(series.name) }
        return handle
    }

    private static func hasRoom(for name: String, in names: Set<String>) -> Bool {
        names.count < nameLimit || names.contains(name)
    }

    /// The labels that a series gets.
    private static func labels(
        of series: PluginSeries, _ plugin: PluginID
    ) throws(PluginSeriesRefusal) -> Labels {
        let name = MetricName.prometheus(series.name)
        for prefix in reserved where name.hasPrefix(prefix) {
            throw .taken("names that Prometheus has as \(prefix)… are the host's")
        }
        let own = series.labels.map { ($0.name, $0.value) }
        guard !own.contains(where: { $0.0 == label }) else {
            throw .invalid("the label \(label) is the host's: it says whose series it is")
        }
        let labels = Labels(own + [(label, plugin.description)])
        guard labels.count > own.count else { throw .invalid("a label is there twice") }
        return labels
    }

    private func handle(
        _ series: PluginSeries, _ labels: Labels
    ) throws(PluginSeriesRefusal) -> PluginSeriesHandle {
        let help = series.help
        let unit = series.unit.isEmpty ? nil : series.unit
        do throws(MetricsError) {
            return switch series.kind {
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
        } catch {
            switch error {
            case .kindClash, .nameClash: throw .taken("\(error)")
            case .limitReached: throw .full("\(error)")
            default: throw .invalid("\(error)")
            }
        }
    }

    func metrics(of plugin: PluginID, named name: String?) async -> JSONValue? {
        await reader.metrics(of: plugin, named: name)
    }
}

/// Reads for plugins, for one after the other: however many ask how often, one thread is busy with it and others go on.
private actor PluginMetricsReader {
    private let metrics: MetricsCollector

    init(_ metrics: MetricsCollector) { self.metrics = metrics }

    func metrics(of plugin: PluginID, named name: String?) -> JSONValue? {
        let labels: Labels = [PluginMetrics.label: plugin.description]
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

    /// Beyond it a total takes no more of what a plugin says. It would come round, and be what no parser of metrics
    /// accepts: a counter below zero, buckets that fall. 2^62.
    private static let totalLimit = 1 << 62
    /// What is less is added without a look at the total: it takes a billion samples to get there so. 2^32.
    private static let smallChange = 1 << 32

    func record(_ change: PluginSeriesChange) {
        switch (self, change) {
        case (.counter(let counter), .added(let whole, let fraction)):
            if whole > 0, whole < Self.smallChange || counter.amount.whole < Self.totalLimit {
                counter.increment(Int(whole))
            }
            if fraction > 0 { counter.increment(fraction) }
        case (.upDownCounter(let counter), .added(let whole, let fraction)):
            if whole != 0 { counter.increment(Int(whole)) }
            if fraction != 0 { counter.increment(fraction) }
        case (.gauge(let gauge), .set(let value)): gauge.set(value)
        case (.histogram(let histogram), .observed(let values)):
            if values.count < Self.smallChange || histogram.distribution.count < Self.totalLimit {
                histogram.merge(Distribution(values))
            }
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
