// PlanValidation.swift — whether a plan can be carried out by those who are there, and if not, all that is wrong with
// it. Next: SessionCore+Planning.swift.

/// Checks plans. Finds all problems at once, so that a planner can mend them in one go.
struct PlanValidation {
    /// Who is there.
    let roster: [AgentDescriptor]
    let limits: PlanLimits
    /// Agents that wait for what is planned.
    let ancestors: [AgentID]
    let tokensLeft: Int64?
    let worksLeft: Int?

    /// Problems that are reported; more do not help anybody.
    static let problemLimit = 20
    /// Bytes of a subtask's name: it becomes a part of a work's.
    static let maximumIDBytes = 64

    /// All that is wrong; nothing if the plan can be carried out.
    func problems(of plan: Plan) -> [PlanProblem] {
        guard !plan.subtasks.isEmpty else { return [PlanProblem(.empty, "a plan needs a subtask")] }
        guard plan.subtasks.count <= limits.subtasks else {
            return [
                PlanProblem(
                    .tooMany,
                    "\(plan.subtasks.count) subtasks, \(limits.subtasks) are allowed: make them larger"
                )
            ]
        }
        var problems = names(plan)
        if ancestors.count > limits.depth - 1 {
            problems.append(
                PlanProblem(
                    .tooDeep,
                    "\(ancestors.count) agents delegated already, \(limits.depth) levels are allowed"
                ))
        }
        for subtask in plan.subtasks { problems += people(subtask) }
        problems += budget(plan)
        if problems.isEmpty { problems += shape(plan) }
        return Array(problems.prefix(Self.problemLimit))
    }

    private func names(_ plan: Plan) -> [PlanProblem] {
        var problems: [PlanProblem] = [], seen: Set<String> = []
        for subtask in plan.subtasks {
            if !seen.insert(subtask.id).inserted {
                problems.append(
                    PlanProblem(
                        .duplicate, of: subtask.id, "two subtasks have this name; give each its own"
                    ))
            }
            if subtask.id.utf8.count > Self.maximumIDBytes || (try? WorkID(subtask.id)) == nil {
                problems.append(
                    PlanProblem(
                        .malformed, of: String(subtask.id.prefix(Self.maximumIDBytes)),
                        "a name has 1 to \(Self.maximumIDBytes) bytes on one line"))
            }
        }
        for subtask in plan.subtasks {
            for other in subtask.after where !seen.contains(other) {
                problems.append(
                    PlanProblem(
                        .unknownDependency, of: subtask.id,
                        "comes after \"\(other)\", which is not in the plan"))
            }
        }
        return problems
    }

    private func people(_ subtask: Subtask) -> [PlanProblem] {
        if let id = subtask.agent {
            guard let agent = roster.first(where: { $0.id == id }), agent.role.takesWork else {
                return [
                    PlanProblem(
                        .unknownAgent, of: subtask.id,
                        "\(id) is not in the session or takes no work")
                ]
            }
            if ancestors.contains(id) {
                return [
                    PlanProblem(
                        .delegationCycle, of: subtask.id,
                        "\(id) is waiting for this; give it to somebody else")
                ]
            }
        }
        var problems: [PlanProblem] = []
        let able = roster.filter { $0.role.takesWork && !ancestors.contains($0.id) }
        for name in subtask.requires where !able.contains(where: { $0.score(of: name) != nil }) {
            problems.append(
                PlanProblem(
                    .unknownCapability, of: subtask.id,
                    "nobody who may do it has the capability \"\(name)\""))
        }
        let togetherIsKnown = able.contains { agent in
            subtask.requires.allSatisfy { agent.score(of: $0) != nil }
        }
        if problems.isEmpty, !togetherIsKnown {
            problems.append(
                PlanProblem(
                    subtask.requires.isEmpty ? .delegationCycle : .unknownCapability,
                    of: subtask.id,
                    subtask.requires.isEmpty
                        ? "everybody who takes work is waiting for this"
                        : "nobody has all of \(subtask.requires.joined(separator: ", ")); split it")
            )
        }
        return problems
    }

    private func budget(_ plan: Plan) -> [PlanProblem] {
        var problems: [PlanProblem] = []
        let tokens = plan.subtasks.reduce(Int64(0)) { sum, subtask in
            let (sum, overflow) = sum.addingReportingOverflow(subtask.tokens ?? 0)
            return overflow ? .max : sum
        }
        if let tokensLeft, tokens > tokensLeft {
            problems.append(
                PlanProblem(.overBudget, "needs \(tokens) tokens, \(tokensLeft) are left"))
        }
        if let worksLeft, plan.subtasks.count > worksLeft {
            problems.append(
                PlanProblem(
                    .overBudget, "has \(plan.subtasks.count) subtasks, \(worksLeft) works are left")
            )
        }
        return problems
    }

    /// Cycles, the longest chain and the widest fan, by Kahn's algorithm. Names are known to be right.
    private func shape(_ plan: Plan) -> [PlanProblem] {
        var problems: [PlanProblem] = []
        var places: [String: Int] = [:]
        for (place, subtask) in plan.subtasks.enumerated() { places[subtask.id] = place }
        var waiting: [Int] = [], followers = [[Int]](repeating: [], count: plan.subtasks.count)
        for (place, subtask) in plan.subtasks.enumerated() {
            let before = Set(subtask.after.compactMap { places[$0] })
            waiting.append(before.count)
            for other in before { followers[other].append(place) }
        }
        for (place, subtask) in plan.subtasks.enumerated() {
            let width = max(followers[place].count, waiting[place])
            if width > limits.fanOut {
                problems.append(
                    PlanProblem(
                        .tooWide, of: subtask.id, "\(width) neighbors, \(limits.fanOut) are allowed"
                    ))
            }
        }
        var level = [Int](repeating: 1, count: plan.subtasks.count)
        var ready = waiting.indices.filter { waiting[$0] == 0 }
        var next = 0
        while next < ready.count {
            let place = ready[next]
            next += 1
            for follower in followers[place] {
                level[follower] = max(level[follower], level[place] + 1)
                waiting[follower] -= 1
                if waiting[follower] == 0 { ready.append(follower) }
            }
        }
        if ready.count < plan.subtasks.count {
            let ring = ring(plan, places, among: waiting.indices.filter { waiting[$0] > 0 })
            problems.append(
                PlanProblem(
                    .cycle, of: ring.first, "waits for itself: \(ring.joined(separator: " after "))"
                ))
        } else if let longest = level.max(), longest > limits.chain {
            problems.append(
                PlanProblem(.tooDeep, "a chain of \(longest) subtasks, \(limits.chain) are allowed")
            )
        }
        return problems
    }

    /// A ring among subtasks each of which waits for another of them.
    private func ring(_ plan: Plan, _ places: [String: Int], among stuck: [Int]) -> [String] {
        let stuckPlaces = Set(stuck)
        var path: [Int] = [], position: [Int: Int] = [:]
        var place = stuck.first
        while let current = place, position[current] == nil {
            position[current] = path.count
            path.append(current)
            place = plan.subtasks[current].after.compactMap { places[$0] }.first(
                where: stuckPlaces.contains)
        }
        guard let place, let start = position[place] else { return [] }
        return (path[start...] + [place]).map { plan.subtasks[$0].id }
    }
}
