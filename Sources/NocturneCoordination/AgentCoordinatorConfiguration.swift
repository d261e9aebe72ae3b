// AgentCoordinatorConfiguration.swift — what a coordinator is made with; keys as in the seed. Next:
// AgentCoordinator.swift.

/// What a coordinator is made with.
public struct AgentCoordinatorConfiguration: Sendable, Hashable {
    /// The strategy of sessions that name none.
    public var strategy = "hierarchical"
    /// How sessions deal with failures, and their limits: the seed's `maxAgents` and `enableFaultTolerance` are in it.
    public var policy = SessionPolicy()
    /// The directory of the sessions' logs; `nil`: sessions end with the process.
    public var sessionsPath: String?
    /// How long the logs of ended sessions are kept.
    public var logAge = Duration.seconds(30 * 86_400)
    /// How many bytes of them.
    public var logBytes = 1 << 30

    /// The defaults: hierarchical, fault tolerant, without logs.
    public init() {}

    /// The seed's options.
    public init(strategy: String, maxAgents: Int = 1_000, enableFaultTolerance: Bool = true) {
        self.strategy = strategy
        policy.maxAgents = maxAgents
        policy.isFaultTolerant = enableFaultTolerance
    }
}
