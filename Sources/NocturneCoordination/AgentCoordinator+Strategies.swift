// AgentCoordinator+Strategies.swift — strategies whose steps are made elsewhere, and agents that come and go with
// those who offer them. Next: StrategyCatalog.swift.

extension AgentCoordinator {
    /// From now on the strategies of these names, and no others, are made elsewhere by `runner`. Executions that use
    /// one that is not among them any more are told by the runner.
    ///
    /// - Returns: the names that cannot be: this program has a strategy for them itself, or they are none.
    package func setRemoteStrategies(
        _ names: Set<String>, runner: @escaping StrategyRunner
    ) -> Set<String> {
        for name in remote?.names ?? [] { catalog.remove(name) }
        let taken = names.filter { name in (try? catalog.addRemote(name)) == nil }
        remote = (runner, names.subtracting(taken))
        return taken
    }

    /// Removes those from all sessions that came from one of `origins`; their works go to others.
    package func removeAgents(from origins: Set<AgentOrigin>, reason: String) async {
        for session in sessions.values {
            let leaving = await session.info.agents.filter {
                $0.origin.map { origins.contains($0) } ?? false
            }
            // Refused only where it is over anyway.
            for agent in leaving {
                try? await session.apply(.removeAgent(agent.id, reason: reason))
            }
        }
    }

    /// Stops what is under way, without a word in the logs: the next process goes on. Programs that are agents end.
    package func shutdown() async {
        let all = Array(sessions.values)
        sessions = [:]
        for session in all { await session.shutdown() }
    }
}
