// CoordinationStepBench.swift — what one step of each strategy costs by itself: what it was told in a whole session is
// told to it again. Next: Strategy.swift, of the module NocturneCoordination.

import CLinux
import NocturneCoordination
import NocturneCore
import Synchronization

struct CoordinationStepBench {
    let isQuick: Bool

    func run() async throws {
        let items = JSONValue.array((0..<(isQuick ? 100 : 1_000)).map { JSONValue($0) })
        let goal = Goal("bench", payload: ["items": items])
        let questions = Goal("bench", payload: ["items": [1, 2, 3, 4, 5, 6, 7, 8]])
        let stages: JSONValue = ["stages": [["name": "a"], ["name": "b"], ["name": "c"]]]
        try await steps(HierarchicalStrategy.self, Goal("bench", decompose: true))
        try await steps(PeerToPeerStrategy.self, goal, ["mode": "market"])
        try await steps(PipelineStrategy.self, goal, stages)
        try await steps(ParallelStrategy.self, goal)
        try await steps(ConsensusStrategy.self, questions, ["rule": "schulze"], agents: 101)
    }

    /// Floor: telling the same to a strategy that does nothing.
    private func steps<Base: Strategy>(
        _ strategy: Base.Type, _ goal: Goal, _ parameters: JSONValue = .null, agents: Int = 8
    ) async throws {
        let inputs = try await Self.inputs(strategy, goal, parameters, agents: agents)
        var best = Double.infinity, floor = Double.infinity
        for _ in 0..<(isQuick ? 3 : 10) {
            best = min(best, Self.time(try Base(parameters: parameters), inputs))
            floor = min(floor, Self.time(try Silent(parameters: .null), inputs))
        }
        Bench.report("coordination.step.\(Base.name)", best, "us/step", floor: floor)
    }

    /// Microseconds for one step.
    private static func time(_ strategy: any Strategy, _ inputs: [StrategyInput]) -> Double {
        var strategy = strategy
        let start = clinux_now()
        for input in inputs { withExtendedLifetime(strategy.step(input)) {} }
        return Double(clinux_now() - start) / Double(inputs.count) / 1_000
    }

    /// All that a strategy is told while a session carries out a goal.
    private static func inputs<Base: Strategy>(
        _ strategy: Base.Type, _ goal: Goal, _ parameters: JSONValue, agents: Int
    ) async throws -> [StrategyInput] {
        let coordinator = AgentCoordinator()
        try await coordinator.register(Recorded<Base>.self)
        let session: SessionID = "recorded"
        try await coordinator.createSession(
            session, goal: "bench", strategy: Recorded<Base>.name, parameters: parameters)
        recording.withLock { $0 = [] }
        for (number, name) in try CoordinationBench.names(agents).enumerated() {
            let agent = ClosureAgent(name) { Self.answer($0.work, by: number) }
            try await coordinator.addAgent(agent, to: session)
        }
        let outcome = try await coordinator.execute(session, goal)
        guard outcome.status == .completed else { throw BenchError("\(Base.name): \(outcome)") }
        try await coordinator.end(session)
        return recording.withLock { $0 }
    }

    private static func answer(_ work: Work, by agent: Int) -> JSONValue {
        switch work.kind {
        case .plan: plan.json
        case .draft: .string("proposal \(agent % 10)")
        case .vote:
            // Each agent prefers another one, in the order of all.
            ["rank": .array((0..<10).map { .string("p\(($0 + agent) % 10 + 1)") })]
        case .bid: JSONValue(agent)
        default: CoordinationBench.answer
        }
    }

    /// 20 layers of 40 subtasks, each of which comes after three of the layer before.
    private static var plan: Plan {
        let (layers, width) = (20, 40)
        return Plan(
            (0..<layers * width).map { number in
                let (layer, place) = number.quotientAndRemainder(dividingBy: width)
                let before = layer == 0 ? [] : (0..<3).map { (place + $0 * 7) % width }
                return Subtask(
                    "s\(number)", text: "bench",
                    after: before.map { "s\((layer - 1) * width + $0)" })
            })
    }
}

/// What strategies were told since it was last emptied.
private let recording = Mutex<[StrategyInput]>([])

/// A strategy and a record of what it is told.
private struct Recorded<Base: Strategy>: Strategy {
    static var name: String { "recorded" }
    private var base: Base

    init(parameters: JSONValue) throws(CoordinationError) {
        base = try Base(parameters: parameters)
    }

    mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        recording.withLock { $0.append(input) }
        return base.step(input)
    }
}

/// Takes in everything, and wants nothing.
private struct Silent: Strategy {
    static let name = "silent"
    private var count = 0

    init(parameters: JSONValue) throws(CoordinationError) {}

    mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        count += 1
        return []
    }
}
