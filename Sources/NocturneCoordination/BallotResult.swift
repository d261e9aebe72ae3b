// BallotResult.swift — what came of a round: the outcome, what each option has, and who disagrees. Next:
// BallotJSON.swift.

internal import Glibc

/// What came of a round. A win is always said to be one: neither too few voters nor a tie is.
public enum BallotOutcome: Sendable, Hashable {
    /// This option won.
    case decided(Int)
    /// These had equally much and are to be voted on again.
    case revote([Int])
    /// These had equally much, and no agreed way leaves one of them.
    case tied([Int])
    /// No option has what the rule asks for.
    case ruleNotMet
    /// This option would have won, but was forbidden.
    case vetoed(Int)
    /// Too few took part.
    case noQuorum
}

/// What an option has.
public struct BallotStanding: Sendable, Hashable {
    /// Its position.
    public var option: Int
    /// Votes, approvals or points; by Schulze's rule how many others do not beat it.
    public var points: Double
}

/// One who wanted something else than what was decided.
public struct BallotDissent: Sendable, Hashable {
    /// Who.
    public var voter: AgentID
    /// What it favored. Empty for one who wanted none of the options.
    public var favorites: [Int]
    /// Why.
    public var rationale: String?

    /// One who wanted something else.
    public init(voter: AgentID, favorites: [Int], rationale: String? = nil) {
        (self.voter, self.favorites, self.rationale) = (voter, favorites, rationale)
    }
}

/// What came of a round.
public struct BallotResult: Sendable, Hashable {
    /// What it means.
    public let outcome: BallotOutcome
    /// What broke a tie.
    public let brokenBy: TieBreak?
    /// All options, those with most first.
    public let standings: [BallotStanding]
    /// How many took part.
    public let present: Int
    /// How many must have.
    public let needed: Int
    /// 1 if all favor the same, 0 if all options are favored alike: one minus the entropy of the favorites, as a part
    /// of the most that it can be.
    public let agreement: Double
    /// Who disagrees with the decision; abstaining is not disagreeing.
    public let dissent: [BallotDissent]
    /// All ballots that count, in the order of the voters. No secret now.
    public let ballots: [Ballot]

    init(
        options: [String], terms: BallotTerms, tally: BallotTally, eligible: Int64, voterCount: Int,
        ballots: [Ballot], weights: [AgentID: Int64]
    ) {
        self.ballots = ballots
        (present, needed) = (tally.present, terms.quorum.needed(of: voterCount))
        standings = tally.standings
        agreement = Self.agreement(of: ballots, weights, options: options.count)
        let count = BallotCount(options: options, terms: terms, ballots: ballots, weights: weights)
        if present < needed {
            (outcome, brokenBy) = (.noQuorum, nil)
        } else {
            (outcome, brokenBy) = count.outcome(
                among: tally.winners(eligible: eligible), cast: tally.cast)
        }
        dissent = Self.dissent(from: outcome, in: ballots)
    }

    private static func dissent(from outcome: BallotOutcome, in ballots: [Ballot])
        -> [BallotDissent]
    {
        guard case .decided(let winner) = outcome else { return [] }
        return ballots.compactMap { ballot in
            let favorites = ballot.mark.favorites
            guard ballot.mark != .abstention, !favorites.contains(winner) else { return nil }
            return BallotDissent(
                voter: ballot.voter, favorites: favorites, rationale: ballot.rationale)
        }
    }

    /// Each voter's weight goes in equal parts to its favorites; those without any are left out.
    private static func agreement(
        of ballots: [Ballot], _ weights: [AgentID: Int64], options: Int
    ) -> Double {
        var shares = Array(repeating: 0.0, count: options)
        for ballot in ballots {
            let favorites = ballot.mark.favorites
            let part = Double(weights[ballot.voter] ?? 0) / Double(max(1, favorites.count))
            for option in favorites { shares[option] += part }
        }
        let sum = shares.reduce(0, +)
        guard options > 1, sum > 0 else { return 1 }
        let entropy = shares.reduce(0) { entropy, share in
            share > 0 ? entropy - share / sum * log(share / sum) : entropy
        }
        return min(1, max(0, 1 - entropy / log(Double(options))))
    }
}

/// What the rule's winners come to: vetoes, then ties.
struct BallotCount: Sendable {
    let options: [String]
    let terms: BallotTerms
    let ballots: [Ballot]
    let weights: [AgentID: Int64]

    func outcome(among winners: [Int], cast: Int64) -> (BallotOutcome, TieBreak?) {
        guard let first = winners.first else { return (.ruleNotMet, nil) }
        var rest = winners.filter { !isVetoed($0, cast: cast) }
        if rest.isEmpty { return (.vetoed(first), nil) }
        for tie in terms.ties where rest.count > 1 {
            if tie == .revote { return (.revote(rest), nil) }
            rest = narrowed(rest, by: tie)
            if rest.count == 1 { return (.decided(rest[0]), tie) }
        }
        return rest.count == 1 ? (.decided(rest[0]), nil) : (.tied(rest), nil)
    }

    private func isVetoed(_ option: Int, cast: Int64) -> Bool {
        guard ballots.contains(where: { $0.veto?.option == option }) else { return false }
        guard let override = terms.vetoOverride else { return true }
        let favoring = ballots.reduce(Int64(0)) { sum, ballot in
            ballot.mark.favorites.contains(option) ? sum + (weights[ballot.voter] ?? 0) : sum
        }
        return !override.isReached(by: favoring, of: cast)
    }

    /// Those of `rest` that are left by one way to break ties: all of them if it says nothing.
    private func narrowed(_ rest: [Int], by tie: TieBreak) -> [Int] {
        switch tie {
        case .leader:
            let ballot = ballots.first { $0.voter == terms.leader }
            let preferred = ballot?.mark.preferred(of: rest) ?? []
            return preferred.isEmpty ? rest : preferred
        case .confidence: return surest(of: rest)
        case .earlier: return Array(rest.prefix(1))
        case .revote: return rest
        case .hash:
            let hashes = rest.map { StableHash.of(options[$0], seed: terms.seed) }
            let least = hashes.min()
            return zip(rest, hashes).first { $0.1 == least }.map { [$0.0] } ?? rest
        }
    }

    /// Those whose supporters are on average the surest. Ballots that do not say how sure they are do not count; in
    /// millionths, so that no order of summing matters.
    private func surest(of rest: [Int]) -> [Int] {
        let means = rest.map { option -> (sum: Int64, count: Int64) in
            let said = ballots.filter { $0.mark.favorites.contains(option) }.compactMap(
                \.confidence)
            let sum = said.reduce(Int64(0)) { $0 + Int64(($1 * 1_000_000).rounded()) }
            return (sum, Int64(max(1, said.count)))
        }
        guard
            let best = means.max(by: { $0.sum * $1.count < $1.sum * $0.count })
        else { return rest }
        return zip(rest, means).filter { $0.1.sum * best.count == best.sum * $0.1.count }.map(\.0)
    }
}
