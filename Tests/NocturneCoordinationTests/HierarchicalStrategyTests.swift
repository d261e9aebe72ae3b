// HierarchicalStrategyTests.swift — plans, delegation, reviews, stalls. Next: SessionCoreTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct HierarchicalStrategyTests {
    private static let team =
        agents("boss", role: .leader) + agents("ann", "bob")

    private static let plan = Plan([
        Subtask("read", text: "read"), Subtask("write", text: "write", after: ["read"]),
        Subtask("draw", text: "draw", after: ["read"]),
        Subtask("bind", text: "bind", after: ["write", "draw"]),
    ])

    /// Plans are `plan`; everything else answers with its own name.
    private func session(
        _ parameters: JSONValue = .null, agents: [AgentDescriptor] = team,
        plan: @escaping (Assignment) -> Plan = { _ in Self.plan },
        script: @escaping (Assignment) -> ScriptedAnswer? = { _ in nil }
    ) throws -> ScriptedSession {
        try ScriptedSession("hierarchical", parameters, agents: agents) { assignment in
            if let answer = script(assignment) { return (answer, .seconds(1)) }
            if assignment.work.kind == .plan { return (.value(plan(assignment).json), .seconds(1)) }
            return (.value(.string("\(assignment.work.id)")), .seconds(1))
        }
    }

    private let goal = Goal("a book", decompose: true)

    @Test func `subtasks are done in the order of the plan, and are given what they come after`()
        throws
    {
        var session = try session()
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .completed)
        #expect(
            outcome.value == ["read": "read", "write": "write", "draw": "draw", "bind": "bind"])
        // The plan, then read, then write and draw at once, then bind.
        #expect(session.now == .seconds(4))
        let bind = try #require(session.starts.first { $0.work.id == "bind" })
        #expect(bind.work.payload["results"] == ["write": "write", "draw": "draw"])
    }

    @Test func `progress is by the weights of the subtasks, and planning has none`() throws {
        let plan = Plan([
            Subtask("long", text: "long", weight: 3),
            Subtask("short", text: "short", after: ["long"], weight: 1),
        ])
        var session = try session(plan: { _ in plan })
        try session.run(goal)
        let fractions = session.events.compactMap { event in
            if case .progress(let progress) = event { progress.fraction } else { nil }
        }
        #expect(fractions == [0, 0.75, 1])
    }

    @Test func `the leader plans, and others work as long as there are any`() throws {
        var session = try session()
        try session.run(goal)
        #expect(session.starts.first?.agent == "boss")
        #expect(!session.starts.dropFirst().contains { $0.agent == "boss" })

        var alone = try self.session(agents: agents("boss", role: .leader))
        #expect(try alone.run(goal)?.status == .completed)
        #expect(alone.starts.allSatisfy { $0.agent == "boss" })
    }

    @Test func `every planned subtask is given to somebody, whatever the leader does`() throws {
        let wide = Plan((0..<40).map { Subtask("s\($0)", text: "s") })
        var session = try session(plan: { _ in wide })
        let outcome = try #require(try session.run(goal))
        #expect(outcome.works.count == 40 && outcome.works.allSatisfy { $0.answer != nil })
    }

    @Test func `without decompose the whole goal is one work, and its result the value`() throws {
        var session = try session()
        let outcome = try session.run(Goal("all of it", payload: 7))
        #expect(outcome?.value == "goal")
        #expect(session.starts.map(\.work.payload) == [["goal": "all of it", "input": 7]])
    }

    // MARK: - Delegation

    @Test func `who is given a subtask may delegate parts of it, but not to those who wait for it`()
        throws
    {
        let top = Plan([Subtask("top", text: "top", agent: "ann")])
        let parts = Plan([Subtask("x", text: "x"), Subtask("y", text: "y", after: ["x"])])
        var session = try session(plan: { _ in top }) { assignment in
            assignment.work.id == "top"
                ? .answer(WorkAnswer("mine", delegating: parts.json)) : nil
        }
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .completed)
        #expect(
            outcome.value == ["top": ["value": "mine", "parts": ["x": "top/1/x", "y": "top/1/y"]]])
        // Ann waits for them, so they are Bob's.
        #expect(session.assignments.suffix(2) == ["top/1/x:bob", "top/1/y:bob"])
    }

    @Test func `work never goes round in a ring of delegations`() throws {
        let forever = Plan([Subtask("again", text: "again")])
        var session = try session(["revisions": 0, "reassignments": 0], plan: { _ in forever }) {
            $0.work.kind == .plan ? nil : .answer(WorkAnswer(1, delegating: forever.json))
        }
        let outcome = try #require(try session.run(goal))
        // Ann gives it to Bob, and Bob has only the leader left: nobody is asked twice in one chain.
        #expect(outcome.status != .completed)
        let refused = session.events.contains { event in
            if case .planRefused(_, _, let problems) = event {
                problems.contains { $0.kind == .delegationCycle || $0.kind == .tooDeep }
            } else {
                false
            }
        }
        #expect(refused)
    }

    // MARK: - Review

    private static let reviewed = team + agents("critic", role: .reviewer)
    private static let one = Plan([Subtask("poem", text: "poem")])

    /// Verdicts in order; the last one for all further reviews.
    private func review(
        _ verdicts: [ReviewVerdict], _ parameters: JSONValue = .null
    ) throws -> (Outcome, ScriptedSession) {
        var given = 0
        var session = try session(parameters, agents: Self.reviewed, plan: { _ in Self.one }) {
            assignment in
            guard assignment.work.kind == .review else { return nil }
            given += 1
            return .value(verdicts[min(given, verdicts.count) - 1].json)
        }
        let outcome = try session.run(goal)
        return (try #require(outcome), session)
    }

    @Test func `what a reviewer accepts is done`() throws {
        let (outcome, session) = try review([.accept])
        #expect(outcome.status == .completed)
        #expect(session.starts.map(\.agent).suffix(1) == ["critic"])
    }

    @Test
    func `what is to be revised goes back to the same one, with the comment and what there was`()
        throws
    {
        let (outcome, session) = try review([.revise("shorter"), .accept])
        #expect(outcome.status == .completed)
        #expect(outcome.value == ["poem": "poem#2"])
        let works = session.starts.filter { $0.work.kind == .perform }
        try #require(works.count == 2)
        #expect(works[0].agent == works[1].agent)
        #expect(works[1].work.payload["comment"] == "shorter")
        #expect(works[1].work.payload["previous"] == "poem")
    }

    @Test func `what is rejected goes to somebody else`() throws {
        let (outcome, session) = try review([.reject("wrong"), .accept])
        #expect(outcome.status == .completed)
        let works = session.starts.filter { $0.work.kind == .perform }
        try #require(works.count == 2)
        #expect(works[0].agent != works[1].agent)
    }

    @Test func `revisions and reassignments have an end, and then it is rejected`() throws {
        let (outcome, session) = try review(
            [.revise("no")], ["revisions": 2, "reassignments": 1, "replans": 0])
        #expect(outcome.status == .rejected)
        // One and two revisions, by each of two.
        #expect(session.starts.count { $0.work.kind == .perform } == 6)
    }

    @Test func `what was done is not lost because the reviewer fails`() throws {
        var session = try session(agents: Self.reviewed, plan: { _ in Self.one }) {
            $0.work.kind == .review ? .failure(.refused) : nil
        }
        let outcome = try session.run(goal)
        #expect(outcome?.status == .completed)
        #expect(outcome?.value == ["poem": "poem"])
    }

    // MARK: - Stalls

    @Test func `when nothing can go on, the leader plans anew, and what was done stays done`()
        throws
    {
        var briefs: [JSONValue] = []
        var session = try session(plan: { assignment in
            briefs.append(assignment.work.payload)
            return briefs.count == 1 ? Self.plan : Plan([Subtask("glue", text: "glue")])
        }) { assignment in
            assignment.work.id == "write" ? .failure(.refused) : nil
        }
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .completed)
        #expect(outcome.value == ["read": "read", "draw": "draw", "glue": "plan2/glue"])
        #expect(briefs.last?["about"]?["done"] == ["read": "read", "draw": "draw"])
        #expect(briefs.last?["about"]?["failed"]?[0]?["id"] == "write")
        #expect(session.starts.count { $0.work.id == "read" } == 1)
    }

    @Test func `failures in a row are a stall, though others could go on`() throws {
        let wide = Plan((0..<20).map { Subtask("s\($0)", text: "s") })
        var session = try session(["stall": 3, "replans": 0], plan: { _ in wide }) {
            $0.work.kind == .plan ? nil : .failure(.refused)
        }
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .failed(.stalled))
        #expect(outcome.errors.count < 6)
    }

    @Test func `after so many plans it ends with what was done`() throws {
        var session = try session(
            ["replans": 2], script: { $0.work.text == "write" ? .failure(.refused) : nil })
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .partial)
        #expect(outcome.value["read"] != nil && outcome.value["bind"] == nil)
        #expect(session.starts.count { $0.work.kind == .plan } == 3)
    }

    @Test func `the leader puts the results together, if that is asked for`() throws {
        var session = try session(
            ["summarize": true], script: { $0.work.kind == .summarize ? .value("a book") : nil })
        let outcome = try session.run(goal)
        #expect(outcome?.value == "a book")
        #expect(session.starts.last?.agent == "boss")
    }
}
