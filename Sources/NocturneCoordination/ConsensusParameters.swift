// ConsensusParameters.swift — how a session votes, as people write it. Next: ConsensusDecision.swift.

internal import NocturneCore

/// What ``ConsensusStrategy`` was told about votes.
struct ConsensusParameters: Sendable {
    /// The rules by the names that people write.
    enum RuleName: String, CaseIterable {
        case plurality, simpleMajority, absoluteMajority, supermajority, unanimity, weighted,
            approval, borda, schulze, score
    }

    /// Points of one option on a ballot of scores, unless it is said otherwise.
    private static let usualPoints = 10

    let rule: BallotRule
    let quorum: Quorum
    let ties: [TieBreak]
    let vetoers: Set<AgentID>
    let vetoOverride: Share?
    let voters: [AgentID]
    let weights: [AgentID: Double]
    let revisions: Int
    let time: Duration?

    init(_ parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        try fields.only(
            "rule", "share", "abstentions", "points", "quorum", "ties", "vetoers", "vetoOverride",
            "voters", "weights", "revisions", "time")
        let ruleName = try fields.choice("rule", RuleName.plurality)
        rule = try Self.rule(ruleName, fields)
        quorum = try Self.quorum(fields)
        ties = try Self.ties(fields)
        vetoers = Set(try fields.agents("vetoers"))
        vetoOverride = try Self.share("vetoOverride", fields)
        voters = try fields.agents("voters")
        weights = try Self.weights(fields)
        if ruleName == .weighted, weights.isEmpty {
            throw fields.malformed("weights", expected: "an object of agents and their weights")
        }
        revisions = try fields.count(ifAny: "revisions") ?? 1
        time = try fields.duration("time")
        var terms = BallotTerms(rule)
        terms.quorum = .voters(0)
        do throws(BallotError) {
            try terms.check(voters: 1)
        } catch {
            throw .invalidParameters(strategy: ConsensusStrategy.name, "\(error)")
        }
    }

    /// All agents that are named, sorted.
    var named: [AgentID] { Set(voters).union(vetoers).union(weights.keys).sorted() }

    func terms(leader: AgentID?, seed: UInt64, mayRevote: Bool) -> BallotTerms {
        var terms = BallotTerms(rule)
        terms.quorum = quorum
        terms.ties = mayRevote ? ties : ties.filter { $0 != .revote }
        terms.leader = leader
        (terms.vetoers, terms.vetoOverride, terms.seed) = (vetoers, vetoOverride, seed)
        return terms
    }

    // MARK: - Reading

    private static func rule(
        _ name: RuleName, _ fields: JSONFields
    ) throws(CoordinationError) -> BallotRule {
        switch name {
        case .plurality, .weighted: return .plurality
        case .simpleMajority: return .simpleMajority
        case .absoluteMajority: return .absoluteMajority
        case .supermajority:
            guard let share = try share("share", fields) ?? Share(2, of: 3) else {
                throw fields.malformed("share", expected: "a share such as \"2/3\"")
            }
            return .supermajority(share)
        case .unanimity:
            return .unanimity(abstentionsAllowed: try fields.flag("abstentions") ?? true)
        case .approval: return .approval
        case .borda: return .borda
        case .schulze: return .schulze
        case .score: return .score(upTo: try fields.count(ifAny: "points") ?? usualPoints)
        }
    }

    private static func share(
        _ key: String, _ fields: JSONFields
    ) throws(CoordinationError) -> Share? {
        guard let text = try fields.string(ifAny: key) else { return nil }
        guard let share = Share(text) else {
            throw fields.malformed(key, expected: "a share such as \"2/3\"")
        }
        return share
    }

    private static func quorum(_ fields: JSONFields) throws(CoordinationError) -> Quorum {
        if fields["quorum"]?.number != nil { return .voters(try fields.count("quorum")) }
        if let share = try share("quorum", fields) { return .share(share) }
        return Share(1, of: 2).map { .share($0) } ?? .voters(1)
    }

    private static func ties(_ fields: JSONFields) throws(CoordinationError) -> [TieBreak] {
        guard fields["ties"] != nil else { return BallotTerms(.plurality).ties }
        var ties: [TieBreak] = []
        for name in try fields.strings("ties") {
            guard let tie = TieBreak(rawValue: name) else {
                throw fields.malformed(
                    "ties",
                    expected: "some of " + TieBreak.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            ties.append(tie)
        }
        return ties
    }

    private static func weights(
        _ fields: JSONFields
    ) throws(CoordinationError) -> [AgentID: Double] {
        guard let value = fields["weights"] else { return [:] }
        guard let object = value.object else {
            throw fields.malformed("weights", expected: "an object of agents and their weights")
        }
        var weights: [AgentID: Double] = [:]
        for (name, weight) in object {
            guard let weight = weight.double, Voter.weights.contains(weight) else {
                throw fields.malformed("weights", expected: "numbers in \(Voter.weights)")
            }
            weights[try AgentID(name)] = weight
        }
        return weights
    }
}
