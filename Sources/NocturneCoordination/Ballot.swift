// Ballot.swift — what one agent says in a vote: its form, how sure it is, why, and a veto. Next: BallotJSON.swift.

/// What a ballot of one rule looks like.
public enum BallotForm: String, Sendable, Hashable, CaseIterable {
    /// One option.
    case choice
    /// Every option that will do.
    case approval
    /// Options from the best down. Those left out are equal, and below all that are named.
    case ranking
    /// Points for options. One left out has none.
    case scores
}

/// What an agent wants, by the positions of the options.
public enum BallotMark: Sendable, Hashable {
    /// Nothing. It counts for the quorum only.
    case abstention
    /// None of the options. It counts as a vote, which no option has.
    case noneOfThem
    /// This option.
    case choice(Int)
    /// Each of these, in rising order.
    case approval([Int])
    /// These, the best first.
    case ranking([Int])
    /// So many points for each option, from 0, as many as there are options.
    case scores([Int])

    /// The form that it fits. `nil` for what fits all.
    public var form: BallotForm? {
        switch self {
        case .abstention, .noneOfThem: nil
        case .choice: .choice
        case .approval: .approval
        case .ranking: .ranking
        case .scores: .scores
        }
    }

    /// The options that it wants most, in rising order: all approved ones, all with the most points.
    public var favorites: [Int] {
        switch self {
        case .abstention, .noneOfThem: return []
        case .choice(let option): return [option]
        case .approval(let options): return options
        case .ranking(let options): return Array(options.prefix(1))
        case .scores(let points):
            guard let most = points.max(), most > 0 else { return [] }
            return points.indices.filter { points[$0] == most }
        }
    }
}

extension BallotMark {
    /// Those of `options` that it prefers to the others of them; none if it has nothing to say about them.
    func preferred(of options: [Int]) -> [Int] {
        switch self {
        case .abstention, .noneOfThem, .choice, .approval: return options.filter(favorites.contains)
        case .ranking(let order):
            guard let best = order.first(where: options.contains) else { return [] }
            return [best]
        case .scores(let points):
            let most = options.map { points[$0] }.max()
            return options.filter { points[$0] == most }
        }
    }
}

/// That an option must not be, and why.
public struct BallotVeto: Sendable, Hashable {
    /// The option's position.
    public var option: Int
    /// Why. Never empty: a veto without a reason is refused.
    public var reason: String

    /// A veto for a reason.
    public init(_ option: Int, reason: String) { (self.option, self.reason) = (option, reason) }
}

/// What one agent says in one round of a vote.
public struct Ballot: Sendable, Hashable {
    /// Whose it is.
    public var voter: AgentID
    /// What the agent wants.
    public var mark: BallotMark
    /// How sure it is, from 0 to 1. It can break a tie and counts for nothing else.
    public var confidence: Double?
    /// Why, in the agent's words.
    public var rationale: String?
    /// An option that it forbids.
    public var veto: BallotVeto?

    /// A ballot.
    public init(
        _ voter: AgentID, _ mark: BallotMark, confidence: Double? = nil, rationale: String? = nil,
        veto: BallotVeto? = nil
    ) {
        (self.voter, self.mark, self.confidence) = (voter, mark, confidence)
        (self.rationale, self.veto) = (rationale, veto)
    }
}
