// SessionEvent.swift — what happens in a session, for those who watch. On the wire it has the seed's names.
// Next: Outcome.swift.

public import NocturneCore

/// How far an execution is.
public struct SessionProgress: Sendable, Hashable {
    /// The part of the weight of all works that has ended, 0 … 1.
    public let fraction: Double
    /// Works that ended.
    public let ended: Int
    /// Works that were asked for so far.
    public let works: Int

    /// `{"progress", "ended", "works"}`; the progress in percent, as the task manager's.
    var object: JSONObject {
        [
            "progress": JSONValue((fraction * 1_000).rounded() / 10) ?? 0,
            "ended": JSONValue(ended), "works": JSONValue(works),
        ]
    }
}

/// Something that happened in a session.
public enum SessionEvent: Sendable, Hashable {
    /// It was made. `session:created {sessionId, goal, strategy}`
    case created(goal: String, strategy: String)
    /// `agent:joined {sessionId, agentId, role, capabilities}`
    case agentJoined(AgentDescriptor)
    /// `agent:left {sessionId, agentId, reason}`; its works are with others by then, or wait for them.
    case agentLeft(AgentID, reason: String)
    /// It can be given work: it joined, or was restarted. `agent:started {sessionId, agentId, id}`
    case agentStarted(AgentID)
    /// It crashed and is restarted after a while. `agent:restarting {sessionId, agentId, delay}`
    case agentRestarting(AgentID, delay: Duration)
    /// It failed so often that it is given nothing for a while. `agent:rested {sessionId, agentId, delay}`
    case agentRested(AgentID, delay: Duration)
    /// `leader:changed {sessionId, agentId}`
    case leaderChanged(AgentID?)
    /// `execution:started {sessionId, description, decompose}`
    case executionStarted(Goal)
    /// `task:assigned {sessionId, taskId, agentId, attempt, epoch, why}`
    case workAssigned(WorkID, to: AgentID, attempt: Int, epoch: Int, AllocationReason)
    /// `task:completed {sessionId, taskId, agentId, result, duration}`, and `agent:task:completed` the same.
    case workCompleted(WorkEnd)
    /// `task:failed {sessionId, taskId, agentId, error, kind, attempts}`
    case workFailed(WorkEnd)
    /// `task:cancelled {sessionId, taskId}`
    case workCancelled(WorkID)
    /// An attempt failed; there will be another. `task:retry {sessionId, taskId, agentId, error, kind, delay}`
    case workRetried(WorkID, by: AgentID, WorkFailure, delay: Duration)
    /// An attempt that was over brought a result; it was refused. `task:late {sessionId, taskId, agentId, epoch}`
    case lateResultRefused(WorkID, by: AgentID, epoch: Int)
    /// `plan:accepted {sessionId, taskId, agentId, plan}`
    case planAccepted(WorkID, by: AgentID, Plan)
    /// `plan:refused {sessionId, taskId, agentId, problems}`
    case planRefused(WorkID, by: AgentID, [PlanProblem])
    /// `message:sent {sessionId, from, to}`; by the strategy if nobody is named.
    case messageSent(from: AgentID?, to: Recipient)
    /// A message could not be delivered. `message:undeliverable {sessionId, to}`
    case deadLetter(to: AgentID?)
    /// `input:required {sessionId, question}`
    case questionAsked(Question)
    /// `input:received {sessionId, question, value, isDefault}`
    case questionAnswered(String, JSONValue, isDefault: Bool)
    /// Four fifths of a limit are used. `budget:warning {sessionId, limit}`
    case budgetWarning(BudgetLimit)
    /// A limit is reached. `budget:exhausted {sessionId, limit}`
    case budgetExhausted(BudgetLimit)
    /// `execution:progress {sessionId, progress, ended, works}`
    case progress(SessionProgress)
    /// What the strategy has to say. `session:note {sessionId, text}`
    case note(String)
    /// The strategy failed, and another one takes over. `strategy:replaced {sessionId, strategy, reason}`
    case strategyReplaced(by: String, reason: String)
    /// `session:paused {sessionId}`: nothing is started any more.
    case paused
    /// It is paused and nothing is under way: everything may be stopped now. `session:quiescent {sessionId}`
    case quiescent
    /// `session:resumed {sessionId}`
    case resumed
    /// `execution:completed {sessionId, status, …}`
    case executionCompleted(Outcome)
    /// `session:ended {sessionId, reason}`
    case ended(reason: String)
}
