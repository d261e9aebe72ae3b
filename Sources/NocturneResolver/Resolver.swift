// Resolver.swift — one question, one answer: what to load, in which order, and why not the rest.
// Pure and deterministic. Next: Loadability.swift.

import NocturneCore

/// Chooses the largest set of plugins that can run together, one version of each.
///
/// *Largest* means most of the ids to keep, then most ids; of equally large sets the one that keeps most of what
/// runs; then the one whose sorted ids come first; then, id by id, the newest stable version.
package enum Resolver {
    /// Answers `request`. Takes time within its step budget; never fails.
    package static func resolve(_ request: ResolveRequest) -> Resolution {
        let parts = Components.split(request)
        var answers: [Resolution?] = Array(repeating: nil, count: parts.count)
        var rest = request.stepBudget
        // The small ones first: what they do not need is left for the large ones.
        let order = parts.indices.sorted {
            (parts[$0].candidates.count, $0) < (parts[$1].candidates.count, $1)
        }
        for index in order {
            var part = parts[index]
            part.stepBudget = rest
            let answer = resolve(connected: part)
            rest = max(0, rest - answer.steps)
            answers[index] = answer
        }
        return merge(answers.compactMap { $0 }, request)
    }

    /// Answers a request that does not fall apart.
    private static func resolve(connected request: ResolveRequest) -> Resolution {
        let largest = LargestSet(request)
        var resolution = Resolution()
        for (variable, value) in largest.values.enumerated() where value != Term.absent {
            let candidate = largest.solver.universe.candidate(variable, value)
            resolution.chosen.append(
                .init(id: candidate.id, version: candidate.version, label: candidate.label))
        }
        let order = LoadOrder(largest.graph, largest.solver.universe)
        resolution.order = order.layers
        resolution.notes = order.notes
        resolution.isProvenLargest = largest.isProven
        resolution.steps = largest.solver.steps
        var reasons = Reasons(largest, request)
        resolution.leftOut = reasons.leftOut()
        resolution.rejected = reasons.rejected(resolution.leftOut)
        return resolution
    }

    private static func merge(_ parts: [Resolution], _ request: ResolveRequest) -> Resolution {
        var all = Resolution()
        for part in parts {
            all.chosen += part.chosen
            all.leftOut += part.leftOut
            all.rejected += part.rejected
            all.notes += part.notes
            all.isProvenLargest = all.isProvenLargest && part.isProvenLargest
            all.steps += part.steps
            for (index, layer) in part.order.enumerated() {
                if index == all.order.count { all.order.append([]) }
                all.order[index] += layer
            }
        }
        all.chosen.sort { $0.id < $1.id }
        all.leftOut.sort { $0.id < $1.id }
        // Those of one id come from one part, in their order.
        all.rejected = all.rejected.enumerated().sorted {
            ($0.element.id, $0.offset) < ($1.element.id, $1.offset)
        }.map(\.element)
        all.order = all.order.map { $0.sorted() }
        if !all.isProvenLargest {
            all.notes.append(
                "notProvenLargest: the budget of \(request.stepBudget) steps was spent; a larger or "
                    + "better set may exist")
        }
        return all
    }
}
