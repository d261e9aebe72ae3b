// SessionEffect.swift — what a session's core wants done outside it. Next: SessionEvent.swift.

package import NocturneCore

/// An attempt at a work that an agent shall start.
package struct Assignment: Sendable, Hashable {
    package let agent: AgentID
    package let work: Work
    package let epoch: Epoch
    /// From 1.
    package let attempt: Int
    /// The same for every attempt at the same work of the same execution: for whoever must not do a thing twice.
    package let idempotencyKey: String
    /// How long it may take.
    package let timeout: Duration
}

/// What a strategy that is not in this process shall be asked.
package struct StepRequest: Sendable, Hashable {
    package let number: Int
    package let strategy: String
    package let parameters: JSONValue
    package let state: JSONValue
    package let inputs: [StrategyInput]
}

/// What a session's core wants done outside it, in order.
package enum SessionEffect: Sendable, Hashable {
    case start(Assignment)
    /// The attempt is over as far as the session is concerned; what it still brings is refused.
    case stop(AgentID, Epoch)
    /// It crashed, and shall be given another chance.
    case restart(AgentID)
    /// It is not in the session any more.
    case dismiss(AgentID)
    case deliver(Recipient, JSONValue)
    case step(StepRequest)
    case tell(SessionEvent)
}
