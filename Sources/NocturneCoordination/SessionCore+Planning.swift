// SessionCore+Planning.swift — asks for plans, and gives strategies only such as can be carried out.
// Next: SessionCore+Execution.swift.

internal import NocturneCore

extension SessionCore {
    mutating func plan(_ request: PlanRequest) {
        let named = request.planner ?? execution?.goal.planner
        let planner = named ?? leader
        if let reason = reasonAgainst(planner: planner) {
            activity()
            feed(.planFailed(request: request.id, .noPlanner(reason)))
            return
        }
        guard let planner else { return }
        var record = WorkRecord(
            work: Work(
                request.id, kind: .plan, text: request.text, payload: brief(request, problems: []),
                assignee: .agent(planner), weight: 0))
        record.planning = Planning(request: request, isLeaders: named == nil)
        add(record)
    }

    /// What a planner has to know: who is there, what is allowed, and what was wrong with its last plan.
    private func brief(_ request: PlanRequest, problems: [PlanProblem]) -> JSONValue {
        let limits = setup.policy.plan
        var brief: JSONObject = [
            "about": request.payload,
            "agents": .array(
                roster.present.filter { $0.role.takesWork && !request.ancestors.contains($0.id) }
                    .map(\.json)),
            "limits": [
                "subtasks": JSONValue(limits.subtasks), "chain": JSONValue(limits.chain),
                "fanOut": JSONValue(limits.fanOut),
            ],
        ]
        if !problems.isEmpty { brief["problems"] = .array(problems.map(\.json)) }
        return .object(brief)
    }

    /// Checks what a planner answered.
    ///
    /// - Returns: whether that was its last word; otherwise it is asked again.
    mutating func judge(planOf place: Int, _ answer: WorkAnswer) -> Bool {
        guard let record = execution?.records[place], let planning = record.planning,
            let planner = record.lastAgent
        else { return true }
        let (_, problems) = read(answer.value, ancestors: planning.request.ancestors)
        guard !problems.isEmpty else { return true }
        tell(.planRefused(record.work.id, by: planner, problems))
        execution?.records[place].planning?.answers += 1
        guard planning.answers + 1 < setup.policy.planAttempts, execution?.exhausted == nil else {
            return true
        }
        let brief = brief(planning.request, problems: problems)
        execution?.records[place].attempts = 0
        execution?.records[place].failedAgents = []
        execution?.records[place].work.payload = brief
        enqueue(place)
        return false
    }

    /// Tells the strategy what came of its request.
    mutating func endPlanning(_ place: Int, _ end: WorkEnd) {
        execution?.openPlans.removeAll { $0 == place }
        guard let planning = execution?.records[place].planning else { return }
        let request = planning.request.id
        switch end.result {
        case .succeeded(let answer):
            let (plan, problems) = read(answer.value, ancestors: planning.request.ancestors)
            if let plan, problems.isEmpty, let agent = end.agent {
                tell(.planAccepted(request, by: agent, plan))
                feed(.planReceived(request: request, plan, by: agent))
            } else {
                feed(
                    .planFailed(
                        request: request, .invalid(attempts: planning.answers, problems)))
            }
        case .failed(let failure):
            feed(.planFailed(request: request, .unanswered(failure)))
        case .cancelled:
            feed(
                .planFailed(
                    request: request, .unanswered(WorkFailure(.refused, "it was taken back"))))
        }
    }

    /// Checks subtasks that came with an answer.
    mutating func judge(
        delegation: JSONValue, _ request: WorkID, by agent: AgentID, ancestors: [AgentID]
    ) {
        activity()
        let (plan, problems) = read(delegation, ancestors: ancestors)
        if let plan, problems.isEmpty {
            tell(.planAccepted(request, by: agent, plan))
            feed(.planReceived(request: request, plan, by: agent))
        } else {
            tell(.planRefused(request, by: agent, problems))
            feed(.planFailed(request: request, .invalid(attempts: 1, problems)))
        }
    }

    /// Another one leads: what the old leader was asked and has not answered, the new one is asked.
    mutating func redirectPlans() {
        for place in execution?.openPlans ?? [] {
            guard let record = execution?.records[place], !record.isEnded,
                record.planning?.isLeaders == true
            else { continue }
            guard let leader, reasonAgainst(planner: leader) == nil else {
                if record.isPending {
                    fail(place, WorkFailure(.unassignable, "nobody leads who can plan"))
                }
                continue
            }
            execution?.records[place].work.assignee = .agent(leader)
            if record.isPending { enqueue(place) }
        }
    }

    private func read(
        _ value: JSONValue, ancestors: [AgentID]
    ) -> (Plan?, problems: [PlanProblem]) {
        do throws(CoordinationError) {
            let plan = try Plan(json: value, at: "plan")
            let validation = PlanValidation(
                roster: roster.present, limits: setup.policy.plan, ancestors: ancestors,
                tokensLeft: execution?.ledger.tokensLeft, worksLeft: execution?.ledger.worksLeft)
            return (plan, validation.problems(of: plan))
        } catch {
            return (nil, [PlanProblem(.malformed, "\(error)")])
        }
    }
}
