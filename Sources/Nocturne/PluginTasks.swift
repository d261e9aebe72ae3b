// PluginTasks.swift — lets plugins run tasks: keeps the task manager in step with the plugins that serve.
// Next: NocturneTasks/BackgroundTaskManager+Plugins.swift.

package import NocturneHost
package import NocturneTasks
internal import NocturneCore
internal import Synchronization

/// As long as it lives, tasks are run by the plugins that declare them. A task that this program handles itself stays
/// the program's.
package final class PluginTasks: Sendable {
    private struct State {
        /// Names that a plugin would have, but the program has, as they were told.
        var shadowed: [PluginID: Set<String>] = [:]
    }
    private let plugins: PluginManager
    private let tasks: BackgroundTaskManager
    private let state = Mutex(State())

    /// Begins at once, with the plugins that serve by now.
    package init(of plugins: PluginManager, for tasks: BackgroundTaskManager) {
        (self.plugins, self.tasks) = (plugins, tasks)
        plugins.watchContributions { [weak self] in self?.update($0) }
        for plugin in plugins.taskNames.keys { update(plugin) }
    }

    private func update(_ plugin: PluginID) {
        // Looked at under the lock: of two updates at the same time the later one sets what is so.
        state.withLock { state in
            let names = plugins.taskNames[plugin] ?? []
            let shadowed = tasks.setTasks(names, of: plugin, through: plugins.caller)
            let told = state.shadowed.updateValue(shadowed, forKey: plugin) ?? []
            for name in shadowed.subtracting(told).sorted() { tell(name, of: plugin) }
            if shadowed.isEmpty { state.shadowed[plugin] = nil }
        }
    }

    private func tell(_ name: String, of plugin: PluginID) {
        let message =
            "\(plugin): its task \"\(name)\" is not used, because this program runs tasks of that name itself"
        plugins.events.publish(
            source: "tasks", name: "host:warning", payload: ["message": .string(message)])
    }
}
