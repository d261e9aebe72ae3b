// BallotBox.swift — one round of a vote: takes ballots, keeps them secret until it is closed, and says when nothing
// can change any more. Next: BallotResult.swift.

/// One round of a vote. Nobody sees a ballot before ``close()``; the first ballot of each voter counts.
public struct BallotBox: Sendable {
    /// The names of the options, those proposed first at the front.
    public let options: [String]
    /// Who may vote.
    public let voters: [Voter]
    /// What was agreed.
    public let terms: BallotTerms
    /// Whether it takes no more ballots.
    public private(set) var isClosed = false

    private var ballots: [AgentID: Ballot] = [:]
    private var tally: BallotTally
    private let weights: [AgentID: Int64]
    private let eligible: Int64
    /// Those who may still vote.
    private var outstanding: Set<AgentID>
    private var outstandingWeight: Int64

    /// Options that one vote may have. Schulze's rule takes its third power of steps.
    public static let mostOptions = 256
    /// Voters that one vote may have. With it, no sum leaves 64 bits.
    public static let mostVoters = 100_000
    /// Points that one ballot may give to an option.
    public static let mostPoints = 1_000

    /// A vote that is open.
    ///
    /// - Throws: ``BallotError`` for options, voters or terms that make no sense.
    public init(
        options: [String], voters: [Voter], terms: BallotTerms
    ) throws(BallotError) {
        guard (1...Self.mostOptions).contains(options.count) else {
            throw .invalidOptions(
                "there are \(options.count), 1 to \(Self.mostOptions) are possible")
        }
        guard Set(options).count == options.count else {
            throw .invalidOptions("two of them have one name")
        }
        guard (1...Self.mostVoters).contains(voters.count) else {
            throw .invalidVoters("there are \(voters.count), 1 to \(Self.mostVoters) are possible")
        }
        let weights = Dictionary(voters.map { ($0.id, $0.weight) }) { first, _ in first }
        guard weights.count == voters.count else {
            throw .invalidVoters("one of them is there twice")
        }
        try terms.check(voters: voters.count)
        (self.options, self.voters, self.terms) = (options, voters, terms)
        self.weights = weights
        tally = BallotTally(terms.rule, options: options.count)
        eligible = voters.reduce(0) { $0 + $1.weight }
        outstanding = Set(weights.keys)
        outstandingWeight = eligible
    }

    /// How many voters took part so far.
    public var present: Int { tally.present }

    /// Who may still vote, in the order of the voters.
    public var missing: [AgentID] { voters.map(\.id).filter(outstanding.contains) }

    /// Takes a ballot.
    ///
    /// - Throws: ``BallotError`` for a ballot that does not count, and why. The vote goes on.
    public mutating func cast(_ ballot: Ballot) throws(BallotError) {
        guard let weight = weights[ballot.voter] else { throw .notEligible(ballot.voter) }
        guard !isClosed else { throw .late(ballot.voter) }
        guard ballots[ballot.voter] == nil else { throw .alreadyVoted(ballot.voter) }
        guard outstanding.contains(ballot.voter) else { throw .notEligible(ballot.voter) }
        try check(ballot)
        ballots[ballot.voter] = ballot
        tally.add(ballot.mark, weight: weight)
        withdraw(ballot.voter)
    }

    /// No ballot of this voter will come: it failed, or left. What it cast before stays, and it still counts as one who
    /// could have voted.
    public mutating func withdraw(_ voter: AgentID) {
        guard outstanding.remove(voter) != nil else { return }
        outstandingWeight -= weights[voter] ?? 0
    }

    /// Whether the outcome is the same whatever those say who have not voted, even if they say nothing.
    public var isSettled: Bool {
        if outstanding.isEmpty { return true }
        let needed = terms.quorum.needed(of: voters.count)
        if present < needed { return present + outstanding.count < needed }
        if tally.isLost(outstanding: outstandingWeight, eligible: eligible) { return true }
        guard
            let winner = tally.certainWinner(outstanding: outstandingWeight, eligible: eligible)
        else { return false }
        if ballots.values.contains(where: { $0.veto?.option == winner }) {
            return terms.vetoOverride == nil
        }
        return outstanding.isDisjoint(with: terms.vetoers)
    }

    /// Ends the round and counts. Later ballots are refused; closing again gives the same.
    public mutating func close() -> BallotResult {
        isClosed = true
        return BallotResult(
            options: options, terms: terms, tally: tally, eligible: eligible,
            voterCount: voters.count, ballots: voters.compactMap { ballots[$0.id] },
            weights: weights)
    }

    // MARK: - What is allowed

    private func check(_ ballot: Ballot) throws(BallotError) {
        if let form = ballot.mark.form, form != terms.rule.form {
            throw .wrongForm(
                ballot.voter, "it is of the form \(form.rawValue), not \(terms.rule.form.rawValue)")
        }
        if let confidence = ballot.confidence, !(0...1).contains(confidence) {
            throw .wrongForm(ballot.voter, "its confidence is \(confidence), not from 0 to 1")
        }
        switch ballot.mark {
        case .abstention, .noneOfThem: break
        case .choice(let option): try check([option], of: ballot.voter)
        case .approval(let options), .ranking(let options):
            guard !options.isEmpty, Set(options).count == options.count else {
                throw .wrongForm(ballot.voter, "it names nothing, or something twice")
            }
            try check(options, of: ballot.voter)
        case .scores(let points):
            guard case .score(let most) = terms.rule, points.count == options.count,
                points.allSatisfy((0...most).contains)
            else {
                throw .wrongForm(ballot.voter, "it needs points for each option, none too many")
            }
        }
        guard let veto = ballot.veto else { return }
        guard terms.vetoers.contains(ballot.voter) else {
            throw .invalidVeto(ballot.voter, "only agents that the terms name have one")
        }
        guard veto.reason.contains(where: { !$0.isWhitespace }) else {
            throw .invalidVeto(ballot.voter, "it gives no reason")
        }
        try check([veto.option], of: ballot.voter)
    }

    private func check(_ options: [Int], of voter: AgentID) throws(BallotError) {
        for option in options where !self.options.indices.contains(option) {
            throw .unknownOption(voter, "option \(option)")
        }
    }
}

extension BallotTerms {
    func check(voters: Int) throws(BallotError) {
        if case .supermajority(let share) = rule, !share.isMoreThanHalf {
            throw .invalidTerms("a supermajority of \(share) is not more than half")
        }
        if case .score(let most) = rule, !(1...BallotBox.mostPoints).contains(most) {
            throw .invalidTerms("\(most) points, 1 to \(BallotBox.mostPoints) are possible")
        }
        let needed = quorum.needed(of: voters)
        guard (0...voters).contains(needed) else {
            throw .invalidTerms("a quorum of \(needed) of \(voters) voters cannot be met")
        }
    }
}
