// ConsensusStrategyTests.swift — from blind drafts over secret ballots to a decision, or to none. Next:
// PeerToPeerStrategyTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct ConsensusStrategyTests {
    /// What each agent drafts and votes, by its name; `nil` for no answer, ever.
    private func run(
        _ parameters: JSONValue = .null, drafts: [String: JSONValue?] = [:],
        ballots: [String: JSONValue?], goal: Goal = Goal("Which?"),
        delays: [String: Int] = [:]
    ) throws -> (Outcome, ScriptedSession) {
        let names = Set(drafts.keys).union(ballots.keys).sorted()
        let agents = try names.map { AgentDescriptor(try AgentID($0)) }
        var session = try ScriptedSession("consensus", parameters, agents: agents) { assignment in
            let name = assignment.agent.description
            let table = assignment.work.kind == .draft ? drafts : ballots
            let delay = Duration.seconds(delays[name] ?? 1)
            guard let answer = table[name] else { return (.failure(.refused), delay) }
            return (answer.map { .value($0) } ?? .silence, delay)
        }
        return (try #require(try session.run(goal)), session)
    }

    private func kinds(_ session: ScriptedSession) -> [String: Int] {
        Dictionary(session.starts.map { ($0.work.kind.description, 1) }, uniquingKeysWith: +)
    }

    private func notes(_ session: ScriptedSession) -> [String] {
        session.events.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    private static let options = Goal("Which?", payload: ["options": ["red", "green", "blue"]])

    // MARK: - Drafts and ballots

    @Test func `all propose, equal proposals become one, and most votes win`() throws {
        let (outcome, session) = try run(
            drafts: ["a": "Use  SQLite", "b": "use sqlite", "c": "Use files"],
            ballots: ["a": "p1", "b": "p1", "c": "p2"], delays: ["b": 2])
        #expect(outcome.status == .completed)
        #expect(outcome.value["decision"] == "Use  SQLite")
        #expect(kinds(session) == ["draft": 3, "vote": 3])
        let ballot = try #require(session.starts.last?.work.payload)
        #expect(ballot["options"]?[1] == ["id": "p2", "proposal": "Use files"])
        #expect(ballot["options"]?.array?.count == 2)
        #expect(ballot["form"] == "choice")
        #expect(outcome.dissent == [Dissent("c", ["favors": ["Use files"]])])
    }

    @Test func `nobody sees what others proposed or voted before the vote is closed`() throws {
        let (_, session) = try run(
            drafts: ["a": "alpha", "b": "beta"], ballots: ["a": "p1", "b": "p1"])
        for start in session.starts {
            let text = "\(start.work.payload)"
            if start.work.kind == .draft {
                #expect(!text.contains("alpha") && !text.contains("beta"))
            }
            #expect(!text.contains("standings"))
        }
    }

    @Test func `options that are given need no drafts`() throws {
        let (outcome, session) = try run(
            ["rule": "schulze"], ballots: ["a": ["rank": ["p2", "p1"]], "b": ["rank": ["p2"]]],
            goal: Self.options)
        #expect(kinds(session) == ["vote": 2])
        #expect(outcome.value["decision"] == "green")
        #expect(outcome.value["agreement"] == 1)
    }

    private struct Case: Sendable {
        let parameters: JSONObject
        let ballots: [JSONValue]
        let decision: JSONValue?

        init(_ parameters: JSONObject, _ ballots: [JSONValue], _ decision: JSONValue?) {
            (self.parameters, self.ballots, self.decision) = (parameters, ballots, decision)
        }
    }

    private static let cases: [Case] = [
        Case(["rule": "simpleMajority"], ["p1", "p1", "p2"], "red"),
        Case(["rule": "supermajority", "share": "3/4"], ["p1", "p1", "p2"], nil),
        Case(["rule": "unanimity"], ["p3", "p3", ["abstain": true]], "blue"),
        Case(["rule": "unanimity", "abstentions": false], ["p3", "p3", ["abstain": true]], nil),
        Case(["rule": "weighted", "weights": ["c": 3]], ["p1", "p1", "p2"], "green"),
        Case(
            ["rule": "approval"],
            [["approve": ["p1", "p2"]], ["approve": ["p2"]], ["approve": []]], "green"),
        Case(
            ["rule": "borda"],
            [["rank": ["p1", "p2"]], ["rank": ["p3", "p2"]], ["rank": ["p2"]]],
            "green"),
        Case(
            ["rule": "score", "points": 5],
            [["scores": ["p3": 5]], ["scores": ["p1": 4]], ["scores": [:]]], "blue"),
    ]

    @Test(arguments: cases)
    private func `each rule can be chosen by its name`(of test: Case) throws {
        var parameters = test.parameters
        parameters["revisions"] = 0
        let names = ["a", "b", "c"]
        let (outcome, _) = try run(
            .object(parameters),
            ballots: Dictionary(uniqueKeysWithValues: zip(names, test.ballots)),
            goal: Self.options)
        #expect(outcome.value["decision"] == test.decision)
        #expect(outcome.status == (test.decision == nil ? .failed(.noDecision) : .completed))
    }

    @Test func `a vote ends when nothing can change any more, and the rest are taken back`() throws
    {
        let (outcome, session) = try run(
            ballots: ["a": "p1", "b": "p1", "c": "p1", "d": nil, "e": "p2"], goal: Self.options,
            delays: ["e": 50])
        #expect(outcome.status == .completed)
        #expect(session.now == .seconds(1))
        #expect(session.stops.count == 2)
    }

    // MARK: - Without a decision

    @Test func `without a decision there is one revision, which knows what came of the vote`()
        throws
    {
        var session = try ScriptedSession(
            "consensus", ["rule": "unanimity"], agents: agents("a", "b")
        ) { assignment in
            let isFirst = assignment.work.payload["round"] == 1
            let name = assignment.agent.description
            if assignment.work.kind == .draft {
                return (.value(isFirst ? .string(name) : "both"), .seconds(1))
            }
            let own: JSONValue = [
                "choice": name == "a" ? "p1" : "p2", "reason": .string("I am \(name)"),
            ]
            return (.value(isFirst ? own : "p1"), .seconds(1))
        }
        let outcome = try #require(try session.run(Goal("Which?")))
        #expect(outcome.status == .completed)
        #expect(outcome.value["decision"] == "both")
        #expect(outcome.value["round"] == 2)
        let revision = try #require(session.starts.first { $0.work.payload["round"] == 2 })
        let previous = try #require(revision.work.payload["previous"])
        #expect(revision.work.kind == .draft)
        #expect(previous["result"] == "ruleNotMet")
        #expect(previous["reasons"] == ["I am a", "I am b"])
        #expect(previous["standings"]?[0]?["points"] == 1)
    }

    @Test func `after the last revision it is no decision, with all that was said`() throws {
        let (outcome, session) = try run(
            ["rule": "unanimity", "revisions": 2], drafts: ["a": "x", "b": "y"],
            ballots: ["a": "p1", "b": "p2"])
        #expect(outcome.status == .failed(.noDecision))
        #expect(kinds(session) == ["draft": 6, "vote": 6])
        #expect(outcome.value["standings"]?.array?.count == 2)
        #expect(outcome.value["agreement"] == 0)
    }

    @Test func `a veto rejects it, with its reason`() throws {
        let veto: JSONValue = ["option": "p1", "reason": "it cannot be undone"]
        let (outcome, _) = try run(
            ["vetoers": ["b"], "revisions": 0],
            ballots: ["a": "p1", "b": ["choice": "p2", "veto": veto], "c": "p1"], goal: Self.options
        )
        #expect(outcome.status == .rejected)
        #expect(outcome.value["vetoes"] == [["id": "p1", "reason": "it cannot be undone"]])
    }

    @Test func `too few votes are no decision, however clear they are`() throws {
        let (outcome, session) = try run(
            ["quorum": "2/3", "time": 5_000],
            ballots: ["a": "p1", "b": "p1", "c": nil, "d": nil], goal: Self.options)
        #expect(outcome.status == .failed(.noQuorum))
        #expect(session.now == .seconds(10), "there is as much time again, once")
        #expect(notes(session).contains { $0.contains("2 of 3") })
    }

    @Test func `a ballot in the extra time counts, one after it does not`() throws {
        let (outcome, _) = try run(
            ["quorum": 3, "time": 5_000], ballots: ["a": "p1", "b": "p1", "c": "p2", "d": "p2"],
            goal: Self.options, delays: ["c": 8, "d": 20])
        #expect(outcome.status == .completed)
        #expect(outcome.value["decision"] == "red")
    }

    @Test func `a ballot that comes after the close is recorded and refused`() throws {
        var session = try ScriptedSession(
            "consensus", ["rule": "absoluteMajority", "time": 5_000],
            agents: agents("a", "b", "c", "d")
        ) { assignment in
            // Two of four are no majority, and the third says so half a second after the close.
            let isFirst = assignment.work.payload["round"] == 1
            if isFirst, assignment.agent == "c" { return (.value("p1"), .seconds(5.5)) }
            return (.value(isFirst && assignment.agent == "d" ? "p2" : "p1"), .seconds(1))
        }
        let outcome = try #require(try session.run(Self.options))
        #expect(outcome.value["round"] == 2)
        #expect(outcome.value["decision"] == "red")
        let late = session.events.contains {
            if case .lateResultRefused(_, by: "c", _) = $0 { true } else { false }
        }
        #expect(late)
    }

    @Test func `ballots that cannot be counted are refused by name, and the vote goes on`() throws {
        let (outcome, session) = try run(
            ["quorum": 2],
            ballots: ["a": "p1", "b": "p9", "c": 17, "d": "p1"], goal: Self.options,
            delays: ["b": 0, "c": 0])
        #expect(outcome.status == .completed)
        let notes = notes(session)
        #expect(notes.contains { $0.contains("b voted for \"p9\", which is no option") })
        #expect(notes.contains { $0.contains("the ballot of c cannot be counted") })
    }

    @Test func `a tie may be voted on again among those that are equal`() throws {
        var session = try ScriptedSession(
            "consensus", ["ties": ["revote", "earlier"]], agents: agents("a", "b", "c", "d")
        ) { assignment in
            let isFirst = assignment.work.payload["options"]?.array?.count == 3
            let choices: [AgentID: JSONValue] =
                isFirst ? ["a": "p2", "b": "p2", "c": "p3", "d": "p3"] : ["a": "p3", "b": "p3"]
            return (.value(choices[assignment.agent] ?? "p2"), .seconds(1))
        }
        let outcome = try #require(try session.run(Self.options))
        #expect(outcome.value["decision"] == "green")
        #expect(outcome.explanation.contains("by earlier"), "it is voted on again only once")
        #expect(session.starts.count == 8)
    }

    // MARK: - Who takes part

    @Test func `observers do not vote, reviewers do not draft, and who left is not waited for`()
        throws
    {
        var session = try ScriptedSession(
            "consensus",
            agents: agents("a", "b", "c") + agents("r", role: .reviewer)
                + agents("o", role: .observer)
        ) { assignment in
            if assignment.agent == "c", assignment.work.kind == .vote { return (.silence, .zero) }
            return (.value(assignment.work.kind == .draft ? "x" : "p1"), .seconds(1))
        }
        session.at(.milliseconds(1_500), .removeAgent("c", reason: "tired"))
        let outcome = try #require(try session.run(Goal("Which?")))
        #expect(outcome.status == .completed)
        let drafters = session.starts.filter { $0.work.kind == .draft }.map(\.agent)
        let voters = session.starts.filter { $0.work.kind == .vote }.map(\.agent)
        #expect(Set(drafters) == ["a", "b", "c"])
        #expect(Set(voters) == ["a", "b", "c", "r"])
    }

    @Test func `each subtask of a plan is a question, asked when those before it are decided`()
        throws
    {
        let plan = Plan([
            Subtask("store", text: "Where?", payload: ["options": ["disk", "memory"]]),
            Subtask("form", text: "How?", payload: ["options": ["json"]], after: ["store"]),
        ])
        var session = try ScriptedSession("consensus", agents: agents("a", "b")) { assignment in
            (.value(assignment.work.kind == .plan ? plan.json : "p1"), .seconds(1))
        }
        let outcome = try #require(try session.run(Goal("Build", decompose: true)))
        #expect(outcome.status == .completed)
        #expect(outcome.value["store"]?["decision"] == "disk")
        #expect(outcome.value["form"]?["decision"] == "json")
        let last = try #require(session.starts.last?.work)
        #expect(last.text == "How?")
        #expect(last.payload["results"]?["store"]?["decision"] == "disk")
    }

    @Test(
        arguments: [
            ["rule": "dictator"], ["rule": "supermajority", "share": "1/2"], ["quorum": "3/2"],
            ["rule": "weighted"], ["ties": ["coin"]], ["weights": ["a": 0]], ["rules": "plurality"],
            ["rule": "score", "points": 0],
        ] as [JSONValue])
    func `parameters that make no sense are refused`(parameters: JSONValue) {
        #expect(throws: CoordinationError.self) { try ConsensusStrategy(parameters: parameters) }
    }

    @Test func `a vote that cannot be held ends at once, and says why`() throws {
        let stranger = try run(["vetoers": ["x"]], ballots: ["a": "p1", "b": "p1"])
        #expect(stranger.0.status == .failed(.unassignable))
        #expect(stranger.0.explanation.hasPrefix("x is named"))
        let quorum = try run(["quorum": 3], ballots: ["a": "p1", "b": "p1"])
        #expect(quorum.0.status == .failed(.noQuorum))
        #expect(stranger.1.starts.isEmpty && quorum.1.starts.isEmpty)
    }
}
