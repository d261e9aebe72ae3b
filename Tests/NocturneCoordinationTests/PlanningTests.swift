// PlanningTests.swift — who is asked for a plan, and which plans can be carried out. Next: SessionCoreTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

struct PlanningTests {
    private static let roster = [
        AgentDescriptor("boss", role: .leader),
        AgentDescriptor("ann", capabilities: [capability("swift"), capability("test")]),
        AgentDescriptor("bob", capabilities: [capability("c")]),
        AgentDescriptor("eye", role: .observer, capabilities: [capability("magic")]),
    ]

    private func problems(
        _ plan: Plan, ancestors: [AgentID] = [], tokensLeft: Int64? = nil, worksLeft: Int? = nil,
        limits: (inout PlanLimits) -> Void = { _ in }
    ) -> [PlanProblem] {
        var allowed = PlanLimits()
        limits(&allowed)
        return PlanValidation(
            roster: Self.roster, limits: allowed, ancestors: ancestors, tokensLeft: tokensLeft,
            worksLeft: worksLeft
        ).problems(of: plan)
    }

    @Test func `a plan that can be carried out has no problems`() {
        let plan = Plan([
            Subtask("a", text: "a", requires: ["swift", "test"]),
            Subtask("b", text: "b", requires: ["c"], after: ["a"], agent: "bob", tokens: 5),
        ])
        #expect(problems(plan, tokensLeft: 5, worksLeft: 2).isEmpty)
    }

    @Test(arguments: [
        (Plan([]), [PlanProblem.Kind.empty]),
        (Plan([Subtask("a", text: ""), Subtask("a", text: "")]), [.duplicate]),
        (Plan([Subtask("a", text: "", after: ["b"])]), [.unknownDependency]),
        (Plan([Subtask("a", text: "", after: ["a"])]), [.cycle]),
        (Plan([Subtask("a", text: "", requires: ["magic"])]), [.unknownCapability]),
        (Plan([Subtask("a", text: "", requires: ["swift", "c"])]), [.unknownCapability]),
        (Plan([Subtask("a", text: "", agent: "nobody")]), [.unknownAgent]),
        (Plan([Subtask("a", text: "", agent: "eye")]), [.unknownAgent]),
        (Plan([Subtask("", text: "")]), [.malformed]),
        (
            Plan([Subtask("a", text: "", requires: ["x"]), Subtask("b", text: "", agent: "y")]),
            [.unknownCapability, .unknownAgent]
        ),
    ])
    func `everything that is wrong with a plan is found`(plan: Plan, kinds: [PlanProblem.Kind]) {
        #expect(problems(plan).map(\.kind) == kinds)
    }

    @Test func `a cycle is shown as a ring`() {
        let plan = Plan([
            Subtask("a", text: "", after: ["c"]), Subtask("b", text: "", after: ["a"]),
            Subtask("c", text: "", after: ["b"]), Subtask("d", text: "", after: ["a"]),
        ])
        #expect(problems(plan).map(\.message) == ["waits for itself: a after c after b after a"])
    }

    @Test func `a plan keeps to its limits`() {
        let wide = Plan(
            [Subtask("r", text: "")]
                + (0..<4).map {
                    Subtask("s\($0)", text: "", after: ["r"])
                })
        let long = Plan(
            (0..<5).map {
                Subtask("s\($0)", text: "", after: $0 > 0 ? ["s\($0 - 1)"] : [])
            })
        #expect(problems(wide) { $0.subtasks = 4 }.map(\.kind) == [.tooMany])
        #expect(problems(wide) { $0.fanOut = 3 }.map(\.kind) == [.tooWide])
        #expect(problems(wide) { $0.fanOut = 4 }.isEmpty)
        #expect(problems(long) { $0.chain = 4 }.map(\.kind) == [.tooDeep])
        #expect(problems(long) { $0.chain = 5 }.isEmpty)
        #expect(problems(long, worksLeft: 4).map(\.kind) == [.overBudget])
        let dear = Plan([Subtask("a", text: "", tokens: .max), Subtask("b", text: "", tokens: 9)])
        #expect(problems(dear, tokensLeft: 100).map(\.kind) == [.overBudget])
    }

    @Test func `nothing goes back to those who wait for it`() {
        let named = Plan([Subtask("a", text: "", agent: "ann")])
        #expect(problems(named, ancestors: ["ann"]).map(\.kind) == [.delegationCycle])
        let only = Plan([Subtask("a", text: "", requires: ["swift"])])
        #expect(problems(only, ancestors: ["ann"]).map(\.kind) == [.unknownCapability])
        let any = Plan([Subtask("a", text: "")])
        #expect(problems(any, ancestors: ["ann", "bob"]).isEmpty)
        #expect(
            problems(any, ancestors: ["ann", "bob", "boss"]).map(\.kind) == [
                .tooDeep, .delegationCycle,
            ])
    }

    // MARK: - Who is asked

    private func session(
        _ agents: [AgentDescriptor], answers: [JSONValue]
    ) throws -> ScriptedSession {
        var asked = 0
        return try ScriptedSession("hierarchical", agents: agents) { assignment in
            guard assignment.work.kind == .plan else { return (.value(1), .seconds(1)) }
            asked += 1
            return (.value(answers[min(asked, answers.count) - 1]), .seconds(1))
        }
    }

    private let good = Plan([Subtask("a", text: "a")]).json
    private let goal = Goal("g", decompose: true)

    @Test func `nobody who can be asked is a typed error, and nothing has begun`() throws {
        let mute = AgentDescriptor("mute", plans: false)
        var session = try session([mute], answers: [good])
        #expect(
            throws: CoordinationError.noPlanner(
                "test", reason: "mute should plan and says that it does not")
        ) {
            try session.run(goal)
        }
        #expect(!session.core.isExecuting && session.starts.isEmpty)
        let stranger = Goal("g", decompose: true, planner: "stranger")
        #expect(throws: CoordinationError.self) { try session.run(stranger) }
        var empty = try self.session(agents("eye", role: .observer), answers: [good])
        #expect(throws: CoordinationError.noAgents("test")) { try empty.run(goal) }
    }

    @Test func `without a leader the most capable one is appointed before anybody is asked`() throws
    {
        let agents = [
            AgentDescriptor("zoe", capabilities: [capability("a", 0.9)]),
            AgentDescriptor("bob", capabilities: [capability("a", 0.5), capability("b", 0.6)]),
            AgentDescriptor("ann", capabilities: [capability("b", 0.6), capability("a", 0.5)]),
            AgentDescriptor(
                "eye", role: .reviewer, capabilities: [capability("a"), capability("b")]),
        ]
        var session = try session(agents, answers: [good])
        try session.run(goal)
        // 1.1 in sum is the most, and Ann is before Bob.
        #expect(session.core.leader == "ann")
        #expect(session.starts.first?.agent == "ann")
        // What the goal requires comes first.
        var required = try self.session(agents, answers: [good])
        try required.run(Goal("g", decompose: true, requires: ["a"]))
        #expect(required.core.leader == "zoe")
    }

    @Test func `a declared planner is asked instead of the leader`() throws {
        var session = try session(
            agents("boss", role: .leader) + agents("planner"), answers: [good])
        try session.run(Goal("g", decompose: true, planner: "planner"))
        #expect(session.starts.first?.agent == "planner")
    }

    @Test func `an invalid plan goes back with what is wrong, and a good one is taken`() throws {
        let bad = Plan([Subtask("a", text: "a", after: ["z"])]).json
        var session = try session(agents("boss", role: .leader), answers: [bad, "what?", good])
        #expect(try session.run(goal)?.status == .completed)
        let briefs = session.starts.filter { $0.work.kind == .plan }.map(\.work.payload)
        try #require(briefs.count == 3)
        #expect(briefs[0]["problems"] == nil)
        #expect(briefs[1]["problems"]?[0]?["kind"] == "unknownDependency")
        #expect(briefs[2]["problems"]?[0]?["kind"] == "malformed")
    }

    @Test func `after three invalid plans it is over: nothing is made up`() throws {
        var session = try session(agents("boss", role: .leader), answers: [["subtasks": []]])
        let outcome = try session.run(goal)
        #expect(outcome?.status == .failed(.invalidPlan))
        #expect(session.starts.count == 3)
    }

    @Test func `if the leader goes while it plans, the next one is asked`() throws {
        var session = try session(
            agents("boss", role: .leader) + agents("ann"), answers: [good])
        session.at(.milliseconds(500), .removeAgent("boss", reason: "home"))
        #expect(try session.run(goal)?.status == .completed)
        #expect(session.assignments.prefix(2) == ["plan/1:boss", "plan/1:ann"])
    }
}
