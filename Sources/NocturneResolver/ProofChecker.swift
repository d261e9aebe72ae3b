// ProofChecker.swift — checks a proof against what the candidates say, and nothing else: it shares no code
// with the solver. Next: SolutionChecker.swift.

package import NocturneCore

/// Whether every line of a proof is right.
package struct ProofChecker {
    private let request: ResolveRequest
    private let proof: Proof
    private let candidates: [PluginID: [Candidate]]

    private let leftOut: Set<PluginID>

    /// - Parameter leftOut: ids whose own proofs are checked too, to which this one may refer.
    package init(_ proof: Proof, of request: ResolveRequest, leftOut: Set<PluginID> = []) {
        (self.proof, self.request, self.leftOut) = (proof, request, leftOut)
        candidates = Dictionary(grouping: request.candidates, by: \.id)
    }

    /// The indices of nodes that do not follow. Empty if the proof is right.
    package var faults: [Int] {
        proof.nodes.indices.filter { index in
            let node = proof.nodes[index]
            switch node.cause {
            case .fact(let fact): return !isTrue(fact, node.terms)
            case .resolution(let first, let second, let pivot):
                guard first < index, second < index else { return true }
                return !follows(node, proof.nodes[first], proof.nodes[second], pivot)
            }
        }
    }

    /// In every case where the node's terms hold, all those of one of its causes must.
    private func follows(
        _ node: Proof.Node, _ first: Proof.Node, _ second: Proof.Node, _ pivot: Int
    ) -> Bool {
        func values(_ terms: [Proof.Term], _ subject: Int) -> Set<Int> {
            terms.first { $0.subject == subject }.map { Set($0.set.values) } ?? all(subject)
        }
        return (first.terms + second.terms).allSatisfy { term in
            let (left, right) = (
                values(first.terms, term.subject), values(second.terms, term.subject)
            )
            let allowed = term.subject == pivot ? left.union(right) : left.intersection(right)
            return values(node.terms, term.subject).isSubset(of: allowed)
        }
    }

    private func all(_ subject: Int) -> Set<Int> {
        switch proof.subjects[subject] {
        case .plugin(_, let versions): Set(0...versions.count)
        case .need(_, _, let providers): Set(0...providers.count)
        }
    }

    /// The candidates that a term allows; `nil` if it allows "absent", or names what is not there.
    private func candidates(of term: Proof.Term) -> [Candidate]? {
        guard case .plugin(let id, let versions) = proof.subjects[term.subject],
            !term.set.contains(0), let present = candidates[id], present.count == versions.count
        else { return nil }
        let found = term.set.values.compactMap { value in
            present.first {
                $0.label == versions[value - 1].label
                    && $0.version.description == versions[value - 1].version.description
            }
        }
        return found.count == term.set.count ? found : nil
    }

    /// Whether no selection in which `terms` hold has one that answers to `name`, except `exempt` ones.
    private func isUnanswered(
        _ name: PluginID, _ range: VersionRange, by terms: [Proof.Term], exempt: Set<PluginID>
    ) -> Bool {
        request.candidates.allSatisfy { candidate in
            guard answers(candidate, name, range), !exempt.contains(candidate.id) else {
                return true
            }
            return terms.contains { excludes($0, candidate) }
        }
    }

    private func answers(_ candidate: Candidate, _ name: PluginID, _ range: VersionRange) -> Bool {
        (candidate.id == name && range.contains(candidate.version))
            || candidate.provides[name].map(range.contains) == true
    }

    /// Whether `candidate` cannot be chosen where `term` holds. A need is absent only if no provider is there.
    private func excludes(_ term: Proof.Term, _ candidate: Candidate) -> Bool {
        switch proof.subjects[term.subject] {
        case .plugin(let id, let versions):
            return id == candidate.id
                && !term.set.values.contains { $0 > 0 && versions[$0 - 1].label == candidate.label }
        case .need(_, _, let providers):
            return term.set.values == [0]
                && providers.contains { provider in
                    guard case .plugin(let id, let versions) = proof.subjects[provider.subject]
                    else { return false }
                    return id == candidate.id
                        && provider.set.values.contains {
                            $0 > 0 && versions[$0 - 1].label == candidate.label
                        }
                }
        }
    }

    private func isTrue(_ fact: Fact, _ terms: [Proof.Term]) -> Bool {
        if case .provider = fact { return isProvider(terms) }
        guard let first = terms.first, let subjects = candidates(of: first) else { return false }
        switch fact {
        case .dependency(let name, let range):
            return subjects.allSatisfy {
                $0.dependencies[name] == range && !answers($0, name, range)
                    && isUnanswered(name, range, by: terms, exempt: [$0.id])
            }
        case .dependencies(let name, _):
            return subjects.allSatisfy { one in
                one.dependencies[name].map {
                    !answers(one, name, $0)
                        && isUnanswered(name, $0, by: terms, exempt: [one.id])
                } ?? false
            }
        case .optional(let name, let range):
            guard terms.count > 1, let others = candidates(of: terms[1]) else { return false }
            return subjects.allSatisfy {
                $0.optionalDependencies[name] == range && !answers($0, name, range)
                    && isUnanswered(name, range, by: terms, exempt: [$0.id])
            }
                && others.allSatisfy { $0.id == name || $0.provides[name] != nil }
        case .conflict(let name, let range):
            guard terms.count == 2, let others = candidates(of: terms[1]) else { return false }
            return subjects.allSatisfy { $0.conflicts[name] == range }
                && others.allSatisfy { answers($0, name, range) && $0.id != subjects[0].id }
        case .selfDependency:
            return subjects.allSatisfy {
                $0.dependencies[$0.id] != nil || $0.optionalDependencies[$0.id] != nil
            }
        case .refused(let refusal):
            return subjects.allSatisfy { request.environment.refusal(of: $0) == refusal }
        case .refusals: return subjects.allSatisfy { request.environment.refusal(of: $0) != nil }
        case .leftOut: return leftOut.contains(subjects[0].id)
        case .cycle(let steps):
            return terms.count == 1 ? isRing(steps, through: subjects[0].id) : isUnfounded(terms)
        case .provider: return false
        }
    }

    private func isProvider(_ terms: [Proof.Term]) -> Bool {
        guard terms.count == 2, case .need(_, _, let providers) = proof.subjects[terms[0].subject],
            terms[0].set.count == 1, let value = terms[0].set.values.first, value > 0
        else { return false }
        let provider = providers[value - 1]
        return provider.subject == terms[1].subject
            && Set(provider.set.values).isDisjoint(with: terms[1].set.values)
    }

    /// Whether each plugin of a ring needs one of the ring, and nobody else can take that one's place.
    private func isUnfounded(_ terms: [Proof.Term]) -> Bool {
        let members = terms.filter { candidates(of: $0) != nil }
        let ids = Set(members.compactMap { candidates(of: $0)?.first?.id })
        return !members.isEmpty
            && members.allSatisfy { member in
                (candidates(of: member) ?? []).allSatisfy { candidate in
                    candidate.dependencies.contains { name, range in
                        !answers(candidate, name, range)
                            && isUnanswered(name, range, by: terms, exempt: ids)
                    }
                }
            }
    }

    /// Whether every version of each plugin waits for the next one, which alone answers, and so on around.
    private func isRing(_ steps: [CycleStep], through id: PluginID) -> Bool {
        let ids = steps.map(\.id)
        return ids.contains(id) && steps.map(\.target) == Array(ids.dropFirst() + ids.prefix(1))
            && steps.allSatisfy { step in
                (candidates[step.id] ?? []).allSatisfy { one in
                    one.dependencies[step.name].map {
                        !answers(one, step.name, $0)
                            && isUnanswered(step.name, $0, by: [], exempt: [step.id, step.target])
                    } ?? false
                }
            }
    }
}
