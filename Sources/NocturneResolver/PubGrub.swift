// PubGrub.swift — the search: propagate, decide, and learn from every conflict (Weizenbaum 2018,
// dart-lang/pub, doc/solver.md). Next: ConflictResolution.swift.

/// A PubGrub solver that may be asked many times; what it learns stays true. Instead of a root it takes
/// *assumptions*: ids that must be there. Decisions go by id and take the best version left, so a solution is
/// the first in the order "best version of the first id, then of the second, …".
struct PubGrub: Sendable {
    /// What must hold for one question.
    struct Assumption: Sendable, Hashable {
        let variable: Int
        let set: ValueSet
    }

    enum Outcome: Sendable {
        /// For each plugin variable the value chosen; 0: absent.
        case solution([Int])
        /// An incompatibility of assumptions alone.
        case conflict(Int)
        case gaveUp
    }

    /// What was left out, and the incompatibility of assumptions that says why.
    struct Dropped: Sendable {
        let assumption: Assumption
        let core: Int
    }

    var universe: Universe
    var partial: PartialSolution
    private(set) var incompatibilities: [Incompatibility] = []
    /// Visits of incompatibilities so far, and how many there may be.
    private(set) var steps = 0
    var stepBudget: Int

    private var watches = Watches()
    /// Trail positions below it were propagated.
    private var head = 0
    private var placed: [Assumption] = []
    private var conflicts = 0
    /// Incompatibilities of one term that were learned later than they hold, and the level of that time.
    private var forever: [(number: Int, level: Int)] = []
    /// For ids that can never be there: the incompatibility that says so.
    private(set) var impossible: [Int: Int] = [:]
    /// Trail positions below it were looked at for that.
    private var noted = 0
    /// Conflicts after which a search that is not ordered starts over, with what it learned.
    private static let conflictsBeforeRestart = 256
    /// Of the last solution.
    var graph = StartGraph()
    /// Whether decisions go by id, so that a solution is the best one. Otherwise the id that is likeliest to
    /// fail is next, what was chosen last is tried first, and the search starts over now and then.
    var isOrdered = true

    init(_ request: ResolveRequest) {
        let encoding = Encoding(
            Universe(request.candidates, running: request.running), for: request.environment)
        universe = encoding.universe
        stepBudget = request.stepBudget
        partial = PartialSolution(universe.variables.map { $0.full })
        for variable in universe.variables { watches.addVariable(valueCount: variable.valueCount) }
        incompatibilities.reserveCapacity(encoding.incompatibilities.count)
        for incompatibility in encoding.incompatibilities { add(incompatibility) }
    }

    // MARK: - Questions

    /// Whether all `assumptions` can hold, and how.
    mutating func solve(_ assumptions: [Assumption]) -> Outcome {
        var dropped: [Dropped] = []
        return search(assumptions, mayDrop: false, &dropped)
    }

    /// Takes the assumptions one after the other, and leaves out each that cannot hold with those before it.
    mutating func solveGreedily(_ assumptions: [Assumption]) -> (Outcome, [Dropped]) {
        var dropped: [Dropped] = []
        let outcome = search(assumptions, mayDrop: true, &dropped)
        return (outcome, dropped)
    }

    private mutating func search(
        _ assumptions: [Assumption], mayDrop: Bool, _ dropped: inout [Dropped]
    ) -> Outcome {
        let queue = assumptions
        rewind(to: queue)
        var isDropped = Array(repeating: false, count: queue.count)
        // Index into `queue` of each one placed.
        var indices = Array(placed.indices)
        while true {
            if let conflict = propagate() {
                learn(from: conflict)
                conflicts += 1
                if !isOrdered, conflicts % Self.conflictsBeforeRestart == 0 {
                    backtrack(to: min(placed.count, partial.level))
                }
                trimPlaced()
                indices.removeLast(indices.count - placed.count)
                guard steps <= stepBudget else { return .gaveUp }
                continue
            }
            guard steps <= stepBudget else { return .gaveUp }
            var next = (indices.last ?? -1) + 1
            while next < queue.count, isDropped[next] { next += 1 }
            if next < queue.count {
                let assumption = queue[next]
                if assume(assumption) {
                    indices.append(next)
                } else {
                    let core = failure(of: assumption)
                    guard mayDrop else { return .conflict(core) }
                    dropped.append(Dropped(assumption: assumption, core: core))
                    isDropped[next] = true
                }
            } else if let variable = partial.undecided(isOrdered: isOrdered) {
                decide(variable)
            } else {
                let values = solution
                let rings = rings(in: values)
                if rings.isEmpty { return .solution(values) }
                for ring in rings { addLate(ring) }
                trimPlaced()
                indices.removeLast(indices.count - placed.count)
            }
        }
    }

    private mutating func failure(of assumption: Assumption) -> Int {
        // What is impossible without any assumption, in the order in which that became known: each is a step
        // from one before.
        while noted < partial.trail.count, partial.trail[noted].level == 0 {
            let variable = partial.trail[noted].variable
            noted += 1
            let present = universe.variables[variable].present
            if variable < universe.pluginCount, impossible[variable] == nil,
                partial.domains[variable].isDisjoint(with: present)
            {
                note(resolveFailure(of: .init(variable: variable, set: present)))
            }
        }
        let core = impossible[assumption.variable] ?? resolveFailure(of: assumption)
        note(core)
        return core
    }

    /// Remembers what a failure says of one id alone: others need not find that out again.
    private mutating func note(_ core: Int) {
        let terms = incompatibilities[core].terms
        guard terms.count == 1, terms[0].set == universe.variables[terms[0].variable].present else {
            return
        }
        if impossible[terms[0].variable] == nil { impossible[terms[0].variable] = core }
    }

    /// Keeps as much of the last question as this one begins with.
    private mutating func rewind(to queue: [Assumption]) {
        var common = 0
        while common < min(placed.count, queue.count), placed[common] == queue[common] {
            common += 1
        }
        backtrack(to: common)
    }

    /// The chosen value of each plugin; what nobody needs is absent.
    private var solution: [Int] {
        (0..<universe.pluginCount).map { variable in
            let domain = partial.domains[variable]
            return domain.contains(Term.absent) ? Term.absent : domain.first
        }
    }

    /// Counts steps taken elsewhere for the same answer: terms looked at in a conflict, or another solver's.
    mutating func spend(_ count: Int) { steps += count }

    // MARK: - Steps of the search

    private mutating func assume(_ assumption: Assumption) -> Bool {
        let domain = partial.domains[assumption.variable].intersection(assumption.set)
        if domain.isEmpty { return false }
        partial.startLevel()
        partial.assign(assumption.variable, domain, .assumption(assumption.set))
        placed.append(assumption)
        return true
    }

    private mutating func decide(_ variable: Int) {
        var domain = ValueSet(emptyOf: universe.variables[variable].valueCount)
        let last = isOrdered ? Term.absent : partial.lastValues[variable]
        let isLeft = last != Term.absent && partial.domains[variable].contains(last)
        domain.insert(isLeft ? last : partial.domains[variable].first)
        partial.startLevel()
        partial.assign(variable, domain, .decision)
    }

    mutating func backtrack(to level: Int) {
        partial.backtrack(to: level)
        head = min(head, partial.trail.count)
        trimPlaced()
        // What holds always must be said again.
        var lost: [Int] = []
        while let last = forever.last, last.level > level {
            lost.append(last.number)
            forever.removeLast()
        }
        for number in lost.reversed() { excludeForever(incompatibilities[number].terms[0], number) }
    }

    /// Derives that the only term of an incompatibility does not hold, now and after going back.
    mutating func excludeForever(_ term: Term, _ number: Int) {
        exclude(term, number)
        if partial.level > 0 { forever.append((number, partial.level)) }
    }

    /// How many levels are assumptions and not guesses.
    var assumptionLevels: Int { placed.count }

    /// Assumptions have the lowest levels, one each.
    private mutating func trimPlaced() {
        if placed.count > partial.level { placed.removeLast(placed.count - partial.level) }
    }

    /// Derives what follows; an incompatibility whose terms all hold, if there is one. Stops midway when the
    /// budget is spent.
    private mutating func propagate() -> Int? {
        while head < partial.trail.count, steps <= stepBudget {
            let assignment = partial.trail[head]
            head += 1
            var removed = assignment.removed
            while let value = removed.popFirst() {
                if let conflict = lookAgain(assignment.variable, without: value) { return conflict }
            }
        }
        return nil
    }

    /// Looks at the incompatibilities that had `value` for a witness.
    private mutating func lookAgain(_ variable: Int, without value: Int) -> Int? {
        var list = watches.take(variable, witness: value)
        var kept = 0
        for index in list.indices {
            let number = list[index]
            steps += 1
            switch visit(number, variable) {
            case .moved: continue
            case .kept: break
            case .conflict:
                list.removeSubrange(kept..<index)
                watches.giveBack(list, variable, witness: value)
                return number
            }
            list[kept] = number
            kept += 1
        }
        list.removeLast(list.count - kept)
        watches.giveBack(list, variable, witness: value)
        return nil
    }

    private enum Visit { case kept, moved, conflict }

    /// Looks at an incompatibility whose term of `variable` has lost its witness.
    private mutating func visit(_ number: Int, _ variable: Int) -> Visit {
        let terms = incompatibilities[number].terms
        let pair = watches[number]
        let isFirst = terms[pair.first].variable == variable
        let (own, other) = isFirst ? (pair.first, pair.second) : (pair.second, pair.first)
        if partial.isBroken(terms[other]) { return .kept }
        if findWitness(number, terms[own]) { return .moved }
        for place in terms.indices
        where place != own && place != other && findWitness(number, terms[place]) {
            watches[number] = (place, other)
            return .moved
        }
        if partial.holds(terms[other]) { return .conflict }
        exclude(terms[other], number)
        return .kept
    }

    /// Watches another value because of which `term` does not hold; `false` if it does.
    private mutating func findWitness(_ number: Int, _ term: Term) -> Bool {
        guard let witness = partial.domains[term.variable].best(outside: term.set) else {
            return false
        }
        watches.add(number, term.variable, witness: witness)
        return true
    }

    // MARK: - Adding

    /// Adds an incompatibility without regard to what is assigned: before the search.
    private mutating func add(_ incompatibility: Incompatibility) {
        let number = append(incompatibility)
        let terms = incompatibility.terms
        guard terms.count > 1 else {
            exclude(terms[0], number)
            return
        }
        watch(number, 0, 1)
    }

    /// Adds to the list of what is known, for proofs; nothing is watched.
    mutating func append(_ incompatibility: Incompatibility) -> Int {
        incompatibilities.append(incompatibility)
        watches.addIncompatibility()
        return incompatibilities.count - 1
    }

    /// Watches the terms at two places, which must be those that came to hold last, or do not hold.
    mutating func watch(_ number: Int, _ first: Int, _ second: Int) {
        watches[number] = (first, second)
        for place in [first, second] {
            let term = incompatibilities[number].terms[place]
            watches.add(
                number, term.variable,
                witness: partial.witness(of: term.variable, outside: term.set))
        }
    }

    /// Derives that `term`, the last one of an incompatibility, does not hold.
    mutating func exclude(_ term: Term, _ number: Int) {
        let rest = partial.domains[term.variable].subtracting(term.set)
        if rest != partial.domains[term.variable] {
            partial.assign(term.variable, rest, .derivation(number))
        }
    }

    /// Adds what became known when all was decided, and steps back until it holds.
    private mutating func addLate(_ ring: Ring) {
        if ring.isUnconditional {
            for term in ring.terms {
                settle(append(Incompatibility(terms: [term], cause: .fact(.cycle(ring.steps)))))
            }
            return
        }
        var ring = ring
        let found = universe.missing(ring.support, ring.name, nil)
        while partial.domains.count < universe.variables.count {
            let variable = universe.variables[partial.domains.count]
            partial.addVariable(variable.full)
            watches.addVariable(valueCount: variable.valueCount)
        }
        if let term = found.term { ring.terms.append(term) }
        for fact in found.facts { settle(append(fact)) }
        settle(append(Incompatibility(terms: ring.terms, cause: .fact(.cycle(ring.steps)))))
    }

    /// Makes the search regard an incompatibility that may be broken already.
    private mutating func settle(_ number: Int) {
        let terms = incompatibilities[number].terms
        let satisfiers = terms.map { partial.satisfier(of: $0.variable, in: $0.set) ?? Int.max }
        let order = terms.indices.sorted { (satisfiers[$0], $1) > (satisfiers[$1], $0) }
        if terms.count > 1 { watch(number, order[0], order[1]) }
        if terms.count > 1, !satisfiers.contains(Int.max) {
            learn(from: number)
            return
        }
        // Two terms that do not hold: nothing follows yet. One: it must not, since the others held.
        if terms.count == 1 {
            backtrack(to: 0)
            excludeForever(terms[0], number)
        } else if satisfiers[order[1]] != Int.max {
            let position = satisfiers[order[1]]
            backtrack(to: position < 0 ? 0 : partial.trail[position].level)
            exclude(terms[order[0]], number)
        }
    }
}
