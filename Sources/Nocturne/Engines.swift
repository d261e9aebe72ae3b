// Engines.swift — the parts of a daemon: built in order, each handed to the next, and ended in the opposite order.
// Next: NocturneHost/PluginManager.swift, NocturneTasks/BackgroundTaskManager.swift,
// NocturneMetrics/MetricsCollector.swift.

internal import NocturneControl
internal import NocturneHost
internal import NocturneMetrics
internal import NocturneTasks

/// What a ``NocturneDaemon`` consists of. Either all of it is there or, if one part cannot be made, none.
struct Engines: Sendable {
    let plugins: PluginManager
    let tasks: BackgroundTaskManager
    let metrics: MetricsCollector
    private let pluginTasks: PluginTasks
    private let pluginExporters: PluginExporters
    private let control: ControlServer
    private let metricsListener: MetricsListener?

    /// Claims the state directory, the tasks, the metrics and the socket. Nothing is served before ``start()``.
    init(_ configuration: DaemonConfiguration) async throws {
        plugins = try PluginManager(configuration: configuration.plugins)
        do {
            tasks = try await BackgroundTaskManager(
                configuration: configuration.tasks, bus: plugins.events)
        } catch {
            await plugins.shutdown()
            throw error
        }
        do {
            let collector = try MetricsCollector(
                configuration: configuration.metrics, bus: plugins.events)
            metrics = collector
            try HostMetrics.begin(of: plugins, tasks, in: collector)
            metricsListener = try configuration.metricsAddress.map {
                address throws(ListenError) in
                try MetricsListener(address: address) { await collector.exported(as: $0) }
            }
            control = try ControlServer(
                of: plugins, tasks, metrics, socketPath: configuration.socketPath)
        } catch {
            await tasks.shutdown()
            await plugins.shutdown()
            throw error
        }
        plugins.setMetricsSink(PluginMetrics(metrics))
        pluginTasks = PluginTasks(of: plugins, for: tasks)
        pluginExporters = PluginExporters(of: plugins, for: metrics)
    }

    /// Starts the plugins, then answers. If that fails, everything has ended when it throws.
    ///
    /// - Returns: the TCP port of the metrics, if they have one.
    func start() async throws -> Int? {
        do {
            try await plugins.start()
            try await control.start()
            return try await metricsListener?.start()
        } catch {
            await shutdown()
            throw error
        }
    }

    /// Lets answers be written, then tasks end, then the metrics are sampled and exported a last time, then plugins:
    /// each may need what comes after it.
    func shutdown() async {
        await metricsListener?.shutdown()
        await control.shutdown()
        await tasks.shutdown()
        await metrics.shutdown()
        await plugins.shutdown()
    }
}
