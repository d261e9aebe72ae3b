// Engines.swift — the parts of a daemon: built in order, each handed to the next, and ended in the opposite order.
// Next: NocturneHost/PluginManager.swift, NocturneTasks/BackgroundTaskManager.swift.

internal import NocturneControl
internal import NocturneHost
internal import NocturneTasks

/// What a ``NocturneDaemon`` consists of. Either all of it is there or, if one part cannot be made, none.
struct Engines: Sendable {
    let plugins: PluginManager
    let tasks: BackgroundTaskManager
    private let pluginTasks: PluginTasks
    private let control: ControlServer

    /// Claims the state directory, the tasks and the socket. Nothing is served before ``start()``.
    init(_ configuration: DaemonConfiguration) async throws {
        plugins = try PluginManager(configuration: configuration.plugins)
        do {
            tasks = try await BackgroundTaskManager(
                configuration: configuration.tasks, bus: plugins.events)
        } catch {
            await plugins.shutdown()
            throw error
        }
        pluginTasks = PluginTasks(of: plugins, for: tasks)
        do {
            control = try ControlServer(
                of: plugins, tasks, socketPath: configuration.socketPath)
        } catch {
            await tasks.shutdown()
            await plugins.shutdown()
            throw error
        }
    }

    /// Starts the plugins, then answers. If that fails, everything has ended when it throws.
    func start() async throws {
        do {
            try await plugins.start()
            try await control.start()
        } catch {
            await shutdown()
            throw error
        }
    }

    /// Lets answers be written, then tasks end, then plugins: each may need what comes after it.
    func shutdown() async {
        await control.shutdown()
        await tasks.shutdown()
        await plugins.shutdown()
    }
}
