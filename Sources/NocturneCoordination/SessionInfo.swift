// SessionInfo.swift — a session as it is at a moment, for those who ask. Next: AgentCoordinator.swift.

public import NocturneCore

/// A session as it is at a moment.
public struct SessionInfo: Sendable, Hashable {
    /// Its name.
    public let id: SessionID
    /// What it is for.
    public let goal: String
    /// How it goes about it.
    public let strategy: String
    /// `idle`, `executing`, `paused`, `ended`, or `failed`: its log could not be written, so it does nothing any more.
    public let state: String
    /// Who is in it, in the order in which they joined.
    public let agents: [AgentDescriptor]
    /// Who leads; `nil` while nobody has to.
    public let leader: AgentID?
    /// How far the execution is, if there is one.
    public let progress: SessionProgress?
    /// What it waits to be told by a person.
    public let questions: [Question]
    /// What the last execution came to.
    public let outcome: Outcome?

    init(_ core: SessionCore, hasFailed: Bool = false) {
        id = core.setup.id
        goal = core.setup.goal
        strategy = core.setup.strategy
        state = hasFailed ? "failed" : core.stateName
        agents = core.agents
        leader = core.leader
        progress = core.progress
        questions = core.openQuestions
        outcome = core.outcome
    }

    /// `{"id", "goal", "strategy", "state", "agents", "leader", "progress", "questions", "outcome"}`
    public var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id.description), "goal": .string(goal), "strategy": .string(strategy),
            "state": .string(state), "agents": .array(agents.map(\.json)),
            "leader": leader.map { .string($0.description) } ?? .null,
        ]
        object.set("progress", progress.map { .object($0.object) })
        if !questions.isEmpty { object["questions"] = .array(questions.map(\.json)) }
        object.set("outcome", outcome?.json)
        return .object(object)
    }
}
