// BallotRule.swift — what it takes to win a vote, and what it takes for a vote to count. Next: BallotTerms.swift.

/// A part of a whole, exactly: two thirds are two thirds.
public struct Share: Sendable, Hashable, CustomStringConvertible {
    /// From 0 to `denominator`.
    public let numerator: Int64
    /// From 1 to ``largestDenominator``.
    public let denominator: Int64

    /// Keeps products with all votes of a ballot box within 64 bits.
    public static let largestDenominator: Int64 = 1_000

    /// `nil` if it is no part from 0 to 1, or too fine.
    public init?(_ numerator: Int64, of denominator: Int64) {
        guard (1...Self.largestDenominator).contains(denominator),
            (0...denominator).contains(numerator)
        else { return nil }
        (self.numerator, self.denominator) = (numerator, denominator)
    }

    /// Reads `2/3`.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let numerator = Int64(parts[0]), let denominator = Int64(parts[1])
        else { return nil }
        self.init(numerator, of: denominator)
    }

    /// `2/3`
    public var description: String { "\(numerator)/\(denominator)" }

    /// Whether `part` of `whole` is this much or more.
    func isReached(by part: Int64, of whole: Int64) -> Bool {
        part * denominator >= whole * numerator
    }

    /// Whether two disjoint parts of a whole cannot both be this much.
    var isMoreThanHalf: Bool { 2 * numerator > denominator }
}

/// What it takes for an option to win. Votes count by the weight of the voter.
public enum BallotRule: Sendable, Hashable {
    /// More votes than any other option.
    case plurality
    /// More than half of the votes for any option.
    case simpleMajority
    /// More than half of all votes that there could be.
    case absoluteMajority
    /// At least this share, which is more than half, of the votes for any option.
    case supermajority(Share)
    /// All votes for any option. If abstaining is not allowed, all votes that there could be.
    case unanimity(abstentionsAllowed: Bool)
    /// Approved by more votes than any other.
    case approval
    /// The most points, of which an option has one per ballot for each option it is ranked above; those that a ballot
    /// leaves out share what the ranked ones leave.
    case borda
    /// The winner in pairs, along the strongest paths (Schulze, https://arxiv.org/abs/1804.02973, §2.2, by winning
    /// votes). It elects who beats each other option one against one, if there is such a one.
    case schulze
    /// The greatest sum of points, each from 0 to `upTo`.
    case score(upTo: Int)

    /// The form of its ballots.
    public var form: BallotForm {
        switch self {
        case .plurality, .simpleMajority, .absoluteMajority, .supermajority, .unanimity: .choice
        case .approval: .approval
        case .borda, .schulze: .ranking
        case .score: .scores
        }
    }
}

/// How many must take part for a vote to count. Apart from the rule: whoever abstains takes part.
public enum Quorum: Sendable, Hashable {
    /// At least so many voters.
    case voters(Int)
    /// At least this share of all voters, by head.
    case share(Share)

    /// How many of `eligible` voters must take part.
    public func needed(of eligible: Int) -> Int {
        switch self {
        case .voters(let count): return count
        case .share(let share):
            let (part, whole) = (Int(share.numerator), Int(share.denominator))
            return (eligible * part + whole - 1) / whole
        }
    }
}

/// How one of several options with equally much is taken.
public enum TieBreak: String, Sendable, Hashable, CaseIterable {
    /// The leader's favorite, if it is one of them.
    case leader
    /// The one whose supporters are, on average, the surest.
    case confidence
    /// The one that was proposed first.
    case earlier
    /// Those that are equal are voted on again.
    case revote
    /// One by chance, but in each replay the same: by a hash of the seed and the option's name.
    case hash
}
