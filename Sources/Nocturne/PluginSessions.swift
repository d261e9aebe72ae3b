// PluginSessions.swift — lets plugins take part in sessions: keeps the coordinator in step with the plugins that serve.
// Next: SessionAgents.swift, NocturneCoordination/AgentCoordinator+Strategies.swift.

internal import NocturneCoordination
internal import NocturneCore
internal import NocturneHost

/// As long as it lives, the strategies of plugins that serve are the coordinator's, and agents of plugins that do not
/// serve any more leave their sessions.
final class PluginSessions: Sendable {
    private let changes: AsyncStream<Void>.Continuation

    /// Begins at once.
    init(of plugins: PluginManager, for coordinator: AgentCoordinator) {
        // One look for any number of changes.
        let (stream, changes) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.changes = changes
        plugins.watchContributions { _ in changes.yield() }
        Task { [weak plugins, weak coordinator] in
            var known = Known()
            for await _ in stream {
                guard let plugins, let coordinator else { return }
                await known.update(plugins, coordinator)
            }
        }
        changes.yield()
    }

    deinit { changes.finish() }

    /// Makes strategies of plugins known, before sessions go on.
    static func setStrategies(of plugins: PluginManager, for coordinator: AgentCoordinator) async
        -> Set<String>
    {
        let names = plugins.strategyNames.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        return await coordinator.setRemoteStrategies(names) { [weak plugins] request in
            guard let plugins else { return .failed("the host is stopping") }
            return await PluginCalls(plugins).step(request)
        }
    }

    private struct Known {
        var agents: [String: PluginID] = [:]
        var shadowed: Set<String> = []

        mutating func update(_ plugins: PluginManager, _ coordinator: AgentCoordinator) async {
            let shadowed = await PluginSessions.setStrategies(of: plugins, for: coordinator)
            for name in shadowed.subtracting(self.shadowed).sorted() {
                let message =
                    "the strategy \"\(name)\" of a plugin is not used: this program has one of that name, "
                    + "or it is no name"
                plugins.events.publish(
                    source: "coordination", name: "host:warning",
                    payload: ["message": .string(message)])
            }
            self.shadowed = shadowed
            var agents: [String: PluginID] = [:]
            for (plugin, names) in plugins.agentNames {
                for name in names { agents[name] = plugin }
            }
            for (name, plugin) in self.agents where agents[name] == nil {
                await coordinator.removeAgents(
                    from: [.plugin(name)], reason: "\(plugin) does not serve it any more")
            }
            self.agents = agents
        }
    }
}
