// StrategyParts.swift — a goal whose parts go their own ways, each after those it needs: what consensus and
// peer-to-peer share. Next: ConsensusDecision.swift.

internal import NocturneCore

/// What a part may know of the session.
struct PartSurroundings: Sendable {
    /// The agents, in the order in which they joined.
    var roster: [AgentDescriptor] = []
    var leader: AgentID?
    var seed: UInt64 = 0
    /// Whether new works would be started. Not if the budget is used up.
    var mayGoOn = true
    /// How many parts each agent is at.
    var loads: [AgentID: Int] = [:]
}

/// What a part is about.
struct PartBrief: Sendable {
    var text: String
    var payload: JSONValue
    /// What those came to that it comes after, by their names.
    var results: JSONValue?
    var requires: [String]
    /// What all its works together count for in the progress.
    var weight: Double
    /// Stands before the names of its works and timers; no other part's names begin so.
    var prefix: String
}

extension PartBrief {
    /// What its works are about: `{"input", "results"}`.
    var input: JSONObject {
        var input: JSONObject = ["input": payload]
        input.set("results", results)
        return input
    }
}

/// One part of a goal. It begins once, is told what became of its works and timers, and comes to something.
protocol StrategyPart: Sendable {
    mutating func begin(_ session: PartSurroundings) -> [StrategyCommand]
    mutating func take(_ end: WorkEnd, _ session: PartSurroundings) -> [StrategyCommand]
    mutating func timeIsUp(_ timer: String, _ session: PartSurroundings) -> [StrategyCommand]
    /// What it came to.
    var outcome: OutcomeProposal? { get }
    /// Who is at it.
    var holder: AgentID? { get }
}

/// The parts of one execution.
struct StrategyParts: Sendable {
    private struct Slot: Sendable {
        let subtask: Subtask
        var part: (any StrategyPart)?
        var outcome: OutcomeProposal?
    }

    /// How the values of the parts are put together.
    private enum Shape: Sendable { case whole, items, plan }

    /// Parts that go on at once. Each may ask every agent something.
    private static var mostOpen: Int { 256 }

    private let make: @Sendable (PartBrief) -> any StrategyPart
    private var goal = Goal("")
    private var session = PartSurroundings()
    private var slots: [Slot] = []
    private var shape = Shape.whole
    /// Places of parts that have not begun, the next one last.
    private var waiting: [Int] = []
    private var openCount = 0
    private(set) var isFinished = false

    init(_ make: @escaping @Sendable (PartBrief) -> any StrategyPart) { self.make = make }

    // MARK: - What happens

    mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        guard !isFinished else { return [] }
        switch input {
        case .started(let start): return begin(start)
        case .agentJoined(let agent): session.roster.append(agent)
        case .agentLeft(let agent, _): session.roster.removeAll { $0.id == agent }
        case .leaderChanged(let leader): session.leader = leader
        case .wrapUp: session.mayGoOn = false
        case .planReceived(_, let plan, _):
            shape = .plan
            return begin(plan.subtasks)
        case .planFailed(_, let failure): return finish(failure.outcome)
        case .workEnded(let end):
            return forward(end.work.description) { $0.take(end, $1) }
        case .timerFired(let timer): return forward(timer) { $0.timeIsUp(timer, $1) }
        case .quiescent: return finishPartly()
        default: break
        }
        return []
    }

    private mutating func begin(_ start: StrategyStart) -> [StrategyCommand] {
        goal = start.goal
        (session.roster, session.leader, session.seed) = (start.roster, start.leader, start.seed)
        if goal.decompose {
            return [.plan(PlanRequest("plan", text: goal.description, payload: goal.payload))]
        }
        if let items = goal.payload["items"]?.array {
            shape = .items
            return begin(
                items.enumerated().map { index, item in
                    Subtask(
                        "item", text: goal.description,
                        payload: ["item": item, "index": JSONValue(index)], requires: goal.requires)
                })
        }
        return begin([
            Subtask("", text: goal.description, payload: goal.payload, requires: goal.requires)
        ])
    }

    private mutating func begin(_ subtasks: [Subtask]) -> [StrategyCommand] {
        slots = subtasks.map { Slot(subtask: $0) }
        waiting = slots.indices.reversed()
        return [.expect(weight: subtasks.reduce(0) { $0 + $1.weight })] + proceed()
    }

    // MARK: - Going on

    /// Begins what can begin, and ends when nothing is open.
    private mutating func proceed() -> [StrategyCommand] {
        var commands: [StrategyCommand] = []
        var isChanged = true
        while isChanged {
            isChanged = false
            var blocked: [Int] = []
            while openCount < Self.mostOpen, let place = waiting.popLast() {
                let after = slots[place].subtask.after
                let before = after.isEmpty ? [] : slots.filter { after.contains($0.subtask.id) }
                if before.contains(where: { $0.outcome.map { $0.status != .completed } ?? false }) {
                    slots[place].outcome = OutcomeProposal(
                        .failed(.workFailed), explanation: "what it comes after was not done")
                    isChanged = true
                } else if before.allSatisfy({ $0.outcome != nil }) {
                    commands += start(place, knowing: before)
                    isChanged = true
                } else {
                    blocked.append(place)
                }
            }
            waiting += blocked.reversed()
        }
        return waiting.isEmpty && openCount == 0 ? commands + conclude() : commands
    }

    private mutating func start(_ place: Int, knowing before: [Slot]) -> [StrategyCommand] {
        let subtask = slots[place].subtask
        let results = before.map { ($0.subtask.id, $0.outcome?.value ?? .null) }
        // The number makes it unlike others, whatever a planner calls its subtasks.
        let prefix = shape == .whole ? "" : "\(place + 1)-\(subtask.id)/"
        slots[place].part = make(
            PartBrief(
                text: subtask.text, payload: subtask.payload,
                results: before.isEmpty ? nil : .object(JSONObject(results)),
                requires: subtask.requires,
                weight: subtask.weight, prefix: prefix))
        openCount += 1
        return tell(place) { $0.begin($1) }
    }

    private mutating func forward(
        _ name: String, _ change: (inout any StrategyPart, PartSurroundings) -> [StrategyCommand]
    ) -> [StrategyCommand] {
        let place = shape == .whole ? 0 : (Int(name.prefix { $0 != "-" }) ?? 0) - 1
        guard slots.indices.contains(place), slots[place].outcome == nil else { return [] }
        let commands = tell(place, change)
        return slots[place].outcome == nil ? commands : commands + proceed()
    }

    private mutating func tell(
        _ place: Int, _ change: (inout any StrategyPart, PartSurroundings) -> [StrategyCommand]
    ) -> [StrategyCommand] {
        // Taken out, so that nothing of it is copied.
        guard var part = slots[place].part.take() else { return [] }
        if let holder = part.holder { session.loads[holder, default: 0] -= 1 }
        let commands = change(&part, session)
        if let outcome = part.outcome {
            slots[place].outcome = outcome
            openCount -= 1
        } else if let holder = part.holder {
            session.loads[holder, default: 0] += 1
        }
        slots[place].part = part
        return commands
    }

    // MARK: - The end

    private mutating func conclude() -> [StrategyCommand] {
        let outcomes = slots.compactMap(\.outcome)
        if shape == .whole, let outcome = outcomes.first { return finish(outcome) }
        let done = outcomes.count { $0.status == .completed }
        let firstFailure = outcomes.first { $0.status != .completed }?.status
        let status = firstFailure.map { done > 0 ? .partial : $0 } ?? .completed
        return finish(
            OutcomeProposal(
                status, value: value, explanation: "\(done) of \(outcomes.count) parts were done",
                dissent: outcomes.flatMap(\.dissent)))
    }

    /// Nothing is going on any more, although some parts are open.
    private mutating func finishPartly() -> [StrategyCommand] {
        let isSomethingDone = slots.contains { $0.outcome?.status == .completed }
        return finish(
            OutcomeProposal(
                isSomethingDone ? .partial : .failed(.quiescentWithoutResult), value: value,
                explanation: "nothing was going on any more"))
    }

    private var value: JSONValue {
        switch shape {
        case .whole: slots.first?.outcome?.value ?? .null
        case .items: .array(slots.map { $0.outcome?.value ?? .null })
        case .plan:
            .object(JSONObject(slots.map { ($0.subtask.id, $0.outcome?.value ?? .null) }))
        }
    }

    private mutating func finish(_ outcome: OutcomeProposal) -> [StrategyCommand] {
        isFinished = true
        return [.finish(outcome)]
    }
}
