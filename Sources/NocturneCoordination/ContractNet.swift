// ContractNet.swift — one part of a goal on the market: announced, bid for, awarded to the best bid (FIPA's contract
// net, http://www.fipa.org/specs/fipa00029). Next: PeerToPeerStrategy.swift.

internal import NocturneCore

/// A part of a goal that is announced, bid for and awarded.
struct ContractNet: StrategyPart {
    private struct Bid: Sendable {
        let agent: AgentDescriptor
        let cost: Double
        let confidence: Double
    }

    private let brief: PartBrief
    /// How long agents may think about a bid.
    private let biddingTime: Duration
    private var announcements = 0
    private var awards = 0
    private var open: [WorkID: AgentDescriptor] = [:]
    private var bids: [Bid] = []
    private var work: WorkID?
    private(set) var holder: AgentID?
    /// Who failed with it.
    private var failed: Set<AgentID> = []
    private var lastFailure: WorkFailure?
    private(set) var outcome: OutcomeProposal?

    /// The first announcement is for those who have what is required, the second one for all who take work.
    private static let mostAnnouncements = 2

    init(_ brief: PartBrief, biddingTime: Duration) {
        (self.brief, self.biddingTime) = (brief, biddingTime)
    }

    mutating func begin(_ session: PartSurroundings) -> [StrategyCommand] { announce(session) }

    mutating func take(_ end: WorkEnd, _ session: PartSurroundings) -> [StrategyCommand] {
        if end.work == work { return takeResult(end, session) }
        guard let agent = open.removeValue(forKey: end.work) else {
            return end.answer == nil
                ? [] : [.note("\(end.work) came late: it is recorded and refused")]
        }
        var notes: [StrategyCommand] = []
        if let answer = end.answer {
            do throws(CoordinationError) {
                if let bid = try bid(of: agent, answer.value) { bids.append(bid) }
            } catch {
                notes = [.note("the bid of \(agent.id) is refused: \(error)")]
            }
        }
        return open.isEmpty ? notes + closeBids(session) : notes
    }

    mutating func timeIsUp(_ timer: String, _ session: PartSurroundings) -> [StrategyCommand] {
        timer == self.timer && work == nil ? closeBids(session) : []
    }

    // MARK: - Bids

    private var timer: String { "\(brief.prefix)bids/\(announcements)" }

    private mutating func announce(_ session: PartSurroundings) -> [StrategyCommand] {
        guard announcements < Self.mostAnnouncements, session.mayGoOn else {
            outcome =
                if let lastFailure {
                    OutcomeProposal(
                        .failed(.workFailed),
                        explanation: "everybody who wanted it failed; the last one: \(lastFailure)")
                } else {
                    OutcomeProposal(.failed(.unassignable), explanation: "nobody bid for it")
                }
            return []
        }
        announcements += 1
        let isRelaxed = announcements == Self.mostAnnouncements
        let bidders = session.roster.filter { agent in
            agent.role.takesWork && !failed.contains(agent.id)
                && (isRelaxed || brief.requires.allSatisfy { agent.score(of: $0) != nil })
        }
        guard !bidders.isEmpty else { return announce(session) }
        var payload = brief.input
        payload["requires"] = brief.requires.jsonTexts
        payload["isRelaxed"] = .bool(isRelaxed)
        payload["time"] = biddingTime.json
        return bidders.map { agent in
            let id = WorkID(made: "\(brief.prefix)bid/\(announcements)/\(agent.id)")
            open[id] = agent
            return .assign(
                Work(
                    id, kind: .bid, text: brief.text, payload: .object(payload),
                    assignee: .agent(agent.id),
                    weight: 0, attempts: 1))
        } + [.setTimer(timer, after: biddingTime)]
    }

    /// Reads a cost, `{"cost", "confidence"}`, or that the agent does not want it: `null` or `{"decline": true}`.
    private func bid(of agent: AgentDescriptor, _ answer: JSONValue) throws(CoordinationError)
        -> Bid?
    {
        if answer.isNull || answer["decline"]?.bool == true { return nil }
        if let cost = answer.double, cost >= 0, cost.isFinite {
            return Bid(agent: agent, cost: cost, confidence: 1)
        }
        let fields = try JSONFields(answer, at: "bid")
        let (cost, confidence) = (
            try fields.number("cost") ?? agent.cost, try fields.number("confidence") ?? 1
        )
        guard cost >= 0 else { throw fields.malformed("cost", expected: "a number of at least 0") }
        guard (0...1).contains(confidence) else {
            throw fields.malformed("confidence", expected: "a number from 0 to 1")
        }
        return Bid(agent: agent, cost: cost, confidence: confidence)
    }

    private mutating func closeBids(_ session: PartSurroundings) -> [StrategyCommand] {
        let late = open.keys.sorted()
        open = [:]
        return [.cancelTimer(timer)] + late.map { .cancel($0) } + award(session)
    }

    // MARK: - The award

    /// Gives it to the best bid, or announces it anew if there is none.
    private mutating func award(_ session: PartSurroundings) -> [StrategyCommand] {
        let there = Set(session.roster.map(\.id))
        bids.removeAll { !there.contains($0.agent.id) || failed.contains($0.agent.id) }
        let ranked = bids.map { (bid: $0, worth: worth($0, session), load: load($0, session)) }
        let best = ranked.max { left, right in
            if left.worth != right.worth { return left.worth < right.worth }
            if left.load != right.load { return left.load > right.load }
            return chance(left.bid, session) < chance(right.bid, session)
        }
        guard let best else { return announce(session) }
        awards += 1
        let agent = best.bid.agent.id
        let id = WorkID(made: "\(brief.prefix)do/\(awards)")
        (work, holder) = (id, agent)
        return [
            .note(
                "\(id): \(agent) has it, the best of \(bids.count) bids, at a cost of \(best.bid.cost)"
            ),
            .assign(
                Work(
                    id, text: brief.text, payload: .object(brief.input), assignee: .agent(agent),
                    weight: awards == 1 ? brief.weight : 0)),
        ]
    }

    /// How well the agent can do it, as sure as it is, for its cost and for what it is at already.
    private func worth(_ bid: Bid, _ session: PartSurroundings) -> Double {
        let scores = brief.requires.map { bid.agent.score(of: $0) ?? 0 }
        let fit = scores.isEmpty ? 1 : scores.reduce(0, +) / Double(scores.count)
        // With relaxed requirements somebody who cannot is better than nobody.
        return max(fit, 0.001) * bid.confidence / (1 + bid.cost) / (1 + load(bid, session))
    }

    private func load(_ bid: Bid, _ session: PartSurroundings) -> Double {
        Double(session.loads[bid.agent.id] ?? 0) / Double(bid.agent.concurrency)
    }

    private func chance(_ bid: Bid, _ session: PartSurroundings) -> UInt64 {
        StableHash.of("\(brief.prefix)\(bid.agent.id)", seed: session.seed)
    }

    private mutating func takeResult(
        _ end: WorkEnd, _ session: PartSurroundings
    ) -> [StrategyCommand] {
        if let answer = end.answer {
            outcome = OutcomeProposal(
                .completed, value: answer.value,
                explanation: "\(end.agent?.description ?? "an agent") did it")
            return []
        }
        if let holder { failed.insert(holder) }
        (work, holder, lastFailure) = (nil, nil, end.failure)
        return award(session)
    }
}
