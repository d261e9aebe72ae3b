// BallotTally.swift — the sums of a vote, kept while ballots come, so that each costs little. Next:
// BallotSchulze.swift.

/// The sums of a vote. All in millionths of a vote, so that they are the same in whatever order ballots come.
struct BallotTally: Sendable {
    let rule: BallotRule
    let optionCount: Int
    /// By option: votes, approvals or points; for Borda twice the points, because shares of them may be halves.
    private(set) var points: [Int64]
    /// For Schulze: how many votes prefer the row's option to the column's.
    private(set) var pairs: [Int64]
    /// Votes that are no abstentions.
    private(set) var cast: Int64 = 0
    /// Of these, votes that favor an option.
    private(set) var favoring: Int64 = 0
    /// Voters whose ballot is in.
    private(set) var present = 0

    init(_ rule: BallotRule, options: Int) {
        (self.rule, optionCount) = (rule, options)
        points = Array(repeating: 0, count: options)
        pairs = rule == .schulze ? Array(repeating: 0, count: options * options) : []
    }

    mutating func add(_ mark: BallotMark, weight: Int64) {
        present += 1
        if mark == .abstention { return }
        cast += weight
        if !mark.favorites.isEmpty { favoring += weight }
        switch mark {
        case .abstention, .noneOfThem: break
        case .choice(let option): points[option] += weight
        case .approval(let options): for option in options { points[option] += weight }
        case .scores(let scores):
            for option in 0..<optionCount { points[option] += weight * Int64(scores[option]) }
        case .ranking(let order):
            if rule == .schulze {
                addPairs(order, weight: weight)
            } else {
                addBorda(order, weight: weight)
            }
        }
    }

    /// The n-th of m options has m-n points; those left out have the mean of what is left.
    private mutating func addBorda(_ order: [Int], weight: Int64) {
        let shared = Int64(optionCount - order.count - 1)
        var isRanked = Array(repeating: false, count: optionCount)
        for (rank, option) in order.enumerated() {
            points[option] += weight * Int64(2 * (optionCount - 1 - rank))
            isRanked[option] = true
        }
        for option in 0..<optionCount where !isRanked[option] { points[option] += weight * shared }
    }

    private mutating func addPairs(_ order: [Int], weight: Int64) {
        var isAbove = Array(repeating: false, count: optionCount)
        for option in order {
            isAbove[option] = true
            for other in 0..<optionCount where !isAbove[other] {
                pairs[option * optionCount + other] += weight
            }
        }
    }

    // MARK: - Who wins

    /// The options that the rule elects, in rising order: several at a tie, none if it is not met.
    func winners(eligible: Int64) -> [Int] {
        guard favoring > 0 else { return [] }
        switch rule {
        case .schulze: return BallotPaths(pairs, options: optionCount).unbeaten
        case .plurality, .approval, .borda, .score:
            let most = points.max()
            return points.indices.filter { points[$0] == most }
        case .simpleMajority, .absoluteMajority, .supermajority, .unanimity:
            return points.indices.filter { isEnough(points[$0], cast: cast, eligible: eligible) }
        }
    }

    /// Whether so many of the votes cast win by a rule that asks for a share of them.
    private func isEnough(_ votes: Int64, cast: Int64, eligible: Int64) -> Bool {
        switch rule {
        case .simpleMajority: 2 * votes > cast
        case .absoluteMajority: 2 * votes > eligible
        case .supermajority(let share): share.isReached(by: votes, of: cast)
        case .unanimity(let abstentionsAllowed): votes == (abstentionsAllowed ? cast : eligible)
        case .plurality, .approval, .borda, .schulze, .score: false
        }
    }

    /// The option that wins whatever `outstanding` more votes say, if there is one.
    ///
    /// Exact for votes and majorities; for rankings there may be one without its being found.
    func certainWinner(outstanding: Int64, eligible: Int64) -> Int? {
        guard favoring > 0 else { return nil }
        /// Whether `option` stays above each other that may gain so much on it with each vote.
        func leads(_ option: Int, gain: Int64) -> Bool {
            points.indices.allSatisfy {
                $0 == option || points[option] - points[$0] > outstanding * gain
            }
        }
        return points.indices.first { option in
            switch rule {
            case .plurality, .approval: leads(option, gain: 1)
            case .borda: leads(option, gain: 2 * Int64(optionCount - 1))
            case .score(let most): leads(option, gain: Int64(most))
            case .schulze:
                (0..<optionCount).allSatisfy { other in
                    other == option
                        || pairs[option * optionCount + other]
                            > pairs[other * optionCount + option] + outstanding
                }
            case .simpleMajority, .absoluteMajority, .supermajority, .unanimity:
                isEnough(points[option], cast: cast + outstanding, eligible: eligible)
            }
        }
    }

    /// Whether no option can win any more, whatever `outstanding` more votes say.
    func isLost(outstanding: Int64, eligible: Int64) -> Bool {
        switch rule {
        case .plurality, .approval, .borda, .schulze, .score: false
        case .simpleMajority, .absoluteMajority, .supermajority, .unanimity:
            !points.contains {
                isEnough($0 + outstanding, cast: cast + outstanding, eligible: eligible)
            }
        }
    }

    /// What each option has, as people count it.
    var standings: [BallotStanding] {
        let unit = Double(Voter.wholeVote)
        let values: [Double]
        switch rule {
        case .schulze: values = BallotPaths(pairs, options: optionCount).ranks.map(Double.init)
        case .borda: values = points.map { Double($0) / (2 * unit) }
        default: values = points.map { Double($0) / unit }
        }
        return values.indices.map { BallotStanding(option: $0, points: values[$0]) }.sorted {
            ($1.points, $0.option) < ($0.points, $1.option)
        }
    }
}
