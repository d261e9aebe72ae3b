// SessionEvent+Wire.swift — events by the seed's names and fields. Next: CoordinationEvents.swift.

public import NocturneCore

extension SessionEvent {
    /// The name on the wire, for example `task:assigned`.
    public var name: String {
        switch self {
        case .created: "session:created"
        case .agentJoined: "agent:joined"
        case .agentLeft: "agent:left"
        case .agentStarted: "agent:started"
        case .agentRestarting: "agent:restarting"
        case .agentRested: "agent:rested"
        case .leaderChanged: "leader:changed"
        case .executionStarted: "execution:started"
        case .workAssigned: "task:assigned"
        case .workCompleted: "task:completed"
        case .workFailed: "task:failed"
        case .workCancelled: "task:cancelled"
        case .workRetried: "task:retry"
        case .lateResultRefused: "task:late"
        case .planAccepted: "plan:accepted"
        case .planRefused: "plan:refused"
        case .messageSent: "message:sent"
        case .deadLetter: "message:undeliverable"
        case .questionAsked: "input:required"
        case .questionAnswered: "input:received"
        case .budgetWarning: "budget:warning"
        case .budgetExhausted: "budget:exhausted"
        case .progress: "execution:progress"
        case .note: "session:note"
        case .strategyReplaced: "strategy:replaced"
        case .paused: "session:paused"
        case .quiescent: "session:quiescent"
        case .resumed: "session:resumed"
        case .executionCompleted: "execution:completed"
        case .ended: "session:ended"
        }
    }

    /// The fields on the wire, without the session's.
    public var payload: JSONObject {
        switch self {
        case .created(let goal, let strategy):
            ["goal": .string(goal), "strategy": .string(strategy)]
        case .agentJoined(let agent):
            [
                "agentId": text(agent.id), "role": text(agent.role),
                "capabilities": .array(agent.capabilities.map(\.json)),
            ]
        case .agentLeft(let agent, let reason):
            ["agentId": text(agent), "reason": .string(reason)]
        // The seed's example reads the agent's `id`.
        case .agentStarted(let agent): ["agentId": text(agent), "id": text(agent)]
        case .agentRestarting(let agent, let delay), .agentRested(let agent, let delay):
            ["agentId": text(agent), "delay": delay.json]
        case .leaderChanged(let agent): ["agentId": text(agent)]
        case .executionStarted(let goal):
            ["description": .string(goal.description), "decompose": .bool(goal.decompose)]
        case .workAssigned, .workCompleted, .workFailed, .workCancelled, .workRetried,
            .lateResultRefused, .planAccepted, .planRefused:
            workPayload
        case .messageSent(let sender, let recipient):
            ["from": text(sender), "to": recipient.json]
        case .deadLetter(let agent): ["to": text(agent)]
        case .questionAsked(let question): ["question": question.json]
        case .questionAnswered(let question, let value, let isDefault):
            ["question": .string(question), "value": value, "isDefault": .bool(isDefault)]
        case .budgetWarning(let limit), .budgetExhausted(let limit):
            ["limit": .string(limit.rawValue)]
        case .progress(let progress): progress.object
        case .note(let note): ["text": .string(note)]
        case .strategyReplaced(let strategy, let reason):
            ["strategy": .string(strategy), "reason": .string(reason)]
        case .paused, .quiescent, .resumed: [:]
        case .executionCompleted(let outcome): outcome.json.object ?? [:]
        case .ended(let reason): ["reason": .string(reason)]
        }
    }

    /// The fields of what happens to a work.
    private var workPayload: JSONObject {
        switch self {
        case .workAssigned(let work, let agent, let attempt, let epoch, let why):
            [
                "taskId": text(work), "agentId": text(agent), "attempt": JSONValue(attempt),
                "epoch": JSONValue(epoch), "why": text(why),
            ]
        case .workCompleted(let end):
            [
                "taskId": text(end.work), "agentId": text(end.agent),
                "result": end.answer?.value ?? .null, "duration": end.duration.json,
            ]
        case .workFailed(let end):
            [
                "taskId": text(end.work), "agentId": text(end.agent),
                "error": .string(end.failure?.message ?? ""),
                "kind": .string(end.failure?.kind.rawValue ?? ""),
                "attempts": JSONValue(end.attempts),
            ]
        case .workCancelled(let work): ["taskId": text(work)]
        case .workRetried(let work, let agent, let failure, let delay):
            [
                "taskId": text(work), "agentId": text(agent), "error": .string(failure.message),
                "kind": .string(failure.kind.rawValue), "delay": delay.json,
            ]
        case .lateResultRefused(let work, let agent, let epoch):
            ["taskId": text(work), "agentId": text(agent), "epoch": JSONValue(epoch)]
        case .planAccepted(let work, let agent, let plan):
            ["taskId": text(work), "agentId": text(agent), "plan": plan.json]
        case .planRefused(let work, let agent, let problems):
            [
                "taskId": text(work), "agentId": text(agent),
                "problems": .array(problems.map(\.json)),
            ]
        default: [:]
        }
    }

    private func text(_ value: some CustomStringConvertible) -> JSONValue {
        .string(value.description)
    }

    private func text(_ agent: AgentID?) -> JSONValue {
        agent.map { .string($0.description) } ?? .null
    }
}

extension Recipient {
    /// An agent's name, `*` for everyone, `#` and a topic's name.
    var json: JSONValue {
        switch self {
        case .agent(let agent): .string(agent.description)
        case .everyone: "*"
        case .topic(let topic): .string("#" + topic)
        }
    }
}
