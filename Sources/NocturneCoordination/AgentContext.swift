// AgentContext.swift — what an agent can do in its session besides answering. Next: Session.swift.

public import NocturneCore

/// What an agent can do in its session besides answering.
public struct AgentContext: Sendable {
    /// The session.
    public let session: SessionID
    /// The agent.
    public let agent: AgentID
    /// Who it is for leases and permits: with the end of the work that is being done they are released.
    public let holder: ResourceHolder
    private let epoch: Epoch?
    private let owner: Session

    init(
        _ owner: Session, _ session: SessionID, _ agent: AgentID, _ epoch: Epoch?,
        work: WorkID? = nil
    ) {
        self.owner = owner
        self.session = session
        self.agent = agent
        self.epoch = epoch
        holder = ResourceHolder(agent, work: work)
    }

    /// What the agents of the session share: the blackboard, leases, semaphores.
    public var resources: SessionResources { owner.resources }

    /// Gives a sign of life: keeps the lease of the work that is being done.
    public func heartbeat() async {
        if let epoch { await owner.heartbeat(epoch) }
    }

    /// Sends a message to one agent, all others, or a topic.
    public func send(_ payload: JSONValue, to recipient: Recipient) async throws {
        try await owner.send(payload, from: agent, to: recipient)
    }

    /// Says something to the session's strategy.
    public func tellStrategy(_ payload: JSONValue) async throws(CoordinationError) {
        try await owner.apply(.message(from: agent, payload))
    }

    /// Sends a message to one agent and waits for its ``reply(to:_:)``.
    public func ask(
        _ payload: JSONValue, of other: AgentID, within limit: Duration
    ) async throws -> JSONValue {
        try await owner.ask(payload, of: other, from: agent, within: limit)
    }

    /// Answers a message whose sender waits.
    ///
    /// - Returns: whether it arrived.
    @discardableResult
    public func reply(to message: Message, _ payload: JSONValue) async -> Bool {
        owner.messages.reply(to: message, from: agent, payload)
    }

    /// From now on hears what is sent to a topic.
    public func subscribe(to topic: String) throws(MessageError) {
        try owner.messages.subscribe(agent, to: topic)
    }
}
