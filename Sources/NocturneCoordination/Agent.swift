// Agent.swift — whoever does works: a type or a closure of a Swift program, a plugin, another process.
// Next: AgentContext.swift.

public import NocturneCore

/// A work that an agent shall do now.
public struct WorkRequest: Sendable, Hashable {
    /// The session.
    public let session: SessionID
    /// What is to be done.
    public let work: Work
    /// Which attempt it is, from 1.
    public let attempt: Int
    /// The same for every attempt at the same work: for whoever must not do a thing twice.
    public let idempotencyKey: String
    /// How long it may take. After that the agent's task is cancelled and its answer refused.
    public let timeout: Duration
}

/// Whoever does works.
///
/// A session calls ``perform(_:_:)`` in a task of its own for each work, at most ``AgentDescriptor/concurrency`` at
/// once, and cancels that task when the work is taken back (one that does not heed this may be given the next work
/// meanwhile); ``receive(_:_:)`` is called with one message at a time.
public protocol Agent: Sendable {
    /// What the session knows of it. Read once, when it joins.
    var descriptor: AgentDescriptor { get }

    /// Does a work.
    ///
    /// - Throws: a ``WorkFailure`` says what kind of failure it is; any other error is a `failed`, which is tried
    ///   again.
    func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer

    /// Is told a message.
    func receive(_ message: Message, _ context: AgentContext) async

    /// Begins anew after a crash.
    func restart() async

    /// Is not in the session any more, or the session has ended.
    func leave() async
}

extension Agent {
    /// Ignores messages.
    public func receive(_ message: Message, _ context: AgentContext) async {}

    /// There is nothing to begin anew.
    public func restart() async {}

    /// There is nothing to clean up.
    public func leave() async {}
}

/// An agent that is a closure.
public struct ClosureAgent: Agent {
    /// What the session knows of it.
    public let descriptor: AgentDescriptor
    private let body: @Sendable (WorkRequest, AgentContext) async throws -> WorkAnswer

    /// An agent that calls `body` for each work.
    public init(
        _ descriptor: AgentDescriptor,
        _ body: @escaping @Sendable (WorkRequest, AgentContext) async throws -> WorkAnswer
    ) {
        self.descriptor = descriptor
        self.body = body
    }

    /// An agent whose result is a JSON value.
    public init(
        _ id: AgentID, role: Role = .worker, capabilities: [Capability] = [], concurrency: Int = 1,
        _ body: @escaping @Sendable (WorkRequest) async throws -> JSONValue
    ) {
        self.init(
            AgentDescriptor(
                id, role: role, capabilities: capabilities, concurrency: concurrency)
        ) { request, _ in WorkAnswer(try await body(request)) }
    }

    /// Does a work.
    public func perform(
        _ request: WorkRequest, _ context: AgentContext
    ) async throws -> WorkAnswer {
        try await body(request, context)
    }
}
