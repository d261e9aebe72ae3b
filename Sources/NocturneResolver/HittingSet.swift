// HittingSet.swift — the cheapest set of ids that has at least one of each group that cannot be together.
// Next: LargestSet.swift.

/// A minimum hitting set by branch and bound, each connected part on its own.
struct HittingSet {
    /// What it costs to leave an element out.
    struct Worth: Comparable, Sendable {
        /// Whether it counts more than any number of others.
        let isKept: Bool
        /// Whether it should rather stay, of equally many.
        let isRunning: Bool

        static func < (left: Worth, right: Worth) -> Bool {
            left.isKept != right.isKept ? right.isKept : !left.isRunning && right.isRunning
        }
    }

    /// Elements are numbered; a group must lose at least one of its.
    private let groups: [[Int]]
    private let worth: [Worth]
    private(set) var steps = 0
    private let stepBudget: Int

    /// Which of two sets to leave out is better: fewer to keep, fewer, fewer that run, and then the one that keeps
    /// the least element in which they differ.
    private struct Cost {
        var kept = 0
        var count = 0
        var running = 0
        var elements: [Int] = []

        func isBetter(than other: Cost) -> Bool {
            if (kept, count, running) != (other.kept, other.count, other.running) {
                return (kept, count, running) < (other.kept, other.count, other.running)
            }
            let (mine, others) = (elements.sorted(), other.elements.sorted())
            guard let place = mine.indices.first(where: { mine[$0] != others[$0] }) else {
                return false
            }
            return mine[place] > others[place]
        }
    }

    init(_ groups: [[Int]], worth: [Worth], stepBudget: Int) {
        (self.groups, self.worth, self.stepBudget) = (groups, worth, stepBudget)
    }

    /// The set, ascending; `nil` if it was not found within the budget.
    mutating func minimum() -> [Int]? {
        var found: [Int] = []
        for part in parts() {
            var best: Cost?
            search(part, Cost(), staying: [], &best)
            guard steps <= stepBudget, let best else { return nil }
            found += best.elements
        }
        return found.sorted()
    }

    /// Groups that share no element with those of other parts.
    private func parts() -> [[[Int]]] {
        var parent: [Int: Int] = [:]
        func root(_ element: Int) -> Int {
            var at = element
            while let up = parent[at], up != at {
                parent[at] = parent[up] ?? up
                at = up
            }
            return at
        }
        for group in groups {
            for element in group { parent[root(element)] = root(group[0]) }
        }
        var place: [Int: Int] = [:]
        var parts: [[[Int]]] = []
        for group in groups {
            let root = root(group[0])
            if let index = place[root] {
                parts[index].append(group)
            } else {
                place[root] = parts.count
                parts.append([group])
            }
        }
        return parts
    }

    /// - Parameter staying: elements that were decided to stay.
    private mutating func search(
        _ groups: [[Int]], _ cost: Cost, staying: Set<Int>, _ best: inout Cost?
    ) {
        steps += groups.count + 1
        guard steps <= stepBudget else { return }
        guard let smallest = groups.min(by: Self.isSmaller) else {
            if best.map(cost.isBetter) ?? true { best = cost }
            return
        }
        if let best, isHopeless(groups, cost, best) { return }
        var stays = staying
        // The greatest goes first: that set is likely the best one.
        for element in smallest.sorted(by: >) {
            var next = cost
            next.kept += worth[element].isKept ? 1 : 0
            next.count += 1
            next.running += worth[element].isRunning ? 1 : 0
            next.elements.append(element)
            let rest = groups.filter { !$0.contains(element) }.map { group in
                group.filter { !stays.contains($0) }
            }
            if !rest.contains(where: \.isEmpty) { search(rest, next, staying: stays, &best) }
            stays.insert(element)
        }
    }

    private static func isSmaller(_ left: [Int], _ right: [Int]) -> Bool {
        left.count != right.count ? left.count < right.count : left.lexicographicallyPrecedes(right)
    }

    /// Whether no set that breaks `groups` too can be as good as `best`.
    private func isHopeless(_ groups: [[Int]], _ cost: Cost, _ best: Cost) -> Bool {
        let kept = cost.kept + disjoint(groups.filter { $0.allSatisfy { worth[$0].isKept } })
        return kept > best.kept
            || kept == best.kept && cost.count + disjoint(groups) > best.count
    }

    /// How many groups share nothing with each other: as many elements must go at least.
    private func disjoint(_ groups: [[Int]]) -> Int {
        var used: Set<Int> = []
        var count = 0
        for group in groups.sorted(by: Self.isSmaller)
        where used.isDisjoint(with: group) {
            used.formUnion(group)
            count += 1
        }
        return count
    }
}
