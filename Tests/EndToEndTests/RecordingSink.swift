// RecordingSink.swift — takes what plugins measure and adds it up, as a collector would.
// Next: PluginMetricsTests.swift.

import NocturneCore
import Synchronization

@testable import NocturneHost

/// Keeps totals by plugin and series.
final class RecordingSink: PluginMetricsSink {
    /// What became of a series.
    struct Total: Sendable, Equatable {
        var whole: Int64 = 0
        var fraction = 0.0
        var level: Double?
        var observed = PluginObservations()
        /// Counts by bucket.
        var positive: [Int32: UInt64] = [:], negative: [Int32: UInt64] = [:]
        /// How often it was declared.
        var declared = 0
    }
    struct Key: Hashable, Sendable {
        let plugin: PluginID, name: String, labels: [PluginSeries.Label]
    }
    private let totals = Mutex<[Key: Total]>([:])
    private let refusal = Mutex<PluginSeriesRefusal?>(nil)

    func refuse(_ refusal: PluginSeriesRefusal?) { self.refusal.withLock { $0 = refusal } }

    func series(
        _ series: PluginSeries, of plugin: PluginID
    ) throws(PluginSeriesRefusal) -> any PluginSeriesRecorder {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        let key = Key(plugin: plugin, name: series.name, labels: series.labels)
        totals.withLock { $0[key, default: Total()].declared += 1 }
        return Recorder(sink: self, key: key)
    }

    func metrics(of plugin: PluginID, named name: String?) async -> JSONValue? {
        let found = totals.withLock { totals in
            totals.filter { $0.key.plugin == plugin && (name == nil || $0.key.name == name) }
        }
        guard name == nil || !found.isEmpty else { return nil }
        return JSONValue(found.map(\.key.name).sorted())
    }

    func total(_ plugin: PluginID, _ name: String, _ part: String? = nil) -> Total? {
        let labels = part.map { [PluginSeries.Label(name: "part", value: $0)] } ?? []
        return totals.withLock { $0[Key(plugin: plugin, name: name, labels: labels)] }
    }

    var seriesCount: Int { totals.withLock { $0.count } }

    private struct Recorder: PluginSeriesRecorder {
        let sink: RecordingSink
        let key: Key

        func record(_ change: PluginSeriesChange) {
            sink.totals.withLock { $0[key, default: Total()].add(change) }
        }
    }
}

extension RecordingSink.Total {
    fileprivate mutating func add(_ change: PluginSeriesChange) {
        switch change {
        case .added(let whole, let fraction):
            self.whole += whole
            self.fraction += fraction
        case .set(let value): level = value
        case .observed(let came):
            observed.zeros += came.zeros
            observed.unsorted += came.unsorted
            observed.sum += came.sum
            observed.range = came.range ?? observed.range
            for bucket in came.positive { positive[bucket.index, default: 0] += bucket.count }
            for bucket in came.negative { negative[bucket.index, default: 0] += bucket.count }
        }
    }

    /// Values in buckets or in none.
    var count: UInt64 {
        positive.values.reduce(0, +) + negative.values.reduce(0, +) + observed.zeros
            + observed.unsorted
    }
}
