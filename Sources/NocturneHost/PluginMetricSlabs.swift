// PluginMetricSlabs.swift — all slabs of a host's workers, and where what is read out of them goes. Next:
// WorkerServices+Metrics.swift.

package import NocturneCore
import Synchronization

/// The slabs of all workers that measure anything. Thread-safe.
final class PluginMetricSlabs: Sendable {
    private struct Entry {
        let slab: MetricSlab
        let meter: PluginMeter
    }
    private struct State {
        var sink: (any PluginMetricsSink)?
        var entries: [ObjectIdentifier: Entry] = [:]
    }
    private let state = Mutex(State())

    /// Where it all goes. `nil`: nobody measures, and plugins are told so.
    var sink: (any PluginMetricsSink)? { state.withLock { $0.sink } }

    func setSink(_ sink: (any PluginMetricsSink)?) { state.withLock { $0.sink = sink } }

    func add(_ slab: MetricSlab, _ meter: PluginMeter) {
        state.withLock { $0.entries[ObjectIdentifier(slab)] = Entry(slab: slab, meter: meter) }
    }

    /// Reads the slab for the last time: its worker has ended.
    func remove(_ slab: MetricSlab) {
        let entry = state.withLock { $0.entries.removeValue(forKey: ObjectIdentifier(slab)) }
        guard let entry else { return }
        entry.meter.add(entry.slab.close(), to: .metricLies)
    }

    /// Reads all slabs.
    func sample() {
        let entries = state.withLock { Array($0.entries.values) }
        for entry in entries { entry.meter.add(entry.slab.sample(), to: .metricLies) }
    }
}

extension PluginManager {
    /// Has everything that plugins measure from now on go to `sink`. To be called before ``start()``; without it
    /// plugins are told that nothing is measured here.
    package nonisolated func setMetricsSink(_ sink: (any PluginMetricsSink)?) {
        router.slabs.setSink(sink)
    }

    /// Hands what plugins have recorded since the last time to the sink, before it returns. What a worker recorded last
    /// is handed over when its process has ended, without this.
    package nonisolated func sampleMetrics() { router.slabs.sample() }
}
