// HierarchicalStrategy.swift — a leader plans, others do, reviewers judge; what stalls is planned anew.
// Next: HierarchicalStrategy+Review.swift.

public import NocturneCore

/// A leader plans, others do, reviewers judge; what stalls is planned anew.
///
/// With `decompose` the leader (or the goal's planner) is asked for a plan; a subtask starts when all that it comes
/// after have succeeded, and is given their results. Without, the whole goal is one work. The leader is given work only
/// if nobody else may do it. Whoever does a work may answer with subtasks of its own (``WorkAnswer/delegation``), which
/// are never given to anyone who waits for them.
///
/// Parameters, all optional:
/// - `review`: whether reviewers judge each result; `true` if not said, and without effect while the session has no
///   reviewer.
/// - `revisions`: how often one who did a work is asked to do it better; 2 if not said. After that it counts as
///   rejected.
/// - `reassignments`: how often a rejected work is given to somebody else; 1 if not said.
/// - `replans`: how often the leader is asked for a new plan after a stall; 2 if not said.
/// - `stall`: failed subtasks in a row, without one that succeeded, that are a stall; 3 if not said. That nothing can
///   go on is one in any case.
/// - `summarize`: whether the leader puts the results together at the end; `false` if not said.
///
/// The value: the results of the subtasks by name, or the summary. A work's payload is `{"goal", "input", "results",
/// …}`, with `comment` and `previous` if it is to be revised.
public struct HierarchicalStrategy: Strategy {
    /// `hierarchical`
    public static let name = "hierarchical"

    let isReviewed: Bool
    let revisions: Int
    let reassignments: Int
    private let replans: Int
    private let stallLimit: Int
    private let isSummarized: Bool

    private var goal = Goal("")
    private var roster: [AgentDescriptor] = []
    private var leader: AgentID?
    var tree = HierarchicalTree()
    /// Which node each work is about.
    var owners: [WorkID: Int] = [:]
    /// The weight of all works that were asked for, and what was said to be expected.
    private var askedWeight = 0.0, expectedWeight = 0.0
    private var plans = 0
    private var isPlanning = false
    private var failuresInRow = 0
    private var exhausted: BudgetLimit?
    private var isSummarizing = false
    private var isFinished = false

    /// Reads its parameters.
    public init(parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        try fields.only("review", "revisions", "reassignments", "replans", "stall", "summarize")
        isReviewed = try fields.flag("review") ?? true
        revisions = try fields.count(ifAny: "revisions") ?? 2
        reassignments = try fields.count(ifAny: "reassignments") ?? 1
        replans = try fields.count(ifAny: "replans") ?? 2
        stallLimit = try fields.count(ifAny: "stall") ?? 3
        isSummarized = try fields.flag("summarize") ?? false
    }

    /// Takes in what happened.
    public mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        guard !isFinished else { return [] }
        switch input {
        case .started(let start): return begin(start)
        case .agentJoined(let agent):
            roster.append(agent)
            return []
        case .agentLeft(let agent, _):
            roster.removeAll { $0.id == agent }
            return []
        case .leaderChanged(let leader):
            self.leader = leader
            return []
        case .planReceived(let request, let plan, let agent): return take(plan, request, by: agent)
        case .planFailed(let request, let failure): return take(failure, request)
        case .workEnded(let end): return take(end)
        case .wrapUp(let limit):
            exhausted = limit
            return proceed()
        default: return []
        }
    }

    // MARK: - Plans

    private mutating func begin(_ start: StrategyStart) -> [StrategyCommand] {
        (goal, roster, leader) = (start.goal, start.roster, start.leader)
        if goal.decompose { return askForPlan(goal.payload) }
        let whole = Plan([
            Subtask("goal", text: goal.description, payload: goal.payload, requires: goal.requires)
        ])
        _ = tree.add(whole, prefix: "", below: nil, ancestors: [])
        return proceed()
    }

    private mutating func askForPlan(_ about: JSONValue) -> [StrategyCommand] {
        plans += 1
        isPlanning = true
        return [
            .plan(
                PlanRequest(WorkID(made: "plan/\(plans)"), text: goal.description, payload: about))
        ]
    }

    private mutating func take(
        _ plan: Plan, _ request: WorkID, by agent: AgentID
    ) -> [StrategyCommand] {
        failuresInRow = 0
        guard let node = owners[request] else {
            isPlanning = false
            let prefix = plans > 1 ? "plan\(plans)/" : ""
            _ = tree.add(plan, prefix: prefix, below: nil, ancestors: [])
            return proceed()
        }
        guard tree[node].state == .delegated else { return [] }
        _ = tree.add(
            plan, prefix: "\(tree[node].id)/\(tree[node].attempt)/", below: node,
            ancestors: tree[node].ancestors + [agent])
        return proceed()
    }

    private mutating func take(_ failure: PlanFailure, _ request: WorkID) -> [StrategyCommand] {
        if let node = owners[request] {
            guard tree[node].state == .delegated else { return [] }
            return sendBack(node, "the subtasks cannot be given to others: \(failure)") + proceed()
        }
        isPlanning = false
        return tree.doneCount == 0 ? finish(failure.outcome) : finishPartly("\(failure)")
    }

    // MARK: - Going on

    /// Starts what is ready; ends when all is done; plans anew when nothing can go on.
    mutating func proceed() -> [StrategyCommand] {
        if isPlanning || isSummarizing || isFinished { return [] }
        var commands: [StrategyCommand] = []
        if exhausted == nil {
            for place in tree.ready { commands += assign(place) }
        }
        commands = expect() + commands
        guard !tree.isBusy,
            !tree.nodes.contains(where: { $0.state == .delegated && $0.children.isEmpty })
        else { return commands }
        if tree.roots.allSatisfy({ tree[$0].state == .done }) { return commands + complete() }
        return commands + stall("nothing that is left can go on")
    }

    /// Says how much there is to do: what was asked for, further attempts included, and what waits for others.
    private mutating func expect() -> [StrategyCommand] {
        let weight = askedWeight + tree.waitingWeight
        guard weight != expectedWeight else { return [] }
        expectedWeight = weight
        return [.expect(weight: weight)]
    }

    private mutating func assign(_ place: Int) -> [StrategyCommand] {
        tree[place].state = .working
        tree[place].attempt += 1
        return [
            .assign(work(place, assignee: tree[place].subtask.agent.map { .agent($0) } ?? .anyone))
        ]
    }

    /// A work that does what a node asks for; further attempts at it have names of their own.
    mutating func work(
        _ place: Int, assignee: Assignee, adding more: JSONObject = [:]
    ) -> Work {
        tree[place].isNamed = if case .agent = assignee { true } else { false }
        let node = tree[place], subtask = node.subtask
        let id = node.attempt > 1 ? WorkID(made: "\(node.id)#\(node.attempt)") : node.id
        owners[id] = place
        askedWeight += subtask.weight
        var payload: JSONObject = ["goal": .string(goal.description), "input": subtask.payload]
        if !node.after.isEmpty { payload["results"] = tree.results(of: node.after) }
        for (key, value) in more { payload[key] = value }
        return Work(
            id, text: subtask.text, payload: .object(payload), requires: subtask.requires,
            assignee: assignee, excluding: excluded(node), weight: subtask.weight,
            tokens: subtask.tokens)
    }

    /// Who is not given a subtask: who waits for it or did it badly, and the leader unless nobody else may do it.
    private func excluded(_ node: HierarchicalNode) -> [AgentID] {
        let excluded = node.ancestors + node.rejected
        guard let leader, !excluded.contains(leader) else { return excluded }
        let isOtherThere = roster.contains { agent in
            agent.id != leader && agent.role.takesWork && !excluded.contains(agent.id)
                && node.subtask.requires.allSatisfy { agent.score(of: $0) != nil }
        }
        return isOtherThere ? excluded + [leader] : excluded
    }

    private mutating func take(_ end: WorkEnd) -> [StrategyCommand] {
        if isSummarizing { return finishSummary(end) }
        guard let place = owners[end.work] else { return [] }
        switch tree[place].state {
        case .inReview: return takeReview(end, of: place) + proceed()
        case .working: return takeResult(end, of: place) + proceed()
        default: return []
        }
    }

    private mutating func takeResult(_ end: WorkEnd, of place: Int) -> [StrategyCommand] {
        guard let answer = end.answer else {
            let cause = end.failure?.description ?? "it was taken back"
            // Who it was meant for is gone: whoever fits may do it.
            if end.failure?.kind == .unassignable, tree[place].isNamed {
                tree[place].attempt += 1
                return [.assign(work(place, assignee: .anyone))]
            }
            return fail(place, cause)
        }
        tree[place].doer = end.agent
        tree[place].result = answer.value
        if let delegation = answer.delegation, let agent = end.agent {
            tree[place].state = .delegated
            let request = WorkID(made: "\(tree[place].id)#plan\(tree[place].attempt)")
            owners[request] = place
            return [
                .validate(
                    request: request, plan: delegation, by: agent,
                    ancestors: tree[place].ancestors + [agent])
            ]
        }
        return review(place)
    }

    /// A node has its result; perhaps its parent has all of its own now.
    mutating func complete(_ place: Int) -> [StrategyCommand] {
        tree[place].state = .done
        failuresInRow = 0
        guard let parent = tree[place].parent, tree[parent].state == .delegated,
            tree[parent].children.allSatisfy({ tree[$0].state == .done })
        else { return [] }
        tree[parent].result = [
            "value": tree[parent].result, "parts": tree.results(of: tree[parent].children),
        ]
        return review(parent)
    }

    /// A node cannot be had; neither can what it is a part of.
    mutating func fail(_ place: Int, _ cause: String) -> [StrategyCommand] {
        tree[place].state = .failed
        tree[place].failure = cause
        failuresInRow += 1
        var commands: [StrategyCommand] = []
        if let parent = tree[place].parent, tree[parent].state == .delegated {
            commands += drop(tree[parent].children)
            commands += fail(parent, "its part \(tree[place].subtask.id) failed: \(cause)")
        }
        if stallLimit > 0, failuresInRow >= stallLimit, tree[place].parent == nil {
            commands += stall("\(failuresInRow) subtasks failed in a row")
        }
        return commands
    }

    /// Takes back what is under way among some nodes and all below them.
    private mutating func drop(_ places: [Int]) -> [StrategyCommand] {
        var commands: [StrategyCommand] = []
        let all = places.flatMap { tree.subtree($0) }.filter { tree[$0].isOpen }
        for place in all { tree[place].state = .dropped }
        let dropped = Set(all)
        let works = owners.filter { dropped.contains($0.value) }.keys.sorted()
        for work in works where !asked(forPlan: work) { commands.append(.cancel(work)) }
        return commands
    }

    /// Whether somebody can judge what one did.
    func hasReviewer(besides doer: AgentID?) -> Bool {
        roster.contains { $0.role == .reviewer && $0.id != doer }
    }

    private func asked(forPlan work: WorkID) -> Bool { work.description.contains("#plan") }

    // MARK: - Stalls and the end

    private mutating func stall(_ cause: String) -> [StrategyCommand] {
        guard !isPlanning, !isFinished else { return [] }
        guard goal.decompose, plans <= replans, exhausted == nil else { return finishPartly(cause) }
        let about: JSONValue = [
            "about": goal.payload, "stall": .string(cause), "done": doneResults,
            "failed": .array(
                tree.nodes.filter { $0.state == .failed }.map {
                    ["id": .string($0.subtask.id), "error": .string($0.failure)]
                }),
        ]
        let commands = drop(tree.roots)
        for place in tree.roots where tree[place].state == .failed { tree[place].state = .dropped }
        return commands + [.note("planned anew: \(cause)")] + askForPlan(about)
    }

    private mutating func complete() -> [StrategyCommand] {
        guard isSummarized, let leader else {
            return finish(OutcomeProposal(.completed, value: value))
        }
        isSummarizing = true
        return [
            .assign(
                Work(
                    "summary", kind: .summarize, text: goal.description, payload: value,
                    assignee: .agent(leader), weight: 0, isWrapUp: true))
        ]
    }

    private mutating func finishSummary(_ end: WorkEnd) -> [StrategyCommand] {
        guard end.work == "summary" else { return [] }
        if let answer = end.answer {
            return finish(OutcomeProposal(.completed, value: answer.value))
        }
        return finish(
            OutcomeProposal(
                .partial, value: value,
                explanation: "all is done, but there is no summary: "
                    + (end.failure?.description ?? "it was taken back")))
    }

    private mutating func finishPartly(_ cause: String) -> [StrategyCommand] {
        let failed = tree.nodes.filter { $0.state == .failed }
        let status: OutcomeStatus
        if tree.doneCount > 0 {
            status = .partial
        } else if !failed.isEmpty, failed.allSatisfy(\.isRejection) {
            status = .rejected
        } else {
            status = .failed(goal.decompose ? .stalled : .workFailed)
        }
        let details = failed.map { "\($0.subtask.id): \($0.failure)" }
        return finish(
            OutcomeProposal(
                status, value: doneResults,
                explanation: ([cause] + details).joined(separator: "; ")))
    }

    private mutating func finish(_ outcome: OutcomeProposal) -> [StrategyCommand] {
        isFinished = true
        return [.finish(outcome)]
    }

    /// Of one whole goal its result, else the results by name.
    private var value: JSONValue {
        if !goal.decompose, let only = tree.roots.first { return tree[only].result }
        return doneResults
    }

    /// What was done at the top, under former plans too; of equal names the latest.
    private var doneResults: JSONValue {
        tree.results(of: tree.indices.filter { tree[$0].parent == nil })
    }
}
