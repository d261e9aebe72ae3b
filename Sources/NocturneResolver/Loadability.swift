// Loadability.swift — whether one candidate can be there at all, asked of one directory many times.
// Next: Components.swift.

/// A directory, read once. Each question is about one candidate and whatever it brings along; what was learned
/// for one answer helps with the next.
package struct Loadability {
    package enum Answer: Sendable {
        /// Together with what it needs: these, in the order of ids.
        case loadable([Candidate])
        case impossible
        /// The step budget, which is for all questions, was spent.
        case gaveUp
    }

    private var solver: PubGrub

    /// Reads the candidates of `request`; what is wanted does not matter.
    package init(_ request: ResolveRequest) { solver = PubGrub(request) }

    /// Whether `candidate`, one of the request's, can be there.
    package mutating func answer(for candidate: Candidate) -> Answer {
        guard let variable = solver.universe.variable(of: candidate.id),
            let offset = solver.universe.candidates(of: variable).enumerated().first(where: {
                $0.element.label == candidate.label
            })?.offset
        else { return .impossible }
        var itself = ValueSet(emptyOf: solver.universe.variables[variable].valueCount)
        itself.insert(offset + 1)
        switch solver.solve([.init(variable: variable, set: itself)]) {
        case .conflict: return .impossible
        case .gaveUp: return .gaveUp
        case .solution(let values):
            let chosen = values.enumerated().filter { $0.element != Term.absent }
            return .loadable(chosen.map { solver.universe.candidate($0.offset, $0.element) })
        }
    }
}
