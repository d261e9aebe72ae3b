// SessionInput.swift — all that can happen to a session. What is not here cannot change it, so a log of these is the
// whole truth. Next: SessionEffect.swift.

package import NocturneCore

/// One attempt at one work, as a number that is never used again in a session. A result that carries the number of an
/// attempt that is over is refused: it fences off those who come back late.
package struct Epoch: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let number: Int

    package init(_ number: Int) { self.number = number }

    package var description: String { "\(number)" }

    package static func < (left: Epoch, right: Epoch) -> Bool { left.number < right.number }
}

/// How an attempt at a work ended.
package enum RunResult: Sendable, Hashable {
    case answered(WorkAnswer)
    case failed(WorkFailure, Usage)
}

/// What a strategy that is not in this process answered.
package enum StepReply: Sendable, Hashable {
    case stepped(state: JSONValue, [StrategyCommand])
    /// It was too slow, died, or said what makes no sense.
    case failed(String)
}

/// What can happen to a session.
package enum SessionInput: Sendable, Hashable {
    case addAgent(AgentDescriptor)
    case removeAgent(AgentID, reason: String)
    case execute(Goal)
    case runEnded(Epoch, RunResult)
    case heartbeat(Epoch)
    /// To the strategy; from a person if nobody is named.
    case message(from: AgentID?, JSONValue)
    /// So many messages were sent from agent to agent.
    case messagesSent(Int)
    case answer(question: String, JSONValue)
    case stepped(Int, StepReply)
    /// Time has passed: what is due happens.
    case tick
    /// `isImmediate`: what is under way is stopped, and starts anew later.
    case pause(isImmediate: Bool)
    case resume
    case end(reason: String)
    /// The process of the session ended and another one goes on: nothing is under way any more.
    case interrupted
}
