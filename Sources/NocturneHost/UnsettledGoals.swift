// UnsettledGoals.swift — what is being carried out and may still be taken back: nothing is built on it meanwhile.
// Next: Supervisor.swift.

import NocturneCore

/// Goals whose outcome is open, and on which it depends what other plugins meet: replacements that may still be taken
/// back, and the parts of changes. Among plugins that depend on each other one change is carried out at a time.
struct UnsettledGoals {
    private var goals: [PluginID: IssuedGoal] = [:]
    /// Of the old and the new builds, by the names that others know them by, and by those they use.
    private var byName: [PluginID: PluginID] = [:]
    private var byUse: [PluginID: PluginID] = [:]
    private let serving: [PluginID: PluginBuild]

    init(_ host: isolated PluginManager) {
        let members = host.changes.reduce(into: Set()) { $0.formUnion($1.members) }
        for (id, goal) in host.goals where goal.refusal.current == nil {
            guard goal.replaced != nil || members.contains(id) else { continue }
            goals[id] = goal
            var builds = [goal.replaced]
            if case .run(let build, _, _) = goal.kind { builds.append(build) }
            for build in builds.compactMap(\.self) {
                for name in build.manifest.names { byName[name] = id }
                for name in build.manifest.usedNames { byUse[name] = id }
            }
        }
        serving = goals.isEmpty ? [:] : host.serving
    }

    /// One that must end before something about these plugins may begin.
    func goal(
        around ids: Set<PluginID>, _ decisions: [PluginID: CatalogDecision]
    ) -> IssuedGoal? {
        if goals.isEmpty { return nil }
        for id in ids {
            if let own = goals[id] { return own }
            for build in [serving[id], decisions[id]?.choice].compactMap(\.self) {
                let other =
                    build.manifest.usedNames.lazy.compactMap { byName[$0] }.first
                    ?? build.manifest.names.lazy.compactMap { byUse[$0] }.first
                if let other { return goals[other] }
            }
        }
        return nil
    }
}
