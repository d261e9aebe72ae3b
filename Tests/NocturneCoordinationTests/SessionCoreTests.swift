// SessionCoreTests.swift — executing, pausing, ending, budgets, questions, strategies that misbehave.
// Next: SessionSimulationTests.swift.

import NocturneCore
import Testing

@testable import NocturneCoordination

/// Does whatever its parameters say it should at the start, and finishes when told to.
private struct TestStrategy: Strategy {
    static let name = "test"
    private let commands: [StrategyCommand]
    private var inputs: [String] = []

    init(parameters: JSONValue) throws(CoordinationError) {
        let fields = try JSONFields(parameters: parameters)
        commands = try fields.list("commands", StrategyCommand.init(json:at:))
    }

    mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        inputs.append(input.type)
        switch input {
        case .started: return commands
        case .answered(_, let value, let isDefault):
            return [
                .finish(
                    OutcomeProposal(
                        .completed, value: ["answer": value, "default": .bool(isDefault)]))
            ]
        case .timerFired(let timer):
            return [.finish(OutcomeProposal(.completed, value: .string(timer)))]
        case .message(_, let payload): return [.finish(OutcomeProposal(.rejected, value: payload))]
        case .wrapUp:
            return [.assign(Work("last", kind: .summarize, text: "sum up", isWrapUp: true))]
        case .workEnded(let end) where end.work == "last":
            return [.finish(OutcomeProposal(.partial, value: end.answer?.value ?? .null))]
        default: return []
        }
    }
}

struct SessionCoreTests {
    private static let catalog = StrategyCatalog([
        TestStrategy.self, ParallelStrategy.self, HierarchicalStrategy.self,
    ])
    private let goal = Goal("g")

    private func items(_ count: Int, budget: Budget = Budget()) -> Goal {
        Goal(
            "each", payload: ["items": .array((0..<count).map { JSONValue($0) })], budget: budget)
    }

    private func session(
        _ commands: [StrategyCommand], fallback: String? = nil,
        agents: [AgentDescriptor] = agents("a", "b"),
        script: @escaping ScriptedSession.Script = { _ in (.value("done"), .seconds(1)) }
    ) throws -> ScriptedSession {
        try ScriptedSession(
            "test", ["commands": .array(commands.map(\.json))], agents: agents,
            catalog: Self.catalog, fallback: fallback, script: script)
    }

    // MARK: - Pause and end

    @Test func `a pause starts nothing, and says when nothing is under way any more`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(2))
        }
        session.at(.seconds(1), .pause(isImmediate: false))
        session.at(.seconds(60), .resume)
        let outcome = try session.run(items(2))
        let pause = try #require(session.events.firstIndex(of: .paused))
        let quiet = try #require(session.events.firstIndex(of: .quiescent))
        let resume = try #require(session.events.firstIndex(of: .resumed))
        #expect(pause < quiet && quiet < resume)
        #expect(session.starts.count == 2 && session.now == .seconds(62))
        #expect(outcome?.status == .completed)
    }

    @Test func `an immediate pause takes back what is under way, and it starts anew`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(2))
        }
        session.at(.seconds(1), .pause(isImmediate: true))
        session.at(.seconds(10), .resume)
        #expect(try session.run(items(1))?.status == .completed)
        #expect(session.starts.map(\.attempt) == [1, 1] && session.now == .seconds(12))
        #expect(session.stops == [Epoch(1)])
    }

    @Test func `a pause of a session in which nothing happens is quiescent at once`() throws {
        var session = try session([])
        try session.apply(.pause(isImmediate: false))
        #expect(session.events.suffix(2) == [.paused, .quiescent])
        try session.apply(.pause(isImmediate: false))
        #expect(session.events.suffix(2) == [.paused, .quiescent])
        try session.apply(.resume)
        #expect(throws: CoordinationError.wrongState("test", found: "idle", needed: "paused")) {
            try session.apply(.resume)
        }
    }

    @Test func `a strategy's timers wait while the session is paused`() throws {
        var session = try session([.setTimer("t", after: .seconds(5))])
        session.at(.seconds(1), .pause(isImmediate: false))
        session.at(.seconds(60), .resume)
        #expect(try session.run(goal)?.value == "t")
        #expect(session.now == .seconds(60))
    }

    @Test func `an end hands back what was finished, and a second one does nothing`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(2))
        }
        session.at(.seconds(3), .end(reason: "enough"))
        let outcome = try #require(try session.run(items(3)))
        #expect(outcome.status == .cancelled && outcome.explanation == "enough")
        #expect(outcome.value == ["item/0": "done"])
        #expect(outcome.works.count == 3)
        #expect(session.events.last == .ended(reason: "enough"))
        let count = session.effects.count
        try session.apply(.end(reason: "again"))
        #expect(session.effects.count == count)
        #expect(throws: CoordinationError.ended("test")) { try session.apply(.execute(goal)) }
        #expect(throws: CoordinationError.ended("test")) {
            try session.apply(.addAgent(agents("z")[0]))
        }
    }

    @Test func `a second goal is refused while the first is carried out, and taken afterwards`()
        throws
    {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(1))
        }
        try session.apply(.execute(goal))
        #expect(throws: CoordinationError.busy("test")) { try session.apply(.execute(goal)) }
        try session.goOn()
        #expect(try session.run(goal)?.status == .completed)
        #expect(session.starts.map(\.idempotencyKey) == ["test/1/goal", "test/2/goal"])
    }

    @Test func `who may join is checked`() throws {
        var session = try ScriptedSession(
            "parallel", agents: agents("a") + agents("boss", role: .leader),
            policy: { $0.maxAgents = 3 }
        ) { _ in (.silence, .zero) }
        #expect(throws: CoordinationError.agentExists("a", "test")) {
            try session.apply(.addAgent(AgentDescriptor("a")))
        }
        #expect(throws: CoordinationError.leaderExists("boss", "test")) {
            try session.apply(.addAgent(AgentDescriptor("b", role: .leader)))
        }
        try session.apply(.addAgent(AgentDescriptor("b")))
        #expect(throws: CoordinationError.tooManyAgents("test", limit: 3)) {
            try session.apply(.addAgent(AgentDescriptor("c")))
        }
        #expect(throws: CoordinationError.unknownAgent("z", "test")) {
            try session.apply(.removeAgent("z", reason: ""))
        }
    }

    // MARK: - Budgets

    @Test func `a limit on works is kept, warned of, and what was finished is handed back`() throws
    {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(1))
        }
        let outcome = try #require(try session.run(items(10, budget: Budget(works: 5))))
        #expect(outcome.status == .budgetExhausted(.works))
        #expect(session.starts.count == 5 && outcome.usage.works == 5)
        #expect(outcome.works.count { $0.answer != nil } == 5)
        #expect(outcome.errors.allSatisfy { $0.failure.kind == .overBudget })
        let warning = try #require(session.events.firstIndex(of: .budgetWarning(.works)))
        let end = try #require(session.events.firstIndex(of: .budgetExhausted(.works)))
        #expect(warning < end)
    }

    @Test
    func
        `tokens are reserved before and settled after: what may not fit waits, what cannot fit is not begun`()
        throws
    {
        // Each reserves 40 and uses 10: two at once, then as many more as fit into 100.
        var session = try ScriptedSession("parallel", agents: agents("a", "b", "c")) { _ in
            (.answer(WorkAnswer("done", usage: Usage(tokens: 10))), .seconds(1))
        }
        let budget = Budget(tokens: 100, tokensPerWork: 40)
        let outcome = try #require(try session.run(items(12, budget: budget)))
        #expect(outcome.status == .budgetExhausted(.tokens))
        // Begun as long as what was used and 40 more is at most 100.
        #expect(session.starts.count == 7 && outcome.usage.tokens == 70)
    }

    @Test func `time is warned of at 80 %, wound up at 95 % and over at 100 %`() throws {
        var session = try ScriptedSession("parallel", agents: agents("a")) { _ in
            (.value("done"), .seconds(30))
        }
        let outcome = try #require(
            try session.run(items(10, budget: Budget(time: .seconds(100)))))
        #expect(outcome.status == .budgetExhausted(.time))
        #expect(session.now == .seconds(100) && outcome.duration == .seconds(100))
        #expect(outcome.works.count { $0.answer != nil } == 3)
    }

    @Test func `when a limit is reached there is one last turn`() throws {
        let works = (0..<3).map { StrategyCommand.assign(Work(WorkID(made: "w\($0)"), text: "w")) }
        var session = try session(works, agents: agents("a")) {
            (.value($0.work.kind == .summarize ? "sum" : "done"), .seconds(1))
        }
        let outcome = try #require(try session.run(Goal("g", budget: Budget(works: 2))))
        #expect(outcome.status == .budgetExhausted(.works))
        #expect(outcome.value == "sum")
        #expect(session.starts.map(\.work.id) == ["w0", "w1", "last"])
    }

    @Test func `cost is the agent's own if it reports none`() throws {
        var session = try ScriptedSession("parallel", agents: [AgentDescriptor("a", cost: 2)]) {
            _ in
            (.value("done"), .seconds(1))
        }
        let outcome = try #require(try session.run(items(9, budget: Budget(cost: 5))))
        #expect(session.starts.count == 2 && outcome.usage.cost == 4)
    }

    // MARK: - Questions, messages

    @Test func `a person's answer goes to the strategy, and without one the default does`() throws {
        let ask = StrategyCommand.ask(
            Question(
                "q", text: "go on?", options: ["yes", "no"], deadline: .seconds(60),
                defaultAnswer: "no"))
        var answered = try session([ask])
        try answered.apply(.execute(goal))
        #expect(answered.core.openQuestions.map(\.id) == ["q"])
        #expect(throws: CoordinationError.invalidAnswer(question: "q", allowed: ["yes", "no"])) {
            try answered.apply(.answer(question: "q", "perhaps"))
        }
        #expect(throws: CoordinationError.unknownQuestion("p", "test")) {
            try answered.apply(.answer(question: "p", "yes"))
        }
        try answered.apply(.answer(question: "q", "yes"))
        #expect(answered.core.outcome?.value == ["answer": "yes", "default": false])

        var silent = try session([ask])
        #expect(try silent.run(goal)?.value == ["answer": "no", "default": true])
        #expect(silent.now == .seconds(60))
    }

    @Test func `a message that cannot be delivered is told, never lost in silence`() throws {
        var session = try session([
            .send(.agent("nobody"), 1), .send(.everyone, 2), .setTimer("t", after: .zero),
        ])
        try session.run(goal)
        #expect(session.events.contains(.deadLetter(to: "nobody")))
        #expect(session.effects.contains(.deliver(.everyone, 2)))
    }

    @Test func `a message to the strategy is heard by it`() throws {
        var session = try session([.setTimer("t", after: .seconds(9))])
        session.at(.seconds(1), .message(from: "a", "stop"))
        let outcome = try session.run(goal)
        #expect(outcome?.status == .rejected && outcome?.value == "stop")
    }

    // MARK: - Strategies that misbehave

    @Test(
        arguments: [
            [.assign(Work("w", text: "w")), .assign(Work("w", text: "w"))], [.cancel("x")],
            [.hedge("x")],
        ] as [[StrategyCommand]])
    func `a command that makes no sense ends the execution and says which`(
        commands: [StrategyCommand]
    ) throws {
        var session = try session(commands)
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .failed(.strategyFailed))
        #expect(!outcome.explanation.isEmpty)
    }

    @Test
    func `a strategy that fails is replaced by the one that was declared, and no result is lost`()
        throws
    {
        var session = try session(
            [.assign(Work("w", text: "w")), .cancel("x")], fallback: "parallel")
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .completed && outcome.value == ["done"])
        #expect(outcome.works.map(\.work) == ["w", "goal"])
    }

    @Test func `a strategy that waits for nothing is told so, and then it is over`() throws {
        var session = try session([])
        let outcome = try #require(try session.run(goal))
        #expect(outcome.status == .failed(.quiescentWithoutResult))
    }

    @Test func `an unknown strategy is refused by name when the session is made`() {
        #expect(
            throws: CoordinationError.unknownStrategy(
                "x", known: ["hierarchical", "parallel", "test"])
        ) {
            try SessionCore(SessionSetup(id: "s", strategy: "x"), catalog: Self.catalog)
        }
    }

    // MARK: - Strategies elsewhere

    private func remote(fallback: String? = nil) throws -> ScriptedSession {
        var catalog = Self.catalog
        try catalog.addRemote("plugin")
        return try ScriptedSession(
            "plugin", ["k": 1], agents: agents("a"), catalog: catalog, fallback: fallback
        ) { _ in (.value("done"), .seconds(1)) }
    }

    @Test func `a strategy elsewhere is asked one step at a time, with all that happened since`()
        throws
    {
        var session = try remote()
        try session.apply(.execute(goal))
        let first = try #require(session.steps.first)
        #expect(first.number == 1 && first.state == .null && first.parameters == ["k": 1])
        #expect(first.inputs.map(\.type) == ["started"])
        try session.apply(.message(from: "a", "meanwhile"))
        #expect(session.steps.count == 1)
        try session.apply(
            .stepped(1, .stepped(state: 7, [.assign(Work("w", text: "w"))])))
        try #require(session.steps.count == 2)
        #expect(session.steps[1].state == 7 && session.steps[1].inputs.map(\.type) == ["message"])
        // The first answer again: it is not the one that is waited for.
        try session.apply(.stepped(1, .failed("late")))
        try session.apply(.stepped(2, .stepped(state: 8, [])))
        #expect(session.steps.last?.inputs.map(\.type) == ["workStarted"])
        try session.apply(
            .stepped(3, .stepped(state: 9, [.finish(OutcomeProposal(.completed, value: 1))])))
        #expect(session.core.outcome?.value == 1)
    }

    @Test func `a step that fails ends the execution, or falls back`() throws {
        var plain = try remote()
        try plain.apply(.execute(goal))
        try plain.apply(.stepped(1, .failed("too slow")))
        #expect(plain.core.outcome?.status == .failed(.strategyFailed))
        #expect(plain.core.outcome?.explanation == "too slow")
        var safe = try remote(fallback: "parallel")
        try safe.apply(.execute(goal))
        try safe.apply(.stepped(1, .failed("too slow")))
        #expect(try safe.goOn()?.status == .completed)
    }

    @Test func `a step that was being made when the process ended is asked for again`() throws {
        var session = try remote()
        try session.apply(.execute(goal))
        try session.apply(.interrupted)
        #expect(session.steps.map(\.number) == [1, 1])
    }
}

extension ScriptedSession {
    fileprivate var steps: [StepRequest] {
        effects.compactMap { if case .step(let request) = $0 { request } else { nil } }
    }
}
