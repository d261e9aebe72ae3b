// LargestSet.swift — as many ids as can be together, and of equally good sets always the same one.
// Next: Resolver.swift.

import NocturneCore

/// Finds the largest set by implicit hitting sets: groups of ids that cannot be together are learned from
/// failures, the cheapest set that breaks all known groups is left out, and if the rest fits, nothing better
/// exists (Davies and Bacchus, CP 2011).
struct LargestSet {
    /// Of the best set, for each plugin variable the value; 0: absent.
    private(set) var values: [Int] = []
    /// What is left out, ascending, and the incompatibility that says why, where one is known.
    private(set) var leftOut: [Int: Int?] = [:]
    /// Whether no better set exists.
    private(set) var isProven = true
    var solver: PubGrub

    /// The wanted ids in the order in which the greedy set takes them: those that run first.
    private let wanted: [Int]
    private let isRunning: [Bool]
    /// Groups of ids that cannot be together, and which incompatibility says so.
    private var groups: [(members: [Int], core: Int)] = []

    /// Ids that a group may have to be made smaller one by one.
    private static let shrunkMembers = 12

    init(_ request: ResolveRequest) {
        solver = PubGrub(request)
        let universe = solver.universe
        isRunning = (0..<universe.pluginCount).map { request.running[universe.id(of: $0)] != nil }
        let all = (0..<universe.pluginCount).filter {
            request.wanted?.contains(universe.id(of: $0)) ?? true
        }
        let running = isRunning
        wanted = all.filter { running[$0] } + all.filter { !running[$0] }
        find()
    }

    /// That an id is there, in any version.
    static func present(_ variable: Int, _ solver: PubGrub) -> PubGrub.Assumption {
        .init(variable: variable, set: solver.universe.variables[variable].present)
    }

    private mutating func find() {
        // What nothing is said of needs no search.
        let (free, bound) = (wanted.filter(solver.isFree), wanted.filter { !solver.isFree($0) })
        let (outcome, dropped) = solver.solveGreedily(bound.map { Self.present($0, solver) })
        guard case .solution(let greedy) = outcome else {
            loadWithoutSearch(bound)
            take(free)
            return
        }
        values = greedy
        learn(dropped)
        leftOut = Dictionary(
            dropped.map { ($0.assumption.variable, $0.core) },
            uniquingKeysWith: { first, _ in first })
        if !dropped.isEmpty { improve(bound) }
        preferVersions(bound)
        take(free)
    }

    private mutating func take(_ free: [Int]) {
        for variable in free { values[variable] = 1 }
    }

    /// Looks for a better set than the greedy one.
    private mutating func improve(_ bound: [Int]) {
        while true {
            var hitting = HittingSet(
                groups.map(\.members), isRunning: isRunning,
                stepBudget: solver.stepBudget - solver.steps)
            guard let out = hitting.minimum() else {
                isProven = false
                return
            }
            solver.spend(hitting.steps)
            if out == leftOut.keys.sorted() { return }
            let excluded = Set(out)
            let kept = bound.filter { !excluded.contains($0) }
            let (outcome, dropped) = solver.solveGreedily(kept.map { Self.present($0, solver) })
            guard case .solution(let found) = outcome else {
                isProven = false
                return
            }
            if dropped.isEmpty {
                values = found
                leftOut = [:]
                for variable in out {
                    let own = groups.first { $0.members == [variable] }
                    leftOut[variable] = .some(own?.core)
                }
                return
            }
            learn(dropped)
        }
    }

    /// Remembers groups, made as small as can be, so that the next try is a better one.
    private mutating func learn(_ dropped: [PubGrub.Dropped]) {
        for one in dropped {
            var core = one.core
            var members = variables(of: core)
            if (2...Self.shrunkMembers).contains(members.count) {
                for member in members.reversed() where members.contains(member) {
                    let rest = members.filter { $0 != member }
                    if rest.isEmpty { break }
                    let question = rest.map { Self.present($0, solver) }
                    if case .conflict(let smaller) = solver.solve(question) {
                        core = smaller
                        members = variables(of: smaller)
                    }
                }
            }
            groups.append((members, core))
        }
    }

    private func variables(of core: Int) -> [Int] {
        solver.incompatibilities[core].terms.map(\.variable)
    }

    /// Chooses the versions anew: ids in order, each the best that is left.
    private mutating func preferVersions(_ bound: [Int]) {
        let kept = bound.filter { leftOut[$0] == nil }.sorted()
        var goals = kept.map { Self.present($0, solver) }
        let wanted = Set(self.wanted)
        if wanted.count < solver.universe.pluginCount {
            // What is not wanted for itself comes along if somebody uses it when it is there.
            let chosen = values.indices.filter { values[$0] != Term.absent }
            let wishes = Set(
                chosen.flatMap {
                    solver.universe.candidate($0, values[$0]).optionalDependencies.keys
                })
            goals += wishes.sorted().compactMap { solver.universe.variable(of: $0) }
                .filter { !wanted.contains($0) }.map { Self.present($0, solver) }
        }
        if case .solution(let best) = solver.solveGreedily(goals).0 { values = best }
    }

    /// Without a budget left: one id after the other, never stepping back. Finds less, always ends.
    private mutating func loadWithoutSearch(_ bound: [Int]) {
        isProven = false
        var excluded: Set<Int> = []
        while true {
            let found = solver.loadWithoutSearch(bound.filter { !excluded.contains($0) })
            values = found
            let rings = solver.rings(in: found)
            if rings.isEmpty { break }
            excluded.formUnion(rings.flatMap { $0.terms.map(\.variable) })
        }
        for variable in bound where values[variable] == Term.absent {
            leftOut[variable] = .some(nil)
        }
    }
}
