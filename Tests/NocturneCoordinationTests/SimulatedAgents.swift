// SimulatedAgents.swift — what the agents of a simulation do, and what happens to them. Next:
// SessionSimulationTests.swift.

import NocturneCore

@testable import NocturneCoordination

extension SessionSimulation {
    /// Decides what becomes of an assignment.
    mutating func answer(_ assignment: Assignment) {
        let epoch = assignment.epoch, delay = generator.milliseconds(1...400)
        let value = value(for: assignment)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<70: send(epoch, .answered(value), after: delay)
        case 70..<82: send(epoch, .failed(WorkFailure(.failed, "bad luck"), Usage()), after: delay)
        case 82..<87: send(epoch, .failed(WorkFailure(.crashed, "died"), Usage()), after: delay)
        case 87..<90: send(epoch, .failed(WorkFailure(.refused, "never"), Usage()), after: delay)
        case 90..<95:  // Twice.
            send(epoch, .answered(value), after: delay)
            send(epoch, .answered(value), after: delay + generator.milliseconds(0...2_000))
        case 95..<98:  // Long after its time.
            send(epoch, .answered(value), after: .seconds(5) + delay)
        default: break  // Never.
        }
        if generator.chance(20) { schedule(.input(.heartbeat(epoch)), after: delay / 2) }
    }

    private mutating func send(_ epoch: Epoch, _ result: RunResult, after delay: Duration) {
        schedule(.input(.runEnded(epoch, result)), after: delay)
    }

    private mutating func value(for assignment: Assignment) -> WorkAnswer {
        switch assignment.work.kind {
        case .plan: return WorkAnswer(plan())
        case .review:
            let verdicts: [JSONValue] = [
                ReviewVerdict.accept.json, ReviewVerdict.accept.json,
                ReviewVerdict.revise("more").json,
                ReviewVerdict.reject("no").json, "what?",
            ]
            return WorkAnswer(verdicts.randomElement(using: &generator) ?? .null)
        case .vote: return WorkAnswer(.string("p\(Int.random(in: 1...3, using: &generator))"))
        case .bid:
            let isDeclined = generator.chance(30)
            let cost = JSONValue(Int.random(in: 0...9, using: &generator))
            return WorkAnswer(isDeclined ? .null : cost)
        default:
            let value: JSONValue = [
                "by": .string(assignment.agent.description),
                "score": JSONValue(Int.random(in: 0...9, using: &generator)),
            ]
            return WorkAnswer(
                value, delegating: generator.chance(8) ? plan() : .null,
                handingTo: generator.chance(30) ? anyone() : nil,
                usage: Usage(tokens: Int64.random(in: 0...20, using: &generator)))
        }
    }

    private mutating func anyone() -> AgentID? {
        try? AgentID("a\(Int.random(in: 0..<4, using: &generator))")
    }

    /// A plan of up to five subtasks; now and then one that cannot be carried out.
    private mutating func plan() -> JSONValue {
        let count = Int.random(in: 1...5, using: &generator)
        let isChained = generator.chance(70)
        var subtasks = (0..<count).map { index in
            Subtask(
                "s\(index)", text: "part \(index)",
                requires: generator.chance(20) ? ["skill"] : [],
                after: isChained && index > 0 && generator.chance(50)
                    ? ["s\(Int.random(in: 0..<index, using: &generator))"] : [])
        }
        if generator.chance(15) { subtasks[0].after = ["s\(count - 1)"] }
        return Plan(subtasks).json
    }

    /// All of one schedule, by its seed.
    static func random(seed: UInt64) throws -> SessionSimulation {
        var generator = SeededGenerator(seed: seed ^ 0xABCD)
        var policy = SessionPolicy()
        policy.isFaultTolerant = generator.chance(90)
        policy.workTimeout = .seconds(2)
        policy.assignmentGrace = .seconds(1)
        policy.breakerThreshold = 3
        policy.breakerCooldown = .seconds(1)
        let (strategy, parameters) = strategy(&generator)
        var simulation = try SessionSimulation(
            seed: seed,
            setup: SessionSetup(
                id: "simulation", strategy: strategy, parameters: parameters, seed: seed,
                policy: policy))
        simulation.populate()
        simulation.disturb()
        return simulation
    }

    private static func strategy(_ generator: inout SeededGenerator) -> (String, JSONValue) {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0, 1: ("hierarchical", generator.chance(50) ? ["summarize": true] : .null)
        case 2, 3: ("pipeline", pipeline(&generator))
        case 4: ("parallel", ["failure": "failFast"])
        case 5: ("parallel", ["hedge": true])
        case 6: ("parallel", ["mode": "any", "count": 2])
        case 7: ("peerToPeer", .null)
        case 8: ("peerToPeer", ["mode": "market", "biddingTime": 300])
        case 9: ("consensus", ["time": 500, "rule": "simpleMajority", "ties": ["revote"]])
        case 10: ("consensus", ["rule": "unanimity", "revisions": 2])
        default: ("parallel", ["mode": generator.chance(50) ? "best" : "scatter"])
        }
    }

    private static func pipeline(_ generator: inout SeededGenerator) -> JSONValue {
        [
            "stages": [
                ["name": "one", "capacity": 1], ["name": "two", "concurrency": 2, "capacity": 2],
                [
                    "name": "three", "loopTo": "one",
                    "schema": ["properties": ["score": ["minimum": 3]]],
                ],
            ], "order": generator.chance(50) ? "preserve" : "asCompleted",
            "failure": generator.chance(80)
                ? "deadLetter" : generator.chance(50) ? "skip" : "abort",
        ]
    }

    private mutating func populate() {
        let count = Int.random(in: 1...4, using: &generator)
        for index in 0..<count {
            let role: Role = index == 0 && generator.chance(60) ? .leader : .worker
            perform(join: agent("a\(index)", role))
        }
        if generator.chance(30) { perform(join: agent("critic", .reviewer)) }
        if generator.chance(20) { perform(join: agent("eye", .observer)) }
        var budget = Budget()
        if generator.chance(15) { budget.works = Int.random(in: 0...8, using: &generator) }
        if generator.chance(15) { budget.tokens = Int64.random(in: 0...60, using: &generator) }
        if generator.chance(15) { budget.time = generator.milliseconds(100...5_000) }
        let items = (0..<Int.random(in: 0...6, using: &generator)).map { JSONValue($0) }
        let goal = Goal(
            "simulated", payload: ["items": .array(items)], decompose: generator.chance(50),
            budget: budget)
        schedule(.input(.execute(goal)), after: .zero)
    }

    private mutating func agent(_ name: String, _ role: Role) -> AgentDescriptor {
        AgentDescriptor(
            Name.literal { () throws(CoordinationError) in try AgentID(name) }, role: role,
            capabilities: Name.literal { () throws(CoordinationError) in
                generator.chance(70) ? [try Capability("skill", score: 0.5)] : []
            },
            concurrency: Int.random(in: 1...3, using: &generator),
            heartbeat: generator.chance(20) ? .milliseconds(150) : nil)
    }

    private mutating func perform(join agent: AgentDescriptor) {
        schedule(.join(agent), after: .zero)
    }

    /// What happens to the session besides its agents' answers.
    private mutating func disturb() {
        for index in 0..<4 where generator.chance(30) {
            let delay = generator.milliseconds(1...1_500)
            if let id = try? AgentID("a\(index)") {
                schedule(.input(.removeAgent(id, reason: "somebody said so")), after: delay)
                if generator.chance(60) {
                    let back = agent(id.description, .worker)
                    schedule(.join(back), after: delay + generator.milliseconds(1...2_000))
                }
            }
        }
        for _ in 0..<2 where generator.chance(20) {
            let delay = generator.milliseconds(1...1_000)
            schedule(.input(.pause(isImmediate: generator.chance(50))), after: delay)
            schedule(.input(.resume), after: delay + generator.milliseconds(1...2_000))
        }
        if generator.chance(15) { schedule(.die, after: generator.milliseconds(1...1_000)) }
        if generator.chance(5) {
            schedule(.input(.end(reason: "enough")), after: generator.milliseconds(1...1_500))
        }
        if generator.chance(10) {
            schedule(.join(agent("late", .worker)), after: generator.milliseconds(1...500))
        }
    }
}
