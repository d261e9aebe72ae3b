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
    }

    private struct Entry: Sendable {
        let position: Int
        let domain: ValueSet
    }

    private(set) var domains: [ValueSet]
    private(set) var trail: [Assignment] = []
    private(set) var level = 0
    private var full: [ValueSet]
    /// For each variable, when its domain became what.
    private var history: [[Entry]]
    /// Where each level above 0 starts in the trail, and where looking for decisions was then.
    private var starts: [(position: Int, cursor: Int)] = []
    /// Variables below it are decided, or need not be.
    var cursor = 0

    init(_ full: [ValueSet]) {
        (domains, self.full) = (full, full)
        history = Array(repeating: [], count: full.count)
    }

    mutating func addVariable(_ set: ValueSet) {
        domains.append(set)
        full.append(set)
        history.append([])
    }

    mutating func startLevel() {
        starts.append((trail.count, cursor))
        level += 1
    }

    /// Narrows the domain of `variable` to `domain`, which is not empty.
    mutating func assign(_ variable: Int, _ domain: ValueSet, _ reason: Reason) {
        history[variable].append(Entry(position: trail.count, domain: domain))
        domains[variable] = domain
        trail.append(Assignment(variable: variable, level: level, reason: reason))
        if variable < cursor, !domain.contains(Term.absent) { cursor = variable }
    }

    /// Forgets all levels above `target`.
    mutating func backtrack(to target: Int) {
        guard target < level else { return }
        let start = starts[target]
        starts.removeLast(level - target)
        while trail.count > start.position {
            let variable = trail.removeLast().variable
            history[variable].removeLast()
            domains[variable] = history[variable].last?.domain ?? full[variable]
        }
        level = target
        cursor = start.cursor
    }

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

    /// The next id that must be there and has several versions left, in the order of ids.
    mutating func undecided() -> Int? {
        while cursor < domains.count {
            let domain = domains[cursor]
            if !domain.contains(Term.absent), !domain.isSingle { return cursor }
            cursor += 1
        }
        return nil
    }
}
