// ConsensusDecision.swift — one question from blind drafts over secret ballots to a decision, or to none. Next:
// ConsensusStrategy.swift.

internal import NocturneCore

/// One question that a session votes on.
struct ConsensusDecision: StrategyPart {
    private enum Phase: Sendable { case drafting, voting, over }

    /// An option and the name it has on ballots.
    private struct Proposal: Sendable {
        let name: String
        let value: JSONValue
    }

    private let brief: PartBrief
    private let parameters: ConsensusParameters
    /// Those who may vote, in the order in which they joined.
    private var voters: [AgentDescriptor] = []
    private var phase = Phase.drafting
    /// From 1; each revision is one more.
    private var round = 1
    /// Phases so far: their works and timers have names of their own.
    private var phases = 0
    private var open: [WorkID: AgentID] = [:]
    private var drafts: [AgentID: JSONValue] = [:]
    private var proposals: [Proposal] = []
    private var box: BallotBox?
    private var hasRevoted = false
    private var isExtended = false
    /// What the next draft or ballot has to know of the round before.
    private var previous: JSONValue?
    /// What it came to.
    private(set) var outcome: OutcomeProposal?

    init(_ brief: PartBrief, _ parameters: ConsensusParameters) {
        (self.brief, self.parameters) = (brief, parameters)
    }

    /// Everybody: it says nothing about who is busy.
    var holder: AgentID? { nil }

    private var givenOptions: [JSONValue]? { brief.payload["options"]?.array }

    private var timer: String { "\(brief.prefix)phase/\(phases)" }

    // MARK: - What happens

    mutating func begin(_ session: PartSurroundings) -> [StrategyCommand] {
        voters = session.roster.filter { agent in
            agent.role != .observer
                && (parameters.voters.isEmpty || parameters.voters.contains(agent.id))
        }
        if let impossible { return finish(impossible) }
        return beginRound(session)
    }

    /// What it comes to if a vote is impossible.
    private var impossible: OutcomeProposal? {
        if let absent = parameters.named.first(where: { name in !voters.contains { $0.id == name } }
        ) {
            return OutcomeProposal(
                .failed(.unassignable),
                explanation: "\(absent) is named in the parameters and does not vote in the session"
            )
        }
        let needed = parameters.quorum.needed(of: voters.count)
        guard needed > voters.count else { return nil }
        return OutcomeProposal(
            .failed(.noQuorum),
            explanation: "the quorum is \(needed), and there are \(voters.count) voters")
    }

    /// Asks for drafts, or at once for ballots if the options are given.
    private mutating func beginRound(_ session: PartSurroundings) -> [StrategyCommand] {
        guard let options = givenOptions else { return draft(session) }
        return vote(on: named(distinct(options)), session)
    }

    mutating func take(_ end: WorkEnd, _ session: PartSurroundings) -> [StrategyCommand] {
        guard let agent = open.removeValue(forKey: end.work) else {
            return end.answer == nil
                ? [] : [.note("\(end.work) came late: it is recorded and does not count")]
        }
        switch phase {
        case .drafting:
            if let answer = end.answer { drafts[agent] = answer.value }
            return open.isEmpty ? closeDrafts(session) : []
        case .voting:
            let notes = cast(end, by: agent)
            return box?.isSettled == true ? notes + close(session) : notes
        case .over: return []
        }
    }

    mutating func timeIsUp(_ timer: String, _ session: PartSurroundings) -> [StrategyCommand] {
        guard timer == self.timer else { return [] }
        switch phase {
        case .drafting: return closeDrafts(session)
        case .voting:
            guard let box, let time = parameters.time else { return [] }
            let needed = box.terms.quorum.needed(of: box.voters.count)
            guard box.present < needed, !isExtended else { return close(session) }
            isExtended = true
            return [
                .note(
                    "\(box.present) of \(needed) needed votes are in: there is as much time again"),
                .setTimer(timer, after: time),
            ]
        case .over: return []
        }
    }

    // MARK: - Drafts

    private mutating func draft(_ session: PartSurroundings) -> [StrategyCommand] {
        phase = .drafting
        let drafters = voters.filter { agent in
            agent.role.takesWork && brief.requires.allSatisfy { agent.score(of: $0) != nil }
        }
        var payload = brief.input
        payload["round"] = JSONValue(round)
        payload.set("previous", previous)
        let commands = ask(drafters, .draft, .object(payload), session)
        return open.isEmpty ? commands + closeDrafts(session) : commands
    }

    private mutating func closeDrafts(_ session: PartSurroundings) -> [StrategyCommand] {
        let commands = takeBack()
        let inOrder = voters.compactMap { drafts[$0.id] }
        guard !inOrder.isEmpty else {
            return commands
                + finish(
                    OutcomeProposal(.failed(.workFailed), explanation: "nobody made a proposal"))
        }
        let distinct = distinct(inOrder)
        var notes: [StrategyCommand] = []
        if distinct.count < inOrder.count {
            notes = [.note("\(inOrder.count) drafts are \(distinct.count) proposals")]
        }
        return commands + notes + vote(on: named(distinct), session)
    }

    /// Each proposal once, the first of equal ones. Texts that differ only in case and in spaces are equal.
    private func distinct(_ values: [JSONValue]) -> [JSONValue] {
        var seen: Set<JSONValue> = []
        return values.filter { value in
            let key = value.string.map { text in
                JSONValue(
                    text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " "))
            }
            return seen.insert(key ?? value).inserted
        }
    }

    private func named(_ values: [JSONValue]) -> [Proposal] {
        values.prefix(BallotBox.mostOptions).enumerated().map {
            Proposal(name: "p\($0.offset + 1)", value: $0.element)
        }
    }

    // MARK: - Ballots

    private mutating func vote(on proposals: [Proposal], _ session: PartSurroundings)
        -> [StrategyCommand]
    {
        phase = .voting
        isExtended = false
        self.proposals = proposals
        let terms = parameters.terms(
            leader: session.leader, seed: session.seed, mayRevote: !hasRevoted)
        do throws(BallotError) {
            var weighted: [Voter] = []
            for agent in voters {
                weighted.append(try Voter(agent.id, weight: parameters.weights[agent.id] ?? 1))
            }
            box = try BallotBox(options: proposals.map(\.name), voters: weighted, terms: terms)
        } catch {
            return finish(OutcomeProposal(.failed(.noDecision), explanation: "\(error)"))
        }
        var payload = brief.input
        payload["round"] = JSONValue(round)
        payload["options"] = .array(
            proposals.map { ["id": .string($0.name), "proposal": $0.value] })
        payload["form"] = .string(parameters.rule.form.rawValue)
        payload["example"] = parameters.rule.form.example
        if case .score(let most) = parameters.rule { payload["points"] = JSONValue(most) }
        payload.set("previous", previous)
        let commands = ask(voters, .vote, .object(payload), session)
        for agent in voters where !open.values.contains(agent.id) { box?.withdraw(agent.id) }
        return open.isEmpty ? commands + close(session) : commands
    }

    private mutating func cast(_ end: WorkEnd, by agent: AgentID) -> [StrategyCommand] {
        guard let answer = end.answer else {
            box?.withdraw(agent)
            return []
        }
        do throws(BallotError) {
            let ballot = try Ballot(
                json: answer.value, from: agent, on: proposals.map(\.name))
            try box?.cast(ballot)
            return []
        } catch {
            box?.withdraw(agent)
            return [.note("\(error)")]
        }
    }

    private mutating func close(_ session: PartSurroundings) -> [StrategyCommand] {
        guard let result = box?.close() else { return [] }
        let commands = takeBack() + [.note(summary(result))]
        switch result.outcome {
        case .decided(let option):
            return commands + finish(decided(option, result))
        case .revote(let options) where session.mayGoOn:
            hasRevoted = true
            previous = review(result)
            return commands + vote(on: options.map { proposals[$0] }, session)
        case .noQuorum:
            let explanation =
                "\(result.present) of \(result.needed) voters took part: whatever they want is no decision"
            return commands
                + finish(
                    OutcomeProposal(
                        .failed(.noQuorum), value: review(result), explanation: explanation))
        case .ruleNotMet, .tied, .vetoed, .revote:
            guard round <= parameters.revisions, session.mayGoOn else {
                return commands + finish(undecided(result))
            }
            round += 1
            hasRevoted = false
            previous = review(result)
            return commands + beginRound(session)
        }
    }

    // MARK: - What it came to

    private mutating func finish(_ outcome: OutcomeProposal) -> [StrategyCommand] {
        phase = .over
        self.outcome = outcome
        return []
    }

    private func decided(_ option: Int, _ result: BallotResult) -> OutcomeProposal {
        var value = object(result)
        value["decision"] = proposals[option].value
        return OutcomeProposal(
            .completed, value: .object(value), explanation: summary(result),
            dissent: result.dissent.map { dissent in
                var opinion: JSONObject = [
                    "favors": .array(dissent.favorites.map { proposals[$0].value })
                ]
                opinion.set("reason", dissent.rationale.map { .string($0) })
                return Dissent(dissent.voter, .object(opinion))
            })
    }

    private func undecided(_ result: BallotResult) -> OutcomeProposal {
        let isVetoed = if case .vetoed = result.outcome { true } else { false }
        return OutcomeProposal(
            isVetoed ? .rejected : .failed(.noDecision), value: review(result),
            explanation: summary(result))
    }

    private func review(_ result: BallotResult) -> JSONValue { .object(object(result)) }

    private func object(_ result: BallotResult) -> JSONObject {
        var object: JSONObject = [
            "round": JSONValue(round), "result": .string(outcomeName(result.outcome)),
            "agreement": JSONValue(result.agreement) ?? 0,
            "standings": .array(
                result.standings.map { standing in
                    [
                        "id": .string(proposals[standing.option].name),
                        "proposal": proposals[standing.option].value,
                        "points": JSONValue(standing.points) ?? 0,
                    ]
                }),
        ]
        let reasons = result.ballots.compactMap(\.rationale)
        if !reasons.isEmpty { object["reasons"] = reasons.jsonTexts }
        let vetoes = result.ballots.compactMap(\.veto)
        if !vetoes.isEmpty {
            object["vetoes"] = .array(
                vetoes.map {
                    ["id": .string(proposals[$0.option].name), "reason": .string($0.reason)]
                })
        }
        return object
    }

    private func outcomeName(_ outcome: BallotOutcome) -> String {
        switch outcome {
        case .decided: "decided"
        case .revote: "revote"
        case .tied: "tied"
        case .ruleNotMet: "ruleNotMet"
        case .vetoed: "vetoed"
        case .noQuorum: "noQuorum"
        }
    }

    private func summary(_ result: BallotResult) -> String {
        func names(_ options: [Int]) -> String {
            options.map { proposals[$0].name }.joined(separator: ", ")
        }
        let outcome =
            switch result.outcome {
            case .decided(let option):
                "\(proposals[option].name) won"
                    + (result.brokenBy.map { ", after a tie, by \($0.rawValue)" } ?? "")
            case .revote(let options): "\(names(options)) are equal and voted on again"
            case .tied(let options): "\(names(options)) are equal"
            case .ruleNotMet: "no proposal has what the rule asks for"
            case .vetoed(let option): "\(proposals[option].name) would have won and was vetoed"
            case .noQuorum: "too few took part"
            }
        return
            "\(brief.prefix)round \(round): \(outcome); \(result.present) of \(voters.count) took part"
    }

    // MARK: - Works

    /// Asks those of the agents that are still there.
    private mutating func ask(
        _ agents: [AgentDescriptor], _ kind: WorkKind, _ payload: JSONValue,
        _ session: PartSurroundings
    ) -> [StrategyCommand] {
        phases += 1
        let there = Set(session.roster.map(\.id))
        let agents = agents.filter { there.contains($0.id) }
        // Drafts are one half of a part, ballots the other.
        let half = givenOptions == nil ? 0.5 : 1
        var commands: [StrategyCommand] = agents.map { agent in
            let id = WorkID(made: "\(brief.prefix)\(kind)/\(phases)/\(agent.id)")
            open[id] = agent.id
            return .assign(
                Work(
                    id, kind: kind, text: brief.text, payload: payload,
                    assignee: .agent(agent.id),
                    weight: brief.weight * half / Double(agents.count)))
        }
        if let time = parameters.time { commands.append(.setTimer(timer, after: time)) }
        return commands
    }

    private mutating func takeBack() -> [StrategyCommand] {
        let late = open.keys.sorted()
        open = [:]
        return (parameters.time == nil ? [] : [.cancelTimer(timer)]) + late.map { .cancel($0) }
    }
}
