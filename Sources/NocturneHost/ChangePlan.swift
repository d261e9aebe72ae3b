// ChangePlan.swift — what a change of the directory or a command leads to, before it is carried out.
// Next: PluginManager+Changes.swift.

public import NocturneCore

/// What happens to each plugin that a change touches. Replacements and restarts of plugins that depend on each other
/// hold together: if one does not come to serve, those before it go back to what they were, and nothing stops.
public struct ChangePlan: Sendable, Hashable {
    /// What happens to one plugin.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        /// It starts where nothing runs.
        case start
        /// Another build, or the same one anew, takes its place; no call fails.
        case replace
        /// Nothing changed in it, but it asks for a new process when something that it depends on is replaced
        /// (`"onDependencyChange": "restart"`).
        case restart
        /// It runs on and calls what takes the place of its dependency.
        case rebind
        /// It stops.
        case stop
    }

    /// One plugin's part.
    public struct Step: Sendable, Hashable {
        /// Whom it is about.
        public let plugin: PluginID
        /// What happens to it.
        public let action: Action
        /// The version that runs; `nil` if none does.
        public let from: String?
        /// The version that will run; `nil` if none will.
        public let to: String?
        /// Why, where it is not plain. May have several lines.
        public let reason: String?

        /// A step with these values, unchecked. For those who stand in for a host, as tests do.
        public init(
            plugin: PluginID, action: Action, from: String?, to: String?, reason: String?
        ) {
            (self.plugin, self.action, self.from, self.to) = (plugin, action, from, to)
            self.reason = reason
        }

        /// `{"plugin", "action", "from", "to", "reason"}`; what is `nil` is null.
        public var json: JSONValue {
            [
                "plugin": .string(plugin.description), "action": .string(action.rawValue),
                "from": JSONValue(from), "to": JSONValue(to), "reason": JSONValue(reason),
            ]
        }
    }

    /// In the order in which they are carried out: dependencies first, what stops last.
    public let steps: [Step]
    /// Whom it would hurt, and how, in sentences. Without `cascade` it is not carried out unless this is empty.
    public let objections: [String]
    /// Steps that only hold together, each group in order. Who is in none is changed by itself.
    let groups: [[Step]]

    /// A plan with these values, unchecked. For those who stand in for a host, as tests do.
    public init(steps: [Step], objections: [String]) {
        (self.steps, self.objections, groups) = (steps, objections, [])
    }

    /// `{"steps", "objections"}`
    public var json: JSONValue {
        ["steps": .array(steps.map(\.json)), "objections": JSONValue(objections)]
    }
}

/// What a plugin is meant to do, as far as the catalog and its operator say.
enum PluginStanding: Sendable {
    case runs(PluginBuild)
    case rests(PluginStatus, Refusal?)
}

extension ChangePlan {
    /// The plan that leads from what serves to what was decided.
    ///
    /// - Parameters:
    ///   - serving: what runs.
    ///   - standings: what each id is meant to do.
    ///   - forced: it gets a new generation even if nothing changed.
    init(
        from serving: [PluginID: PluginBuild], to standings: [PluginID: PluginStanding],
        forced: PluginID?, objections: [String]
    ) {
        var steps: [PluginID: Step] = [:]
        func version(_ build: PluginBuild?) -> String? { build.map { "\($0.manifest.version)" } }
        for (id, build) in serving {
            switch standings[id] ?? .rests(.unloaded, nil) {
            case .runs(let next) where next.hash != build.hash || id == forced:
                steps[id] = Step(
                    plugin: id, action: .replace, from: version(build), to: version(next),
                    reason: nil)
            case .runs: break
            case .rests(_, let why):
                steps[id] = Step(
                    plugin: id, action: .stop, from: version(build), to: nil,
                    reason: why?.description)
            }
        }
        for (id, standing) in standings where serving[id] == nil {
            guard case .runs(let build) = standing else { continue }
            steps[id] = Step(
                plugin: id, action: .start, from: nil, to: version(build), reason: nil)
        }
        Self.addDependents(of: serving, &steps)
        var builds = serving
        for (id, standing) in standings {
            if case .runs(let build) = standing { builds[id] = build }
        }
        let order = Self.order(steps.keys.compactMap { builds[$0] })
        let stopping = Set(
            steps.values.filter { $0.action == .stop }.flatMap {
                serving[$0.plugin]?.manifest.names ?? []
            })
        // Who restarts because something stops does so afterwards, or it would find it again.
        func isLate(_ id: PluginID) -> Bool {
            steps[id]?.action == .restart
                && serving[id]?.manifest.usedNames.isDisjoint(with: stopping) == false
        }
        let stops = order.reversed().filter { steps[$0]?.action == .stop }
        let early = order.filter { steps[$0]?.action != .stop && !isLate($0) }
        let ordered = (early + stops + order.filter(isLate)).compactMap { steps[$0] }
        self.steps = ordered
        self.objections = objections
        groups = Self.groups(ordered) { id in
            [serving[id], builds[id]].compactMap { $0?.manifest }
        }
    }

    /// Steps that are connected by dependencies, before or after, where something is taken away from somebody. What
    /// starts belongs to it if something that is replaced depends on it.
    private static func groups(
        _ steps: [Step], _ manifests: (PluginID) -> [Manifest]
    ) -> [[Step]] {
        var owners: [PluginID: [PluginID]] = [:]
        for step in steps where step.action != .rebind {
            for name in Set(manifests(step.plugin).flatMap(\.names)) {
                owners[name, default: []].append(step.plugin)
            }
        }
        var group: [PluginID: Int] = [:]
        var found: [Set<PluginID>] = []
        // Dependents come after what they depend on, so joining goes from them to it.
        for step in steps.reversed() where step.action != .rebind {
            if step.action == .start, group[step.plugin] == nil { continue }
            var members: Set<PluginID> = [step.plugin]
            for name in Set(manifests(step.plugin).flatMap(\.usedNames)) {
                members.formUnion(owners[name] ?? [])
            }
            for member in members {
                if let index = group[member] { members.formUnion(found[index]) }
            }
            for member in members { group[member] = found.count }
            found.append(members)
        }
        let current = Set(group.values)
        return found.indices.filter { current.contains($0) && found[$0].count > 1 }.map { index in
            steps.filter { $0.action != .rebind && group[$0.plugin] == index }
        }
    }

    /// Those that run on while something they depend on is replaced: each as its manifest says. Who restarts is
    /// replaced, too, for those that depend on it.
    private static func addDependents(
        of serving: [PluginID: PluginBuild], _ steps: inout [PluginID: Step]
    ) {
        var changed = serving.values.filter {
            steps[$0.id]?.action == .replace || steps[$0.id]?.action == .stop
        }
        if changed.isEmpty { return }
        var users: [PluginID: [PluginBuild]] = [:]
        for build in serving.values {
            for name in build.manifest.usedNames { users[name, default: []].append(build) }
        }
        while let dependency = changed.popLast() {
            for build in dependency.manifest.names.flatMap({ users[$0] ?? [] })
            where build.id != dependency.id {
                let rebinds = build.manifest.reload.onDependencyChange == .rebind
                let known = steps[build.id]?.action
                guard known == nil || (known == .rebind && !rebinds) else { continue }
                let version = "\(build.manifest.version)"
                steps[build.id] = Step(
                    plugin: build.id, action: rebinds ? .rebind : .restart, from: version,
                    to: version, reason: "it depends on \(dependency.id)")
                if !rebinds { changed.append(build) }
            }
        }
    }

    /// Dependencies first; side by side, in the order of ids, what does not depend on each other.
    static func order(_ builds: [PluginBuild]) -> [PluginID] {
        let builds = builds.sorted { $0.id < $1.id }
        var owners: [PluginID: [Int]] = [:]
        for (index, build) in builds.enumerated() {
            for name in build.manifest.names { owners[name, default: []].append(index) }
        }
        var open = Array(repeating: 0, count: builds.count)
        var users: [[Int]] = Array(repeating: [], count: builds.count)
        for (index, build) in builds.enumerated() {
            let used = Set(build.manifest.usedNames.flatMap { owners[$0] ?? [] })
            for other in used where other != index {
                users[other].append(index)
                open[index] += 1
            }
        }
        var order: [Int] = []
        var ready = builds.indices.filter { open[$0] == 0 }
        while !ready.isEmpty {
            order += ready
            var next: [Int] = []
            for user in ready.flatMap({ users[$0] }) {
                open[user] -= 1
                if open[user] == 0 { next.append(user) }
            }
            ready = next.sorted()
        }
        // Rings through optional dependencies, which may start in any order.
        let rest = Set(builds.indices).subtracting(order).sorted()
        return (order + rest).map { builds[$0].id }
    }
}

extension Manifest {
    /// Names that others may depend on it by.
    var names: [PluginID] { [id] + provides.keys.filter { $0 != id } }

    /// Names that it depends on, whether it must or may.
    var usedNames: Set<PluginID> {
        Set(dependencies.keys).union(optionalDependencies.keys)
    }

    /// Whether it depends on the other one, by its id or by a name that it provides.
    func uses(_ other: Manifest) -> Bool {
        let used = usedNames
        return other.names.contains(where: used.contains)
    }
}
