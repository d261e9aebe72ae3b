// Session.swift — carries out what a session's core decides: agents, messages, time, the log. Decides nothing itself.
// Next: AgentCoordinator.swift.

internal import NocturneCore

/// Makes the steps of a strategy that is not in this process; has to answer, within a time of its own.
package typealias StrategyRunner = @Sendable (StepRequest) async -> StepReply

/// A session that lives: its core, its agents, its log.
actor Session {
    nonisolated let id: SessionID
    nonisolated let messages: Messages
    nonisolated let resources: SessionResources
    private var core: SessionCore
    /// Open until the session has ended.
    private var log: SessionLog?
    private let clock: any EngineClock
    private let events: CoordinationEvents
    private let strategyRunner: StrategyRunner?
    /// The uptime at which the session's own time began.
    private let origin: Duration
    private var agents: [AgentID: any Agent] = [:]
    /// What an agent has to do before its next work, if it was restarted.
    private var restarts: [AgentID: Task<Void, Never>] = [:]
    private struct Running {
        let holder: ResourceHolder
        let task: Task<Void, Never>
        /// When it last gave a sign of life that the log knows of.
        var lastBeat: Duration?
    }
    private var runs: [Epoch: Running] = [:]
    /// Messages that the log does not know of yet: they come with the next input.
    private var unbookedMessages = 0
    private var alarm: (due: Duration, task: Task<Void, Never>)?
    private var outcome: Promise<Result<Outcome, CoordinationError>>?
    private var quiescence: Promise<Void>?
    /// Why the log cannot be written. A session that cannot say what happened does nothing any more.
    private var logFailure: CoordinationError?

    /// - Parameter age: how long it has lived already, if its log was replayed.
    init(
        _ core: SessionCore, age: Duration = .zero, log: SessionLog?, clock: any EngineClock,
        events: CoordinationEvents, strategyRunner: StrategyRunner?
    ) {
        let id = core.setup.id
        self.id = id
        self.core = core
        self.log = log
        self.clock = clock
        self.events = events
        self.strategyRunner = strategyRunner
        origin = clock.uptime - age
        resources = SessionResources(clock: clock)
        messages = Messages(clock: clock) { letter in
            events.tell(id, .deadLetter(to: letter.recipient))
        }
        if core.isExecuting { outcome = Promise() }
    }

    // MARK: - What is asked of it

    /// Takes in what happened, writes it down, and does what follows.
    func apply(_ input: SessionInput) throws(CoordinationError) {
        if unbookedMessages > 0 {
            let count = unbookedMessages
            unbookedMessages = 0
            try take(.messagesSent(count))
        }
        try take(input)
    }

    private func take(_ input: SessionInput) throws(CoordinationError) {
        if let logFailure { throw logFailure }
        let time = age
        let effects = try core.apply(input, at: time)
        do throws(CoordinationError) {
            try log?.append(input, at: time, work: core.work(of: input))
        } catch {
            fail(error)
            throw error
        }
        for effect in effects { perform(effect) }
        setAlarm()
    }

    /// Adds an agent; `descriptor` is what the session shall know of it.
    func add(_ agent: any Agent, as descriptor: AgentDescriptor) throws(CoordinationError) {
        let former = agents[descriptor.id]
        connect(agent, as: descriptor.id)
        do throws(CoordinationError) {
            try apply(.addAgent(descriptor))
        } catch {
            agents[descriptor.id] = former
            if former == nil { messages.leave(descriptor.id) }
            throw error
        }
    }

    /// Ends it.
    ///
    /// - Returns: whether it had not ended before.
    func end(reason: String) throws(CoordinationError) -> Bool {
        let isFirst = !core.isEnded
        if isFirst { try apply(.end(reason: reason)) }
        return isFirst
    }

    /// Goes on after its log was replayed, with those of its agents that are there again.
    func restore(
        _ agent: @Sendable (AgentDescriptor) -> (any Agent)?
    ) throws(CoordinationError) {
        guard !core.isEnded else { return }
        let roster = core.agents, wasPaused = core.isPaused
        for descriptor in roster {
            if let agent = agent(descriptor) { connect(agent, as: descriptor.id) }
        }
        // In a pause, so that nothing is given to those who are missing.
        try apply(.pause(isImmediate: false))
        try apply(.interrupted)
        for descriptor in roster where agents[descriptor.id] == nil {
            try apply(
                .removeAgent(descriptor.id, reason: "it was not there when the session went on"))
        }
        if !wasPaused { try apply(.resume) }
    }

    private func connect(_ agent: any Agent, as name: AgentID) {
        agents[name] = agent
        messages.join(name) { [weak self, id] message in
            guard let self else { return }
            await agent.receive(message, AgentContext(self, id, name, nil))
        }
    }

    func execute(_ goal: Goal) async throws(CoordinationError) -> Outcome {
        try await begin(goal).value.get()
    }

    @discardableResult
    func begin(
        _ goal: Goal
    ) throws(CoordinationError) -> Promise<Result<Outcome, CoordinationError>> {
        let promise = Promise<Result<Outcome, CoordinationError>>()
        let former = outcome
        outcome = promise
        do throws(CoordinationError) {
            try apply(.execute(goal))
        } catch {
            if outcome === promise { outcome = former }
            throw error
        }
        return promise
    }

    /// What the execution that is going on comes to; `nil` if there is none.
    func wait() async throws(CoordinationError) -> Outcome? {
        guard core.isExecuting, let outcome else { return core.outcome }
        return try await outcome.value.get()
    }

    /// Pauses, and returns when nothing is under way any more, or the pause is over.
    func pause(isImmediate: Bool) async throws(CoordinationError) {
        let promise = quiescence ?? Promise<Void>()
        quiescence = promise
        try apply(.pause(isImmediate: isImmediate))
        if !core.isQuiescent { await promise.value }
    }

    func send(_ payload: JSONValue, from sender: AgentID?, to recipient: Recipient) throws {
        if let logFailure { throw logFailure }
        if core.isEnded { throw CoordinationError.ended(id) }
        try book(messages: messages.reach(of: recipient, from: sender))
        try messages.send(payload, from: sender, to: recipient)
        events.tell(id, .messageSent(from: sender, to: recipient))
    }

    /// Takes messages out of the goal's budget before they are sent. Without such a budget they are counted only, and
    /// the log learns of many at once.
    private func book(messages count: Int) throws(CoordinationError) {
        if let logFailure { throw logFailure }
        guard core.isExecuting else { return }
        guard let left = core.messagesLeft else {
            unbookedMessages += count
            return
        }
        try apply(.messagesSent(count))
        if count > left { throw .overBudget(id, .messages) }
    }

    func ask(
        _ payload: JSONValue, of agent: AgentID, from sender: AgentID, within limit: Duration
    ) async throws -> JSONValue {
        try book(messages: 1)
        events.tell(id, .messageSent(from: sender, to: .agent(agent)))
        return try await messages.ask(payload, of: agent, from: sender, within: limit)
    }

    /// Notes a sign of life. Each is an entry of the log, so of those that come in a rush only some count.
    func heartbeat(_ epoch: Epoch) {
        guard let run = runs[epoch], let interval = core.heartbeat(of: run.holder.agent) else {
            return
        }
        let time = age
        if let last = run.lastBeat, time - last < interval / 2 { return }
        runs[epoch]?.lastBeat = time
        try? apply(.heartbeat(epoch))
    }

    var info: SessionInfo { SessionInfo(core, hasFailed: logFailure != nil) }

    // MARK: - What its core wants

    private func perform(_ effect: SessionEffect) {
        switch effect {
        case .start(let assignment): start(assignment)
        case .stop(_, let epoch): endRun(epoch)?.cancel()
        case .restart(let agent):
            if let crashed = agents[agent] { restarts[agent] = Task { await crashed.restart() } }
        case .dismiss(let agent):
            restarts[agent] = nil
            messages.leave(agent)
            resources.releaseAll(of: ResourceHolder(agent))
            if let agent = agents.removeValue(forKey: agent) { Task { await agent.leave() } }
        case .deliver(let recipient, let payload):
            // Who did not get it is told as a dead letter.
            _ = try? messages.send(payload, from: nil, to: recipient)
        case .step(let request): step(request)
        case .tell(let event): tell(event)
        }
    }

    private func start(_ assignment: Assignment) {
        let request = WorkRequest(
            session: id, work: assignment.work, attempt: assignment.attempt,
            idempotencyKey: assignment.idempotencyKey, timeout: assignment.timeout)
        let agent = agents[assignment.agent], restart = restarts[assignment.agent]
        let context = AgentContext(
            self, id, assignment.agent, assignment.epoch, work: assignment.work.id)
        let task = Task {
            await restart?.value
            let result: RunResult
            do {
                guard let agent else {
                    throw WorkFailure(.lost, "\(assignment.agent) is not connected")
                }
                result = .answered(try await agent.perform(request, context))
            } catch let failure as WorkFailure {
                result = .failed(failure, Usage())
            } catch let failed as FailedAttempt {
                result = .failed(failed.failure, failed.usage)
            } catch {
                // What was taken back has nothing to say; an answer all the same is refused as late.
                if Task.isCancelled { return }
                result = .failed(WorkFailure(.failed, "\(error)"), Usage())
            }
            self.take(result, of: assignment.epoch)
        }
        runs[assignment.epoch] = Running(holder: context.holder, task: task)
    }

    /// What it held is released before anybody else is given the work.
    private func endRun(_ epoch: Epoch) -> Task<Void, Never>? {
        guard let run = runs.removeValue(forKey: epoch) else { return nil }
        resources.releaseAll(of: run.holder)
        return run.task
    }

    private func take(_ result: RunResult, of epoch: Epoch) {
        _ = endRun(epoch)
        // Refused only by a log that cannot be written, and then everybody has been told.
        try? apply(.runEnded(epoch, result))
    }

    private func step(_ request: StepRequest) {
        Task {
            let reply =
                await strategyRunner?(request)
                ?? .failed("strategy \(request.strategy) is not there any more")
            try? self.apply(.stepped(request.number, reply))
        }
    }

    private func tell(_ event: SessionEvent) {
        switch event {
        case .executionCompleted(let outcome):
            // A result that somebody may have seen survives a loss of power.
            do throws(CoordinationError) { try log?.synchronize() } catch { fail(error) }
            self.outcome?.fulfill(logFailure.map { .failure($0) } ?? .success(outcome))
            self.outcome = nil
        case .quiescent, .resumed, .ended:
            quiescence?.fulfill(())
            quiescence = nil
            if case .ended = event {
                alarm?.task.cancel()
                log = nil
            }
        default: break
        }
        events.tell(id, event)
    }

    /// Stops here; the log stays as it is, for the next process.
    func shutdown() async {
        let leaving = agents.values
        agents = [:]
        fail(.log(id, "it is closed: the host is stopping"))
        log = nil
        for agent in leaving { await agent.leave() }
    }

    /// The log cannot be written: nothing goes on, and whoever waits is told.
    private func fail(_ error: CoordinationError) {
        logFailure = error
        for run in runs.values { run.task.cancel() }
        runs = [:]
        for (agent, connected) in agents {
            messages.leave(agent)
            resources.releaseAll(of: ResourceHolder(agent))
            Task { await connected.leave() }
        }
        agents = [:]
        alarm?.task.cancel()
        outcome?.fulfill(.failure(error))
        outcome = nil
        quiescence?.fulfill(())
        quiescence = nil
        events.tell(id, .note("\(error)"))
    }

    // MARK: - Time

    /// How long it has lived; whole milliseconds, as the log has it.
    private var age: Duration { .milliseconds((clock.uptime - origin).wholeMilliseconds) }

    /// Comes back when something is due. An alarm that rings too early is better than a new one for each input.
    private func setAlarm() {
        guard logFailure == nil, let due = core.nextDue() else { return }
        if let alarm, alarm.due <= due { return }
        alarm?.task.cancel()
        let clock = clock
        // The log's times are rounded down.
        let moment = origin + due + .milliseconds(1)
        alarm = (
            due,
            Task { [weak self] in
                guard (try? await clock.sleep(until: moment)) != nil else { return }
                await self?.ring()
            }
        )
    }

    private func ring() {
        alarm = nil
        if let due = core.nextDue(), due <= age {
            try? apply(.tick)
        } else {
            setAlarm()
        }
    }
}
