// SmallestChange.swift — one thing to add, upgrade or remove, after which an id that is left out can be there
// and nothing else is lost. Tried before it is said.

import NocturneCore

/// Finds repairs. Each is one more version of one id, or one id less.
struct SmallestChange {
    private let request: ResolveRequest
    private let universe: Universe
    /// What is chosen.
    private let chosen: [PluginID]
    private var trials = 0
    /// What manifests ask of each name.
    private lazy var demands = Self.demands(of: universe.candidates, chosen: Set(chosen))

    private struct Demand {
        let range: VersionRange
        /// Whether one that is chosen depends on it.
        let mustHold: Bool
    }

    /// Trials that one resolution may take, and candidates in a directory beyond which none is made: each
    /// solves the directory once more.
    private static let maximumTrials = 64
    private static let maximumCandidates = 4_000

    init(_ request: ResolveRequest, _ values: [Int], _ universe: Universe) {
        self.request = request
        self.universe = universe
        chosen = values.indices.filter { values[$0] != Term.absent }.map(universe.id)
    }

    /// What to do so that `variable` can be there; `nil` if nothing small helps.
    mutating func change(for variable: Int, _ proof: Proof) -> String? {
        guard request.candidates.count <= Self.maximumCandidates else { return nil }
        let goal = universe.id(of: variable)
        var tried: Set<PluginID> = []
        for node in proof.nodes where trials < Self.maximumTrials {
            guard case .fact(let fact) = node.cause else { continue }
            switch fact {
            case .dependency(let name, let range), .optional(let name, let range):
                guard tried.insert(name).inserted else { continue }
                if let text = addition(of: name, range, for: goal) { return text }
            default: continue
            }
        }
        for term in proof.conclusion {
            guard case .plugin(let id, _) = proof.subjects[term.subject], id != goal else {
                continue
            }
            if works(for: goal, without: id) { return "remove \(id)" }
        }
        return nil
    }

    // MARK: - One version more

    /// Whether a version of `name` that everybody accepts would do, and which.
    private mutating func addition(
        of name: PluginID, _ range: VersionRange, for goal: PluginID
    ) -> String? {
        // Nobody is helped by another version of the plugin that cannot be there.
        guard name != goal, let version = leastVersion(of: name, range) else { return nil }
        let isPlugin = universe.variable(of: name) != nil
        let present = universe.versions(of: name)
        guard !present.contains(version.description),
            works(for: goal, with: Candidate(name, version, label: "a version to add"))
        else { return nil }
        if present.isEmpty {
            return range == .any
                ? "add \(name), or a provider of it" : "add \(name) \(range), or a provider of it"
        }
        guard isPlugin else { return "add a provider of \(name) \(range)" }
        let newest = universe.candidates.filter { $0.id == name }.map(\.version).max() ?? version
        return version > newest
            ? "upgrade \(name) to \(version) or later, within \(range)"
            : "add \(name) \(version), or another version within \(range)"
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

    // MARK: - Trials

    private mutating func works(
        for goal: PluginID, with addition: Candidate? = nil, without removed: PluginID? = nil
    ) -> Bool {
        trials += 1
        guard trials <= Self.maximumTrials else { return false }
        var trial = request
        trial.candidates.removeAll { $0.id == removed }
        if let addition { trial.candidates.append(addition) }
        var solver = PubGrub(trial)
        solver.isOrdered = false
        let goals = (chosen + [goal]).filter { $0 != removed }.compactMap {
            solver.universe.variable(of: $0)
        }
        let question = goals.map { LargestSet.present($0, solver) }
        if case .solution = solver.solve(question) { return true }
        return false
    }
}
