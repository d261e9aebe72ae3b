// BallotTerms.swift — what is agreed before a vote: who votes, by which rule, and what happens at a tie. Next:
// BallotBox.swift.

/// One who may vote.
public struct Voter: Sendable, Hashable {
    /// Who.
    public let id: AgentID
    /// In millionths of a vote, so that sums are exact in any order.
    let weight: Int64

    /// One vote.
    static let wholeVote: Int64 = 1_000_000
    /// Votes that one voter may have.
    public static let weights = 0.000_001...1_000.0

    /// A voter whose vote counts `weight` times.
    ///
    /// - Throws: ``BallotError/invalidWeight(_:_:)`` outside ``weights``.
    public init(_ id: AgentID, weight: Double = 1) throws(BallotError) {
        guard Self.weights.contains(weight) else { throw .invalidWeight(id, weight) }
        (self.id, self.weight) = (id, Int64((weight * Double(Self.wholeVote)).rounded()))
    }
}

/// What is agreed before a vote.
public struct BallotTerms: Sendable, Hashable {
    /// What it takes to win.
    public var rule: BallotRule
    /// How many must take part.
    public var quorum = Quorum.voters(1)
    /// How a tie is broken: by the first of these that leaves one. With none of them a tie is no decision.
    public var ties: [TieBreak] = [.leader, .confidence, .earlier]
    /// Whose favorite wins a tie that ``TieBreak/leader`` breaks.
    public var leader: AgentID?
    /// Who may forbid an option.
    public var vetoers: Set<AgentID> = []
    /// A vetoed option wins nevertheless if at least this share of the votes for any option favors it.
    public var vetoOverride: Share?
    /// For ``TieBreak/hash``.
    public var seed: UInt64 = 0

    /// A vote by this rule, in which one voter is enough.
    public init(_ rule: BallotRule) { self.rule = rule }
}

/// Why a vote cannot be held, or a ballot not be taken.
public enum BallotError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No option, too many of them, or two of one name.
    case invalidOptions(String)
    /// No voter, too many of them, or one twice.
    case invalidVoters(String)
    /// A weight outside ``Voter/weights``.
    case invalidWeight(AgentID, Double)
    /// A rule, quorum or override that makes no sense.
    case invalidTerms(String)
    /// The agent may not vote here.
    case notEligible(AgentID)
    /// The agent voted in this round. The first ballot counts.
    case alreadyVoted(AgentID)
    /// The vote is closed.
    case late(AgentID)
    /// There is no such option.
    case unknownOption(AgentID, String)
    /// The ballot is not what the rule counts.
    case wrongForm(AgentID, String)
    /// The agent has no veto, or gave no reason.
    case invalidVeto(AgentID, String)

    /// What is wrong with which, and what would be right.
    public var description: String {
        switch self {
        case .invalidOptions(let why): "the options cannot be voted on: \(why)"
        case .invalidVoters(let why): "the voters cannot vote: \(why)"
        case .invalidWeight(let agent, let weight):
            "the vote of \(agent) cannot count \(weight) times, but from \(Voter.weights.lowerBound)"
                + " to \(Voter.weights.upperBound)"
        case .invalidTerms(let why): "the terms of the vote make no sense: \(why)"
        case .notEligible(let agent): "\(agent) may not vote here"
        case .alreadyVoted(let agent):
            "\(agent) voted in this round already; the first ballot counts"
        case .late(let agent): "the ballot of \(agent) came after the close and does not count"
        case .unknownOption(let agent, let option):
            "\(agent) voted for \(option), which is no option"
        case .wrongForm(let agent, let why): "the ballot of \(agent) cannot be counted: \(why)"
        case .invalidVeto(let agent, let why): "the veto of \(agent) is refused: \(why)"
        }
    }
}
