// SessionCore.swift — decides everything in a session, without a clock, a random number, a lock or a disk: equal inputs
// at equal times have equal effects, so a session is what its log of inputs says. Next: SessionCore+Agents.swift, then
// +Strategy, +Works, +Attempts, +Dispatch, +Planning, +Execution.

internal import NocturneCore

/// All rules of a session.
package struct SessionCore: Sendable {
    /// Steps of a strategy after one input. A strategy that needs more is going round in circles.
    static let stepLimit = 100_000

    package let setup: SessionSetup
    let catalog: StrategyCatalog
    var roster = Roster()
    package internal(set) var leader: AgentID?
    var timers = SessionTimers()
    var execution: Execution?
    var executions = 0
    package internal(set) var isPaused = false
    package internal(set) var isEnded = false
    /// What the last execution came to.
    package internal(set) var outcome: Outcome?
    /// Which work each attempt was at, and whose it was; the first one's epoch is 1.
    var assignments: [(work: WorkID, agent: AgentID)] = []
    var nextStep = 1
    var now = Duration.zero
    var effects: [SessionEffect] = []
    /// Agents and lanes that may have become able to go on.
    var freedAgents: [Int] = []
    var filledLanes: [Int] = []
    var isQuiescent = false
    /// Whether the strategy was replaced within the step that is being made.
    var isReplaced = false

    package init(_ setup: SessionSetup, catalog: StrategyCatalog) throws(CoordinationError) {
        self.setup = setup
        self.catalog = catalog
        _ = try catalog.make(setup.strategy, setup.parameters)
        if let fallback = setup.fallback { _ = try catalog.make(fallback, .null) }
    }

    /// Takes in what happened.
    ///
    /// - Parameter time: how long the session has lived; never goes back.
    /// - Returns: what shall be done now, in order.
    /// - Throws: why the input is refused; then nothing has changed.
    package mutating func apply(
        _ input: SessionInput, at time: Duration
    ) throws(CoordinationError) -> [SessionEffect] {
        try check(input)
        now = max(now, time)
        effects.removeAll(keepingCapacity: true)
        take(input)
        settle()
        return effects
    }

    /// When to come back with a ``SessionInput/tick``; `nil`: nothing is going to happen by itself.
    package mutating func nextDue() -> Duration? { isEnded ? nil : timers.nextDue() }

    /// The work at which the attempt was whose end an input is.
    package func work(of input: SessionInput) -> WorkID? {
        guard case .runEnded(let epoch, _) = input, assignments.indices.contains(epoch.number - 1)
        else { return nil }
        return assignments[epoch.number - 1].work
    }

    /// Whether a goal is being carried out.
    package var isExecuting: Bool { execution != nil }

    /// The agents, in the order in which they joined.
    package var agents: [AgentDescriptor] { roster.present }

    /// How often an agent says that it gives a sign of life; `nil` if it gives none, or is not there.
    func heartbeat(of agent: AgentID) -> Duration? {
        roster.place(of: agent).flatMap { roster[$0].descriptor.heartbeat }
    }

    /// How far the execution is.
    package var progress: SessionProgress? { execution?.progress }

    /// What is left of the budget of messages; `nil` if there is none.
    var messagesLeft: Int? { execution?.ledger.messagesLeft }

    /// The questions that wait for an answer, by name.
    package var openQuestions: [Question] {
        execution?.questions.values.sorted { $0.id < $1.id } ?? []
    }

    /// What this session is, in one word.
    package var stateName: String {
        if isEnded { return "ended" }
        if isPaused { return "paused" }
        return execution == nil ? "idle" : "executing"
    }

    // MARK: - What is refused

    private func check(_ input: SessionInput) throws(CoordinationError) {
        switch input {
        case .tick, .interrupted, .runEnded, .heartbeat, .stepped, .end, .messagesSent: return
        default: if isEnded { throw .ended(setup.id) }
        }
        switch input {
        case .addAgent(let agent): try check(joining: agent)
        case .removeAgent(let id, _):
            guard roster.place(of: id) != nil else { throw .unknownAgent(id, setup.id) }
        case .execute(let goal): try check(goal)
        case .message(let sender, _):
            if let sender, roster.place(of: sender) == nil { throw .unknownAgent(sender, setup.id) }
        case .answer(let question, let value):
            guard let asked = execution?.questions[question] else {
                throw .unknownQuestion(question, setup.id)
            }
            guard asked.options.isEmpty || asked.options.contains(value.string ?? "") else {
                throw .invalidAnswer(question: question, allowed: asked.options)
            }
        case .resume:
            guard isPaused else { throw .wrongState(setup.id, found: stateName, needed: "paused") }
        default: break
        }
    }

    private func check(joining agent: AgentDescriptor) throws(CoordinationError) {
        guard roster.place(of: agent.id) == nil else { throw .agentExists(agent.id, setup.id) }
        guard roster.count < setup.policy.maxAgents else {
            throw .tooManyAgents(setup.id, limit: setup.policy.maxAgents)
        }
        if agent.role == .leader, let other = roster.present.first(where: { $0.role == .leader }) {
            throw .leaderExists(other.id, setup.id)
        }
    }

    private func check(_ goal: Goal) throws(CoordinationError) {
        guard execution == nil else { throw .busy(setup.id) }
        guard roster.present.contains(where: { $0.role.takesWork }) else {
            throw .noAgents(setup.id)
        }
        guard goal.decompose || goal.planner != nil else { return }
        if let reason = reasonAgainst(planner: goal.planner ?? leader ?? successor(for: goal)) {
            throw .noPlanner(setup.id, reason: reason)
        }
    }

    // MARK: - What happens

    private mutating func take(_ input: SessionInput) {
        switch input {
        case .addAgent(let agent): join(agent)
        case .removeAgent(let id, let reason): leave(id, reason: reason)
        case .execute(let goal): begin(goal)
        case .runEnded(let epoch, let result): end(run: epoch, result)
        case .heartbeat(let epoch): extendLease(epoch)
        case .message(let sender, let payload): feed(.message(from: sender, payload))
        case .messagesSent(let count): book(messages: count)
        case .answer(let question, let value): answer(question, value, isDefault: false)
        case .stepped(let number, let reply): take(reply, to: number)
        case .tick:
            while let key = timers.pop(dueAt: now) { fire(key) }
        case .pause(let isImmediate): pause(isImmediate: isImmediate)
        case .resume: resume()
        case .end(let reason): end(reason: reason)
        case .interrupted: interrupt()
        }
    }

    /// Tells the strategy what it has not been told, starts what can be started, until nothing more follows.
    private mutating func settle() {
        var steps = 0
        while true {
            let made = stepStrategy()
            if made > 0 {
                steps += made
                if steps > Self.stepLimit {
                    failStrategy(
                        "it took more than \(Self.stepLimit) steps without anything happening")
                }
            } else if !dispatch(), !isStepDue, !findQuiescence() {
                break
            }
        }
        tellPause()
    }

    mutating func tell(_ event: SessionEvent) { effects.append(.tell(event)) }

    private mutating func fire(_ key: TimerKey) {
        guard !(isPaused && key.isHeldByPause) else {
            execution?.heldTimers.append(key)
            return
        }
        switch key {
        case .timeout(let epoch): timeOut(epoch)
        case .lease(let epoch): checkLease(epoch)
        case .retry(let work): enqueue(work)
        case .grace(let work): giveUpWaiting(for: work)
        case .lane(let lane): filledLanes.append(lane)
        case .breaker(let agent): putOnTrial(agent)
        case .restart(let agent): restart(agent)
        case .budgetWarning: warn(.time)
        case .budgetWrapUp: exhaust(.time)
        case .budgetEnd: finish(OutcomeProposal(.budgetExhausted(.time), value: results))
        case .strategy(let timer):
            execution?.openTimers -= 1
            feed(.timerFired(timer))
        case .question(let question):
            if let asked = execution?.questions[question] {
                answer(question, asked.defaultAnswer, isDefault: true)
            }
        }
    }

    // MARK: - Pause and end

    private mutating func pause(isImmediate: Bool) {
        if !isPaused {
            isPaused = true
            isQuiescent = false
            tell(.paused)
            feed(.paused)
        }
        if isImmediate { takeBackRuns() }
    }

    private mutating func resume() {
        isPaused = false
        tell(.resumed)
        feed(.resumed)
        let held = execution?.heldTimers ?? []
        execution?.heldTimers = []
        for key in held { fire(key) }
        freedAgents = roster.free.sorted()
        serveAllLanes()
    }

    private mutating func tellPause() {
        guard isPaused, !isQuiescent, execution?.running.isEmpty ?? true,
            execution?.outstandingStep == nil
        else { return }
        isQuiescent = true
        tell(.quiescent)
    }

    private mutating func end(reason: String) {
        guard !isEnded else { return }
        if execution != nil {
            finish(OutcomeProposal(.cancelled, value: results, explanation: reason))
        }
        for agent in roster.present { effects.append(.dismiss(agent.id)) }
        isEnded = true
        tell(.ended(reason: reason))
    }
}
