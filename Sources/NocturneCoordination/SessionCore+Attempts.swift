// SessionCore+Attempts.swift — attempts at works: leases, timeouts, late results, what follows a failure.
// Next: SessionCore+Dispatch.swift.

internal import NocturneCore

extension SessionCore {
    /// The attempts that an agent has under way, the oldest first.
    func runs(of agent: Int) -> [Epoch] {
        guard let execution else { return [] }
        return execution.running.filter { epoch, place in
            execution.records[place].runs.contains { $0.epoch == epoch && $0.agent == agent }
        }.keys.sorted()
    }

    /// Starts an attempt, if the budget allows it.
    ///
    /// - Returns: whether it was started.
    mutating func start(_ place: Int, by agent: Int, _ reason: AllocationReason) -> Bool {
        guard let work = execution?.records[place].work else { return false }
        let isWrapUp = work.isWrapUp && execution?.exhausted != nil
        switch execution?.ledger.reserve(
            tokens: work.tokens, cost: roster[agent].descriptor.cost, isWrapUp: isWrapUp)
        {
        case .reserved(let reservation): begin(place, agent, reservation, reason)
        case .wait:
            execution?.isWaitingForBudget = true
            return false
        case .exhausted(let limit):
            exhaust(limit)
            return false
        case nil: return false
        }
        warnIfNeeded()
        return true
    }

    private mutating func begin(
        _ place: Int, _ agent: Int, _ reservation: Reservation, _ reason: AllocationReason
    ) {
        guard let record = execution?.records[place], let number = execution?.number else { return }
        let work = record.work, descriptor = roster[agent].descriptor
        let epoch = Epoch(assignments.count + 1), attempt = record.attempts + 1
        let lease =
            setup.policy.isFaultTolerant
            ? descriptor.heartbeat.map { $0 * setup.policy.missedHeartbeats } : nil
        let timeout = work.timeout ?? setup.policy.workTimeout
        assignments.append((work.id, descriptor.id))
        execution?.records[place].state = .running
        execution?.records[place].attempts = attempt
        execution?.records[place].lastAgent = descriptor.id
        execution?.records[place].runs.append(
            Run(
                epoch: epoch, agent: agent, started: now, leaseEnd: lease.map { now + $0 },
                reservation: reservation))
        execution?.running[epoch] = place
        roster.update(agent) {
            $0.running += 1
            $0.started += 1
        }
        timers.cancel(.grace(place))
        timers.set(.timeout(epoch), at: now + timeout)
        if let lease { timers.set(.lease(epoch), at: now + lease) }
        effects.append(
            .start(
                Assignment(
                    agent: descriptor.id, work: work, epoch: epoch, attempt: attempt,
                    idempotencyKey: "\(setup.id)/\(number)/\(work.id)", timeout: timeout)))
        tell(
            .workAssigned(
                work.id, to: descriptor.id, attempt: attempt, epoch: epoch.number, reason))
        if record.planning == nil {
            feed(.workStarted(work.id, by: descriptor.id, attempt: attempt))
        }
    }

    mutating func extendLease(_ epoch: Epoch) {
        guard let place = execution?.running[epoch],
            let run = execution?.records[place].runs.firstIndex(where: { $0.epoch == epoch }),
            let agent = execution?.records[place].runs[run].agent,
            let heartbeat = roster[agent].descriptor.heartbeat
        else { return }
        let leaseEnd = now + heartbeat * setup.policy.missedHeartbeats
        execution?.records[place].runs[run].leaseEnd = leaseEnd
    }

    mutating func checkLease(_ epoch: Epoch) {
        guard let place = execution?.running[epoch],
            let run = execution?.records[place].runs.first(where: { $0.epoch == epoch }),
            let leaseEnd = run.leaseEnd
        else { return }
        guard leaseEnd <= now else {
            timers.set(.lease(epoch), at: leaseEnd)
            return
        }
        let agent = roster[run.agent].descriptor.id
        effects.append(.stop(agent, epoch))
        lose(epoch, WorkFailure(.lost, "\(agent) gave no sign of life until its lease was over"))
    }

    mutating func timeOut(_ epoch: Epoch) {
        guard let place = execution?.running[epoch],
            let record = execution?.records[place],
            let run = record.runs.first(where: { $0.epoch == epoch })
        else { return }
        let agent = roster[run.agent].descriptor.id
        effects.append(.stop(agent, epoch))
        let limit = record.work.timeout ?? setup.policy.workTimeout
        lose(epoch, WorkFailure(.timedOut, "\(agent) took longer than \(limit)"))
    }

    mutating func lose(_ epoch: Epoch, _ failure: WorkFailure) {
        end(run: epoch, .failed(failure, Usage()))
    }

    /// Takes in how an attempt ended; one that is over already is refused.
    mutating func end(run epoch: Epoch, _ result: RunResult) {
        guard let place = execution?.running[epoch] else {
            refuse(epoch, result)
            return
        }
        guard let run = takeRun(epoch, of: place) else { return }
        book(result, of: run, of: place)
        note(result, of: run)
        guard let record = execution?.records[place], !record.isEnded else { return }
        switch result {
        case .answered(let answer):
            stopRuns(of: place)
            let time = now - run.started
            if record.planning == nil || judge(planOf: place, answer) {
                conclude(place, .succeeded(answer), duration: time)
            }
        case .failed(let failure, _):
            execution?.records[place].lastFailure = failure
            // The other one of a hedged pair goes on.
            if record.runs.isEmpty { retry(place, run, failure) }
        }
    }

    private mutating func refuse(_ epoch: Epoch, _ result: RunResult) {
        guard assignments.indices.contains(epoch.number - 1) else { return }
        // What it used is used, whatever becomes of it.
        execution?.ledger.settle(Reservation(), result.usage)
        let (work, agent) = assignments[epoch.number - 1]
        tell(.lateResultRefused(work, by: agent, epoch: epoch.number))
    }

    private mutating func takeRun(_ epoch: Epoch, of place: Int) -> Run? {
        guard let index = execution?.records[place].runs.firstIndex(where: { $0.epoch == epoch }),
            let run = execution?.records[place].runs.remove(at: index)
        else { return nil }
        execution?.running[epoch] = nil
        timers.cancel(.timeout(epoch))
        timers.cancel(.lease(epoch))
        roster.update(run.agent) { $0.running -= 1 }
        freedAgents.append(run.agent)
        return run
    }

    private mutating func book(_ result: RunResult, of run: Run, of place: Int) {
        var usage = result.usage
        // An agent that reports no cost has the one that it declared.
        if usage.cost == 0 { usage.cost = run.reservation.cost }
        usage.works = 1
        execution?.ledger.settle(run.reservation, usage)
        if let sum = (execution?.records[place].usage).map({ $0 + usage }) {
            execution?.records[place].usage = sum
        }
        if execution?.isWaitingForBudget == true {
            execution?.isWaitingForBudget = false
            serveAllLanes()
        }
        warnIfNeeded()
    }

    private mutating func retry(_ place: Int, _ run: Run, _ failure: WorkFailure) {
        guard let record = execution?.records[place] else { return }
        let policy = setup.policy, agent = roster[run.agent].descriptor.id
        if failure.kind == .agentLeft {
            execution?.records[place].attempts -= 1
            enqueue(place)
            return
        }
        if !record.failedAgents.contains(agent) {
            execution?.records[place].failedAgents.append(agent)
        }
        guard policy.isFaultTolerant, failure.kind.isWorthAnotherAttempt,
            record.attempts < record.work.attempts ?? policy.attempts
        else {
            fail(place, failure, duration: now - run.started)
            return
        }
        let delay = policy.retryDelay.doubled(record.attempts - 1, limit: policy.longestRetryDelay)
        execution?.records[place].state = .waiting
        timers.set(.retry(place), at: now + delay)
        tell(.workRetried(record.work.id, by: agent, failure, delay: delay))
    }

    /// Stops what is under way; what still comes of it is refused.
    mutating func stopRuns(of place: Int) {
        for run in execution?.records[place].runs ?? [] {
            _ = takeRun(run.epoch, of: place)
            // Nobody will say what it used: what was reserved counts.
            let usage = Usage(
                works: 1, tokens: run.reservation.tokens, cost: run.reservation.cost)
            execution?.ledger.settle(run.reservation, usage)
            if let sum = (execution?.records[place].usage).map({ $0 + usage }) {
                execution?.records[place].usage = sum
            }
            effects.append(.stop(roster[run.agent].descriptor.id, run.epoch))
        }
    }

    /// Takes back all that is under way, so that it starts anew later.
    mutating func takeBackRuns() {
        let places = Set((execution?.running ?? [:]).values).sorted()
        for place in places {
            stopRuns(of: place)
            execution?.records[place].attempts -= 1
            enqueue(place)
        }
    }

    /// Nothing is under way any more, because the process that did it is gone.
    mutating func interrupt() {
        let places = Set((execution?.running ?? [:]).values).sorted()
        for place in places {
            for run in execution?.records[place].runs ?? [] {
                _ = takeRun(run.epoch, of: place)
                execution?.ledger.settle(run.reservation, Usage())
            }
            execution?.records[place].attempts -= 1
            execution?.records[place].interruptions += 1
            guard let record = execution?.records[place] else { continue }
            if record.interruptions < setup.policy.interruptions {
                enqueue(place)
            } else {
                fail(
                    place,
                    WorkFailure(
                        .interrupted,
                        "the session's process ended \(record.interruptions) times while it was under way"
                    ))
            }
        }
        if let step = execution?.outstandingStep { effects.append(.step(step)) }
    }
}

extension RunResult {
    var usage: Usage {
        switch self {
        case .answered(let answer): answer.usage
        case .failed(_, let usage): usage
        }
    }
}

extension WorkFailure.Kind {
    fileprivate var isWorthAnotherAttempt: Bool {
        switch self {
        case .failed, .crashed, .timedOut, .lost, .invalidAnswer: true
        case .refused, .agentLeft, .interrupted, .unassignable, .overBudget: false
        }
    }
}
