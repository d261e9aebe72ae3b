// RepairTrials.swift — what would be if one thing were otherwise. A few, each within a small budget.
// Next: LoadOrder.swift.

import NocturneCore

/// Asks whether an id could be there, with all that is chosen, in a directory that is a little different.
struct RepairTrials {
    enum Outcome {
        case works
        case fails(Proof)
        case gaveUp
    }

    /// Something that is otherwise.
    typealias Edit = (inout ResolveRequest) -> Void

    /// What worked, so that several of them can be tried together.
    struct Repair {
        let edit: Edit
        let removed: Set<PluginID>
    }

    var request: ResolveRequest
    private let chosen: [PluginID]
    private var count = 0
    /// Of the last trial that worked.
    var worked: Repair?

    /// Trials that one resolution may take.
    private static let maximumTrials = 64
    /// Steps of one trial. What is chosen fits already, so that few conflicts are to be expected.
    private static let stepBudget = 200_000

    init(_ request: ResolveRequest, chosen: [PluginID]) {
        (self.request, self.chosen) = (request, chosen)
    }

    mutating func works(
        for goal: PluginID, without removed: PluginID? = nil, _ edit: @escaping Edit
    ) -> Bool {
        if case .works = outcome(for: goal, without: removed.map { [$0] } ?? [], edit) {
            true
        } else {
            false
        }
    }

    /// - Parameter removed: ids that need not be there.
    mutating func outcome(
        for goal: PluginID, without removed: Set<PluginID> = [], _ edit: @escaping Edit
    ) -> Outcome {
        count += 1
        guard count <= Self.maximumTrials else { return .gaveUp }
        var trial = request
        trial.candidates.removeAll { removed.contains($0.id) }
        trial.stepBudget = min(trial.stepBudget, Self.stepBudget)
        edit(&trial)
        var solver = PubGrub(trial)
        solver.isOrdered = false
        let goals = (chosen + [goal]).filter { !removed.contains($0) }.compactMap {
            solver.universe.variable(of: $0)
        }
        switch solver.solve(goals.map { LargestSet.present($0, solver) }) {
        case .solution:
            worked = Repair(edit: edit, removed: removed)
            return .works
        case .conflict(let core): return .fails(ProofBuilder.proof(of: core, in: solver))
        case .gaveUp: return .gaveUp
        }
    }
}

extension ResolveRequest {
    /// Changes every version of `id`.
    mutating func edit(_ id: PluginID, _ change: (inout Candidate) -> Void) {
        for index in candidates.indices where candidates[index].id == id {
            change(&candidates[index])
        }
    }
}
