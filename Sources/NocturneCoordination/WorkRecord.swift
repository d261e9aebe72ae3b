// WorkRecord.swift — what a session knows of a work, from when it was asked for until its end. Next: WorkLanes.swift.

internal import NocturneCore

/// An attempt that is under way.
struct Run: Sendable {
    let epoch: Epoch
    /// The agent's place in the roster.
    let agent: Int
    let started: Duration
    var leaseEnd: Duration?
    let reservation: Reservation
}

/// A work and what became of it so far.
struct WorkRecord: Sendable {
    enum State: Sendable {
        /// Waits in its lane for an agent.
        case pending
        /// Waits for its next attempt.
        case waiting
        /// One attempt is under way, or two if it is hedged.
        case running
        case ended(WorkEnd)
    }
    var work: Work
    var state = State.pending
    var runs: [Run] = []
    /// Attempts that were started and not taken back by a leaver, a pause or an interruption.
    var attempts = 0
    var interruptions = 0
    var lastAgent: AgentID?
    var lastFailure: WorkFailure?
    /// Those who failed at it, without repetition.
    var failedAgents: [AgentID] = []
    var usage = Usage()
    /// Its place in its lane: an entry with another number is stale.
    var ticket = 0
    /// The strategy's request that this is an attempt at, if it asks for a plan.
    var planning: Planning?

    var isEnded: Bool { if case .ended = state { true } else { false } }

    var isPending: Bool { if case .pending = state { true } else { false } }

    var end: WorkEnd? { if case .ended(let end) = state { end } else { nil } }
}

/// Asking for a plan, perhaps several times.
struct Planning: Sendable {
    let request: PlanRequest
    /// Whether whoever leads is asked, so that a new leader is asked in place of an old one.
    let isLeaders: Bool
    var answers = 0
}
