// SessionCore+Execution.swift — the beginning and the end of carrying out a goal, and its budget. Next:
// Execution.swift.

internal import NocturneCore

extension SessionCore {
    /// The results of what succeeded so far.
    var results: JSONValue { execution?.results ?? .null }

    mutating func begin(_ goal: Goal) {
        let driver: StrategyDriver
        do throws(CoordinationError) {
            driver = try catalog.make(setup.strategy, setup.parameters)
        } catch {
            preconditionFailure("the strategy was made when the session was: \(error)")
        }
        executions += 1
        execution = Execution(goal, number: executions, at: now, driver: driver)
        outcome = nil
        isQuiescent = false
        tell(.executionStarted(goal))
        appointLeader()
        if let time = goal.budget.time {
            timers.set(.budgetWarning, at: now + time * BudgetLedger.warningShare)
            timers.set(.budgetWrapUp, at: now + time * BudgetLedger.wrapUpShare)
            timers.set(.budgetEnd, at: now + time)
        }
        start()
    }

    /// Tells a strategy that it begins.
    mutating func start() {
        guard let goal = execution?.goal else { return }
        // What was fed before it began is part of what it begins with.
        execution?.inbox = []
        feed(
            .started(
                StrategyStart(
                    session: setup.id, goal: goal, roster: roster.present, leader: leader,
                    seed: setup.seed, isFaultTolerant: setup.policy.isFaultTolerant)))
    }

    /// Ends the execution. What is under way is stopped, what was finished is handed back.
    mutating func finish(_ proposal: OutcomeProposal) {
        guard execution != nil else { return }
        cancelAll()
        guard let execution else { return }
        var status = proposal.status
        if let limit = execution.exhausted {
            switch status {
            case .partial, .failed: status = .budgetExhausted(limit)
            case .completed, .cancelled, .budgetExhausted, .rejected: break
            }
        }
        var usage = execution.ledger.used
        usage.works = execution.records.reduce(0) { $0 + $1.usage.works }
        let outcome = Outcome(
            status: status, value: proposal.value, explanation: proposal.explanation,
            dissent: proposal.dissent,
            works: execution.records.compactMap { $0.planning == nil ? $0.end : nil },
            usage: usage, duration: now - execution.started)
        self.execution = nil
        self.outcome = outcome
        timers.remove { $0.isOfExecution }
        freedAgents = []
        filledLanes = []
        tell(.executionCompleted(outcome))
    }

    // MARK: - Budget

    mutating func warn(_ limit: BudgetLimit) {
        tell(.budgetWarning(limit))
        feed(.budgetWarning(limit))
    }

    mutating func warnIfNeeded() {
        for limit in execution?.ledger.takeWarnings() ?? [] { warn(limit) }
    }

    /// A limit is reached: what waits will not be done, what is under way goes on, and there is one last turn.
    mutating func exhaust(_ limit: BudgetLimit) {
        guard let execution, execution.exhausted == nil else { return }
        self.execution?.exhausted = limit
        tell(.budgetExhausted(limit))
        for (place, record) in execution.records.enumerated()
        where !record.isEnded && record.runs.isEmpty {
            fail(place, WorkFailure(.overBudget, "the limit of \(limit.rawValue) is reached"))
        }
        activity()
        feed(.wrapUp(limit))
    }
}

extension TimerKey {
    /// Whether it means nothing any more when an execution has ended.
    fileprivate var isOfExecution: Bool {
        switch self {
        case .breaker, .restart: false
        case .timeout, .lease, .retry, .grace, .lane, .budgetWarning, .budgetWrapUp, .budgetEnd,
            .strategy, .question:
            true
        }
    }
}
