// SessionCore+Works.swift — a work from when it is asked for until its end: attempts, retries, late results.
// Next: SessionCore+Dispatch.swift.

internal import NocturneCore

extension SessionCore {
    // MARK: - Asking and taking back

    mutating func assign(_ work: Work) { add(WorkRecord(work: work)) }

    mutating func add(_ record: WorkRecord) {
        // No copy of the execution is held while it changes: that would copy all its works.
        guard let place = execution?.records.count else { return }
        guard execution?.index[record.work.id] == nil else {
            failStrategy("it asked for a work \"\(record.work.id)\" a second time")
            return
        }
        guard place < Self.workLimit else {
            failStrategy("it asked for more than \(Self.workLimit) works")
            return
        }
        activity()
        execution?.records.append(record)
        execution?.index[record.work.id] = place
        execution?.openWorks += 1
        execution?.totalWeight += record.work.weight
        if record.planning != nil { execution?.openPlans.append(place) }
        if let limit = execution?.exhausted {
            guard record.work.isWrapUp, execution?.isWrapUpTaken == false else {
                fail(place, WorkFailure(.overBudget, "the limit of \(limit.rawValue) is reached"))
                return
            }
            execution?.isWrapUpTaken = true
        }
        enqueue(place)
    }

    /// Puts a work into its lane, or ends it if nobody will ever take it.
    mutating func enqueue(_ place: Int) {
        guard let record = execution?.records[place], !record.isEnded else { return }
        let demand = Demand(record)
        execution?.records[place].state = .pending
        if let limit = execution?.exhausted, !record.work.isWrapUp {
            fail(place, WorkFailure(.overBudget, "the limit of \(limit.rawValue) is reached"))
            return
        }
        if !canBeDone(demand) {
            if case .agent(let agent) = demand.assignee {
                fail(place, WorkFailure(.unassignable, "\(agent) is not in the session"))
                return
            }
            timers.set(.grace(place), at: now + setup.policy.assignmentGrace)
        }
        guard let (lane, ticket) = execution?.lanes.append(place, demand, at: now) else { return }
        execution?.records[place].ticket = ticket
        filledLanes.append(lane)
    }

    mutating func cancel(_ id: WorkID) {
        guard let place = execution?.index[id] else {
            failStrategy("it took back a work \"\(id)\" that it never asked for")
            return
        }
        guard execution?.records[place].isEnded == false else { return }
        stopRuns(of: place)
        conclude(place, .cancelled)
    }

    /// Ends all works that have not ended; the strategy is not told.
    mutating func cancelAll() {
        for place in execution?.records.indices ?? 0..<0 {
            guard execution?.records[place].isEnded == false else { continue }
            stopRuns(of: place)
            conclude(place, .cancelled, isTold: false)
        }
        execution?.openPlans = []
    }

    private func canBeDone(_ demand: Demand) -> Bool {
        if case .agent(let agent) = demand.assignee {
            guard let place = roster.place(of: agent) else { return false }
            return roster[place].descriptor.role != .observer
        }
        return roster.contains { Allocator.canDo(demand, $0.descriptor, leader: leader) }
    }

    /// Somebody left: what only they could do ends, or waits for somebody else to come.
    mutating func failUnassignable(after agent: AgentID) {
        guard let execution else { return }
        for (place, record) in execution.records.enumerated() where record.isPending {
            let demand = Demand(record)
            guard !canBeDone(demand) else { continue }
            if demand.assignee == .agent(agent) {
                fail(place, WorkFailure(.unassignable, "\(agent) left the session"))
            } else if !timers.isSet(.grace(place)) {
                timers.set(.grace(place), at: now + setup.policy.assignmentGrace)
            }
        }
    }

    mutating func giveUpWaiting(for place: Int) {
        guard let record = execution?.records[place], record.isPending,
            !canBeDone(Demand(record))
        else { return }
        let needed = record.work.requires.joined(separator: ", ")
        fail(
            place,
            WorkFailure(
                .unassignable,
                needed.isEmpty
                    ? "nobody in the session may do it" : "nobody in the session can do: \(needed)")
        )
    }

    // MARK: - Attempts

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

    // MARK: - The end of a work

    mutating func fail(_ place: Int, _ failure: WorkFailure, duration: Duration = .zero) {
        conclude(place, .failed(failure), duration: duration)
    }

    mutating func conclude(
        _ place: Int, _ result: WorkEnd.Result, duration: Duration = .zero, isTold: Bool = true
    ) {
        guard let record = execution?.records[place], !record.isEnded else { return }
        let end = WorkEnd(
            record.work.id, result, by: record.lastAgent, attempts: max(record.attempts, 0),
            duration: duration, usage: record.usage)
        execution?.records[place].state = .ended(end)
        execution?.openWorks -= 1
        execution?.endedWorks += 1
        execution?.endedWeight += record.work.weight
        timers.cancel(.retry(place))
        timers.cancel(.grace(place))
        switch result {
        case .succeeded: tell(.workCompleted(end))
        case .failed: tell(.workFailed(end))
        case .cancelled: tell(.workCancelled(record.work.id))
        }
        if let progress = execution?.progress { tell(.progress(progress)) }
        guard isTold else { return }
        if record.planning != nil {
            endPlanning(place, end)
        } else {
            feed(.workEnded(end))
            if let failure = end.failure, !setup.policy.isFaultTolerant, failure.kind != .overBudget
            {
                finish(
                    OutcomeProposal(
                        .failed(.workFailed), value: results,
                        explanation: "\(end.work) failed, and faults are not tolerated: \(failure)")
                )
            }
        }
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
