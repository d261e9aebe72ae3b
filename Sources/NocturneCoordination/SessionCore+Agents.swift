// SessionCore+Agents.swift — joining, leaving, leading, and the health of agents. Next: SessionCore+Strategy.swift.

internal import NocturneCore

extension SessionCore {
    mutating func join(_ agent: AgentDescriptor) {
        let place = roster.add(agent)
        tell(.agentJoined(agent))
        tell(.agentStarted(agent.id))
        feed(.agentJoined(agent))
        if agent.role == .leader {
            lead(agent.id)
        } else if leader == nil, execution != nil {
            appointLeader()
        }
        freedAgents.append(place)
    }

    /// Its works go to others first; then it is told that it left.
    mutating func leave(_ id: AgentID, reason: String) {
        guard let place = roster.place(of: id) else { return }
        let runs = runs(of: place)
        roster.remove(place)
        for key in [TimerKey.breaker(id), .restart(id)] { timers.cancel(key) }
        if leader == id {
            leader = nil
            if execution != nil { appointLeader() } else { leadByRole() }
        }
        for epoch in runs {
            effects.append(.stop(id, epoch))
            lose(epoch, WorkFailure(.agentLeft, "\(id) left: \(reason)"))
        }
        failUnassignable(after: id)
        _ = dispatch()
        effects.append(.dismiss(id))
        tell(.agentLeft(id, reason: reason))
        feed(.agentLeft(id, reason: reason))
    }

    // MARK: - Leading

    /// Makes the best one lead if nobody does.
    mutating func appointLeader() {
        guard leader == nil else { return }
        if let successor = successor(for: execution?.goal) { lead(successor) } else { lead(nil) }
    }

    private mutating func leadByRole() {
        lead(roster.present.first { $0.role == .leader }?.id)
    }

    private mutating func lead(_ agent: AgentID?) {
        guard leader != agent || agent == nil else { return }
        leader = agent
        tell(.leaderChanged(agent))
        feed(.leaderChanged(agent))
        redirectPlans()
    }

    /// Who leads if nobody is a leader: who can do best what the goal requires, then who can do most, then the first by
    /// name. Reviewers and observers do not lead.
    func successor(for goal: Goal?) -> AgentID? {
        let agents = roster.present.filter(\.role.takesWork)
        if let leader = agents.first(where: { $0.role == .leader }) { return leader.id }
        func score(_ agent: AgentDescriptor) -> (Double, Double) {
            let required = goal?.requires.reduce(0) { $0 + (agent.score(of: $1) ?? 0) } ?? 0
            return (required, agent.capabilities.reduce(0) { $0 + $1.score })
        }
        return agents.min { left, right in
            let (leftScore, rightScore) = (score(left), score(right))
            return leftScore == rightScore ? left.id < right.id : leftScore > rightScore
        }?.id
    }

    /// Why an agent cannot be asked for a plan; `nil` if it can.
    func reasonAgainst(planner: AgentID?) -> String? {
        guard let planner else { return "nobody leads it, and nobody in it can" }
        guard let place = roster.place(of: planner) else {
            return "\(planner) should plan and is not in the session"
        }
        let agent = roster[place].descriptor
        if agent.role == .observer { return "\(planner) should plan and only observes" }
        return agent.plans ? nil : "\(planner) should plan and says that it does not"
    }

    // MARK: - Health

    /// Notes how an attempt went, for the agent.
    mutating func note(_ result: RunResult, of run: Run) {
        let policy = setup.policy, id = roster[run.agent].descriptor.id
        guard case .failed(let failure, _) = result else {
            let time = now - run.started
            roster.update(run.agent) { $0.succeeded(after: time) }
            return
        }
        guard failure.kind.isAgentsFault else { return }
        if policy.isFaultTolerant, failure.kind == .crashed || failure.kind == .lost {
            noteCrash(of: run.agent, id, failure)
        } else if let rest = roster.update(run.agent, { $0.failed(by: policy) }),
            roster[run.agent].isPresent
        {
            tell(.agentRested(id, delay: rest))
            timers.set(.breaker(id), at: now + rest)
        }
    }

    private mutating func noteCrash(of place: Int, _ id: AgentID, _ failure: WorkFailure) {
        let policy = setup.policy, now = now
        _ = roster.update(place) { $0.failed(by: policy) }
        // One crash may end several of its works: it counts once.
        guard roster[place].isPresent, !timers.isSet(.restart(id)) else { return }
        timers.cancel(.breaker(id))
        if let delay = roster.update(place, { $0.crashed(at: now, by: policy) }) {
            tell(.agentRestarting(id, delay: delay))
            timers.set(.restart(id), at: now + delay)
        } else {
            leave(
                id,
                reason:
                    "it crashed more than \(policy.restarts) times in \(policy.restartPeriod): \(failure)"
            )
        }
    }

    mutating func restart(_ id: AgentID) {
        guard let place = roster.place(of: id) else { return }
        roster.update(place) { $0.recovered() }
        effects.append(.restart(id))
        tell(.agentStarted(id))
        freedAgents.append(place)
    }

    mutating func putOnTrial(_ id: AgentID) {
        guard let place = roster.place(of: id), roster[place].health == .resting else { return }
        roster.update(place) { $0.health = .onTrial }
        freedAgents.append(place)
    }
}

extension WorkFailure.Kind {
    /// Whether it says something about the agent.
    fileprivate var isAgentsFault: Bool {
        switch self {
        case .failed, .crashed, .timedOut, .lost, .invalidAnswer: true
        case .refused, .agentLeft, .interrupted, .unassignable, .overBudget: false
        }
    }
}
