// LargestSet.swift — as many ids as can be together, and of equally good sets always the same one.
// Next: Resolver.swift.

import NocturneCore

/// Finds the largest set by implicit hitting sets: groups of ids that cannot be together are learned from
/// failures, the cheapest set that breaks all known groups is left out, and if the rest fits, nothing better
/// exists (Davies and Bacchus, CP 2011).
struct LargestSet {
    /// Of the best set, for each plugin variable the value; 0: absent.
    private(set) var values: [Int] = []
    /// How the plugins of that set wait for each other.
    private(set) var graph = StartGraph()
    /// What is left out, and the incompatibility that says why, where one is known.
    private(set) var leftOut: [Int: Int?] = [:]
    /// Whether no better set exists.
    private(set) var isProven = true
    var solver: PubGrub

    /// The wanted ids in the order in which the greedy set takes them: by what they are worth.
    private let wanted: [Int]
    private let worth: [HittingSet.Worth]
    /// Groups of ids that cannot be together, and which incompatibility says so.
    private var groups: [(members: [Int], core: Int)] = []

    /// Visits of each incompatibility that placing one id takes about, where everything touches everything.
    private static let stepsPerFact = 20
    /// Ids that a group may have to be made smaller one by one.
    private static let shrunkMembers = 12

    init(_ request: ResolveRequest) {
        solver = PubGrub(request)
        let universe = solver.universe
        let worth = (0..<universe.pluginCount).map(universe.id).map { id in
            HittingSet.Worth(
                isKept: request.kept.contains(id), isRunning: request.running[id] != nil)
        }
        self.worth = worth
        wanted = (0..<universe.pluginCount).filter {
            request.wanted?.contains(universe.id(of: $0)) ?? true
        }.sorted { (worth[$1], $0) < (worth[$0], $1) }
        find(request)
    }

    /// That an id is there, in any version.
    static func present(_ variable: Int, _ solver: PubGrub) -> PubGrub.Assumption {
        .init(variable: variable, set: solver.universe.variables[variable].present)
    }

    private mutating func find(_ request: ResolveRequest) {
        let goals = wanted.map { Self.present($0, solver) }
        // Most directories agree: then the first solution in the order of ids is the answer.
        let (outcome, dropped) = within(share: 8) { $0.solveGreedily(goals) }
        if case .solution(let found) = outcome {
            take(found)
            if dropped.isEmpty, wanted.count == solver.universe.pluginCount { return }
            leaveOut(dropped)
            solver.isOrdered = false
        } else {
            solver.isOrdered = false
            let (outcome, dropped) = within(share: 3) { $0.solveGreedily(goals) }
            if case .solution(let found) = outcome {
                take(found)
                leaveOut(dropped)
            } else {
                grow(goals, PubGrub(request))
            }
        }
        if !leftOut.isEmpty, isProven { improve() }
        solver.isOrdered = true
        preferVersions()
    }

    /// Asks with a part of the budget that is left.
    private mutating func within<Answer>(share: Int, _ ask: (inout PubGrub) -> Answer) -> Answer {
        let budget = solver.stepBudget
        solver.stepBudget = solver.steps + max(0, budget - solver.steps) / share
        defer { solver.stepBudget = budget }
        return ask(&solver)
    }

    private mutating func take(_ found: [Int]) {
        values = found
        graph = solver.graph
    }

    private mutating func leaveOut(_ dropped: [PubGrub.Dropped]) {
        learn(dropped)
        for one in dropped { leftOut[one.assumption.variable] = .some(one.core) }
    }

    /// The greedy set when all at once is too hard: one id more at a time, from the last solution on. What is
    /// too hard for a small share of the budget is tried again with more, when the rest is settled.
    private mutating func grow(_ goals: [PubGrub.Assumption], _ untaught: PubGrub) {
        isProven = false
        values = Array(repeating: Term.absent, count: solver.universe.pluginCount)
        var chosen: [PubGrub.Assumption] = []
        var open: [PubGrub.Assumption] = []
        // So that an easy part of a hard directory loads: a budget of its own.
        let budget = solver.stepBudget
        solver.stepBudget = max(solver.stepBudget, solver.steps) + budget
        defer { solver.stepBudget = budget }
        let least = Self.stepsPerFact * untaught.incompatibilities.count
        var share = max(1, min(4 * goals.count, budget / max(1, least)))
        forget(untaught)
        // What is to be kept has half of it to itself.
        for (part, end) in [
            (goals.filter { worth[$0.variable].isKept }, (solver.steps + solver.stepBudget) / 2),
            (goals.filter { !worth[$0.variable].isKept }, solver.stepBudget),
        ] {
            open += leastDemandingFirst(part)
            while !open.isEmpty, solver.steps < end {
                var hard: [PubGrub.Assumption] = []
                for goal in open {
                    let question = chosen + [goal]
                    switch within(share: share, { $0.solve(question) }) {
                    case .solution(let found):
                        take(found)
                        chosen = question
                    case .conflict: leftOut[goal.variable] = .some(nil)
                    case .gaveUp:
                        hard.append(goal)
                        forget(untaught)
                    }
                }
                open = hard
                share = max(2, share / 4)
            }
        }
        // What is still open may have come along.
        for goal in open where values[goal.variable] == Term.absent {
            leftOut[goal.variable] = .some(nil)
        }
    }

    /// Those that ask for the fewest others first: they are the likeliest to fit, and what others need.
    private func leastDemandingFirst(_ goals: [PubGrub.Assumption]) -> [PubGrub.Assumption] {
        let demands = goals.map { goal in
            Set(solver.universe.candidates(of: goal.variable).flatMap(\.dependencies.keys)).count
        }
        return goals.indices.sorted { (demands[$0], $0) < (demands[$1], $1) }.map { goals[$0] }
    }

    /// What was learned in vain is a burden for the next question, if it is much: to forget costs a copy of what
    /// was known before.
    private mutating func forget(_ untaught: PubGrub) {
        let known = untaught.incompatibilities.count
        guard solver.incompatibilities.count - known > known / 20 else { return }
        let spent = solver.steps - untaught.steps
        let budget = solver.stepBudget
        solver = untaught
        solver.isOrdered = false
        solver.spend(spent)
        solver.stepBudget = budget
    }

    /// Looks for a better set than the greedy one.
    private mutating func improve() {
        while true {
            var hitting = HittingSet(
                groups.map(\.members), worth: worth,
                stepBudget: solver.stepBudget - solver.steps)
            guard let out = hitting.minimum() else {
                isProven = false
                return
            }
            solver.spend(hitting.steps)
            if out == leftOut.keys.sorted() { return }
            let excluded = Set(out)
            let rest = wanted.filter { !excluded.contains($0) }
            let (outcome, dropped) = solver.solveGreedily(rest.map { Self.present($0, solver) })
            guard case .solution(let found) = outcome else {
                isProven = false
                return
            }
            if dropped.isEmpty {
                take(found)
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
    private mutating func preferVersions() {
        let chosen = wanted.filter { leftOut[$0] == nil }.sorted()
        var goals = chosen.map { Self.present($0, solver) }
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
        if case .solution(let best) = solver.solveGreedily(goals).0 {
            take(best)
        } else {
            isProven = false
        }
    }
}
