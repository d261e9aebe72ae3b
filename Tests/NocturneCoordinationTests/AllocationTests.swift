// AllocationTests.swift — who gets a work, and why. Next: FaultToleranceTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct AllocationTests {
    private func items(_ count: Int, requires: [String] = []) -> Goal {
        Goal(
            "each", payload: ["items": .array((0..<count).map { JSONValue($0) })],
            requires: requires)
    }

    /// How many works each agent was given.
    private func shares(_ session: ScriptedSession) -> [String: Int] {
        session.starts.reduce(into: [:]) { $0[$1.agent.description, default: 0] += 1 }
    }

    /// Issue 6, point 4. One after the other (a pipeline of one place), or all at once.
    @Test(arguments: [true, false], [1, 2, 3] as [UInt64])
    func `the best of three gets most of 200 works, the worst is still tried, and the log says why`(
        isOneByOne: Bool, seed: UInt64
    ) throws {
        var generator = SeededGenerator(seed: seed)
        let success = ["best": 90, "middle": 50, "worst": 10]
        var session = try ScriptedSession(
            isOneByOne ? "pipeline" : "parallel",
            isOneByOne ? ["stages": [["name": "only", "concurrency": 1]]] : .null,
            agents: agents("middle", "worst", "best"),
            policy: { policy in
                policy.attempts = 1
                // Breakers would help the best one too; this is about the choice alone.
                policy.breakerThreshold = 1_000
            }
        ) { assignment in
            let isGood = generator.chance(success[assignment.agent.description] ?? 0)
            return (isGood ? .value(1) : .failure(.failed), .seconds(1))
        }
        let outcome = try #require(try session.run(items(200)))
        let shares = shares(session)
        #expect(outcome.works.count == 200)
        #expect(shares["best"] ?? 0 >= 120, "\(shares)")
        #expect(shares["worst"] ?? 0 >= 1, "\(shares)")

        let reasons = session.events.compactMap { event in
            if case .workAssigned(_, let agent, _, _, let why) = event { (agent, why) } else { nil }
        }
        #expect(reasons.count == session.starts.count)
        let last = try #require(reasons.last { $0.0 == "best" }?.1)
        #expect(last.success > 0.7 && last.works > 100)
        #expect(last.description.hasPrefix("fit 1.00, success 0."))
    }

    @Test func `equal agents share equally`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a", "b", "c")) { _ in
            (.value(1), .seconds(1))
        }
        try session.run(items(30))
        #expect(shares(session) == ["a": 10, "b": 10, "c": 10])
        #expect(session.now == .seconds(10))
    }

    @Test func `a work goes only to those who have what it requires, the better one first`() throws
    {
        let agents = [
            AgentDescriptor("none"),
            AgentDescriptor("some", capabilities: [capability("swift", 0.4)]),
            AgentDescriptor("expert", capabilities: [capability("swift", 0.9)]),
            AgentDescriptor("eye", role: .observer, capabilities: [capability("swift")]),
            AgentDescriptor("critic", role: .reviewer, capabilities: [capability("swift")]),
        ]
        var session = try ScriptedSession("parallel", agents: agents) { _ in
            (.value(1), .seconds(1))
        }
        try session.run(items(1, requires: ["swift"]))
        #expect(session.starts.map(\.agent) == ["expert"])
    }

    @Test func `of two who are as good, the cheaper one is chosen`() throws {
        let agents = [AgentDescriptor("dear", cost: 5), AgentDescriptor("cheap", cost: 1)]
        var session = try ScriptedSession("parallel", agents: agents) { _ in
            (.value(1), .seconds(1))
        }
        try session.run(items(1))
        #expect(session.starts.map(\.agent) == ["cheap"])
    }

    @Test func `no agent has more works at once than it takes`() throws {
        let agents = [AgentDescriptor("two", concurrency: 2), AgentDescriptor("one")]
        var session = try ScriptedSession("parallel", agents: agents) { _ in
            (.value(1), .seconds(1))
        }
        try session.apply(.execute(items(9)))
        #expect(shares(session) == ["two": 2, "one": 1])
        try session.goOn()
        #expect(session.now == .seconds(3))
    }

    @Test func `a work that nobody can do ends after a while, and one who comes in time gets it`()
        throws
    {
        func session() throws -> ScriptedSession {
            try ScriptedSession("parallel", agents: agents("a")) { _ in (.value(1), .seconds(1)) }
        }
        var alone = try session()
        let outcome = try #require(try alone.run(items(1, requires: ["magic"])))
        #expect(outcome.errors.map(\.failure.kind) == [.unassignable])
        #expect(alone.now == .seconds(10))
        var joined = try session()
        joined.at(
            .seconds(9),
            .addAgent(AgentDescriptor("mage", capabilities: [capability("magic")])))
        #expect(try joined.run(items(1, requires: ["magic"]))?.status == .completed)
    }

    @Test func `a thousand agents do two thousand works, each once`() throws {
        let many = (0..<1_000).map { index in
            AgentDescriptor(
                Name.literal { () throws(CoordinationError) in try AgentID("a\(index)") })
        }
        var core = try SessionCore(
            SessionSetup(id: "large", strategy: "parallel"), catalog: .builtIn)
        for agent in many { _ = try core.apply(.addAgent(agent), at: .zero) }
        var waiting = try core.apply(.execute(items(2_000)), at: .zero), done = 0
        while core.isExecuting {
            var next: [SessionEffect] = []
            for case .start(let assignment) in waiting {
                done += 1
                next += try core.apply(
                    .runEnded(assignment.epoch, .answered(WorkAnswer(1))), at: .seconds(done))
            }
            waiting = next
        }
        #expect(core.outcome?.status == .completed && done == 2_000)
    }
}
