// BallotRandom.swift — random votes, and rules counted the slow and obvious way. Next: BallotPropertyTests.swift.

import NocturneCoordination

/// A random vote that every rule may be tried on.
struct RandomVote {
    var options: [String]
    var voters: [Voter]
    var terms: BallotTerms
    var ballots: [Ballot]

    static let rules: [BallotRule] = [
        .plurality, .simpleMajority, .absoluteMajority, twoThirds,
        .unanimity(abstentionsAllowed: true), .unanimity(abstentionsAllowed: false), .approval,
        .borda, .schulze, .score(upTo: 4),
    ]
    private static var twoThirds: BallotRule {
        Share(2, of: 3).map { .supermajority($0) } ?? .simpleMajority
    }

    init(_ rule: BallotRule, mostOptions: Int, mostVoters: Int, _ dice: inout SeededGenerator)
        throws
    {
        let names = ["ash", "elm", "fir", "oak", "yew"]
        options = Array(names.prefix(1 + dice.below(mostOptions)))
        voters = []
        for number in 0...dice.below(mostVoters) {
            voters.append(try Voter(AgentID(stringLiteral: "v\(number)")))
        }
        terms = BallotTerms(rule)
        terms.ties = []
        ballots = []
        for voter in voters {
            let mark = Self.mark(rule, options: options.count, &dice)
            ballots.append(Ballot(voter.id, mark, confidence: Double(dice.below(5)) / 4))
        }
    }

    /// What a vote comes to if all these ballots are cast.
    func result(of ballots: [Ballot]? = nil) throws -> BallotResult {
        var box = try BallotBox(options: options, voters: voters, terms: terms)
        for ballot in ballots ?? self.ballots { try box.cast(ballot) }
        return box.close()
    }

    static func mark(_ rule: BallotRule, options: Int, _ dice: inout SeededGenerator) -> BallotMark
    {
        if dice.oneIn(8) { return .abstention }
        if dice.oneIn(8) { return .noneOfThem }
        switch rule.form {
        case .choice: return .choice(dice.below(options))
        case .approval:
            let approved = (0..<options).filter { _ in dice.oneIn(2) }
            return approved.isEmpty ? .noneOfThem : .approval(approved)
        case .ranking:
            let order = Array(0..<options).shuffled(using: &dice)
            return .ranking(Array(order.prefix(1 + dice.below(options))))
        case .scores: return .scores((0..<options).map { _ in dice.below(5) })
        }
    }

    /// Every mark that a voter could make.
    static func allMarks(_ rule: BallotRule, options: Int) -> [BallotMark] {
        let all = Array(0..<options)
        var marks: [BallotMark] = [.abstention, .noneOfThem]
        switch rule.form {
        case .choice: marks += all.map { .choice($0) }
        case .approval:
            marks += (1..<(1 << options)).map { bits in
                .approval(all.filter { bits & (1 << $0) != 0 })
            }
        case .ranking:
            marks += permutations(all).flatMap { order in
                (1...options).map { BallotMark.ranking(Array(order.prefix($0))) }
            }
        case .scores:
            marks += all.reduce([[]]) { lists, _ in
                lists.flatMap { list in [0, 4].map { list + [$0] } }
            }.map { .scores($0) }
        }
        return marks
    }

    static func permutations(_ list: [Int]) -> [[Int]] {
        guard list.count > 1 else { return [list] }
        return list.indices.flatMap { index in
            var rest = list
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }
}

/// The options that a rule elects, from its definition and without thought for speed.
struct SlowCount {
    let rule: BallotRule
    let options: Int
    let voters: Int
    let marks: [BallotMark]

    private var cast: [BallotMark] { marks.filter { $0 != .abstention } }

    var winners: [Int] {
        let all = Array(0..<options)
        guard cast.contains(where: { !$0.favorites.isEmpty }) else { return [] }
        switch rule {
        case .plurality: return most { Double(votes($0)) }
        case .simpleMajority: return all.filter { votes($0) > cast.count - votes($0) }
        case .absoluteMajority: return all.filter { votes($0) > voters - votes($0) }
        case .supermajority: return all.filter { 3 * votes($0) >= 2 * cast.count }
        case .unanimity(let abstentionsAllowed):
            return all.filter { option in
                (abstentionsAllowed ? cast : marks).allSatisfy { $0 == .choice(option) }
            }
        case .approval:
            return most { option in
                Double(
                    cast.count {
                        if case .approval(let approved) = $0 {
                            approved.contains(option)
                        } else {
                            false
                        }
                    })
            }
        case .score:
            return most { option in
                cast.reduce(0.0) { sum, mark in
                    if case .scores(let points) = mark { sum + Double(points[option]) } else { sum }
                }
            }
        case .borda: return most { option in orders.reduce(0) { $0 + meanPoints(option, in: $1) } }
        case .schulze:
            return all.filter { option in
                all.allSatisfy { other in
                    other == option || path(option, other) >= path(other, option)
                }
            }
        }
    }

    /// The one that beats each other in pairs.
    var condorcetWinner: Int? {
        (0..<options).first { option in
            (0..<options).allSatisfy {
                $0 == option || preferring(option, $0) > preferring($0, option)
            }
        }
    }

    private func votes(_ option: Int) -> Int { cast.count { $0 == .choice(option) } }

    private func most(_ points: (Int) -> Double) -> [Int] {
        let values = (0..<options).map(points)
        let best = values.max() ?? 0
        return values.indices.filter { abs(values[$0] - best) < 1e-6 }
    }

    private var orders: [[Int]] {
        cast.compactMap { if case .ranking(let order) = $0 { order } else { nil } }
    }

    /// A ballot that leaves options out stands for all ways to go on, each as much as the other.
    private func meanPoints(_ option: Int, in order: [Int]) -> Double {
        let rest = (0..<options).filter { !order.contains($0) }
        let whole = RandomVote.permutations(rest).map { order + $0 }
        let sum = whole.reduce(0) { $0 + options - 1 - ($1.firstIndex(of: option) ?? 0) }
        return Double(sum) / Double(whole.count)
    }

    private func preferring(_ one: Int, _ other: Int) -> Int {
        orders.count { order in
            (order.firstIndex(of: one) ?? options) < (order.firstIndex(of: other) ?? options)
        }
    }

    /// The strongest of all paths that meet no option twice.
    private func path(_ from: Int, _ to: Int, without met: Set<Int> = []) -> Int {
        (0..<options).reduce(0) { best, next in
            guard next != from, !met.contains(next) else { return best }
            let (ahead, behind) = (preferring(from, next), preferring(next, from))
            guard ahead > behind else { return best }
            if next == to { return max(best, ahead) }
            return max(best, min(ahead, path(next, to, without: met.union([from]))))
        }
    }
}
