// Engines.swift — the parts of a daemon: built in order, each handed to the next, and ended in the opposite order.
// Next: NocturneHost/PluginManager.swift, NocturneTasks/BackgroundTaskManager.swift,
// NocturneMetrics/MetricsCollector.swift, NocturneCoordination/AgentCoordinator.swift.

internal import NocturneControl
internal import NocturneCoordination
internal import NocturneHost
internal import NocturneMetrics
internal import NocturneTasks

/// What a ``NocturneDaemon`` consists of. Either all of it is there or, if one part cannot be made, none.
struct Engines: Sendable {
    let plugins: PluginManager
    let tasks: BackgroundTaskManager
    let metrics: MetricsCollector
    let coordinator: AgentCoordinator
    private let agents: SessionAgents
    private let pluginSessions: PluginSessions
    private let pluginTasks: PluginTasks
    private let pluginExporters: PluginExporters
    private let control: ControlServer
    private let metricsListener: MetricsListener?

    /// Claims the state directory, the tasks, the metrics and the socket. Nothing is served before ``start()``.
    init(_ configuration: DaemonConfiguration) async throws {
        plugins = try PluginManager(configuration: configuration.plugins)
        coordinator = AgentCoordinator(
            configuration: configuration.coordination, bus: plugins.events)
        agents = SessionAgents(plugins, configuration.agentCommands)
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
            try HostMetrics.begin(of: plugins, tasks, coordinator, in: collector)
            metricsListener = try configuration.metricsAddress.map {
                address throws(ListenError) in
                try MetricsListener(address: address) { await collector.exported(as: $0) }
            }
            control = try ControlServer(
                of: plugins, tasks, metrics,
                ControlledSessions(coordinator, agents: agents),
                socketPath: configuration.socketPath)
        } catch {
            await tasks.shutdown()
            await plugins.shutdown()
            throw error
        }
        plugins.setMetricsSink(PluginMetrics(metrics))
        pluginSessions = PluginSessions(of: plugins, for: coordinator)
        pluginTasks = PluginTasks(of: plugins, for: tasks)
        pluginExporters = PluginExporters(of: plugins, for: metrics)
    }

    /// Starts the plugins, goes on with the sessions, then answers. If that fails, everything has ended when it throws.
    ///
    /// - Returns: the TCP port of the metrics, if they have one, and why sessions cannot go on, if some cannot.
    func start() async throws -> (metricsPort: Int?, failed: [CoordinationError]) {
        do {
            try await plugins.start()
            let failed = await restoreSessions()
            try await control.start()
            return (try await metricsListener?.start(), failed)
        } catch {
            await shutdown()
            throw error
        }
    }

    /// An agent that cannot be had any more has left.
    private func restoreSessions() async -> [CoordinationError] {
        _ = await PluginSessions.setStrategies(of: plugins, for: coordinator)
        return await coordinator.restoreSessions { [agents] _, descriptor in
            try? agents.agent(descriptor)
        }.failed
    }

    /// Lets answers be written, then stops sessions, which go on with the next host, then tasks end, then the metrics
    /// are sampled and exported a last time, then plugins: each may need what comes after it.
    func shutdown() async {
        await metricsListener?.shutdown()
        await control.shutdown()
        await coordinator.shutdown()
        await tasks.shutdown()
        await metrics.shutdown()
        await plugins.shutdown()
    }
}
