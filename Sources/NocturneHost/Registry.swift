// Registry.swift — who contributes what: the one place where names of every kind belong to plugins. Next: Router.swift.

public import NocturneCore
import Synchronization

/// A contribution that can be called, as it is listed.
public struct ContributionInfo: Sendable, Hashable {
    /// `tool`, `command` or `task`.
    public let kind: String
    /// What it is called by. No other enabled plugin has one of the same kind and name.
    public let name: String
    /// The plugin that contributes it.
    public let plugin: PluginID
    /// What it does, in the manifest's words, which may hold control characters.
    public let description: String?
    /// JSON Schema that an input must match, from the manifest; `nil`: any JSON.
    public let input: JSONValue?
    /// JSON Schema that every result matches, from the manifest; `nil`: any JSON.
    public let output: JSONValue?
    /// Whether a retry after a crash is safe.
    public let isIdempotent: Bool

    /// `{"kind", "name", "plugin", "description", "input", "output", "idempotent"}`
    public var json: JSONValue {
        [
            "kind": .string(kind), "name": .string(name), "plugin": .string(plugin.description),
            "description": JSONValue(description), "input": input ?? .null,
            "output": output ?? .null,
            "idempotent": .bool(isIdempotent),
        ]
    }
}

/// The contributions of all enabled plugins. Names are global within a kind (DESIGN §7, *Names*). Thread-safe.
///
/// A plugin's contributions appear together, switch together and vanish together.
final class Registry: Sendable {
    /// Where a name leads. A class, as ``Contribution`` is.
    final class Entry: Sendable {
        let plugin: PluginID
        let contribution: Contribution
        let generation: Generation
        let gate: PluginGate

        init(
            plugin: PluginID, contribution: Contribution, generation: Generation, gate: PluginGate
        ) {
            self.plugin = plugin
            self.contribution = contribution
            self.generation = generation
            self.gate = gate
        }
    }
    /// A name that is taken.
    struct Clash: Error, Sendable, CustomStringConvertible {
        let name: ContributionName
        let owner: PluginID
        let challenger: PluginID

        var description: String {
            "the \(name.kind.rawValue) \"\(name.name)\" belongs to \(owner), so \(challenger) cannot have it; "
                + "disable one of them, or rename it"
        }
    }
    private struct State {
        var entries: [ContributionName: Entry] = [:]
        /// Names that a plugin has claimed and will serve soon, so that two that start together cannot both win.
        var claims: [ContributionName: PluginID] = [:]
    }
    private let state = Mutex(State())
    private let listeners = Mutex<[@Sendable (PluginID) -> Void]>([])

    /// Has `listener` told, from now on, of plugins whose contributions changed. It may be told more than once, and by
    /// several threads at the same time.
    func listen(_ listener: @escaping @Sendable (PluginID) -> Void) {
        listeners.withLock { $0.append(listener) }
    }

    private func tell(_ id: PluginID) {
        for listener in listeners.withLock({ $0 }) { listener(id) }
    }

    /// Reserves the names of `build` for its plugin, beside those it already has.
    func claim(_ build: PluginBuild) throws(Clash) {
        let names = Self.exclusiveNames(build)
        try state.withLock { state throws(Clash) in
            for name in names {
                if let owner = state.claims[name], owner != build.id {
                    throw Clash(name: name, owner: owner, challenger: build.id)
                }
            }
            for name in names { state.claims[name] = build.id }
        }
    }

    /// Whether `build` could claim its names.
    func isFree(for build: PluginBuild) -> Bool {
        let names = Self.exclusiveNames(build)
        return state.withLock { state in
            names.allSatisfy { (state.claims[$0] ?? build.id) == build.id }
        }
    }

    /// Puts the contributions of `generation` in place of those that its plugin had, all at once, and frees the names
    /// that it no longer has.
    func install(_ generation: Generation, gate: PluginGate) {
        let id = generation.build.id
        state.withLock { state in
            state.entries = state.entries.filter { $0.value.plugin != id }
            state.claims = state.claims.filter { $0.value != id }
            for name in Self.exclusiveNames(generation.build) { state.claims[name] = id }
            for contribution in generation.build.contributions where contribution.kind.isExclusive {
                let name = ContributionName(kind: contribution.kind, name: contribution.name)
                state.entries[name] = Entry(
                    plugin: id, contribution: contribution, generation: generation, gate: gate)
            }
        }
        tell(id)
    }

    /// Removes all that `id` contributes. With `keepingClaims` nobody else can take its names: it is coming back.
    func remove(_ id: PluginID, keepingClaims: Bool = false) {
        state.withLock { state in
            state.entries = state.entries.filter { $0.value.plugin != id }
            if !keepingClaims { state.claims = state.claims.filter { $0.value != id } }
        }
        tell(id)
    }

    /// Gives back claims that did not lead to a start, but for the names that `serving` has.
    func release(_ id: PluginID, except serving: PluginBuild?) {
        let kept = Set(serving.map(Self.exclusiveNames) ?? [])
        state.withLock { state in
            state.claims = state.claims.filter { $0.value != id || kept.contains($0.key) }
        }
        tell(id)
    }

    func entry(_ kind: ContributionKind, _ name: String) -> Entry? {
        state.withLock { $0.entries[ContributionName(kind: kind, name: name)] }
    }

    /// Whose name it is, though it may not serve at the moment.
    func owner(_ kind: ContributionKind, _ name: String) -> PluginID? {
        state.withLock { $0.claims[ContributionName(kind: kind, name: name)] }
    }

    /// The names of a kind by their plugins: those that serve and, of a plugin that does not, those that it comes back
    /// with.
    func names(_ kind: ContributionKind) -> [PluginID: Set<String>] {
        state.withLock { state in
            var names: [PluginID: Set<String>] = [:]
            for (name, entry) in state.entries where name.kind == kind {
                names[entry.plugin, default: []].insert(name.name)
            }
            let serving = Set(state.entries.values.map(\.plugin))
            for (name, plugin) in state.claims where name.kind == kind && !serving.contains(plugin)
            {
                names[plugin, default: []].insert(name.name)
            }
            return names
        }
    }

    /// All of a kind, sorted by name.
    private func entries(_ kind: ContributionKind) -> [Entry] {
        let entries = state.withLock { state in
            state.entries.values.filter { $0.contribution.kind == kind }
        }
        return entries.sorted { $0.contribution.name < $1.contribution.name }
    }

    /// The exporters that serve, sorted by name.
    var exporters: [PluginExporter] {
        entries(.exporter).compactMap { entry in
            let declared = entry.generation.build.manifest.contributes.exporters
            return declared.first { $0.name == entry.contribution.name }.map {
                PluginExporter(
                    name: $0.name, plugin: entry.plugin, description: $0.description,
                    contentType: $0.contentType, isPush: $0.isPush)
            }
        }
    }

    /// The agents that serve, sorted by name.
    var agents: [PluginAgent] {
        entries(.agent).compactMap { entry in
            let manifest = entry.generation.build.manifest
            let declared = manifest.contributes.agents
            return declared.first { $0.name == entry.contribution.name }.map {
                PluginAgent(
                    name: $0.name, plugin: entry.plugin, description: $0.description,
                    capabilities: $0.capabilities, concurrency: manifest.limits.concurrency)
            }
        }
    }

    /// All of a kind, sorted by name, for those who list them.
    func list(_ kind: ContributionKind) -> [ContributionInfo] {
        entries(kind).map { entry in
            ContributionInfo(
                kind: kind.rawValue, name: entry.contribution.name, plugin: entry.plugin,
                description: entry.contribution.description, input: entry.contribution.inputJSON,
                output: entry.contribution.outputJSON,
                isIdempotent: entry.contribution.isIdempotent)
        }
    }

    private static func exclusiveNames(_ build: PluginBuild) -> [ContributionName] {
        build.contributions.filter(\.kind.isExclusive).map {
            ContributionName(kind: $0.kind, name: $0.name)
        }
    }
}
