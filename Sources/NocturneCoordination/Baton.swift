// Baton.swift — one part of a goal, in one pair of hands at a time: whoever has it does some of it and hands it on, or
// is done. Next: ContractNet.swift.

internal import NocturneCore

/// A part of a goal that goes from hand to hand.
struct Baton: StrategyPart {
    /// When handing on has gone round in circles, and when it is enough.
    struct Limits: Sendable {
        /// The agent that has it first; `nil`: whoever fits.
        var first: AgentID?
        /// Times that two agents may hand it to each other in a row.
        var pingPong = 3
        /// Times that it may be handed on; 100 as in Microsoft's Agent Framework, whose runs stop after as many steps.
        var handOffs = 100
    }

    private let brief: PartBrief
    private let limits: Limits
    /// Who had it and what they made of it, the first one first.
    private var history: [(agent: AgentID, value: JSONValue)] = []
    private var hands = 0
    private var work: WorkID?
    private(set) var holder: AgentID?
    /// Who failed with it since it was last handed on.
    private var failed: [AgentID] = []
    private(set) var outcome: OutcomeProposal?

    init(_ brief: PartBrief, _ limits: Limits) { (self.brief, self.limits) = (brief, limits) }

    mutating func begin(_ session: PartSurroundings) -> [StrategyCommand] {
        hand(to: limits.first, session)
    }

    mutating func timeIsUp(_ timer: String, _ session: PartSurroundings) -> [StrategyCommand] { [] }

    mutating func take(_ end: WorkEnd, _ session: PartSurroundings) -> [StrategyCommand] {
        guard end.work == work else { return [] }
        guard let answer = end.answer, let agent = end.agent else {
            return retry(after: end, session)
        }
        failed = []
        history.append((agent, answer.value))
        guard let next = answer.handOff else {
            outcome = OutcomeProposal(
                .completed, value: answer.value,
                explanation: "\(agent) was done after \(history.count) hands")
            return []
        }
        guard next != agent,
            session.roster.contains(where: { $0.id == next && $0.role != .observer })
        else {
            let note = "\(agent) handed on to \(next), who cannot take it"
            return [.note(note)] + hand(to: agent, session, problem: note)
        }
        return hand(to: next, session)
    }

    /// Somebody failed with it: whoever else fits has it then.
    private mutating func retry(after end: WorkEnd, _ session: PartSurroundings)
        -> [StrategyCommand]
    {
        let cause = end.failure?.description ?? "it was taken back"
        if let agent = end.agent ?? holder, !failed.contains(agent) { failed.append(agent) }
        let others = session.roster.filter { $0.role.takesWork && !failed.contains($0.id) }
        guard session.mayGoOn, !others.isEmpty, end.failure != nil else {
            return stop(.failed(.workFailed), "nobody could go on with it: \(cause)")
        }
        return hand(to: nil, session, problem: cause)
    }

    private mutating func hand(
        to agent: AgentID?, _ session: PartSurroundings, problem: String? = nil
    ) -> [StrategyCommand] {
        guard hands <= limits.handOffs else {
            return stop(.failed(.stalled), "it was handed on \(limits.handOffs) times")
        }
        if let agent, isPingPong(with: agent) {
            return stop(
                .failed(.stalled),
                "\(history.last?.agent.description ?? "") and \(agent) handed it to each other \(limits.pingPong) times"
            )
        }
        hands += 1
        let id = WorkID(made: "\(brief.prefix)hand/\(hands)")
        (work, holder) = (id, agent)
        var payload = brief.input
        payload["history"] = .array(
            history.map { ["agent": .string($0.agent.description), "value": $0.value] })
        payload["agents"] = session.roster.filter { $0.role != .observer }.map(\.id).jsonTexts
        payload.set("problem", problem.map { .string($0) })
        return [
            .assign(
                Work(
                    id, text: brief.text, payload: .object(payload),
                    requires: agent == nil ? brief.requires : [],
                    assignee: agent.map { .agent($0) } ?? .anyone,
                    excluding: agent == nil ? failed : [], weight: hands == 1 ? brief.weight : 0))
        ]
    }

    /// Whether the same two would now have handed it to each other too often.
    private func isPingPong(with next: AgentID) -> Bool {
        let holders = (history.map(\.agent) + [next]).suffix(2 * limits.pingPong + 1)
        guard holders.count == 2 * limits.pingPong + 1, let first = holders.first else {
            return false
        }
        let places = holders.enumerated()
        let pair = Set(holders)
        return pair.count <= 2
            && places.allSatisfy {
                ($0.element == first) == $0.offset.isMultiple(of: 2) || pair.count == 1
            }
    }

    private mutating func stop(_ status: OutcomeStatus, _ why: String) -> [StrategyCommand] {
        outcome = OutcomeProposal(status, value: history.last?.value ?? .null, explanation: why)
        return []
    }
}
