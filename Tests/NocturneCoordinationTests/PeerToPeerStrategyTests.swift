// PeerToPeerStrategyTests.swift — from hand to hand, and to the best bid. Next: MessagesTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct PeerToPeerStrategyTests {
    private func notes(_ session: ScriptedSession) -> [String] {
        session.events.compactMap { if case .note(let text) = $0 { text } else { nil } }
    }

    // MARK: - From hand to hand

    /// Each agent hands on to the next in the table, and is done if there is none.
    private func handOn(
        _ parameters: JSONValue = ["first": "a"], _ table: [AgentID: AgentID],
        failing: Set<AgentID> = []
    ) throws -> (Outcome, ScriptedSession) {
        var session = try ScriptedSession(
            "peerToPeer", parameters, agents: agents("a", "b", "c")
        ) { assignment in
            let agent = assignment.agent
            if failing.contains(agent) { return (.failure(.refused), .seconds(1)) }
            let value: JSONValue = .string("by \(agent)")
            return (.answer(WorkAnswer(value, handingTo: table[agent])), .seconds(1))
        }
        let outcome = try session.run(Goal("Write"))
        return (try #require(outcome), session)
    }

    @Test func `one after the other has it, knowing what those before made of it`() throws {
        let (outcome, session) = try handOn(["first": "b"], ["b": "c", "c": "a"])
        #expect(outcome.status == .completed)
        #expect(outcome.value == "by a")
        #expect(session.starts.map(\.agent) == ["b", "c", "a"])
        #expect(
            session.starts.last?.work.payload["history"] == [
                ["agent": "b", "value": "by b"], ["agent": "c", "value": "by c"],
            ])
    }

    @Test(arguments: [1, 2, 3])
    func `two who hand it to each other again and again are a stall`(times: Int) throws {
        let (outcome, session) = try handOn(
            ["first": "a", "pingPong": JSONValue(times)], ["a": "b", "b": "a"])
        #expect(outcome.status == .failed(.stalled))
        #expect(session.starts.count == 2 * times)
        #expect(outcome.value == "by b", "what was made of it is handed back")
    }

    @Test func `three may hand it round until it is enough`() throws {
        let (outcome, session) = try handOn(
            ["first": "a", "handOffs": 7], ["a": "b", "b": "c", "c": "a"])
        #expect(outcome.status == .failed(.stalled))
        #expect(session.starts.count == 8)
    }

    @Test func `who hands on to nobody is told, and has it again`() throws {
        var session = try ScriptedSession(
            "peerToPeer", ["first": "a"], agents: agents("a", "b")
        ) { assignment in
            let isTold = assignment.work.payload["problem"] != nil
            return (.answer(WorkAnswer(1, handingTo: isTold ? nil : "ghost")), .seconds(1))
        }
        let outcome = try #require(try session.run(Goal("Write")))
        #expect(outcome.status == .completed)
        #expect(session.starts.map(\.agent) == ["a", "a"])
        #expect(notes(session).contains("a handed on to ghost, who cannot take it"))
    }

    @Test func `when one fails, somebody else goes on, and nobody gets it twice`() throws {
        let (outcome, session) = try handOn(["first": "a"], ["a": "b"], failing: ["b"])
        #expect(outcome.status == .completed)
        #expect(session.starts.count == 3)
        #expect(session.starts.last?.work.excluding == ["b"])
        let (failed, _) = try handOn(["first": "a"], ["a": "b"], failing: ["a", "b", "c"])
        #expect(failed.status == .failed(.workFailed))
    }

    // MARK: - The market

    private func bidder(_ name: String, _ score: Double?, concurrency: Int = 1) throws
        -> AgentDescriptor
    {
        AgentDescriptor(
            try AgentID(name), capabilities: score.map { [capability("paint", $0)] } ?? [],
            concurrency: concurrency)
    }

    /// Agents answer announcements from the table; `nil` for never, and those not in it decline.
    private func trade(
        _ agents: [AgentDescriptor], bids: [AgentID: JSONValue?],
        goal: Goal = Goal("Paint", requires: ["paint"]),
        failing: Set<AgentID> = []
    ) throws -> (Outcome, ScriptedSession) {
        var session = try ScriptedSession("peerToPeer", ["mode": "market"], agents: agents) {
            assignment in
            guard assignment.work.kind == .bid else {
                let isFailing = failing.contains(assignment.agent)
                let value: JSONValue = .string("by \(assignment.agent)")
                return (isFailing ? .failure(.refused) : .value(value), .seconds(1))
            }
            guard let bid = bids[assignment.agent] else {
                return (.value(["decline": true]), .seconds(1))
            }
            return (bid.map { .value($0) } ?? .silence, .seconds(1))
        }
        let outcome = try session.run(goal)
        return (try #require(outcome), session)
    }

    private static let markets: [(bids: [AgentID: JSONValue?], winner: AgentID)] = [
        (["a": 3, "b": 2, "c": 5], "b"),
        (["a": 2, "b": 2, "c": ["cost": 2, "confidence": 0.5]], "a"),
        (["a": ["cost": 2, "confidence": 0.1], "b": ["cost": 2, "confidence": 0.9]], "b"),
        (["b": 7], "b"),
    ]

    @Test func `the best bid has it, by capability, confidence and cost`() throws {
        let agents = try [bidder("a", 1), bidder("b", 0.9), bidder("c", 0.9)]
        for (bids, winner) in Self.markets {
            let (outcome, session) = try trade(agents, bids: bids)
            #expect(outcome.status == .completed)
            #expect(session.starts.last?.agent == winner)
            #expect(session.starts.count == 4, "three bids and the work")
        }
    }

    @Test func `bids after the deadline are not waited for`() throws {
        let (outcome, session) = try trade(
            [bidder("a", 1), bidder("b", 1)], bids: ["a": nil, "b": 4])
        #expect(outcome.value == "by b")
        #expect(session.now == .seconds(11))
        #expect(session.stops.count == 1)
    }

    @Test func `without a bid it is announced once more, to all; then it cannot be assigned`()
        throws
    {
        let agents = try [bidder("a", 1), bidder("b", nil)]
        let (relaxed, session) = try trade(agents, bids: ["b": 1])
        #expect(relaxed.value == "by b")
        #expect(session.starts.map(\.agent) == ["a", "a", "b", "b"])
        #expect(session.starts[2].work.payload["isRelaxed"] == true)
        let (nobody, _) = try trade(agents, bids: [:])
        #expect(nobody.status == .failed(.unassignable))
    }

    @Test func `when the best fails, the next best bid has it`() throws {
        let agents = try [bidder("a", 1), bidder("b", 1), bidder("c", 1)]
        let bids: [AgentID: JSONValue?] = ["a": 1, "b": 2, "c": 3]
        let (outcome, session) = try trade(agents, bids: bids, failing: ["a", "b"])
        #expect(outcome.value == "by c")
        #expect(session.starts.filter { $0.work.kind == .perform }.map(\.agent) == ["a", "b", "c"])
        let (failed, _) = try trade(agents, bids: bids, failing: ["a", "b", "c"])
        #expect(failed.status == .failed(.workFailed))
    }

    @Test func `bids for many parts spread over the agents, though one of them is the best`() throws
    {
        let agents = try [bidder("a", 1), bidder("b", 0.9), bidder("c", 0.9)]
        let goal = Goal("Paint", payload: ["items": [0, 1, 2, 3, 4, 5]], requires: ["paint"])
        let (outcome, session) = try trade(agents, bids: ["a": 1, "b": 1, "c": 1], goal: goal)
        #expect(outcome.status == .completed)
        #expect(outcome.value.array?.count == 6)
        let done = session.starts.filter { $0.work.kind == .perform }.map(\.agent)
        #expect(Set(done) == ["a", "b", "c"])
    }

    @Test func `a bid that is none is refused, with what is wrong with it`() throws {
        let (outcome, session) = try trade(
            [bidder("a", 1), bidder("b", 1)], bids: ["a": ["cost": -1], "b": 5])
        #expect(outcome.value == "by b")
        #expect(notes(session).contains { $0.hasPrefix("the bid of a is refused: bid.cost") })
    }

    @Test func `of parts that fail and parts that are done, the outcome has both`() throws {
        let plan = Plan([
            Subtask("sketch", text: "Sketch"), Subtask("paint", text: "Paint", requires: ["paint"]),
            Subtask("frame", text: "Frame", after: ["paint"]),
        ])
        var session = try ScriptedSession(
            "peerToPeer", ["mode": "market"], agents: [try bidder("a", 1)]
        ) { assignment in
            switch assignment.work.kind {
            case .plan: return (.value(plan.json), .seconds(1))
            case .bid: return (.value(1), .seconds(1))
            default:
                let fails = assignment.work.text == "Paint"
                return (fails ? .failure(.refused) : .value("done"), .seconds(1))
            }
        }
        let outcome = try #require(try session.run(Goal("Picture", decompose: true)))
        #expect(outcome.status == .partial)
        #expect(outcome.value == ["sketch": "done", "paint": nil, "frame": nil])
    }

    @Test func `when nothing goes on any more, what was done is the outcome`() throws {
        var strategy = try PeerToPeerStrategy(parameters: ["mode": "market"])
        let goal = Goal("Paint", payload: ["items": [0, 1]])
        _ = strategy.step(.started(StrategyStart(session: "s", goal: goal, roster: agents("a"))))
        let commands = strategy.step(.quiescent)
        guard case .finish(let outcome)? = commands.last else {
            Issue.record("\(commands)")
            return
        }
        #expect(outcome.status == .failed(.quiescentWithoutResult))
        #expect(outcome.value == [nil, nil])
        #expect(strategy.step(.quiescent).isEmpty)
    }

    @Test(
        arguments: [
            ["mode": "anarchy"], ["pingPong": 0], ["first": "no name"], ["biddingTime": -1],
            ["x": 1],
        ] as [JSONValue])
    func `parameters that make no sense are refused`(parameters: JSONValue) {
        #expect(throws: CoordinationError.self) { try PeerToPeerStrategy(parameters: parameters) }
    }
}
