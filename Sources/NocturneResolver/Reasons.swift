// Reasons.swift — why an id is left out, and why a version is not the one: each with its own proof.
// Next: SmallestChange.swift.

import NocturneCore

/// Asks the solver, which has learned much by now, why what is not chosen cannot be.
struct Reasons {
    private var solver: PubGrub
    private let largest: LargestSet
    private let request: ResolveRequest
    private let values: [Int]
    /// What is chosen, in the order of ids.
    private let kept: [PubGrub.Assumption]

    /// Other ids that a reason names may be made fewer one by one.
    private static let shrunkMembers = 12
    /// Better versions of one id that get a proof; the others are said to be like them.
    private static let provenVersions = 20

    init(_ largest: LargestSet, _ request: ResolveRequest) {
        self.largest = largest
        self.request = request
        solver = largest.solver
        // Reasons have a budget of their own, so that a hard choice does not silence them.
        solver.stepBudget = solver.steps + request.stepBudget
        values = largest.values
        kept = values.indices.filter { largest.values[$0] != Term.absent }.map {
            LargestSet.present($0, largest.solver)
        }
    }

    // MARK: - Ids

    /// Every id that is left out, in order.
    mutating func leftOut() -> [Resolution.LeftOut] {
        if largest.leftOut.isEmpty { return [] }
        var found: [Resolution.LeftOut] = []
        var unhelped: [(place: Int, variable: Int, proof: Proof)] = []
        var changes = SmallestChange(request, values, solver.universe)
        for variable in largest.leftOut.keys.sorted() {
            let id = solver.universe.id(of: variable)
            guard let core = core(of: variable) else {
                found.append(
                    .init(
                        id: id, reason: .gaveUp,
                        text: "\(id) is left out because the budget of \(request.stepBudget) steps "
                            + "was spent before a place for it was found.", proof: nil))
                continue
            }
            let proof = ProofBuilder.proof(of: core, in: solver)
            var one = Resolution.LeftOut(
                id: id, reason: reason(of: proof), text: text(of: proof, about: id), proof: proof)
            if let refusal = one.refusal { one.text = refusal.text }
            one.change = changes.change(for: variable, proof)
            one.changedHost = changes.changedHost
            if one.change == nil { unhelped.append((found.count, variable, proof)) }
            found.append(one)
        }
        // After all others, since trials are limited and these take many.
        for (place, variable, proof) in unhelped {
            found[place].change = changes.changes(for: variable, proof)
            found[place].changedHost = changes.changedHost
        }
        return found
    }

    /// Why an id cannot be there: by itself, if that is so, or with what is chosen.
    private mutating func core(of variable: Int) -> Int? {
        if let known = largest.leftOut[variable] ?? nil,
            solver.incompatibilities[known].terms.count == 1
        {
            return known
        }
        let goal = LargestSet.present(variable, solver)
        if case .conflict(let alone) = solver.solve([goal]) { return alone }
        guard case .conflict(let core) = solver.solve(kept + [goal]) else { return nil }
        return shrink(core, goal)
    }

    /// Drops members that the failure does not need.
    private mutating func shrink(_ core: Int, _ goal: PubGrub.Assumption) -> Int {
        var core = core
        var others = assumptions(of: core).filter { $0.variable != goal.variable }
        guard (2...Self.shrunkMembers).contains(others.count) else { return core }
        for other in others.reversed() where others.contains(other) {
            let rest = others.filter { $0 != other }
            if case .conflict(let smaller) = solver.solve(rest + [goal]) {
                core = smaller
                others = assumptions(of: core).filter { $0.variable != goal.variable }
            }
        }
        return core
    }

    private func assumptions(of core: Int) -> [PubGrub.Assumption] {
        solver.incompatibilities[core].terms.map {
            .init(variable: $0.variable, set: $0.set)
        }
    }

    // MARK: - Versions

    /// Every candidate that is not chosen.
    mutating func rejected(_ leftOut: [Resolution.LeftOut]) -> [Resolution.Rejection] {
        let reasons = Dictionary(uniqueKeysWithValues: leftOut.map { ($0.id, $0) })
        var found: [Resolution.Rejection] = []
        for variable in values.indices {
            let id = solver.universe.id(of: variable)
            let candidates = solver.universe.candidates(of: variable)
            if candidates.count == 1, values[variable] != Term.absent { continue }
            var proven = 0
            for (offset, candidate) in candidates.enumerated() where offset + 1 != values[variable]
            {
                let why: (Resolution.Reason, String, Proof?)
                if let refusal = request.environment.refusal(of: candidate) {
                    why = (.init(refusal.code), "\(id) \(candidate.version): \(refusal.text)", nil)
                } else if values[variable] == Term.absent {
                    why =
                        reasons[id].map { ($0.reason, $0.text, $0.proof) }
                        ?? (.unwanted, "\(id) is not asked for.", nil)
                } else {
                    why = other(variable, offset + 1, &proven)
                }
                found.append(
                    .init(
                        id: id, version: candidate.version, label: candidate.label, reason: why.0,
                        text: why.1, proof: why.2))
            }
        }
        return found
    }

    /// Why another version of a chosen id is not the one.
    private mutating func other(
        _ variable: Int, _ value: Int, _ proven: inout Int
    ) -> (Resolution.Reason, String, Proof?) {
        let chosen = solver.universe.candidate(variable, values[variable])
        let candidate = solver.universe.candidate(variable, value)
        if chosen.version.description == candidate.version.description {
            return (
                .duplicate,
                "\(chosen.id) \(chosen.version) is also in \(chosen.label), which is chosen; remove one of the "
                    + "two files, or give one another version.", nil
            )
        }
        if candidate.version.isPrerelease, !chosen.version.isPrerelease {
            return (
                .otherVersion,
                "\(chosen.id) \(chosen.version) is chosen: \(candidate.version) is a prerelease, taken only if "
                    + "no release will do; remove the releases of \(chosen.id) to have it.", nil
            )
        }
        guard value < values[variable] else {
            return (.otherVersion, "\(chosen.id) \(chosen.version) is chosen.", nil)
        }
        proven += 1
        if proven <= Self.provenVersions, let core = core(of: variable, value) {
            let proof = ProofBuilder.proof(of: core, in: solver)
            return (reason(of: proof), text(of: proof, about: chosen.id), proof)
        }
        return (
            .otherVersion,
            "\(chosen.id) \(chosen.version) is chosen; \(candidate.version) does not go with the rest.",
            nil
        )
    }

    /// Why a better version cannot be there with what is chosen, at worst in these very versions.
    private mutating func core(of variable: Int, _ value: Int) -> Int? {
        var set = ValueSet(emptyOf: solver.universe.variables[variable].valueCount)
        set.insert(value)
        let goal = PubGrub.Assumption(variable: variable, set: set)
        let others = kept.filter { $0.variable != variable }
        if case .conflict(let core) = solver.solve(others + [goal]) { return shrink(core, goal) }
        let pinned = others.map { other -> PubGrub.Assumption in
            guard other.variable < variable else { return other }
            var set = ValueSet(emptyOf: solver.universe.variables[other.variable].valueCount)
            set.insert(values[other.variable])
            return .init(variable: other.variable, set: set)
        }
        guard case .conflict(let core) = solver.solve(pinned + [goal]) else { return nil }
        return shrink(core, goal)
    }

    // MARK: - Words

    private func text(of proof: Proof, about id: PluginID) -> String {
        Explanation.text(of: proof) { words in
            func isGoal(_ term: Proof.Term) -> Bool {
                if case .plugin(id, _) = proof.subjects[term.subject] { true } else { false }
            }
            let others = proof.conclusion.filter { !isGoal($0) }.map { words.name($0) }
            let goal = proof.conclusion.first(where: isGoal).map { words.version($0) } ?? "\(id)"
            if others.isEmpty { return "\(goal) cannot be loaded" }
            return "\(goal) cannot be loaded together with \(ProofWords.list(others, "and"))"
        }
    }

    /// The word for the facts of a proof: what must change first.
    private func reason(of proof: Proof) -> Resolution.Reason {
        var found: Resolution.Reason = .dependency
        for node in proof.nodes {
            guard case .fact(let fact) = node.cause else { continue }
            switch fact {
            case .refused(let refusal):
                // Only what keeps the id itself away is its own reason.
                if proof.nodes.count == 1 { return .init(refusal.code) }
            case .refusals(let refusals):
                if proof.nodes.count == 1, let first = refusals.first { return .init(first.code) }
            case .selfDependency, .cycle: return .cycle
            case .conflict: found = .conflict
            case .dependency(let name, _) where node.terms.count == 1 && found != .conflict,
                .dependencies(let name, _) where node.terms.count == 1 && found != .conflict:
                if proof.versions(of: name).isEmpty { found = .missing }
            default: break
            }
        }
        return found
    }
}
