// BallotTests.swift — votes with known results, quorums, ties, vetoes, and refused ballots. Next: BallotRandom.swift.

import NocturneCoordination
import Testing

@Suite struct BallotTests {
    /// A vote on options named by one letter each.
    private func box(
        _ options: String, voters: Int, _ rule: BallotRule,
        _ change: (inout BallotTerms) -> Void = { _ in }
    ) throws -> BallotBox {
        var terms = BallotTerms(rule)
        change(&terms)
        return try BallotBox(
            options: options.map(String.init),
            voters: (0..<voters).map { try Voter(Self.voter($0)) },
            terms: terms)
    }

    private static func voter(_ number: Int) -> AgentID { AgentID(stringLiteral: "v\(number)") }

    /// What these marks come to, one for each voter.
    private func result(
        _ options: String, _ marks: [BallotMark], _ rule: BallotRule, eligible: Int? = nil,
        _ change: (inout BallotTerms) -> Void = { _ in }
    ) throws -> BallotResult {
        var box = try box(options, voters: eligible ?? marks.count, rule, change)
        for (number, mark) in marks.enumerated() { try box.cast(Ballot(Self.voter(number), mark)) }
        return box.close()
    }

    private func rankings(_ options: String, _ groups: [(Int, String)]) -> [BallotMark] {
        let names = Array(options)
        return groups.flatMap { count, order in
            Array(
                repeating: BallotMark.ranking(order.compactMap { names.firstIndex(of: $0) }),
                count: count)
        }
    }

    // MARK: - Known results

    @Test func `the example of Schulze's paper elects E, then A, C, B, D`() throws {
        // https://en.wikipedia.org/wiki/Schulze_method#Example
        let marks = rankings(
            "ABCDE",
            [
                (5, "ACBED"), (5, "ADECB"), (8, "BEDAC"), (3, "CABED"), (7, "CAEBD"), (2, "CBADE"),
                (7, "DCEBA"), (8, "EBADC"),
            ])
        let result = try result("ABCDE", marks, .schulze)
        #expect(result.outcome == .decided(4))
        #expect(result.standings.map(\.option) == [4, 0, 2, 1, 3])
    }

    @Test func `Tennessee's capital is Nashville by Borda and in pairs, Memphis by plurality`()
        throws
    {
        // https://en.wikipedia.org/wiki/Borda_count#Examples
        let marks = rankings(
            "MNCK", [(42, "MNCK"), (26, "NCKM"), (15, "CKNM"), (17, "KCNM")])
        let borda = try result("MNCK", marks, .borda)
        #expect(borda.standings.map(\.points) == [194, 173, 126, 107])
        #expect(borda.outcome == .decided(1))
        #expect(try result("MNCK", marks, .schulze).outcome == .decided(1))
        let first = marks.map { BallotMark.choice($0.favorites[0]) }
        #expect(try result("MNCK", first, .plurality).outcome == .decided(0))
        #expect(try result("MNCK", first, .simpleMajority).outcome == .ruleNotMet)
    }

    @Test func `options that a ballot leaves out share what is left`() throws {
        // Of 3, 2, 1, 0 points B has 3, so that 2, 1 and 0 are for three options.
        let result = try result("ABCD", [.ranking([1])], .borda)
        #expect(result.standings.map(\.points) == [3, 1, 1, 1])
    }

    @Test(arguments: [
        // Votes for A, for B, for none; abstaining; absent: does A win by simple, absolute, 2/3 majority, unanimity?
        (6, 3, 0, 1, 0, [true, true, true, false]),
        (6, 4, 0, 0, 0, [true, true, false, false]),
        (5, 4, 0, 1, 0, [true, false, false, false]),
        (5, 4, 1, 0, 0, [false, false, false, false]),
        (5, 0, 0, 3, 2, [true, false, true, true]),
        (5, 0, 1, 0, 0, [true, true, true, false]),
        (0, 0, 0, 3, 0, [false, false, false, false]),
    ])
    func `majorities are of votes cast or of all, and whoever abstains casts none`(
        a: Int, b: Int, none: Int, abstaining: Int, absent: Int, wins: [Bool]
    ) throws {
        let marks: [BallotMark] =
            Array(repeating: .choice(0), count: a) + Array(repeating: .choice(1), count: b)
            + Array(repeating: .noneOfThem, count: none)
            + Array(repeating: .abstention, count: abstaining)
        let twoThirds = try #require(Share(2, of: 3))
        let rules: [BallotRule] = [
            .simpleMajority, .absoluteMajority, .supermajority(twoThirds),
            .unanimity(abstentionsAllowed: true),
        ]
        for (rule, isWon) in zip(rules, wins) {
            let outcome = try result("AB", marks, rule, eligible: marks.count + absent).outcome
            #expect(outcome == (isWon ? .decided(0) : .ruleNotMet), "\(rule)")
        }
    }

    @Test func `unanimity may ask everyone for a vote`() throws {
        let rule = BallotRule.unanimity(abstentionsAllowed: false)
        #expect(try result("AB", [.choice(1), .choice(1)], rule).outcome == .decided(1))
        #expect(try result("AB", [.choice(1), .abstention], rule).outcome == .ruleNotMet)
        #expect(try result("AB", [.choice(1)], rule, eligible: 2).outcome == .ruleNotMet)
    }

    @Test func `a vote counts by its weight`() throws {
        let voters = [
            try Voter("a", weight: 0.1), try Voter("b", weight: 0.2), try Voter("c", weight: 0.3),
        ]
        var box = try BallotBox(options: ["A", "B"], voters: voters, terms: .init(.plurality))
        for (voter, option) in [("a", 0), ("b", 0), ("c", 1)] {
            try box.cast(Ballot(AgentID(stringLiteral: voter), .choice(option)))
        }
        let result = box.close()
        #expect(result.outcome == .decided(0))
        #expect(result.brokenBy == .earlier, "0.1 + 0.2 and 0.3 are the same, and not nearly so")
        #expect(throws: BallotError.invalidWeight("d", 0)) { try Voter("d", weight: 0) }
        #expect(throws: BallotError.self) { try Voter("d", weight: .nan) }
    }

    // MARK: - Quorum, vetoes, ties

    @Test func `below the quorum nothing wins, however clear it is`() throws {
        let half = try #require(Share(1, of: 2))
        let marks: [BallotMark] = [.choice(0), .choice(0)]
        let result = try result("AB", marks, .plurality, eligible: 5) { $0.quorum = .share(half) }
        #expect(result.outcome == .noQuorum)
        #expect((result.present, result.needed) == (2, 3))
        let more = try self.result("AB", marks + [.abstention], .plurality, eligible: 5) {
            $0.quorum = .share(half)
        }
        #expect(more.outcome == .decided(0), "whoever abstains takes part")
    }

    @Test func `a veto with a reason blocks the winner, unless enough others want it`() throws {
        for (override, outcome) in [
            (nil, BallotOutcome.vetoed(0)), (Share(4, of: 5), .decided(0)),
            (Share(5, of: 5), .vetoed(0)),
        ] {
            var box = try box("AB", voters: 5, .plurality) {
                ($0.vetoers, $0.vetoOverride) = (["v4"], override)
            }
            for number in 0..<4 { try box.cast(Ballot(Self.voter(number), .choice(0))) }
            try box.cast(Ballot("v4", .choice(1), veto: .init(0, reason: "it loses data")))
            #expect(box.close().outcome == outcome)
        }
    }

    @Test func `a veto of what does not win blocks nothing`() throws {
        var box = try box("AB", voters: 2, .plurality) { $0.vetoers = ["v1"] }
        try box.cast(Ballot("v0", .choice(1)))
        #expect(!box.isSettled, "the other may forbid it")
        try box.cast(Ballot("v1", .abstention, veto: .init(0, reason: "too slow")))
        #expect(box.close().outcome == .decided(1))
    }

    @Test func `a tie is broken by the first way that leaves one`() throws {
        func outcome(_ ties: [TieBreak], leader: AgentID? = nil) throws -> (
            BallotOutcome, TieBreak?
        ) {
            var box = try box("ABC", voters: 5, .plurality) {
                ($0.ties, $0.leader) = (ties, leader)
            }
            let confidences = [nil, 0.9, 0.6, 0.8, 1]
            for (number, option) in [1, 1, 2, 2, 0].enumerated() {
                try box.cast(
                    Ballot(Self.voter(number), .choice(option), confidence: confidences[number]))
            }
            let result = box.close()
            return (result.outcome, result.brokenBy)
        }
        #expect(try outcome([]) == (.tied([1, 2]), nil))
        #expect(try outcome([.leader, .revote], leader: "v2") == (.decided(2), .leader))
        #expect(try outcome([.leader, .revote], leader: "v4") == (.revote([1, 2]), nil))
        #expect(try outcome([.confidence]) == (.decided(1), .confidence))
        #expect(try outcome([.earlier]) == (.decided(1), .earlier))
        #expect(try outcome([.leader, .earlier], leader: "nobody") == (.decided(1), .earlier))
    }

    @Test func `a tie broken by hash depends on the seed and the names, not on their order`() throws
    {
        func winner(_ options: String, seed: UInt64) throws -> Character? {
            let marks = options.indices.enumerated().map { BallotMark.choice($0.offset) }
            let outcome = try result(options, marks, .plurality) {
                ($0.ties, $0.seed) = ([.hash], seed)
            }.outcome
            guard case .decided(let option) = outcome else { return nil }
            return Array(options)[option]
        }
        let winners = try (0..<40).map { try winner("ABCD", seed: $0) }
        #expect(try (0..<40).map { try winner("CADB", seed: $0) } == winners)
        #expect(Set(winners) == ["A", "B", "C", "D"])
    }

    // MARK: - Ballots

    @Test func `ballots that do not count are refused with the reason`() throws {
        var box = try box("AB", voters: 3, .plurality) { $0.vetoers = ["v0"] }
        func refusal(_ ballot: Ballot) throws -> BallotError? {
            try #require(throws: BallotError.self) { try box.cast(ballot) }
        }
        #expect(try refusal(Ballot("x", .choice(0))) == .notEligible("x"))
        #expect(try refusal(Ballot("v0", .choice(2))) == .unknownOption("v0", "option 2"))
        #expect(try refusal(Ballot("v0", .ranking([0])))?.description.contains("ranking") == true)
        #expect(
            try refusal(Ballot("v0", .choice(0), confidence: 1.5))?.description.contains("1.5")
                == true)
        let silent = Ballot("v0", .choice(0), veto: .init(1, reason: " "))
        #expect(try refusal(silent) == .invalidVeto("v0", "it gives no reason"))
        let unnamed = Ballot("v1", .choice(0), veto: .init(1, reason: "no"))
        #expect(try refusal(unnamed)?.description.contains("v1") == true)

        try box.cast(Ballot("v0", .choice(0)))
        #expect(try refusal(Ballot("v0", .choice(1))) == .alreadyVoted("v0"))
        box.withdraw("v1")
        #expect(try refusal(Ballot("v1", .choice(1))) == .notEligible("v1"))
        let result = box.close()
        #expect(try refusal(Ballot("v2", .choice(1))) == .late("v2"))
        #expect(result.outcome == .decided(0))
        #expect(result.ballots == [Ballot("v0", .choice(0))])
        #expect(box.close() == result)
    }

    @Test func `votes that make no sense are not begun`() throws {
        #expect(throws: BallotError.self) { try box("", voters: 1, .plurality) }
        #expect(throws: BallotError.self) { try box("AA", voters: 1, .plurality) }
        #expect(throws: BallotError.self) { try box("AB", voters: 0, .plurality) }
        #expect(throws: BallotError.self) { try box("AB", voters: 2, .score(upTo: 0)) }
        let half = try #require(Share(1, of: 2))
        #expect(throws: BallotError.self) { try box("AB", voters: 2, .supermajority(half)) }
        #expect(throws: BallotError.self) {
            try box("AB", voters: 2, .plurality) { $0.quorum = .voters(3) }
        }
        #expect(throws: BallotError.invalidVoters("one of them is there twice")) {
            let voter = try Voter("a")
            return try BallotBox(
                options: ["A"], voters: [voter, voter], terms: BallotTerms(.plurality))
        }
        #expect(Share("3/2") == nil && Share("1/0") == nil && Share("-1/2") == nil)
        #expect(Share("2/3")?.description == "2/3")
    }

    @Test func `agreement is one minus entropy, and dissent has its reasons`() throws {
        #expect(try result("AB", [.choice(0), .choice(0)], .plurality).agreement == 1)
        #expect(try result("AB", [.choice(0), .choice(1)], .plurality).agreement == 0)
        // 1 - (2/3 · log₂(3/2) + 1/3 · log₂ 3)
        let split = try result("AB", [.choice(0), .choice(0), .choice(1)], .plurality)
        #expect(abs(split.agreement - 0.081704) < 1e-6)

        var box = try box("AB", voters: 4, .plurality)
        try box.cast(Ballot("v0", .choice(0)))
        try box.cast(Ballot("v1", .choice(0)))
        try box.cast(Ballot("v2", .choice(1), rationale: "cheaper"))
        try box.cast(Ballot("v3", .abstention))
        #expect(
            box.close().dissent == [
                BallotDissent(voter: "v2", favorites: [1], rationale: "cheaper")
            ])
    }
}
