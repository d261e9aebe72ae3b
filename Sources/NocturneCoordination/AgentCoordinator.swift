// AgentCoordinator.swift — the seed's coordinator: sessions, agents, goals, messages. Next: Session.swift.

public import NocturneCore

/// Lets agents work together in sessions. The seed's `createAgentCoordinator`.
public actor AgentCoordinator {
    private let configuration: AgentCoordinatorConfiguration
    /// How sessions deal with failures that say nothing of it.
    package nonisolated var usualPolicy: SessionPolicy { configuration.policy }
    private let clock: any EngineClock
    private nonisolated let told: CoordinationEvents
    var catalog = StrategyCatalog.builtIn
    /// Makes the steps of strategies that come and go, and those that are there now.
    var remote: (runner: StrategyRunner, names: Set<String>)?
    var sessions: [SessionID: Session] = [:]
    /// Sessions that have ended and are still known, the first that ended first.
    private var endedSessions: [SessionID] = []
    /// Ended sessions that are known at most; older ones are only in their logs. Half of them go at once, and with them
    /// logs that are too old or too many.
    private static let endedLimit = 200

    /// A coordinator without sessions.
    ///
    /// - Parameter bus: where events go besides ``events``, as `coordination/…`.
    public init(
        configuration: AgentCoordinatorConfiguration = AgentCoordinatorConfiguration(),
        bus: EventBus? = nil
    ) {
        self.init(configuration: configuration, bus: bus, clock: SystemClock())
    }

    package init(
        configuration: AgentCoordinatorConfiguration, bus: EventBus?, clock: any EngineClock
    ) {
        self.configuration = configuration
        self.clock = clock
        told = CoordinationEvents(bus: bus)
    }

    // MARK: - Strategies

    /// Registers a strategy by its name; sessions that are made from now on can choose it.
    public func register(_ strategy: any Strategy.Type) throws(CoordinationError) {
        try catalog.add(strategy)
    }

    /// The strategies that sessions can choose.
    public var strategies: [String] { catalog.names }

    // MARK: - Sessions

    /// Makes a session. The seed's `createSession`.
    ///
    /// - Parameters:
    ///   - strategy: overrides the coordinator's.
    ///   - fallback: the built-in strategy that takes over if that one fails.
    ///   - policy: overrides the coordinator's.
    @discardableResult
    public func createSession(
        _ id: SessionID, goal: String, strategy: String? = nil, parameters: JSONValue = .null,
        fallback: String? = nil, policy: SessionPolicy? = nil
    ) throws(CoordinationError) -> SessionInfo {
        guard sessions[id] == nil else { throw .sessionExists(id) }
        let setup = SessionSetup(
            id: id, goal: goal, strategy: strategy ?? configuration.strategy,
            parameters: parameters, fallback: fallback,
            seed: StableHash.of(id.description, seed: 0),
            policy: policy ?? configuration.policy)
        let core = try SessionCore(setup, catalog: catalog)
        var log: SessionLog?
        if let directory {
            try directory.prepare(for: id)
            guard directory.log(of: id) == nil else { throw .sessionExists(id) }
            log = try SessionLog(creating: setup, at: clock.now, path: directory.path(of: id))
        }
        sessions[id] = session(core, log: log)
        told.tell(id, .created(goal: goal, strategy: setup.strategy))
        return SessionInfo(core)
    }

    /// Goes on with the sessions whose logs are there and that were not ended: what was finished stays finished, what
    /// was under way starts anew. Then removes logs that are too old or too many.
    ///
    /// - Parameter agent: gives the agents of a session again; those that it does not give have left.
    /// - Returns: the sessions that go on, and logs that cannot be read.
    public func restoreSessions(
        attaching agent: @Sendable (SessionID, AgentDescriptor) -> (any Agent)?
    ) async -> (restored: [SessionID], failed: [CoordinationError]) {
        guard let directory else { return ([], []) }
        var restored: [SessionID] = [], failed: [CoordinationError] = []
        for item in directory.items() where !item.isEnded && sessions[item.session] == nil {
            do throws(CoordinationError) {
                let path = directory.path(of: item.session)
                let contents = try SessionLogContents(reading: path, of: item.session)
                let core = try contents.replay(with: catalog(for: contents.setup))
                guard !core.isEnded else {
                    try directory.markEnded(item.session)
                    continue
                }
                let session = session(
                    core, age: contents.inputs.last?.time ?? .zero,
                    log: try SessionLog(continuing: contents, path: path))
                sessions[item.session] = session
                try await session.restore { agent(item.session, $0) }
                restored.append(item.session)
            } catch {
                failed.append(error)
            }
        }
        clearLogs()
        return (restored, failed)
    }

    /// Makes a session that has lived what another one lived, or the beginning of it, and goes on differently. What was
    /// under way at that moment starts anew.
    ///
    /// - Parameters:
    ///   - count: inputs of the log that are taken over; an end of the session is not.
    ///   - agent: gives the agents of that moment again; those that it does not give have left.
    /// - Throws: ``CoordinationError/unknownSession(_:)`` also for a session without a log.
    @discardableResult
    public func fork(
        _ session: SessionID, as copy: SessionID, upTo count: Int = .max,
        attaching agent: @Sendable (AgentDescriptor) -> (any Agent)?
    ) async throws(CoordinationError) -> SessionInfo {
        guard let directory, let source = directory.log(of: session) else {
            throw .unknownSession(session)
        }
        guard sessions[copy] == nil, directory.log(of: copy) == nil else {
            throw .sessionExists(copy)
        }
        let contents = try SessionLogContents(reading: source, of: session)
            .forked(as: copy, upTo: count)
        let core = try contents.replay(with: catalog(for: contents.setup))
        let log = try SessionLog(
            creating: contents.setup, at: clock.now, path: directory.path(of: copy))
        try contents.copy(to: log)
        let forked = self.session(core, age: contents.inputs.last?.time ?? .zero, log: log)
        sessions[copy] = forked
        told.tell(copy, .created(goal: contents.setup.goal, strategy: contents.setup.strategy))
        try await forked.restore(agent)
        return await forked.info
    }

    /// All that happened to a session that has a log, also after its end: what went in, and what came of it.
    package func history(of session: SessionID) throws(CoordinationError) -> SessionLogContents {
        guard let path = directory?.log(of: session) else { throw .unknownSession(session) }
        return try SessionLogContents(reading: path, of: session)
    }

    /// A session as it is now.
    public func session(_ id: SessionID) async throws(CoordinationError) -> SessionInfo {
        guard let session = sessions[id] else { return try formerSession(id) }
        return await session.info
    }

    /// All sessions, by name.
    public func allSessions() async -> [SessionInfo] {
        var infos: [SessionInfo] = []
        for session in sessions.sorted(by: { $0.key < $1.key }).map(\.value) {
            infos.append(await session.info)
        }
        return infos
    }

    // MARK: - Agents

    /// Adds an agent, also while a goal is carried out. The seed's `addAgent`.
    ///
    /// - Parameters:
    ///   - role: in place of the agent's own.
    ///   - capabilities: in addition to the agent's own.
    public func addAgent(
        _ agent: any Agent, to session: SessionID, role: Role? = nil,
        capabilities: [Capability] = []
    ) async throws(CoordinationError) {
        var descriptor = agent.descriptor
        if let role { descriptor.role = role }
        descriptor.add(capabilities)
        try await find(session).add(agent, as: descriptor)
    }

    /// Removes an agent; its works go to others. The seed's `removeAgent`.
    public func removeAgent(
        _ agent: AgentID, from session: SessionID, reason: String = "it was removed"
    ) async throws(CoordinationError) {
        try await find(session).apply(.removeAgent(agent, reason: reason))
    }

    // MARK: - Goals

    /// Carries out a goal, and returns what it came to. Goes on if the caller is cancelled. The seed's `execute`.
    ///
    /// - Throws: ``CoordinationError/busy(_:)`` while another goal is carried out, ``CoordinationError/noAgents(_:)``,
    ///   ``CoordinationError/noPlanner(_:reason:)``. What goes wrong later is in the outcome.
    @discardableResult
    public func execute(_ session: SessionID, _ goal: Goal) async throws(CoordinationError)
        -> Outcome
    {
        try await find(session).execute(goal)
    }

    /// Begins to carry out a goal; ``outcome(of:)`` waits for what it comes to.
    ///
    /// - Throws: as ``execute(_:_:)``.
    public func begin(_ goal: Goal, in session: SessionID) async throws(CoordinationError) {
        try await find(session).begin(goal)
    }

    /// Waits for what the execution that is going on comes to; what the last one came to, if none is.
    public func outcome(of session: SessionID) async throws(CoordinationError) -> Outcome? {
        try await find(session).wait()
    }

    /// How far the execution is; `nil` if nothing is carried out.
    public func progress(of session: SessionID) async throws(CoordinationError) -> SessionProgress?
    {
        await (try find(session)).info.progress
    }

    /// Answers what a session asks.
    public func answer(
        _ question: String, _ value: JSONValue, in session: SessionID
    ) async throws(CoordinationError) {
        try await find(session).apply(.answer(question: question, value))
    }

    // MARK: - Messages

    /// Sends a message from one agent to another; from a person if nobody is named. The seed's `sendMessage`.
    public func send(
        _ message: JSONValue, from sender: AgentID?, to agent: AgentID, in session: SessionID
    ) async throws {
        try await find(session).send(message, from: sender, to: .agent(agent))
    }

    /// Sends a message to all agents. The seed's `broadcast`.
    public func broadcast(_ message: JSONValue, in session: SessionID) async throws {
        try await find(session).send(message, from: nil, to: .everyone)
    }

    /// Says something to the strategy of a session.
    public func tellStrategy(
        _ message: JSONValue, in session: SessionID
    ) async throws(CoordinationError) {
        try await find(session).apply(.message(from: nil, message))
    }

    // MARK: - Pausing and ending

    /// Pauses, and returns when nothing is under way any more. The seed's `pauseSession`.
    ///
    /// - Parameter immediately: stops what is under way; it starts anew when the session goes on.
    public func pause(
        _ session: SessionID, immediately: Bool = false
    ) async throws(CoordinationError) {
        try await find(session).pause(isImmediate: immediately)
    }

    /// Goes on after a pause. The seed's `resumeSession`.
    public func resume(_ session: SessionID) async throws(CoordinationError) {
        try await find(session).apply(.resume)
    }

    /// Ends a session; a goal that is being carried out is `cancelled`, with what was finished. Ending it again does
    /// nothing. The seed's `endSession`.
    ///
    /// - Returns: what the last execution came to, if there was one.
    @discardableResult
    public func end(
        _ session: SessionID, reason: String = "it was ended"
    ) async throws(CoordinationError) -> Outcome? {
        let found = try find(session)
        let isFirst = try await found.end(reason: reason)
        let outcome = await found.info.outcome
        if isFirst { try retire(session) }
        return outcome
    }

    /// Forgets a session that has ended or whose log failed, and removes its log.
    public func delete(_ session: SessionID) async throws(CoordinationError) {
        if let found = sessions[session] {
            let state = await found.info.state
            guard state == "ended" || state == "failed" else {
                throw .wrongState(session, found: state, needed: "ended")
            }
            sessions[session] = nil
            endedSessions.removeAll { $0 == session }
            guard directory?.log(of: session) != nil else { return }
        }
        guard let directory else { throw .unknownSession(session) }
        try directory.remove(session)
    }

    // MARK: - Events

    /// What happens in all sessions from now on. A listener that is too slow gets a gap.
    public nonisolated var events: AsyncStream<CoordinationDelivery> { told.stream() }

    /// Calls `handler` for each event with a name or a pattern, such as `task:completed` or `agent:*`, until the token
    /// ends.
    public nonisolated func on(
        _ pattern: String,
        _ handler: @escaping @Sendable (SessionID, SessionEvent) async -> Void
    ) -> EventToken {
        told.on({ CoordinationEvents.matches($0, pattern) }, handler)
    }

    // MARK: - Inside

    var directory: SessionLogDirectory? {
        configuration.sessionsPath.map { SessionLogDirectory(path: $0) }
    }

    /// Keeps an ended session for a while.
    private func retire(_ session: SessionID) throws(CoordinationError) {
        try directory?.markEnded(session)
        endedSessions.append(session)
        guard endedSessions.count > Self.endedLimit else { return }
        for old in endedSessions.prefix(Self.endedLimit / 2) { sessions[old] = nil }
        endedSessions.removeFirst(Self.endedLimit / 2)
        clearLogs()
    }

    private func clearLogs() {
        let retention = SessionLogDirectory.Retention(
            age: configuration.logAge, bytes: configuration.logBytes)
        directory?.clear(retention, now: clock.now)
    }

    func find(_ id: SessionID) throws(CoordinationError) -> Session {
        guard let session = sessions[id] else { throw .unknownSession(id) }
        return session
    }

    private func session(_ core: SessionCore, age: Duration = .zero, log: SessionLog?) -> Session {
        Session(
            core, age: age, log: log, clock: clock, events: told, strategyRunner: remote?.runner)
    }
}
