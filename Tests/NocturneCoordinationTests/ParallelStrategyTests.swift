// ParallelStrategyTests.swift — all, some or the best of many at once. Next: PipelineStrategyTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct ParallelStrategyTests {
    private static let items = Goal("each", payload: ["items": [0, 1, 2, 3]])

    /// Item n takes 4 - n seconds, so that the last one ends first; `failing` ones fail for good.
    private func run(
        _ parameters: JSONValue, failing: Set<Int> = [], goal: Goal = items
    ) throws -> (Outcome, ScriptedSession) {
        var session = try ScriptedSession(
            "parallel", parameters, agents: agents("a", "b", "c", "d")
        ) { assignment in
            let index = Int(assignment.work.payload["index"]?.int ?? 0)
            let delay = Duration.seconds(4 - index)
            if failing.contains(index) { return (.failure(.refused), delay) }
            return (.value(["n": JSONValue(index), "score": JSONValue(index % 3)]), delay)
        }
        let outcome = try session.run(goal)
        return (try #require(outcome), session)
    }

    private func numbers(_ value: JSONValue) -> [Int64?] {
        (value.array ?? []).map { $0["n"]?.int }
    }

    @Test func `results stand in the order of the items, whoever ends first`() throws {
        let (outcome, session) = try run(.null)
        #expect(outcome.status == .completed)
        #expect(numbers(outcome.value) == [0, 1, 2, 3])
        #expect(session.now == .seconds(4))
    }

    /// Failure mode, failing items, status, value, seconds: from the research's table of failure modes.
    @Test(
        arguments: [
            (["failure": "collect"], [1], .partial, [0, nil, 2, 3], 4),
            (["failure": "collect"], [0, 1, 2, 3], .failed(.workFailed), [nil, nil, nil, nil], 4),
            (["failure": "failFast"], [2], .failed(.workFailed), [nil, nil, nil, 3], 2),
            (["failure": "quorum", "quorum": 2], [1, 2], .completed, [0, nil, nil, 3], 4),
            (
                ["failure": "quorum", "quorum": 3], [2, 3], .failed(.noQuorum),
                [nil, nil, nil, nil], 2
            ),
        ] as [(JSONValue, Set<Int>, OutcomeStatus, [Int64?], Int)])
    func `a failure does to the others what the failure mode says`(
        parameters: JSONValue, failing: Set<Int>, status: OutcomeStatus, value: [Int64?],
        seconds: Int
    ) throws {
        let (outcome, session) = try run(parameters, failing: failing)
        #expect(outcome.status == status)
        #expect(numbers(outcome.value) == value)
        #expect(session.now == .seconds(seconds))
        #expect(outcome.works.count == 4)
        #expect(outcome.errors.count == failing.count { $0 >= 4 - seconds })
    }

    @Test func `a race is over with the first result, and the others are stopped`() throws {
        let (outcome, session) = try run(["mode": "race"])
        #expect(outcome.status == .completed)
        #expect(outcome.value["n"] == 3)
        #expect(session.now == .seconds(1))
        #expect(session.stops.count == 3)
    }

    @Test func `a failure does not end a race, and a result that is too bad does not win it`()
        throws
    {
        // Scores are 0, 1, 2, 0 for the items 0 … 3; item 3 is too bad, item 2 fails, item 1 wins.
        let (outcome, session) = try run(["mode": "race", "minimumScore": 1], failing: [2])
        #expect(outcome.value["n"] == 1)
        #expect(session.now == .seconds(3))
    }

    @Test func `any of k is over with the k-th result, and they stand in the order of the items`()
        throws
    {
        let (outcome, session) = try run(["mode": "any", "count": 3], failing: [3])
        #expect(outcome.status == .completed)
        #expect(numbers(outcome.value) == [0, 1, 2])
        #expect(session.now == .seconds(4))
        let (partial, _) = try run(["mode": "any", "count": 3], failing: [0, 1])
        #expect(partial.status == .partial)
        #expect(numbers(partial.value) == [2, 3])
    }

    @Test func `the best is the one with the greatest score, the first of equals`() throws {
        let (outcome, _) = try run(["mode": "best"])
        #expect(outcome.value["n"] == 2)
        let (tie, _) = try run(["mode": "best"], failing: [1, 2])
        #expect(tie.value["n"] == 0)
        let (none, _) = try run(["mode": "best", "score": "beauty"])
        #expect(none.status == .failed(.noDecision))
    }

    @Test func `scatter gives the goal to each agent once`() throws {
        let (outcome, session) = try run(
            ["mode": "scatter"], goal: Goal("say", payload: ["index": 1]))
        #expect(
            Set(session.assignments) == ["agent/a:a", "agent/b:b", "agent/c:c", "agent/d:d"])
        #expect(numbers(outcome.value) == [1, 1, 1, 1])
    }

    @Test func `without items and plan, the whole goal is one work`() throws {
        let (outcome, session) = try run(.null, goal: Goal("all"))
        #expect(session.starts.map(\.work.id) == ["goal"])
        #expect(outcome.value.array?.count == 1)
    }

    @Test func `no items are no work, and that is done at once`() throws {
        let (outcome, session) = try run(.null, goal: Goal("none", payload: ["items": []]))
        #expect(outcome.status == .completed)
        #expect(outcome.value == [])
        #expect(session.now == .zero)
    }

    @Test func `a straggler is given to a second agent, and the first result counts`() throws {
        var session = try ScriptedSession(
            "parallel", ["hedge": true], agents: agents("a", "b")
        ) { assignment in
            // Item 8 hangs with whoever gets it first.
            let isStuck = assignment.work.payload["index"] == 8 && assignment.attempt == 1
            return (isStuck ? .silence : .value(.string("\(assignment.agent)")), .seconds(1))
        }
        let items = JSONValue.array((0..<10).map { JSONValue($0) })
        let outcome = try #require(try session.run(Goal("each", payload: ["items": items])))
        #expect(outcome.status == .completed)
        // 95 % took a second at most, so after two seconds somebody else has it as well.
        let attempts = session.starts.filter { $0.work.id == "item/8" }
        try #require(attempts.count == 2)
        #expect(attempts[0].agent != attempts[1].agent)
        #expect(session.stops == [attempts[0].epoch])
        #expect(session.now < .seconds(10))
    }

    @Test func `subtasks that come after others are not parallel`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (
                .value(
                    Plan([Subtask("x", text: "x"), Subtask("y", text: "y", after: ["x"])]).json),
                .zero
            )
        }
        let outcome = try session.run(Goal("g", decompose: true))
        #expect(outcome?.status == .failed(.invalidPlan))
    }

    @Test(
        arguments: [
            (
                ["mode": "all"],
                "parameters.mode: expected one of map, scatter, race, any, best, found \"all\""
            ),
            (
                ["cuont": 2],
                "parameters.cuont: expected one of the keys mode, count, failure, quorum, score, "
                    + "minimumScore, hedge, found another key"
            ),
            (["count": 0], "parameters.count: expected an integer of at least 1, found 0"),
            ([1], "parameters: expected an object, found array"),
        ] as [(JSONValue, String)])
    func `parameters that make no sense are refused when the session is made`(
        parameters: JSONValue, message: String
    ) throws {
        let error = #expect(throws: CoordinationError.self) {
            try ScriptedSession("parallel", parameters, agents: []) { _ in (.silence, .zero) }
        }
        #expect(error?.description == message)
    }
}
