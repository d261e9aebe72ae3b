// SolutionChecker.swift — checks that what was chosen can run together and starts in an order that works.
// Shares no code with the solver. Next: Explanation.swift.

import NocturneCore

/// Whether a resolution keeps all that its candidates ask for.
package struct SolutionChecker {
    private let request: ResolveRequest
    private let resolution: Resolution

    package init(_ resolution: Resolution, of request: ResolveRequest) {
        (self.resolution, self.request) = (resolution, request)
    }

    /// What is wrong, one line each. Empty if nothing is.
    package var faults: [String] {
        let chosen = resolution.chosen.compactMap { choice in
            request.candidates.first {
                $0.id == choice.id && $0.label == choice.label
                    && $0.version.description == choice.version.description
            }
        }
        guard chosen.count == resolution.chosen.count else { return ["chosen, but not there"] }
        guard Set(chosen.map(\.id)).count == chosen.count else { return ["an id chosen twice"] }
        return chosen.flatMap { faults(of: $0, among: chosen) } + orderFaults(chosen)
    }

    private func faults(of one: Candidate, among chosen: [Candidate]) -> [String] {
        var faults: [String] = []
        let others = chosen.filter { $0.id != one.id }
        if let refusal = request.environment.refusal(of: one) {
            faults.append("\(one.id) cannot run here: \(refusal.text)")
        }
        for (name, range) in one.dependencies
        where !chosen.contains(where: { fits($0, name, range) }) {
            faults.append("\(one.id) lacks \(name) \(range)")
        }
        for (name, range) in one.optionalDependencies
        where others.contains(where: { $0.id == name || $0.provides[name] != nil })
            && !chosen.contains(where: { fits($0, name, range) })
        {
            faults.append("\(one.id) does not go with this \(name)")
        }
        for (name, range) in one.conflicts where others.contains(where: { fits($0, name, range) }) {
            faults.append("\(one.id) conflicts with \(name)")
        }
        return faults
    }

    private func fits(_ candidate: Candidate, _ name: PluginID, _ range: VersionRange) -> Bool {
        (candidate.id == name && range.contains(candidate.version))
            || candidate.provides[name].map(range.contains) == true
    }

    private func orderFaults(_ chosen: [Candidate]) -> [String] {
        var started: [Candidate] = []
        var faults: [String] = []
        for layer in resolution.order {
            let starting = chosen.filter { layer.contains($0.id) }
            for one in starting {
                for (name, range) in one.dependencies
                where !(started + [one]).contains(where: { fits($0, name, range) }) {
                    faults.append("\(one.id) starts before \(name)")
                }
            }
            started += starting
        }
        let ids = resolution.order.flatMap { $0 }
        if ids.count != chosen.count || Set(ids) != Set(chosen.map(\.id)) {
            faults.append("the order is not of what was chosen")
        }
        return faults
    }
}
