// Encoding.swift — manifests as incompatibilities. Versions that declare the same are merged, so that one
// line speaks for all of them. Next: PartialSolution.swift.

import NocturneCore

/// Turns what each candidate declares into incompatibilities.
///
/// | declared by A | incompatibility |
/// |---|---|
/// | needs B r | A, not B r |
/// | needs B r, several provide it | A, no provider N; and for each provider: N is it, it is not there |
/// | if B is there, r | A, B outside r (and no other provider inside r) |
/// | conflicts with B r | A, B r |
/// | cannot run here | A |
struct Encoding {
    private enum Kind: Hashable {
        case dependency, optional, conflict, selfDependency
        case refused(Candidate.Refusal)
    }

    private struct Declaration: Hashable {
        let kind: Kind
        let name: PluginID
        let range: VersionRange
    }

    private(set) var universe: Universe
    private(set) var incompatibilities: [Incompatibility] = []

    init(_ universe: Universe, for environment: HostEnvironment) {
        self.universe = universe
        for variable in 0..<universe.pluginCount {
            for (declaration, set) in declarations(of: variable, for: environment) {
                encode(declaration, Term(variable: variable, set: set))
            }
        }
    }

    /// What the versions of an id declare, each with the versions that do, best version first.
    private func declarations(
        of variable: Int, for environment: HostEnvironment
    ) -> [(Declaration, ValueSet)] {
        let id = universe.id(of: variable)
        var sets: [(Declaration, ValueSet)] = []
        var places: [Declaration: Int] = [:]
        let count = universe.variables[variable].valueCount
        func add(_ kind: Kind, _ name: PluginID, _ range: VersionRange, _ value: Int) {
            let declaration = Declaration(kind: kind, name: name, range: range)
            // An only version says nothing twice.
            if count > 2, let place = places[declaration] {
                sets[place].1.insert(value)
            } else {
                if count > 2 { places[declaration] = sets.count }
                var set = ValueSet(emptyOf: count)
                set.insert(value)
                sets.append((declaration, set))
            }
        }
        for (offset, candidate) in universe.candidates(of: variable).enumerated() {
            let value = offset + 1
            // What cannot run has no other reasons.
            if let refusal = environment.refusal(of: candidate) {
                add(.refused(refusal), id, .any, value)
            } else if let range = candidate.dependencies[id] ?? candidate.optionalDependencies[id] {
                add(.selfDependency, id, range, value)
            } else {
                // Any fixed order will do; in this one the texts are those of pub's examples.
                func sorted(_ ranges: [PluginID: VersionRange]) -> [(PluginID, VersionRange)] {
                    ranges.count < 2
                        ? ranges.map { ($0.key, $0.value) } : ranges.sorted { $0.key > $1.key }
                }
                for (name, range) in sorted(candidate.dependencies)
                where candidate.provides[name].map(range.contains) != true {
                    add(.dependency, name, range, value)
                }
                for (name, range) in sorted(candidate.optionalDependencies)
                where candidate.provides[name].map(range.contains) != true {
                    add(.optional, name, range, value)
                }
                for (name, range) in sorted(candidate.conflicts) {
                    add(.conflict, name, range, value)
                }
            }
        }
        return sets
    }

    private mutating func encode(_ declaration: Declaration, _ subject: Term) {
        let (name, range) = (declaration.name, declaration.range)
        switch declaration.kind {
        case .dependency:
            let others = others(than: [subject.variable], name, range)
            let term = missing(others, name, range)
            add([subject] + term, .dependency(name: name, range: range))
        case .optional:
            for there in universe.providers(of: name) where there.variable != subject.variable {
                let fitting = universe.providers(of: name, in: range)
                let fit = fitting.first { $0.variable == there.variable }?.set
                let unfit = fit.map(there.set.subtracting) ?? there.set
                if unfit.isEmpty { continue }
                let others = others(than: [subject.variable, there.variable], name, range)
                add(
                    [subject, Term(variable: there.variable, set: unfit)]
                        + missing(others, name, range),
                    .optional(name: name, range: range))
            }
        case .conflict:
            for other in others(than: [subject.variable], name, range) {
                add(
                    [subject, Term(variable: other.variable, set: other.set)],
                    .conflict(name: name, range: range))
            }
        case .selfDependency: add([subject], .selfDependency)
        case .refused(let refusal): add([subject], .refused(refusal))
        }
    }

    private mutating func others(
        than excluded: [Int], _ name: PluginID, _ range: VersionRange
    ) -> [Universe.Provider] {
        var providers = universe.providers(of: name, in: range)
        providers.removeAll { excluded.contains($0.variable) }
        return providers
    }

    /// The term that holds when none of `providers` is there; none if there never is one.
    private mutating func missing(
        _ providers: [Universe.Provider], _ name: PluginID, _ range: VersionRange
    ) -> [Term] {
        let found = universe.missing(providers, name, range)
        incompatibilities += found.facts
        return found.term.map { [$0] } ?? []
    }

    private mutating func add(_ terms: [Term], _ fact: Fact) {
        incompatibilities.append(Incompatibility(terms: terms, cause: .fact(fact)))
    }
}

extension Universe {
    /// The term that holds when none of `providers` is there; `nil` if there are none, so that it always
    /// holds. For several, a need is made; `facts` say what it means, if it is new.
    mutating func missing(
        _ providers: [Provider], _ name: PluginID, _ range: VersionRange?
    ) -> (term: Term?, facts: [Incompatibility]) {
        guard let only = providers.first else { return (nil, []) }
        if providers.count == 1 {
            let rest = variables[only.variable].full.subtracting(only.set)
            return (Term(variable: only.variable, set: rest), [])
        }
        // The plugin of that very id is preferred to others that stand in for it.
        let own = variable(of: name)
        let ordered =
            providers.filter { $0.variable == own } + providers.filter { $0.variable != own }
        let (variable, isNew) = need(NeedKey(name: name, range: range, providers: ordered))
        let term = Term(variable: variable, set: absent(variable))
        guard isNew else { return (term, []) }
        let facts = ordered.enumerated().map { offset, provider in
            var set = ValueSet(emptyOf: variables[variable].valueCount)
            set.insert(offset + 1)
            let rest = variables[provider.variable].full.subtracting(provider.set)
            return Incompatibility(
                terms: [
                    Term(variable: variable, set: set),
                    Term(variable: provider.variable, set: rest),
                ], cause: .fact(.provider))
        }
        return (term, facts)
    }
}
