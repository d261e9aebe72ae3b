// SessionPolicy.swift — how a session deals with failures, and its limits. Next: SessionInput.swift.

package import NocturneCore

/// How a session deals with failures, and its limits.
public struct SessionPolicy: Sendable, Hashable {
    /// Agents that may be in the session at once; 1,000 as DESIGN §8 says.
    public var maxAgents = 1_000
    /// Whether failed works are tried again and given to others. If not, the first failure ends an execution, and what
    /// was finished is handed back.
    public var isFaultTolerant = true
    /// Attempts at a work that does not say how many: one and two more.
    public var attempts = 3
    /// How long a work waits after its first failed attempt; twice as long after each further one.
    public var retryDelay = Duration.milliseconds(200)
    /// The longest such wait.
    public var longestRetryDelay = Duration.seconds(30)
    /// How long an attempt may take at a work that does not say.
    public var workTimeout = Duration.seconds(600)
    /// Silences that end the lease of an agent that gives signs of life, in multiples of how often it says it does: one
    /// may be lost on the way, two are a reason.
    public var missedHeartbeats = 2
    /// How often a work may be under way when the session's process ends, before it counts as the cause of it.
    public var interruptions = 3
    /// How long a work waits for somebody who can do it to join.
    public var assignmentGrace = Duration.seconds(10)
    /// Failures of an agent in a row after which it is given nothing for ``breakerCooldown``.
    public var breakerThreshold = 5
    /// How long; twice as long each time that the trial after it fails, at most ``longestBreakerCooldown``.
    public var breakerCooldown = Duration.seconds(30)
    /// The longest such rest.
    public var longestBreakerCooldown = Duration.seconds(300)
    /// Crashes within ``restartPeriod`` that an agent is restarted after; one more, and it has to leave (the restart
    /// intensity of Erlang's supervisors).
    public var restarts = 3
    /// See ``restarts``.
    public var restartPeriod = Duration.seconds(60)
    /// How long an agent is left alone before its first restart; twice as long before each further one in the period.
    public var restartDelay = Duration.milliseconds(500)
    /// Invalid plans after which a planner is not asked again.
    public var planAttempts = 3
    /// What a plan may look like.
    public var plan = PlanLimits()

    /// What is usual.
    public init() {}
}

/// What a plan may look like.
public struct PlanLimits: Sendable, Hashable {
    /// Subtasks of one plan.
    public var subtasks = 1_000
    /// Subtasks in the longest chain of one plan.
    public var chain = 100
    /// Subtasks that wait for the same one, and subtasks that one waits for.
    public var fanOut = 100
    /// Delegations within each other, the first plan included.
    public var depth = 3

    /// What is usual.
    public init() {}
}

/// What a session is made with; the first entry of its log.
package struct SessionSetup: Sendable, Hashable {
    package var id: SessionID
    package var goal: String
    package var strategy: String
    package var parameters: JSONValue
    /// The strategy that takes over if the first one fails.
    package var fallback: String?
    package var seed: UInt64
    package var policy: SessionPolicy

    package init(
        id: SessionID, goal: String = "", strategy: String, parameters: JSONValue = .null,
        fallback: String? = nil, seed: UInt64 = 0, policy: SessionPolicy = SessionPolicy()
    ) {
        self.id = id
        self.goal = goal
        self.strategy = strategy
        self.parameters = parameters
        self.fallback = fallback
        self.seed = seed
        self.policy = policy
    }
}
