// Proof.swift — why something cannot be, step by step, for programs: facts, and what follows from two lines
// before. Next: ProofSummary.swift.

package import NocturneCore

/// A derivation. Every node says that its terms cannot all hold; the last one is what was to be proven.
package struct Proof: Sendable, Hashable {
    /// What a term speaks of. Value 0 is "absent".
    package enum Subject: Sendable, Hashable {
        /// An id; values 1, 2, … are these candidates.
        case plugin(PluginID, [Version])
        /// Whoever answers to a name; values 1, 2, … are these. Without a range: any way out of a ring.
        case need(PluginID, VersionRange?, [Provider])
    }

    package struct Version: Sendable, Hashable {
        package let version: SemanticVersion
        package let label: String
    }

    /// Versions of a plugin that answer to a name.
    package struct Provider: Sendable, Hashable {
        /// Index into ``Proof/subjects``.
        package let subject: Int
        package let set: ValueSet
    }

    package struct Term: Sendable, Hashable {
        /// Index into ``Proof/subjects``.
        package let subject: Int
        package let set: ValueSet
    }

    package enum Cause: Sendable, Hashable {
        case fact(Fact)
        /// Resolution of two earlier nodes on a subject: of that, what holds in either; of others, what holds
        /// in both.
        case resolution(first: Int, second: Int, pivot: Int)
    }

    package struct Node: Sendable, Hashable {
        package let terms: [Term]
        package let cause: Cause
    }

    package internal(set) var subjects: [Subject] = []
    package internal(set) var nodes: [Node] = []
    /// For names that nobody answers as asked, in order: the versions that are there, newest first.
    package internal(set) var offers: [Offer] = []

    package struct Offer: Sendable, Hashable {
        package let name: PluginID
        package let versions: [String]
    }

    /// The versions there are of a name that nobody answers as asked.
    func versions(of name: PluginID) -> [String] {
        offers.first { $0.name == name }?.versions ?? []
    }

    /// Every id that it speaks of: plugins, and names that are asked for, whether anybody answers them or not.
    package var plugins: Set<PluginID> {
        var found: Set<PluginID> = []
        for subject in subjects {
            switch subject {
            case .plugin(let id, _): found.insert(id)
            case .need(let name, _, _): found.insert(name)
            }
        }
        for node in nodes {
            guard case .fact(let fact) = node.cause else { continue }
            found.formUnion(fact.plugins)
        }
        return found
    }

    /// What was proven: that these cannot all hold.
    package var conclusion: [Term] { nodes.last?.terms ?? [] }
}

/// Collects what leads to one incompatibility.
struct ProofBuilder {
    private let solver: PubGrub
    private var proof = Proof()
    /// Index of a variable's subject, and of an incompatibility's node.
    private var subjects: [Int: Int] = [:]
    private var nodes: [Int: Int] = [:]

    /// Nodes and terms of a proof that says all itself. A longer one refers to the proofs of other ids that are left
    /// out, so that a chain of 10,000 does not make 10,000 proofs of that length.
    static let maximumWeight = 400

    private var weight = 0
    /// Proven elsewhere.
    private let lemmas: Set<Int>

    /// The proof of the incompatibility of that number.
    static func proof(of number: Int, in solver: PubGrub) -> Proof {
        var builder = ProofBuilder(solver: solver, lemmas: [])
        if !builder.build(number, limit: maximumWeight) {
            let lemmas = Set(solver.impossible.values).subtracting([number])
            builder = ProofBuilder(solver: solver, lemmas: lemmas)
            _ = builder.build(number, limit: .max)
        }
        builder.finish(number)
        return ProofSummary.of(builder.proof)
    }

    private init(solver: PubGrub, lemmas: Set<Int>) {
        (self.solver, self.lemmas) = (solver, lemmas)
    }

    /// The last node says no more than was asked, though more may follow.
    private mutating func finish(_ number: Int) {
        guard let last = proof.nodes.popLast() else { return }
        _ = add(solver.incompatibilities[number].terms, last.cause)
        proof.offers.sort { $0.name < $1.name }
    }

    /// - Returns: whether it took at most `limit` nodes and terms, about.
    private mutating func build(_ root: Int, limit: Int) -> Bool {
        var stack: [(number: Int, isReady: Bool)] = [(root, false)]
        while let (number, isReady) = stack.popLast() {
            if nodes[number] != nil { continue }
            if weight > limit { return false }
            let incompatibility = solver.incompatibilities[number]
            if lemmas.contains(number) {
                nodes[number] = add(incompatibility.terms, .fact(.leftOut))
                continue
            }
            switch incompatibility.cause {
            case .fact(let fact):
                nodes[number] = add(incompatibility.terms, .fact(fact))
                note(fact, incompatibility)
            case .resolution(let first, let steps) where isReady:
                nodes[number] = resolve(first, steps)
            case .resolution(let first, let steps):
                stack.append((number, true))
                for step in steps.reversed() { stack.append((step.incompatibility, false)) }
                stack.append((first, false))
            }
        }
        return true
    }

    /// The nodes of a chain of resolutions; the last one.
    private mutating func resolve(_ first: Int, _ steps: [Incompatibility.Step]) -> Int? {
        var terms = solver.incompatibilities[first].terms
        var last = nodes[first]
        for step in steps {
            let others = solver.incompatibilities[step.incompatibility].terms
            terms = resolvent(terms, others, on: step.variable)
            guard let left = last, let right = nodes[step.incompatibility] else { return nil }
            last = add(
                terms, .resolution(first: left, second: right, pivot: subject(step.variable)))
        }
        return last
    }

    private func resolvent(_ left: [Term], _ right: [Term], on pivot: Int) -> [Term] {
        var sets: [Int: ValueSet] = [:]
        for term in left { sets[term.variable] = term.set }
        for term in right where term.variable != pivot {
            sets[term.variable] = sets[term.variable].map(term.set.intersection) ?? term.set
        }
        if let mine = left.first(where: { $0.variable == pivot }),
            let other = right.first(where: { $0.variable == pivot })
        {
            let union = mine.set.union(other.set)
            sets[pivot] = union == solver.universe.variables[pivot].full ? nil : union
        } else {
            sets[pivot] = nil
        }
        return sets.sorted { $0.key < $1.key }.map { Term(variable: $0.key, set: $0.value) }
    }

    private mutating func add(_ terms: [Term], _ cause: Proof.Cause) -> Int {
        let named = terms.map { Proof.Term(subject: subject($0.variable), set: $0.set) }
        proof.nodes.append(.init(terms: named, cause: cause))
        weight += 1 + terms.count
        return proof.nodes.count - 1
    }

    private mutating func subject(_ variable: Int) -> Int {
        if let known = subjects[variable] { return known }
        let universe = solver.universe
        let subject: Proof.Subject
        switch universe.variables[variable].subject {
        case .plugin(let id):
            subject = .plugin(
                id,
                universe.candidates(of: variable).map {
                    .init(version: $0.version, label: $0.label)
                })
        case .need(let key):
            let providers = key.providers.map {
                Proof.Provider(subject: self.subject($0.variable), set: $0.set)
            }
            subject = .need(key.name, key.range, providers)
        }
        proof.subjects.append(subject)
        subjects[variable] = proof.subjects.count - 1
        return proof.subjects.count - 1
    }

    /// Keeps what is there of a name that was not answered.
    private mutating func note(_ fact: Fact, _ incompatibility: Incompatibility) {
        guard case .dependency(let name, _) = fact, incompatibility.terms.count == 1,
            !proof.offers.contains(where: { $0.name == name })
        else { return }
        proof.offers.append(.init(name: name, versions: solver.universe.versions(of: name)))
    }
}
