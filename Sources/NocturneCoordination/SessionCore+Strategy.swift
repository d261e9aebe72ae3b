// SessionCore+Strategy.swift — tells the strategy what happened and does what it says. Next: SessionCore+Works.swift.

internal import NocturneCore

extension SessionCore {
    /// Works of one execution: what a strategy that goes round in circles may cost.
    static let workLimit = 1_000_000

    mutating func feed(_ input: StrategyInput) { execution?.inbox.append(input) }

    /// Whether the strategy has to be told something, and can be.
    var isStepDue: Bool {
        execution.map { !$0.inbox.isEmpty && $0.outstandingStep == nil } ?? false
    }

    /// Makes the steps that are due.
    ///
    /// - Returns: how many.
    mutating func stepStrategy() -> Int {
        guard let inputs = execution?.inbox, !inputs.isEmpty, execution?.outstandingStep == nil,
            let number = execution?.number
        else { return 0 }
        execution?.inbox = []
        isReplaced = false
        switch execution?.driver {
        case .local(var strategy):
            execution?.driver = .stepping
            for input in inputs {
                for command in strategy.step(input)
                where execution?.number == number && !isReplaced { run(command) }
                guard execution?.number == number, !isReplaced else { return inputs.count }
            }
            execution?.driver = .local(strategy)
        case .remote(let name, let parameters, let state):
            let request = StepRequest(
                number: nextStep, strategy: name, parameters: parameters, state: state,
                inputs: inputs)
            nextStep += 1
            execution?.outstandingStep = request
            effects.append(.step(request))
        case .stepping, nil: break
        }
        return inputs.count
    }

    /// Takes in what a strategy elsewhere answered; an answer to an old step is none.
    mutating func take(_ reply: StepReply, to number: Int) {
        guard let request = execution?.outstandingStep, request.number == number else { return }
        execution?.outstandingStep = nil
        switch reply {
        case .failed(let reason): failStrategy(reason)
        case .stepped(let state, let commands):
            execution?.driver = .remote(
                request.strategy, parameters: request.parameters, state: state)
            isReplaced = false
            for command in commands where execution != nil && !isReplaced { run(command) }
        }
    }

    private mutating func run(_ command: StrategyCommand) {
        switch command {
        case .assign(let work): assign(work)
        case .hedge(let work): hedge(work)
        case .cancel(let work): cancel(work)
        case .plan(let request): plan(request)
        case .validate(let request, let plan, let agent, let ancestors):
            judge(delegation: plan, request, by: agent, ancestors: ancestors)
        case .send(let recipient, let payload): send(recipient, payload)
        case .setTimer(let timer, let delay):
            activity()
            if !timers.isSet(.strategy(timer)) { execution?.openTimers += 1 }
            timers.set(.strategy(timer), at: now + max(delay, .zero))
        case .cancelTimer(let timer):
            if timers.isSet(.strategy(timer)) { execution?.openTimers -= 1 }
            timers.cancel(.strategy(timer))
            execution?.heldTimers.removeAll { $0 == .strategy(timer) }
        case .ask(let question): ask(question)
        case .expect(let weight): execution?.expectedWeight = weight.isFinite ? weight : 0
        case .finish(let proposal): finish(proposal)
        case .note(let text): tell(.note(text))
        }
    }

    /// Something is going on again.
    mutating func activity() { execution?.isQuiescenceTold = false }

    private mutating func send(_ recipient: Recipient, _ payload: JSONValue) {
        if case .agent(let id) = recipient, roster.place(of: id) == nil {
            tell(.deadLetter(to: id))
            return
        }
        guard execution?.ledger.book(messages: 1) ?? true else {
            exhaust(.messages)
            return
        }
        warnIfNeeded()
        effects.append(.deliver(recipient, payload))
        tell(.messageSent(from: nil, to: recipient))
    }

    /// Books messages that agents sent each other. They are sent already, so a limit can only end what follows.
    mutating func book(messages count: Int) {
        guard execution?.ledger.book(messages: count) ?? true else {
            exhaust(.messages)
            return
        }
        warnIfNeeded()
    }

    private mutating func ask(_ question: Question) {
        guard execution?.questions[question.id] == nil else {
            failStrategy("it asked \"\(question.id)\" a second time before the answer")
            return
        }
        activity()
        execution?.questions[question.id] = question
        timers.set(.question(question.id), at: now + question.deadline)
        tell(.questionAsked(question))
    }

    mutating func answer(_ id: String, _ value: JSONValue, isDefault: Bool) {
        guard execution?.questions.removeValue(forKey: id) != nil else { return }
        timers.cancel(.question(id))
        execution?.heldTimers.removeAll { $0 == .question(id) }
        tell(.questionAnswered(id, value, isDefault: isDefault))
        feed(.answered(question: id, value, isDefault: isDefault))
    }

    /// The strategy cannot go on: another one begins from the start if one is declared, else the execution ends.
    mutating func failStrategy(_ reason: String) {
        guard let current = execution else { return }
        guard let fallback = setup.fallback, !current.hasFallenBack,
            let driver = try? catalog.make(fallback, .null)
        else {
            finish(
                OutcomeProposal(.failed(.strategyFailed), value: results, explanation: reason))
            return
        }
        cancelAll()
        timers.remove { if case .strategy = $0 { true } else { false } }
        timers.remove { if case .question = $0 { true } else { false } }
        execution?.driver = driver
        execution?.hasFallenBack = true
        execution?.index = [:]
        execution?.questions = [:]
        execution?.inbox = []
        execution?.outstandingStep = nil
        execution?.openTimers = 0
        execution?.heldTimers = []
        execution?.expectedWeight = 0
        isReplaced = true
        tell(.strategyReplaced(by: fallback, reason: reason))
        start()
    }

    /// Whether nothing is going on, and the strategy has to know or the execution to end.
    mutating func findQuiescence() -> Bool {
        guard let execution, !isPaused, execution.inbox.isEmpty, execution.outstandingStep == nil,
            execution.openWorks == 0, execution.openTimers == 0, execution.questions.isEmpty,
            execution.heldTimers.isEmpty
        else { return false }
        if execution.isQuiescenceTold {
            finish(
                OutcomeProposal(
                    .failed(.quiescentWithoutResult), value: results,
                    explanation: "nothing was going on any more, and the strategy had no result"))
        } else {
            self.execution?.isQuiescenceTold = true
            feed(.quiescent)
        }
        return true
    }
}
