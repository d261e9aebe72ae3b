// ProofSummary.swift — a hundred versions that each depend on a version of their own make one line of a proof,
// not a hundred. Next: ProofChecker.swift.

import NocturneCore

/// Tells like facts about one plugin as one. Resolutions on one subject may be done in any order, so those
/// facts can be taken together first.
struct ProofSummary {
    /// Lines of one kind about one plugin that are told as one; fewer are told one by one, as pub does.
    private static let summarizedFacts = 3

    /// What facts must have in common.
    private enum Kind: Hashable {
        case dependencies(subject: Int, name: PluginID)
        case refusals(subject: Int)

        var subject: Int {
            switch self {
            case .dependencies(let subject, _), .refusals(let subject): subject
            }
        }
    }

    private let original: Proof
    /// Of each node that only one other uses, on which subject that one resolves.
    private var onlyUse: [Int?]
    private var nodes: [Proof.Node] = []
    /// Of each node of the original the one that says the same.
    private var places: [Int] = []

    /// The same proof with one line for each group of like facts.
    static func of(_ proof: Proof) -> Proof {
        var summary = ProofSummary(proof)
        for index in proof.nodes.indices { summary.add(index) }
        var told = proof
        told.nodes = summary.nodes
        return told.withoutUnused()
    }

    private init(_ proof: Proof) {
        original = proof
        onlyUse = Array(repeating: nil, count: proof.nodes.count)
        var uses = Array(repeating: 0, count: proof.nodes.count)
        for node in proof.nodes {
            guard case .resolution(let first, let second, let pivot) = node.cause else { continue }
            for cause in [first, second] {
                uses[cause] += 1
                onlyUse[cause] = uses[cause] == 1 ? pivot : nil
            }
        }
    }

    private mutating func add(_ index: Int) {
        let node = original.nodes[index]
        guard case .resolution(let first, let second, let pivot) = node.cause else {
            places.append(append(node))
            return
        }
        if onlyUse[index] != pivot, let place = regrouped(index, pivot) {
            places.append(place)
            return
        }
        places.append(
            append(
                Proof.Node(
                    terms: node.terms,
                    cause: .resolution(
                        first: places[first], second: places[second], pivot: pivot))))
    }

    private mutating func append(_ node: Proof.Node) -> Int {
        nodes.append(node)
        return nodes.count - 1
    }

    /// The end of a chain of resolutions on `pivot` with like facts taken together; `nil` if there are none.
    private mutating func regrouped(_ index: Int, _ pivot: Int) -> Int? {
        var groups: [[Int]] = []
        var known: [Kind: Int] = [:]
        for leaf in leaves(of: index, pivot) {
            guard let kind = kind(of: nodes[leaf]), kind.subject == pivot else {
                groups.append([leaf])
                continue
            }
            if let place = known[kind] {
                groups[place].append(leaf)
            } else {
                known[kind] = groups.count
                groups.append([leaf])
            }
        }
        guard groups.contains(where: { $0.count >= Self.summarizedFacts }) else { return nil }
        let parts = groups.flatMap { group -> [Int] in
            group.count < Self.summarizedFacts ? group : [append(summary(of: group, pivot))]
        }
        var last = parts[0]
        for part in parts.dropFirst() {
            let terms = resolvent(nodes[last].terms, nodes[part].terms, pivot)
            last = append(
                Proof.Node(
                    terms: terms, cause: .resolution(first: last, second: part, pivot: pivot)))
        }
        // It may have been asked for less than follows.
        let subject = original.nodes[index].terms.filter { $0.subject == pivot }
        let others = original.nodes[index].terms.filter { $0.subject != pivot }
        nodes[last] = Proof.Node(terms: subject + others, cause: nodes[last].cause)
        return last
    }

    /// What a chain of resolutions on `pivot` begins with and takes in, in order.
    private func leaves(of index: Int, _ pivot: Int) -> [Int] {
        var found: [Int] = []
        var stack = [index]
        while let next = stack.popLast() {
            if case .resolution(let first, let second, pivot) = original.nodes[next].cause,
                next == index || onlyUse[next] == pivot
            {
                stack += [second, first]
            } else {
                found.append(places[next])
            }
        }
        return found
    }

    private func kind(of node: Proof.Node) -> Kind? {
        guard case .fact(let fact) = node.cause else { return nil }
        switch fact {
        case .dependency(let name, _), .dependencies(let name, _):
            return .dependencies(subject: node.terms[0].subject, name: name)
        case .refused, .refusals: return .refusals(subject: node.terms[0].subject)
        default: return nil
        }
    }

    private func summary(of facts: [Int], _ subject: Int) -> Proof.Node {
        // Values of a subject stand best first.
        let ordered = facts.map { nodes[$0] }.sorted { left, right in
            left.terms[0].set.first < right.terms[0].set.first
        }
        let terms = ordered.dropFirst().reduce(ordered[0].terms) {
            resolvent($0, $1.terms, subject)
        }
        var ranges: [VersionRange] = []
        var refusals: [Candidate.Refusal] = []
        var name: PluginID?
        for node in ordered {
            switch node.cause {
            case .fact(.dependency(let one, let range)): (name, ranges) = (one, ranges + [range])
            case .fact(.dependencies(let one, let more)): (name, ranges) = (one, ranges + more)
            case .fact(.refused(let refusal)): refusals.append(refusal)
            case .fact(.refusals(let more)): refusals += more
            default: break
            }
        }
        return Proof.Node(
            terms: terms.filter { $0.subject == subject } + terms.filter { $0.subject != subject },
            cause: .fact(
                name.map { .dependencies(name: $0, ranges: ranges) } ?? .refusals(refusals)))
    }

    private func resolvent(
        _ left: [Proof.Term], _ right: [Proof.Term], _ pivot: Int
    ) -> [Proof.Term] {
        var terms = left
        for term in right {
            guard let place = terms.firstIndex(where: { $0.subject == term.subject }) else {
                terms.append(term)
                continue
            }
            let mine = terms[place].set
            let set = term.subject == pivot ? mine.union(term.set) : mine.intersection(term.set)
            if set == ValueSet(allOf: original.valueCount(term.subject)) {
                terms.remove(at: place)
            } else {
                terms[place] = Proof.Term(subject: term.subject, set: set)
            }
        }
        return terms
    }
}

extension Proof {
    /// Of a subject, with "absent".
    func valueCount(_ subject: Int) -> Int {
        switch subjects[subject] {
        case .plugin(_, let versions): versions.count + 1
        case .need(_, _, let providers): providers.count + 1
        }
    }

    /// Only the nodes that lead to the last one.
    fileprivate func withoutUnused() -> Proof {
        var isUsed = Array(repeating: false, count: nodes.count)
        if !isUsed.isEmpty { isUsed[nodes.count - 1] = true }
        for index in nodes.indices.reversed() where isUsed[index] {
            if case .resolution(let first, let second, _) = nodes[index].cause {
                isUsed[first] = true
                isUsed[second] = true
            }
        }
        var places = Array(repeating: 0, count: nodes.count)
        var kept = self
        kept.nodes = []
        for index in nodes.indices where isUsed[index] {
            places[index] = kept.nodes.count
            var node = nodes[index]
            if case .resolution(let first, let second, let pivot) = node.cause {
                node = Node(
                    terms: node.terms,
                    cause: .resolution(
                        first: places[first], second: places[second], pivot: pivot))
            }
            kept.nodes.append(node)
        }
        return kept
    }
}
