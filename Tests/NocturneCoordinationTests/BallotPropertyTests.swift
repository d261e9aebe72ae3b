// BallotPropertyTests.swift — what is true of every vote, tried on thousands of random ones. Next: BallotTests.swift.

import NocturneCoordination
import Testing

@Suite struct BallotPropertyTests {
    private static let rules = RandomVote.rules
    private static let rounds = 200

    /// What the rule's winners come to when no tie is broken.
    private func outcome(of winners: [Int]) -> BallotOutcome {
        switch winners.count {
        case 0: .ruleNotMet
        case 1: .decided(winners[0])
        default: .tied(winners)
        }
    }

    @Test(arguments: rules)
    func `each rule elects what a slow count from its definition elects`(rule: BallotRule) throws {
        var dice = SeededGenerator(seed: 1)
        for _ in 0..<Self.rounds {
            let vote = try RandomVote(rule, mostOptions: 5, mostVoters: 9, &dice)
            let slow = SlowCount(
                rule: rule, options: vote.options.count, voters: vote.voters.count,
                marks: vote.ballots.map(\.mark))
            #expect(try vote.result().outcome == outcome(of: slow.winners), "\(vote)")
        }
    }

    @Test(arguments: rules)
    func `who casts which ballot, and when, makes no difference`(rule: BallotRule) throws {
        var dice = SeededGenerator(seed: 2)
        for _ in 0..<Self.rounds {
            var vote = try RandomVote(rule, mostOptions: 5, mostVoters: 9, &dice)
            vote.terms.ties = [.confidence]
            let swapped = zip(vote.voters, vote.ballots.shuffled(using: &dice)).map {
                var ballot = $0.1
                ballot.voter = $0.0.id
                return ballot
            }
            let (one, other) = (
                try vote.result(), try vote.result(of: swapped.shuffled(using: &dice))
            )
            #expect(one.outcome == other.outcome)
            #expect(one.standings == other.standings)
            #expect(abs(one.agreement - other.agreement) < 1e-9)
        }
    }

    @Test(arguments: rules)
    func `options that trade places trade results`(rule: BallotRule) throws {
        var dice = SeededGenerator(seed: 3)
        for _ in 0..<Self.rounds {
            var vote = try RandomVote(rule, mostOptions: 5, mostVoters: 9, &dice)
            (vote.terms.ties, vote.terms.seed) = ([.confidence, .hash], dice.next())
            let places = Array(vote.options.indices).shuffled(using: &dice)
            var moved = vote
            for (from, to) in places.enumerated() { moved.options[to] = vote.options[from] }
            moved.ballots = vote.ballots.map {
                var ballot = $0
                ballot.mark = ballot.mark.moved(places)
                return ballot
            }
            let (one, other) = (try vote.result().outcome, try moved.result().outcome)
            guard case .decided(let winner) = one else {
                #expect(one == other)
                continue
            }
            #expect(other == .decided(places[winner]))
        }
    }

    @Test(arguments: rules)
    func `who wins still wins when a voter thinks better of it`(rule: BallotRule) throws {
        var dice = SeededGenerator(seed: 4)
        var raised = 0
        for _ in 0..<Self.rounds {
            var vote = try RandomVote(rule, mostOptions: 5, mostVoters: 9, &dice)
            guard case .decided(let winner) = try vote.result().outcome else { continue }
            let voter = dice.below(vote.ballots.count)
            guard vote.ballots[voter].mark != .abstention else { continue }
            vote.ballots[voter].mark = vote.ballots[voter].mark.raising(winner, form: rule.form)
            #expect(try vote.result().outcome == .decided(winner), "\(vote)")
            raised += 1
        }
        #expect(raised > 0)
    }

    @Test func `who beats each other one against one wins by Schulze's rule`() throws {
        var dice = SeededGenerator(seed: 5)
        var found = 0
        for _ in 0..<(4 * Self.rounds) {
            let vote = try RandomVote(.schulze, mostOptions: 5, mostVoters: 9, &dice)
            let slow = SlowCount(
                rule: .schulze, options: vote.options.count, voters: vote.voters.count,
                marks: vote.ballots.map(\.mark))
            guard vote.options.count > 1, let winner = slow.condorcetWinner else { continue }
            #expect(try vote.result().outcome == .decided(winner))
            found += 1
        }
        #expect(found > Self.rounds)
    }

    /// Every way in which those who have not voted could go on, staying away among them.
    @Test(arguments: rules)
    func `a vote is settled early only when nothing can change, and if it is by choices, always`(
        rule: BallotRule
    ) throws {
        var dice = SeededGenerator(seed: 6)
        var early = 0
        for _ in 0..<(rule.form == .choice ? Self.rounds : Self.rounds / 2) {
            var vote = try RandomVote(
                rule, mostOptions: rule.form == .ranking ? 2 : 3, mostVoters: 7, &dice)
            vote.terms.quorum = .voters(dice.below(vote.voters.count + 1))
            let missing = min(vote.ballots.count, dice.below(3))
            vote.ballots.removeLast(missing)

            var box = try BallotBox(options: vote.options, voters: vote.voters, terms: vote.terms)
            for ballot in vote.ballots { try box.cast(ballot) }
            let outcomes = try Self.futures(of: box, rule)
            if box.isSettled {
                #expect(outcomes.count == 1, "\(vote)")
                early += missing > 0 ? 1 : 0
            } else if rule.form == .choice {
                #expect(outcomes.count > 1, "\(vote)")
            }
        }
        #expect(early > 0)
    }

    private static func futures(of box: BallotBox, _ rule: BallotRule) throws -> Set<BallotOutcome>
    {
        guard let voter = box.missing.first else {
            var box = box
            return [box.close().outcome]
        }
        var absent = box
        absent.withdraw(voter)
        var outcomes = try futures(of: absent, rule)
        for mark in RandomVote.allMarks(rule, options: box.options.count) {
            var next = box
            try next.cast(Ballot(voter, mark))
            outcomes.formUnion(try futures(of: next, rule))
        }
        return outcomes
    }
}

extension BallotMark {
    fileprivate func moved(_ places: [Int]) -> BallotMark {
        switch self {
        case .abstention, .noneOfThem: return self
        case .choice(let option): return .choice(places[option])
        case .approval(let options): return .approval(options.map { places[$0] }.sorted())
        case .ranking(let order): return .ranking(order.map { places[$0] })
        case .scores(let points):
            var moved = points
            for (from, to) in places.enumerated() { moved[to] = points[from] }
            return .scores(moved)
        }
    }

    /// The same, but for `option` one place or point better; alone if nothing was wanted.
    fileprivate func raising(_ option: Int, form: BallotForm) -> BallotMark {
        switch self {
        case .abstention: return self
        case .noneOfThem where form == .approval: return .approval([option])
        case .noneOfThem where form == .ranking: return .ranking([option])
        case .noneOfThem: return form == .choice ? .choice(option) : self
        case .choice: return .choice(option)
        case .approval(let options): return .approval(Set(options).union([option]).sorted())
        case .ranking(var order):
            guard let place = order.firstIndex(of: option) else {
                return .ranking(order + [option])
            }
            if place > 0 { order.swapAt(place, place - 1) }
            return .ranking(order)
        case .scores(var points):
            points[option] = min(4, points[option] + 1)
            return .scores(points)
        }
    }
}
