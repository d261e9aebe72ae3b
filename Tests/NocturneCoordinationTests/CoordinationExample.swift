// CoordinationExample.swift — the seed's example of coordination, as a program writes it. Next: OwnStrategyTests.swift.

import NocturneCoordination
import NocturneCore

/// One leads, one reviews, one works; `print` is told of each work that is done.
func coordinationExample(print: @escaping @Sendable (String) -> Void) async throws -> Outcome {
    let coordinator = AgentCoordinator(
        configuration: AgentCoordinatorConfiguration(
            strategy: "hierarchical", maxAgents: 5, enableFaultTolerance: true))
    let watching = Task { [events = coordinator.events] in
        for await case .event(_, let event) in events {
            if case .workCompleted(let end) = event { print("\(end.work) is done") }
            if case .ended = event { return }
        }
    }

    let session = try await coordinator.createSession(
        "code-review", goal: "Review and improve codebase")
    let leader = ClosureAgent("ada") { _ in
        Plan([
            Subtask("analyze", text: "find what is wrong"),
            Subtask("refactor", text: "mend it", after: ["analyze"]),
        ]).json
    }
    try await coordinator.addAgent(leader, to: session.id, role: .leader)
    let reviewer = ClosureAgent("grace") { _ in ReviewVerdict.accept.json }
    try await coordinator.addAgent(reviewer, to: session.id, role: .reviewer)
    let worker = ClosureAgent("edsger") { _ in "done" }
    try await coordinator.addAgent(worker, to: session.id, role: .worker)

    let outcome = try await coordinator.execute(
        session.id, Goal("Analyze and refactor code", decompose: true))
    try await coordinator.end(session.id)
    await watching.value
    return outcome
}
