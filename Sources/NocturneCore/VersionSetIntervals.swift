// VersionSetIntervals.swift — a set of points on one line, as the places where it begins and ends.
// One form for each set, so that equality is equality of arrays. Next: VersionSet.swift.

/// What intervals can lie on: a total order with a least value.
protocol IntervalBound: Comparable, Hashable, Sendable {
    static var least: Self { get }
}

/// A union of finitely many half-open intervals.
struct VersionSetIntervals<Bound: IntervalBound>: Sendable, Hashable {
    /// Strictly ascending. The set begins at the first, ends before the second, begins again at the
    /// third and so on; without an end it goes on for ever. Each is a value itself, so no interval
    /// between two of them is empty, and different places are different sets.
    private(set) var turns: [Bound]

    static var empty: Self { Self(turns: []) }
    static var full: Self { Self(turns: [.least]) }

    private init(turns: [Bound]) {
        self.turns = turns
    }

    /// From `lower` (`nil`: the least of all) up to but without `upper` (`nil`: all that follow).
    init(from lower: Bound?, to upper: Bound?) {
        let lower = lower ?? .least
        guard let upper else {
            turns = [lower]
            return
        }
        turns = lower < upper ? [lower, upper] : []
    }

    var isEmpty: Bool { turns.isEmpty }

    /// Inside are those with an odd number of turns at or before them.
    func contains(_ value: Bound) -> Bool {
        var (low, high) = (0, turns.count)
        while low < high {
            let middle = (low + high) / 2
            if value < turns[middle] { high = middle } else { low = middle + 1 }
        }
        return low % 2 == 1
    }

    /// The intervals in ascending order.
    var intervals: [(lower: Bound, upper: Bound?)] {
        stride(from: 0, to: turns.count, by: 2).map { place in
            (turns[place], place + 1 < turns.count ? turns[place + 1] : nil)
        }
    }

    var complement: Self {
        Self(turns: turns.first == .least ? Array(turns.dropFirst()) : [.least] + turns)
    }

    func union(_ other: Self) -> Self {
        if other.isEmpty { return self }
        return isEmpty ? other : combined(with: other) { $0 || $1 }
    }

    func intersection(_ other: Self) -> Self {
        if isEmpty || other.isEmpty { return .empty }
        return combined(with: other) { $0 && $1 }
    }

    func subtracting(_ other: Self) -> Self {
        if isEmpty || other.isEmpty { return self }
        return combined(with: other) { $0 && !$1 }
    }

    func isSubset(of other: Self) -> Bool {
        sweep(with: other) { _, isHere, isThere in !isHere || isThere }
    }

    func isDisjoint(with other: Self) -> Bool {
        isEmpty || other.isEmpty
            || sweep(with: other) { _, isHere, isThere in !(isHere && isThere) }
    }

    /// The values for which `rule` holds. It must not hold for those in neither.
    private func combined(with other: Self, _ rule: (Bool, Bool) -> Bool) -> Self {
        var result: [Bound] = []
        result.reserveCapacity(turns.count + other.turns.count)
        _ = sweep(with: other) { bound, isHere, isThere in
            let isInside = result.count % 2 == 1
            if rule(isHere, isThere) != isInside { result.append(bound) }
            return true
        }
        return Self(turns: result)
    }

    /// Visits the turns of both in order, and says who is inside from there on, until `visit` says
    /// no.
    @inline(__always)
    private func sweep(with other: Self, _ visit: (Bound, Bool, Bool) -> Bool) -> Bool {
        var (here, there) = (0, 0)
        while here < turns.count || there < other.turns.count {
            let bound: Bound
            if there == other.turns.count {
                bound = turns[here]
                here += 1
            } else if here == turns.count || other.turns[there] < turns[here] {
                bound = other.turns[there]
                there += 1
            } else {
                bound = turns[here]
                here += 1
                if other.turns[there] == bound { there += 1 }
            }
            guard visit(bound, here % 2 == 1, there % 2 == 1) else { return false }
        }
        return true
    }
}

extension SemanticVersion.Core: IntervalBound {
    static var least: SemanticVersion.Core { .zero }
}

extension SemanticVersion: IntervalBound {
    /// The least of all versions, which is a prerelease.
    static var least: SemanticVersion { .first(of: .zero) }
}
