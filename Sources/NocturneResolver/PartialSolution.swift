// PartialSolution.swift — what is known so far: for each id the values that are left, in the order in which
// that became known. Next: PubGrub.swift.

/// Assignments in order. Every one narrows the domain of a variable; a domain is never empty.
struct PartialSolution: Sendable {
    enum Reason: Sendable {
        /// A guess, or what the caller wants: starts a level.
        case decision
        case assumption(ValueSet)
        /// What an incompatibility leaves.
        case derivation(Int)
    }

    struct Assignment: Sendable {
        let variable: Int
        let level: Int
        let reason: Reason
        /// What this took from the domain.
        let removed: ValueSet
    }

    private struct Entry: Sendable {
        let position: Int
        let domain: ValueSet
    }

    private(set) var domains: [ValueSet]
    private(set) var trail: [Assignment] = []
    private(set) var level = 0
    /// What is assumed of a variable, if anything; at most once.
    private(set) var assumed: [ValueSet?]
    private var full: [ValueSet]
    /// For each variable, when its domain became what.
    private var history: [[Entry]]
    /// Where each level above 0 starts in the trail, and where looking for decisions was then.
    private var starts: [(position: Int, cursor: Int)] = []
    /// The last value that each variable had; 0 if none, or absent.
    private(set) var lastValues: [Int]
    /// How much each variable had to do with conflicts, late ones counting more.
    private var blame: [Double]
    private var blameUnit = 1.0
    /// Variables below it are decided, or need not be.
    var cursor = 0

    init(_ full: [ValueSet]) {
        (domains, self.full) = (full, full)
        history = Array(repeating: [], count: full.count)
        assumed = Array(repeating: nil, count: full.count)
        lastValues = Array(repeating: Term.absent, count: full.count)
        blame = Array(repeating: 0, count: full.count)
    }

    mutating func addVariable(_ set: ValueSet) {
        domains.append(set)
        full.append(set)
        history.append([])
        assumed.append(nil)
        lastValues.append(Term.absent)
        blame.append(0)
    }

    /// Remembers that `variables` had to do with a conflict. As in MiniSat 1.13 (Eén and Sörensson, 2005):
    /// each conflict counts a twentieth more than the one before.
    mutating func blame(_ variables: [Int]) {
        for variable in variables { blame[variable] += blameUnit }
        blameUnit *= 1.05
        if blameUnit > 1e100 {
            for variable in blame.indices { blame[variable] /= blameUnit }
            blameUnit = 1
        }
    }

    mutating func startLevel() {
        starts.append((trail.count, cursor))
        level += 1
    }

    /// Narrows the domain of `variable` to `domain`, which is not empty.
    mutating func assign(_ variable: Int, _ domain: ValueSet, _ reason: Reason) {
        history[variable].append(Entry(position: trail.count, domain: domain))
        let removed = domains[variable].subtracting(domain)
        domains[variable] = domain
        if case .assumption(let set) = reason { assumed[variable] = set }
        trail.append(
            Assignment(variable: variable, level: level, reason: reason, removed: removed))
        if variable < cursor, !domain.contains(Term.absent) { cursor = variable }
    }

    /// Forgets all levels above `target`.
    mutating func backtrack(to target: Int) {
        guard target < level else { return }
        let start = starts[target]
        starts.removeLast(level - target)
        while trail.count > start.position {
            let assignment = trail.removeLast()
            let variable = assignment.variable
            if case .assumption = assignment.reason { assumed[variable] = nil }
            let domain = domains[variable]
            if domain.isSingle { lastValues[variable] = domain.first }
            history[variable].removeLast()
            domains[variable] = history[variable].last?.domain ?? full[variable]
        }
        level = target
        cursor = start.cursor
    }

    /// Whether `term` holds whatever else is chosen.
    func holds(_ term: Term) -> Bool { domains[term.variable].isSubset(of: term.set) }

    /// Whether `term` cannot hold any more.
    func isBroken(_ term: Term) -> Bool { domains[term.variable].isDisjoint(with: term.set) }

    /// The position of the assignment by which `variable` came to be in `set`; -1 if it always was, `nil` if
    /// it is not.
    func satisfier(of variable: Int, in set: ValueSet) -> Int? {
        let entries = history[variable]
        guard let last = entries.last, last.domain.isSubset(of: set) else {
            return full[variable].isSubset(of: set) ? -1 : nil
        }
        if full[variable].isSubset(of: set) { return -1 }
        var (low, high) = (0, entries.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].domain.isSubset(of: set) { high = middle } else { low = middle + 1 }
        }
        return entries[low].position
    }

    /// A value of `variable` outside of `set`: one that is possible, or else one of those that went last. There
    /// must be one.
    func witness(of variable: Int, outside set: ValueSet) -> Int {
        if let possible = domains[variable].best(outside: set) { return possible }
        guard let position = satisfier(of: variable, in: set), position >= 0,
            let last = trail[position].removed.best(outside: set)
        else { preconditionFailure("a term that always holds has no witness") }
        return last
    }

    /// Ids among which the likeliest to fail is looked for.
    private static let comparedVariables = 1024

    /// The next id that must be there and has several versions left: in the order of ids, or the one that
    /// is likeliest to fail.
    mutating func undecided(isOrdered: Bool) -> Int? {
        while cursor < domains.count, !isUndecided(cursor) { cursor += 1 }
        guard cursor < domains.count else { return nil }
        if isOrdered { return cursor }
        let end = min(domains.count, cursor + Self.comparedVariables)
        var (best, bestScore) = (cursor, score(cursor))
        for variable in cursor + 1..<max(cursor + 1, end) where isUndecided(variable) {
            let score = score(variable)
            if score < bestScore { (best, bestScore) = (variable, score) }
        }
        return best
    }

    /// Fewest versions for the trouble that an id made ("dom/wdeg", Boussemart et al., ECAI 2004).
    private func score(_ variable: Int) -> Double {
        Double(domains[variable].count) / (1 + blame[variable] / blameUnit)
    }

    private func isUndecided(_ variable: Int) -> Bool {
        !domains[variable].contains(Term.absent) && !domains[variable].isSingle
    }
}
