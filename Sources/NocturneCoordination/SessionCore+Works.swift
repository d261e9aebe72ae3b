// SessionCore+Works.swift — a work from when it is asked for until its end. Next: SessionCore+Attempts.swift.

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
