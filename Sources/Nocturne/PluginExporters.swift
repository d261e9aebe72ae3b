// PluginExporters.swift — lets plugins export metrics: keeps the collector in step with the plugins that serve.
// Next: NocturneMetrics/MetricsExporter.swift.

internal import NocturneCore
internal import NocturneHost
internal import NocturneMetrics
internal import Synchronization

/// As long as it lives, the exporters of plugins that serve are the collector's.
final class PluginExporters: Sendable {
    private let plugins: PluginManager
    private let metrics: MetricsCollector
    private let known = Mutex<[PluginID: Set<String>]>([:])

    /// Begins at once, with the plugins that serve by now.
    init(of plugins: PluginManager, for metrics: MetricsCollector) {
        (self.plugins, self.metrics) = (plugins, metrics)
        plugins.watchContributions { [weak self] in self?.update($0) }
        for plugin in Set(plugins.exporters.map(\.plugin)) { update(plugin) }
    }

    private func update(_ plugin: PluginID) {
        // Looked at under the lock: of two updates at the same time the later one sets what is so.
        known.withLock { known in
            let exporters = plugins.exporters.filter { $0.plugin == plugin }
            for name in known[plugin, default: []].subtracting(exporters.map(\.name)) {
                metrics.removeExporter(name)
            }
            for exporter in exporters {
                let adapter = PluginExporterAdapter(exporter, of: plugins.caller)
                do throws(MetricsError) {
                    try metrics.setExporter(exporter.name, to: adapter)
                } catch {
                    plugins.events.publish(
                        source: "metrics", name: "host:warning",
                        payload: ["message": .string("\(plugin): \(error)")])
                }
            }
            known[plugin] = exporters.isEmpty ? nil : Set(exporters.map(\.name))
        }
    }
}

/// An exporter in a plugin: all metrics as JSON in, bytes out.
private struct PluginExporterAdapter: MetricsExporter {
    /// How long a plugin may take. The collector waits a little less and then cancels.
    private static let limit = Duration.seconds(10)
    private static let stopGrace = Duration.seconds(1)

    private let exporter: PluginExporter
    private let caller: any PluginCaller
    let contentType: String
    let isPushed: Bool

    init(_ exporter: PluginExporter, of caller: any PluginCaller) {
        (self.exporter, self.caller) = (exporter, caller)
        contentType = exporter.contentType ?? "application/octet-stream"
        isPushed = exporter.isPush
    }

    func export(_ snapshot: MetricsSnapshot) async throws -> [UInt8] {
        guard let place = await caller.waitForPlace(in: exporter.plugin) else {
            throw PluginExportFailure(description: "\(exporter.plugin) does not serve")
        }
        let end = await place.call(
            PluginEngineCall(
                kind: .exporter, name: exporter.name, input: snapshot.rendered(as: .json),
                timeLeft: Self.limit, stopGrace: Self.stopGrace))
        switch end {
        case .completed(let bytes): return bytes
        case .cancelled: throw CancellationError()
        case .failed(let reason, _), .invalidInput(let reason), .timedOut(let reason),
            .crashed(let reason),
            .withdrawn(let reason):
            throw PluginExportFailure(description: reason)
        }
    }
}

/// Why a plugin did not export.
private struct PluginExportFailure: Error, CustomStringConvertible {
    let description: String
}
