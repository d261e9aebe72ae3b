// RelayStrategy.swift — a strategy as a program writes its own: a text goes from agent to agent, and each improves it.
// Next: OwnStrategyTests.swift, which counts these lines.

import NocturneCoordination
import NocturneCore

/// Passes a text from agent to agent; each improves what the one before made of it.
struct RelayStrategy: Strategy {
    static let name = "relay"
    private var runners: ArraySlice<AgentID> = []
    private var text = JSONValue.null

    init(parameters: JSONValue) {}

    mutating func step(_ input: StrategyInput) -> [StrategyCommand] {
        switch input {
        case .started(let start):
            (runners, text) = (start.roster.map(\.id)[...], start.goal.payload)
            return next()
        case .workEnded(let end):
            text = end.answer?.value ?? text
            return next()
        default: return []
        }
    }

    private mutating func next() -> [StrategyCommand] {
        guard let runner = runners.popFirst(), let id = try? WorkID("leg of \(runner)") else {
            return [.finish(OutcomeProposal(.completed, value: text))]
        }
        return [.assign(Work(id, text: "improve it", payload: text, assignee: .agent(runner)))]
    }
}
