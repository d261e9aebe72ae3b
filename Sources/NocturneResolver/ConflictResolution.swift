// ConflictResolution.swift — from a conflict back to its root cause: resolve until one guess alone is to
// blame, remember that, and undo the guess. Next: LoadOrder.swift.

/// Terms under resolution, one for each variable.
private struct Resolvent {
    private(set) var variables: [Int] = []
    private var sets: [Int: ValueSet] = [:]

    subscript(variable: Int) -> ValueSet? { sets[variable] }

    /// Both this and `terms` hold.
    mutating func intersect(_ terms: [Term], except pivot: Int?) {
        for term in terms where term.variable != pivot {
            if let set = sets[term.variable] {
                sets[term.variable] = set.intersection(term.set)
            } else {
                variables.append(term.variable)
                sets[term.variable] = term.set
            }
        }
    }

    /// Resolution on `pivot`: what holds in either, `nil` if that is everything.
    mutating func replace(_ pivot: Int, _ set: ValueSet?) {
        sets[pivot] = set
        if set == nil { variables.removeAll { $0 == pivot } }
    }

    var terms: [Term] {
        variables.sorted().compactMap { variable in
            sets[variable].map { Term(variable: variable, set: $0) }
        }
    }
}

extension PubGrub {
    /// Learns the root cause of a conflict, goes back to where it would have helped, and draws the
    /// conclusion there.
    ///
    /// - Parameter conflict: an incompatibility whose terms all hold.
    mutating func learn(from conflict: Int) {
        var resolvent = Resolvent()
        resolvent.intersect(incompatibilities[conflict].terms, except: nil)
        var steps: [Incompatibility.Step] = []
        while true {
            spend(resolvent.variables.count)
            let latest = latestSatisfier(of: resolvent)
            let assignment = partial.trail[latest.position]
            guard let set = resolvent[assignment.variable] else {
                preconditionFailure("a satisfier satisfies no term")
            }
            let full = universe.variables[assignment.variable].full
            // What the assignment alone does not say must have been known before.
            var rest = full
            switch assignment.reason {
            case .decision: break
            case .assumption(let assumed): rest = set.union(full.subtracting(assumed))
            case .derivation(let cause):
                rest = set.union(incompatibilities[cause].set(of: assignment.variable) ?? full)
            }
            var (previous, other) = (latest.previousLevel, latest.previousVariable)
            if let position = partial.satisfier(of: assignment.variable, in: rest), position >= 0,
                partial.trail[position].level > previous
            {
                (previous, other) = (partial.trail[position].level, nil)
            }
            guard case .derivation(let cause) = assignment.reason, previous == assignment.level
            else {
                conclude(
                    resolvent, conflict, steps, pivot: assignment.variable, other: other,
                    level: target(previous, below: assignment.level))
                return
            }
            resolvent.intersect(incompatibilities[cause].terms, except: assignment.variable)
            resolvent.replace(assignment.variable, rest == full ? nil : rest)
            steps.append(.init(variable: assignment.variable, incompatibility: cause))
        }
    }

    /// Where to go back to. Further than what is assumed is never needed for a guess, and the texts are better
    /// when what is assumed stays first.
    private func target(_ previous: Int, below level: Int) -> Int {
        let target = level > assumptionLevels ? max(previous, assumptionLevels) : previous
        return min(target, level - 1)
    }

    private mutating func conclude(
        _ resolvent: Resolvent, _ conflict: Int, _ steps: [Incompatibility.Step], pivot: Int,
        other: Int?, level: Int
    ) {
        let terms = resolvent.terms
        partial.blame(terms.map(\.variable))
        backtrack(to: level)
        var number = conflict
        if !steps.isEmpty {
            number = append(
                Incompatibility(terms: terms, cause: .resolution(first: conflict, steps: steps)))
            if terms.count > 1 {
                guard let first = terms.firstIndex(where: { $0.variable == pivot }) else { return }
                let others = terms.indices.filter { $0 != first }
                let second = others.first { terms[$0].variable == other } ?? others[0]
                watch(number, first, second)
            }
        }
        if terms.count == 1 {
            excludeForever(terms[0], number)
        } else if let term = terms.first(where: { $0.variable == pivot }) {
            exclude(term, number)
        }
    }

    /// The assignment that made the last term hold, and the level at which all other terms held.
    private func latestSatisfier(
        of resolvent: Resolvent
    ) -> (position: Int, previousLevel: Int, previousVariable: Int?) {
        var (best, second) = (-1, -1)
        var (bestVariable, secondVariable): (Int?, Int?) = (nil, nil)
        for variable in resolvent.variables {
            guard let set = resolvent[variable],
                let position = partial.satisfier(of: variable, in: set)
            else { preconditionFailure("a term of a conflict does not hold") }
            if position > best {
                (second, secondVariable) = (best, bestVariable)
                (best, bestVariable) = (position, variable)
            } else if position > second {
                (second, secondVariable) = (position, variable)
            }
        }
        return (best, second < 0 ? 0 : partial.trail[second].level, secondVariable)
    }

    /// Why `assumption` cannot hold with those made before: an incompatibility of assumptions alone.
    ///
    /// Every assumption counts as known, so that what remains of each derivation are assumptions.
    mutating func resolveFailure(of assumption: Assumption) -> Int {
        var resolvent = Resolvent()
        var first: Int?
        var steps: [Incompatibility.Step] = []
        let goal = assumption.variable
        let empty = ValueSet(emptyOf: universe.variables[goal].valueCount)
        var latest = position(of: goal, empty, assumption)
        while latest >= 0 {
            let assignment = partial.trail[latest]
            guard case .derivation(var cause) = assignment.reason else {
                preconditionFailure("an assumption counts as known")
            }
            // Of an id that can never be there no more need be said.
            if let known = impossible[assignment.variable],
                resolvent[assignment.variable]?.contains(Term.absent) ?? true
            {
                cause = known
            }
            if first == nil {
                first = cause
                resolvent.intersect(incompatibilities[cause].terms, except: nil)
            } else {
                let full = universe.variables[assignment.variable].full
                let set = resolvent[assignment.variable] ?? full
                let rest = set.union(incompatibilities[cause].set(of: assignment.variable) ?? full)
                resolvent.intersect(incompatibilities[cause].terms, except: assignment.variable)
                resolvent.replace(assignment.variable, rest == full ? nil : rest)
                steps.append(.init(variable: assignment.variable, incompatibility: cause))
            }
            latest = -1
            spend(resolvent.variables.count)
            for variable in resolvent.variables {
                if let set = resolvent[variable] {
                    latest = max(latest, position(of: variable, set, assumption))
                }
            }
        }
        guard let first else { preconditionFailure("what was not derived cannot fail") }
        // No more than was asked: of a version, not of others that fail with it.
        let terms = resolvent.terms.map { term in
            guard let asked = asked(of: term.variable, assumption) else { return term }
            return Term(variable: term.variable, set: term.set.intersection(asked))
        }
        if steps.isEmpty {
            let known = incompatibilities[first]
            return Set(known.terms) == Set(terms)
                ? first
                : append(Incompatibility(terms: ordered(terms, as: known), cause: known.cause))
        }
        return append(
            Incompatibility(terms: terms, cause: .resolution(first: first, steps: steps)))
    }

    /// What is assumed of a variable, if anything.
    private func asked(of variable: Int, _ last: Assumption) -> ValueSet? {
        let before = partial.assumed[variable]
        guard last.variable == variable else { return before }
        return before.map(last.set.intersection) ?? last.set
    }

    /// When `variable` came to be in `set` without what is assumed of it; -1: it always was.
    private func position(of variable: Int, _ set: ValueSet, _ last: Assumption) -> Int {
        let full = universe.variables[variable].full
        let known = asked(of: variable, last).map { set.union(full.subtracting($0)) } ?? set
        return partial.satisfier(of: variable, in: known) ?? -1
    }

    /// Facts have their terms in an order that means something.
    private func ordered(_ terms: [Term], as other: Incompatibility) -> [Term] {
        other.terms.compactMap { term in terms.first { $0.variable == term.variable } }
    }
}
