// SmallestChange.swift — the least to do after which an id that is left out can be there and nothing else is
// lost. Tried before it is said. Next: SeparateFaults.swift.

import NocturneCore

/// Finds repairs: versions to add, another host, a ring to open, another version of the plugin itself, and, if
/// all of that does not help, one plugin to remove.
struct SmallestChange {
    let universe: Universe
    /// What is chosen.
    private let chosen: [PluginID: SemanticVersion]
    var trials: RepairTrials
    /// What manifests ask of each name.
    private lazy var demands = Self.demands(
        of: universe.candidates, chosen: Set(chosen.keys))

    private struct Demand {
        let range: VersionRange
        /// Whether one that is chosen depends on it.
        let mustHold: Bool
    }

    /// Something asked for that a version not there could be the answer to.
    private struct Wish {
        let name: PluginID
        let range: VersionRange

        func isOf(_ candidate: Candidate) -> Bool {
            (candidate.dependencies[name] ?? candidate.optionalDependencies[name]) == range
        }
    }

    /// Candidates in a directory beyond which no repair is looked for, since each trial solves it once more.
    private static let maximumCandidates = 4_000
    /// Versions that one repair may add.
    static let maximumAdditions = 4

    init(_ request: ResolveRequest, _ values: [Int], _ universe: Universe) {
        self.universe = universe
        var chosen: [PluginID: SemanticVersion] = [:]
        for (variable, value) in values.enumerated() where value != Term.absent {
            chosen[universe.id(of: variable)] = universe.candidate(variable, value).version
        }
        self.chosen = chosen
        trials = RepairTrials(request, chosen: chosen.keys.sorted())
    }

    /// The host that the last change speaks of, if it did.
    private(set) var changedHost: HostEnvironment?

    /// What to do about each of several faults that `variable` has; `nil` if that does not help.
    mutating func changes(for variable: Int, _ proof: Proof) -> String? {
        guard universe.candidates.count <= Self.maximumCandidates else { return nil }
        changedHost = nil
        let texts = changes(for: universe.id(of: variable), proof)
        if texts == nil { changedHost = nil }
        return texts
    }

    /// What to do so that `variable` can be there; `nil` if nothing small helps.
    mutating func change(for variable: Int, _ proof: Proof) -> String? {
        guard universe.candidates.count <= Self.maximumCandidates else { return nil }
        let goal = universe.id(of: variable)
        changedHost = nil
        return change(for: goal, proof)
    }

    /// One change that is enough.
    mutating func change(for goal: PluginID, _ proof: Proof) -> String? {
        additions(for: goal, proof) ?? addition(for: goal, proof)
            ?? environment(for: goal, proof) ?? opening(for: goal, proof)
            ?? range(for: goal, proof) ?? otherBuild(for: goal, proof)
            ?? removal(for: goal, proof)
    }

    // MARK: - Versions more

    /// Whether versions of what nobody has would do, one after the other.
    private mutating func additions(for goal: PluginID, _ proof: Proof) -> String? {
        var proof = proof
        var added: [Candidate] = []
        var texts: [String] = []
        while added.count < Self.maximumAdditions {
            let wish = Self.wishes(in: proof, unmetOnly: true).first { wish in
                wish.name != goal && !added.contains { $0.id == wish.name }
            }
            guard let wish, let one = candidate(for: wish) else { return nil }
            added.append(one)
            texts.append(text(of: one, for: wish, proof))
            let all = added
            switch trials.outcome(for: goal, { $0.candidates += all }) {
            case .works: return texts.joined(separator: "; and ")
            case .fails(let next): proof = next
            case .gaveUp: return nil
            }
        }
        return nil
    }

    /// Whether one more version of something would do that is there, but not as all want it.
    private mutating func addition(for goal: PluginID, _ proof: Proof) -> String? {
        var tried: Set<PluginID> = [goal]
        for wish in Self.wishes(in: proof, unmetOnly: false) {
            guard tried.insert(wish.name).inserted, let one = candidate(for: wish) else { continue }
            if trials.works(for: goal, { $0.candidates.append(one) }) {
                return text(of: one, for: wish, proof)
            }
        }
        return nil
    }

    private static func wishes(in proof: Proof, unmetOnly: Bool) -> [Wish] {
        proof.nodes.flatMap { node -> [Wish] in
            guard case .fact(let fact) = node.cause, !unmetOnly || node.terms.count == 1 else {
                return []
            }
            switch fact {
            case .dependency(let name, let range): return [Wish(name: name, range: range)]
            case .dependencies(let name, let ranges):
                return ranges.map { Wish(name: name, range: $0) }
            case .optional(let name, let range) where !unmetOnly:
                return [Wish(name: name, range: range)]
            default: return []
            }
        }
    }

    /// A version that may be the answer: like the best one of that id, if there is one, so that nothing is
    /// said that only a plugin of other needs could make true.
    private mutating func candidate(for wish: Wish) -> Candidate? {
        guard let version = leastVersion(of: wish.name, wish.range),
            !universe.versions(of: wish.name).contains(version.description)
        else { return nil }
        var one = Candidate(wish.name, version, label: "a version to add")
        if let variable = universe.variable(of: wish.name),
            let like = universe.candidates(of: variable).first
        {
            one.dependencies = like.dependencies
            one.optionalDependencies = like.optionalDependencies
            one.conflicts = like.conflicts
            one.provides = like.provides
        }
        return one
    }

    private mutating func text(
        of one: Candidate, for wish: Wish, _ proof: Proof
    ) -> String {
        let (name, range, version) = (wish.name, wish.range, one.version)
        if universe.versions(of: name).isEmpty {
            return range == .any
                ? "add \(name), or a provider of it" : "add \(name) \(range), or a provider of it"
        }
        guard universe.variable(of: name) != nil else {
            return "add a provider of \(name) \(range)"
        }
        let newest = universe.candidates.filter { $0.id == name }.map(\.version).max() ?? version
        // What all want who want this version.
        let others =
            Self.wishes(in: proof, unmetOnly: false).filter { $0.name == name }.map(\.range)
            + (demands[name] ?? []).filter(\.mustHold).map(\.range)
        let all = others.filter { $0.contains(version) }.reduce(range.set) {
            $0.intersection($1.set)
        }
        let accepted = acceptance(of: one, within: range)
        return version > newest
            ? "upgrade \(name) to \(version) or later, within \(all)\(accepted)"
            : "add \(name) \(version), or another version within \(all)\(accepted)"
    }

    /// What sets the version to add apart from those within `range` that are there and would not do.
    private func acceptance(of one: Candidate, within range: VersionRange) -> String {
        let others = universe.candidates.filter { $0.id == one.id && range.contains($0.version) }
        guard !others.isEmpty else { return "" }
        let accepted = one.dependencies.sorted { $0.key < $1.key }
            .filter { name, range in others.allSatisfy { $0.dependencies[name] != range } }
            .map { "\($0.key) \($0.value)" }
        let conflicts = Set(others.flatMap(\.conflicts.keys)).subtracting(one.conflicts.keys)
            .sorted()
        let parts =
            (accepted.isEmpty ? [] : ["accepts \(ProofWords.list(accepted, "and"))"])
            + (conflicts.isEmpty
                ? []
                : ["does not conflict with \(ProofWords.list(conflicts.map { "\($0)" }, "or"))"])
        return parts.isEmpty ? "" : ", that \(parts.joined(separator: " and "))"
    }

    /// The least version that stands in a range on `name`, is in `range`, and not there yet. Ranges of others
    /// may ask for more than `range` does.
    private mutating func leastVersion(of name: PluginID, _ range: VersionRange) -> SemanticVersion?
    {
        let demands = demands[name] ?? []
        let ranges = Set([range] + demands.map { $0.range })
        let present = Set(universe.versions(of: name))
        let versions = ranges.flatMap(Self.versionsWritten).filter {
            range.contains($0) && !present.contains($0.description)
        }
        let accepted = versions.sorted().first { version in
            demands.allSatisfy { !$0.mustHold || $0.range.contains(version) }
        }
        return accepted ?? versions.min()
    }

    private static func demands(
        of candidates: [Candidate], chosen: Set<PluginID>
    ) -> [PluginID: [Demand]] {
        var demands: [PluginID: [Demand]] = [:]
        for candidate in candidates {
            let isChosen = chosen.contains(candidate.id)
            for (name, range) in candidate.dependencies {
                demands[name, default: []].append(.init(range: range, mustHold: isChosen))
            }
            for (name, range) in candidate.optionalDependencies {
                demands[name, default: []].append(.init(range: range, mustHold: false))
            }
        }
        return demands
    }

    /// The versions in the text of a range, and the next patch of each, which a `>` may mean.
    private static func versionsWritten(in range: VersionRange) -> [SemanticVersion] {
        if range == .any { return [SemanticVersion(1, 0, 0)] }
        let words = range.description.split { character in
            !(character.isLetter || character.isNumber || ".-+".contains(character))
        }
        return words.flatMap { word -> [SemanticVersion] in
            let parts = word.split(separator: ".", omittingEmptySubsequences: false)
            let full =
                parts.count < 3 ? word + String(repeating: ".0", count: 3 - parts.count) : word
            guard let version = try? SemanticVersion(String(full)) else { return [] }
            return [
                version,
                SemanticVersion(version.major, version.minor, version.patch.successor),
            ]
        }
    }

    // MARK: - Other things

    /// Whether another host would do, or another build of what this one refuses.
    private mutating func environment(for goal: PluginID, _ proof: Proof) -> String? {
        for node in proof.nodes {
            guard case .fact(let fact) = node.cause, fact.isRefusal, let term = node.terms.first,
                case .plugin(let id, _) = proof.subjects[term.subject],
                let variable = universe.variable(of: id)
            else { continue }
            for value in term.set.values {
                let refused = universe.candidate(variable, value)
                if let text = environment(for: goal, refused) { return text }
            }
        }
        return nil
    }

    private mutating func environment(for goal: PluginID, _ refused: Candidate) -> String? {
        let host = trials.request.environment
        if let abi = refused.abi, abi.major != host.abi.major || abi.minor > host.abi.minor {
            guard abi > host.abi else { return "rebuild \(refused.id) with this host's SDK" }
            let next = HostEnvironment(
                version: host.version, abi: abi, architecture: host.architecture)
            guard worksOn(next, for: goal) else { return nil }
            return "update the host to one that serves ABI \(abi)"
        }
        if let range = refused.host, !range.contains(host.version) {
            let version = Self.versionsWritten(in: range).filter(range.contains).min()
            guard let version else { return nil }
            let next = HostEnvironment(
                version: version, abi: host.abi, architecture: host.architecture)
            guard worksOn(next, for: goal) else { return nil }
            return version > host.version
                ? "update the host to \(version) or later, within \(range)"
                : "run a host of version \(range)"
        }
        if let architecture = host.architecture, let built = refused.architecture,
            built != architecture
        {
            return "install \(refused.id) built for \(architecture.rawValue)"
        }
        return nil
    }

    private mutating func worksOn(_ host: HostEnvironment, for goal: PluginID) -> Bool {
        guard trials.works(for: goal, { $0.environment = host }) else { return false }
        changedHost = host
        return true
    }

    /// Whether a ring opens if one of its plugins can do without the next.
    private mutating func opening(for goal: PluginID, _ proof: Proof) -> String? {
        for node in proof.nodes {
            switch node.cause {
            case .fact(.cycle(let steps)):
                for step in steps.reversed() {
                    let works = trials.works(for: goal) { request in
                        request.edit(step.id) { one in
                            one.optionalDependencies[step.name] = one.dependencies[step.name]
                            one.dependencies[step.name] = nil
                        }
                    }
                    if works {
                        return
                            "make the dependency of \(step.id) on \(step.name) optional: move it to "
                            + "`optionalDependencies` in the manifest of \(step.id)"
                    }
                }
            case .fact(.selfDependency):
                guard case .plugin(let id, _) = proof.subjects[node.terms[0].subject] else {
                    continue
                }
                let works = trials.works(for: goal) { request in
                    request.edit(id) { one in
                        one.dependencies[id] = nil
                        one.optionalDependencies[id] = nil
                    }
                }
                if works { return "remove the dependency of \(id) on itself" }
            default: continue
            }
        }
        return nil
    }

    /// Whether it would do if a range that no version is in were another.
    private mutating func range(for goal: PluginID, _ proof: Proof) -> String? {
        for wish in Self.wishes(in: proof, unmetOnly: false) where wish.range.set.isEmpty {
            for owner in Set(universe.candidates.filter(wish.isOf).map(\.id)).sorted() {
                let isThere = !universe.versions(of: wish.name).isEmpty
                let works = trials.works(for: goal) { request in
                    request.edit(owner) { one in
                        if one.dependencies[wish.name] != nil {
                            one.dependencies[wish.name] = isThere ? .any : nil
                        } else {
                            one.optionalDependencies[wish.name] = nil
                        }
                    }
                }
                if works {
                    return "correct the range that \(owner) has for \(wish.name): no version is in "
                        + "\"\(wish.range.text)\""
                }
            }
        }
        return nil
    }

    /// Whether it would do if the plugin, or one that it needs, went with what is chosen.
    private mutating func otherBuild(for goal: PluginID, _ proof: Proof) -> String? {
        for wish in Self.wishes(in: proof, unmetOnly: false) {
            guard let version = chosen[wish.name], !wish.range.contains(version) else { continue }
            let owners = Set(universe.candidates.filter(wish.isOf).map(\.id))
            for owner in owners.sorted(by: { $0 == goal && $1 != goal || $1 != goal && $0 < $1 })
            where owner == goal || proof.plugins.contains(owner) && chosen[owner] == nil {
                let works = trials.works(for: goal) { request in
                    request.edit(owner) { $0.dependencies[wish.name] = .any }
                }
                if works {
                    return "use a version of \(owner) that goes with \(wish.name) \(version)"
                }
            }
        }
        return nil
    }

    private mutating func removal(for goal: PluginID, _ proof: Proof) -> String? {
        for term in proof.conclusion {
            guard case .plugin(let id, _) = proof.subjects[term.subject], id != goal else {
                continue
            }
            if trials.works(for: goal, without: id, { _ in }) { return "remove \(id)" }
        }
        return nil
    }
}

extension Fact {
    fileprivate var isRefusal: Bool {
        switch self {
        case .refused, .refusals: true
        default: false
        }
    }
}
