// Resolver.swift — one question, one answer: what to load, in which order, and why not the rest.
// Pure and deterministic. Next: Reasons.swift.

import NocturneCore

/// Chooses the largest set of plugins that can run together, one version of each.
///
/// *Largest* means most ids; of equally large sets the one that keeps most of what runs; then the one whose
/// sorted ids come first; then, id by id, the newest stable version.
package enum Resolver {
    /// Answers `request`. Takes time within its step budget; never fails.
    package static func resolve(_ request: ResolveRequest) -> Resolution {
        var largest = LargestSet(request)
        var resolution = Resolution()
        let values = largest.values
        for (variable, value) in values.enumerated() where value != Term.absent {
            let candidate = largest.solver.universe.candidate(variable, value)
            resolution.chosen.append(
                .init(id: candidate.id, version: candidate.version, label: candidate.label))
        }
        let order = LoadOrder(values, in: &largest.solver.universe)
        resolution.order = order.layers
        resolution.notes = order.notes
        resolution.isProvenLargest = largest.isProven
        resolution.steps = largest.solver.steps
        if !largest.isProven {
            resolution.notes.append(
                "notProvenLargest: the budget of \(request.stepBudget) steps was spent; a larger or "
                    + "better set may exist")
        }
        var reasons = Reasons(largest, request)
        resolution.leftOut = reasons.leftOut()
        resolution.rejected = reasons.rejected(resolution.leftOut)
        return resolution
    }
}
