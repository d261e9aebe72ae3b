// NocturneMetricsFactory.swift — the backend of swift-metrics: what any Swift library measures comes into a registry.
// Next: Registry+Declaring.swift.

public import CoreMetrics

/// A backend for swift-metrics (https://github.com/apple/swift-metrics): `MetricsSystem.bootstrap(factory)`.
///
/// | swift-metrics | here |
/// |---|---|
/// | `Counter`, `FloatingPointCounter` | a counter |
/// | `Meter`, `Gauge` (a recorder that does not aggregate) | a gauge |
/// | `Recorder` | a histogram |
/// | `Timer` | a histogram in seconds |
///
/// Never traps: a name that cannot be, or that is a metric of another kind, is counted as ``Misuse`` and what is
/// recorded there goes nowhere. Labels whose names are not allowed here are refused likewise.
public struct NocturneMetricsFactory: MetricsFactory {
    private let registry: Registry

    /// A backend that records into `registry`.
    public init(registry: Registry) { self.registry = registry }

    private func made<Handle>(
        _ label: String, _ dimensions: [(String, String)],
        _ make: (Labels) throws(MetricsError) -> Handle
    ) -> Handle? {
        let labels = Labels(dimensions)
        do throws(MetricsError) {
            return try make(labels)
        } catch {
            registry.note(error, label, labels)
            return nil
        }
    }

    /// A counter.
    public func makeCounter(
        label: String, dimensions: [(String, String)]
    ) -> any CounterHandler {
        TotalHandler(
            made(label, dimensions) { labels throws(MetricsError) in
                try registry.makeCounter(label, labels: labels)
            })
    }

    /// A counter that counts fractions, too.
    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        TotalHandler(
            made(label, dimensions) { labels throws(MetricsError) in
                try registry.makeCounter(label, labels: labels)
            })
    }

    /// A gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        LevelHandler(
            made(label, dimensions) { labels throws(MetricsError) in
                try registry.makeGauge(label, labels: labels)
            })
    }

    /// A histogram; a gauge if it is not to aggregate.
    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            return LevelHandler(
                made(label, dimensions) { labels throws(MetricsError) in
                    try registry.makeGauge(label, labels: labels)
                })
        }
        return DistributionHandler(
            made(label, dimensions) { labels throws(MetricsError) in
                try registry.makeHistogram(label, labels: labels)
            })
    }

    /// A histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        DistributionHandler(
            made(label, dimensions) { labels throws(MetricsError) in
                try registry.makeHistogram(label, labels: labels, unit: "seconds")
            })
    }

    /// Removes the counter's series.
    public func destroyCounter(_ handler: any CounterHandler) {
        remove((handler as? TotalHandler)?.counter?.series)
    }

    /// Removes the counter's series.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {
        remove((handler as? TotalHandler)?.counter?.series)
    }

    /// Removes the gauge's series.
    public func destroyMeter(_ handler: any MeterHandler) {
        remove((handler as? LevelHandler)?.gauge?.series)
    }

    /// Removes the series of the histogram or gauge.
    public func destroyRecorder(_ handler: any RecorderHandler) {
        remove((handler as? LevelHandler)?.gauge?.series)
        remove((handler as? DistributionHandler)?.histogram?.series)
    }

    /// Removes the histogram's series.
    public func destroyTimer(_ handler: any TimerHandler) {
        remove((handler as? DistributionHandler)?.histogram?.series)
    }

    private func remove(_ series: Series?) {
        if let series { registry.remove(series) }
    }
}

/// Of both kinds of counters.
private final class TotalHandler: CounterHandler, FloatingPointCounterHandler {
    let counter: Counter?

    init(_ counter: Counter?) { self.counter = counter }

    func increment(by amount: Int64) { counter?.increment(Int(amount)) }

    func increment(by amount: Double) { counter?.increment(amount) }

    func reset() { counter?.reset() }
}

/// Of a meter, and of a recorder that does not aggregate.
private final class LevelHandler: MeterHandler, RecorderHandler {
    let gauge: Gauge?

    init(_ gauge: Gauge?) { self.gauge = gauge }

    func set(_ value: Int64) { gauge?.set(Double(value)) }

    func set(_ value: Double) { gauge?.set(value) }

    func increment(by amount: Double) { gauge?.add(amount) }

    func decrement(by amount: Double) { gauge?.add(-amount) }

    func record(_ value: Int64) { set(value) }

    func record(_ value: Double) { set(value) }
}

/// Of a recorder, and of a timer.
private final class DistributionHandler: RecorderHandler, TimerHandler {
    private static let nanosecondsPerSecond = 1e9
    let histogram: Histogram?

    init(_ histogram: Histogram?) { self.histogram = histogram }

    func record(_ value: Int64) { histogram?.record(Double(value)) }

    func record(_ value: Double) { histogram?.record(value) }

    func recordNanoseconds(_ duration: Int64) {
        histogram?.record(Double(duration) / Self.nanosecondsPerSecond)
    }
}
