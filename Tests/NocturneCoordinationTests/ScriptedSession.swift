// ScriptedSession.swift — a session in virtual time whose agents answer as a test says. Next:
// ParallelStrategyTests.swift.

import NocturneCore

@testable import NocturneCoordination

/// What an agent does with an assignment.
enum ScriptedAnswer {
    case value(JSONValue)
    case answer(WorkAnswer)
    case failure(WorkFailure.Kind)
    /// Never an answer.
    case silence
}

/// A session in virtual time. Agents answer after a second, unless a test says otherwise.
struct ScriptedSession {
    typealias Script = (Assignment) -> (ScriptedAnswer, after: Duration)

    var core: SessionCore
    var now = Duration.zero
    var events: [SessionEvent] = []
    var starts: [Assignment] = []
    var stops: [Epoch] = []
    var effects: [SessionEffect] = []
    private var answers: [(time: Duration, number: Int, input: SessionInput)] = []
    private var number = 0
    private let script: Script

    init(
        _ strategy: String, _ parameters: JSONValue = .null, agents: [AgentDescriptor],
        catalog: StrategyCatalog = .builtIn, fallback: String? = nil,
        policy: (inout SessionPolicy) -> Void = { _ in },
        script: @escaping Script
    ) throws {
        var setup = SessionSetup(
            id: "test", strategy: strategy, parameters: parameters, fallback: fallback)
        policy(&setup.policy)
        core = try SessionCore(setup, catalog: catalog)
        self.script = script
        for agent in agents { try apply(.addAgent(agent)) }
    }

    mutating func apply(_ input: SessionInput) throws {
        let effects = try core.apply(input, at: now)
        self.effects += effects
        for effect in effects {
            switch effect {
            case .tell(let event): events.append(event)
            case .stop(_, let epoch): stops.append(epoch)
            case .start(let assignment):
                starts.append(assignment)
                let (answer, delay) = script(assignment)
                if let result = answer.result {
                    at(now + delay, .runEnded(assignment.epoch, result))
                }
            default: break
            }
        }
    }

    /// Lets something happen at a moment.
    mutating func at(_ time: Duration, _ input: SessionInput) {
        number += 1
        answers.append((time, number, input))
    }

    /// Carries out a goal.
    @discardableResult
    mutating func run(_ goal: Goal) throws -> Outcome? {
        try apply(.execute(goal))
        return try goOn()
    }

    /// Goes on until the execution has ended, or nothing happens any more.
    @discardableResult
    mutating func goOn(until limit: Duration = .seconds(100_000)) throws -> Outcome? {
        while core.isExecuting {
            let next = answers.min { ($0.time, $0.number) < ($1.time, $1.number) }
            let due = core.nextDue()
            if let next, next.time <= due ?? next.time, next.time <= limit {
                answers.removeAll { $0.number == next.number }
                now = max(now, next.time)
                try apply(next.input)
            } else if let due, due <= limit {
                now = max(now, due)
                try apply(.tick)
            } else {
                break
            }
        }
        return core.outcome
    }

    /// Who was given what, in order: `w:a`.
    var assignments: [String] { starts.map { "\($0.work.id):\($0.agent)" } }
}

extension ScriptedAnswer {
    fileprivate var result: RunResult? {
        switch self {
        case .value(let value): .answered(WorkAnswer(value))
        case .answer(let answer): .answered(answer)
        case .failure(let kind): .failed(WorkFailure(kind, "as scripted"), Usage())
        case .silence: nil
        }
    }
}

/// Agents by their names.
func agents(_ names: String..., role: Role = .worker) -> [AgentDescriptor] {
    names.map { name in
        AgentDescriptor(
            Name.literal { () throws(CoordinationError) in try AgentID(name) }, role: role)
    }
}

/// One capability.
func capability(_ name: String, _ score: Double = 1) -> Capability {
    Name.literal { () throws(CoordinationError) in try Capability(name, score: score) }
}
