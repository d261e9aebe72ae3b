// SeparateFaults.swift — a plugin with several things wrong hears of all of them: what to do about each, tried
// together before it is said. Next: RepairTrials.swift.

import NocturneCore

/// Something that one plugin declares and that keeps another away, or itself.
private struct Fault {
    let owner: PluginID
    let name: PluginID
    let isConflict: Bool

    /// What can always be done about it.
    var otherBuild: String {
        "use a version of \(owner) that "
            + (isConflict ? "does not conflict with \(name)" : "does without \(name)")
    }

    /// As if it had not been declared.
    func remove(from request: inout ResolveRequest) {
        request.edit(owner) { one in
            if isConflict {
                one.conflicts[name] = nil
            } else {
                one.dependencies[name] = nil
                one.optionalDependencies[name] = nil
            }
        }
    }
}

extension SmallestChange {
    /// What to do about each of several faults; `nil` if there are not several, or more than anybody would mend.
    mutating func changes(for goal: PluginID, _ proof: Proof) -> String? {
        guard let faults = faults(of: goal, proof), faults.count > 1 else { return nil }
        let asked = trials.request
        var texts: [String] = []
        var repairs: [RepairTrials.Repair] = []
        for (index, fault) in faults.enumerated() {
            var alone = asked
            for (other, fault) in faults.enumerated() where other != index {
                fault.remove(from: &alone)
            }
            trials.request = alone
            defer { trials.request = asked }
            // One that does no harm without the others needs no repair.
            guard case .fails(let proof) = trials.outcome(for: goal, { _ in }) else { continue }
            trials.worked = nil
            let text = change(for: goal, proof) ?? fault.otherBuild
            if texts.contains(text) { continue }
            texts.append(text)
            // Some changes, such as a plugin to rebuild, are no trial.
            repairs.append(trials.worked ?? .init(edit: fault.remove, removed: []))
        }
        let all = repairs
        let removed = all.reduce(into: Set<PluginID>()) { $0.formUnion($1.removed) }
        let outcome = trials.outcome(for: goal, without: removed) { request in
            for repair in all { repair.edit(&request) }
        }
        guard case .works = outcome else { return nil }
        return texts.joined(separator: "; and ")
    }

    /// One fault after the other, as each shows when those before are mended; `nil` if there are too many.
    private mutating func faults(of goal: PluginID, _ proof: Proof) -> [Fault]? {
        var proof = proof
        var faults: [Fault] = []
        while faults.count < Self.maximumAdditions {
            guard let fault = Self.fault(of: goal, in: proof) else { return nil }
            faults.append(fault)
            let all = faults
            switch trials.outcome(
                for: goal, { request in for fault in all { fault.remove(from: &request) } })
            {
            case .works: return faults
            case .fails(let next): proof = next
            case .gaveUp: return nil
            }
        }
        return nil
    }

    /// The first thing in a proof that the goal declares, or a conflict of another with it.
    private static func fault(of goal: PluginID, in proof: Proof) -> Fault? {
        func isGoal(_ term: Proof.Term) -> Bool {
            if case .plugin(goal, _) = proof.subjects[term.subject] { true } else { false }
        }
        for node in proof.nodes {
            guard case .fact(let fact) = node.cause else { continue }
            switch fact {
            case .dependency(let name, _), .dependencies(let name, _), .optional(let name, _):
                if isGoal(node.terms[0]) {
                    return Fault(owner: goal, name: name, isConflict: false)
                }
            case .conflict(let name, _):
                if isGoal(node.terms[0]) { return Fault(owner: goal, name: name, isConflict: true) }
                if node.terms.count > 1, isGoal(node.terms[1]),
                    case .plugin(let owner, _) = proof.subjects[node.terms[0].subject]
                {
                    return Fault(owner: owner, name: name, isConflict: true)
                }
            case .cycle(let steps):
                if let step = steps.first(where: { $0.id == goal }) {
                    return Fault(owner: goal, name: step.name, isConflict: false)
                }
            case .provider, .refused, .refusals, .selfDependency, .leftOut: continue
            }
        }
        return nil
    }
}
