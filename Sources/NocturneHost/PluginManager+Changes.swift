// PluginManager+Changes.swift — carries out changes that touch several plugins: dependencies first, all or nothing.
// Next: UnsettledGoals.swift.

import NocturneCore

extension PluginManager {
    // MARK: - Plans

    /// What leads from what serves to what was decided.
    func plan(_ outcome: CatalogOutcome, of catalog: Catalog, forced: PluginID?) -> ChangePlan {
        var standings: [PluginID: PluginStanding] = [:]
        for id in outcome.decisions.keys {
            standings[id] = standing(of: id, outcome.decisions, off: catalog.off)
        }
        return ChangePlan(
            from: catalog.serving, to: standings, forced: forced,
            objections: outcome.objections.sorted { $0.key < $1.key }.flatMap(\.value))
    }

    /// What would follow from a command about `id` that does `edit` to the catalog. Waits until what is being carried
    /// out among those it touches is over: only then is it known what the command would meet.
    func plan(
        _ id: PluginID, forced: Bool, _ edit: (inout Catalog) -> Void = { _ in }
    ) async -> ChangePlan {
        while true {
            await refreshSnapshot(id)
            refreshCatalog()
            var trial = catalog
            trial.released.insert(id)
            edit(&trial)
            let outcome = trial.decide()
            let plan = plan(outcome, of: trial, forced: forced ? id : nil)
            let touched = Set(plan.steps.map(\.plugin)).union([id])
            guard let goal = UnsettledGoals(self).goal(around: touched, outcome.decisions) else {
                return plan
            }
            _ = await goal.refusal.value
        }
    }

    /// Refuses a command about `id` that would hurt others. What follows in the command must not wait before it
    /// decides.
    func mustHurtNobody(
        _ id: PluginID, unless cascade: Bool, _ edit: (inout Catalog) -> Void
    ) async throws(PluginError) {
        let plan = await plan(id, forced: true, edit)
        try mustBeOpen()
        if cascade || plan.objections.isEmpty { return }
        throw PluginError(
            "dependents", id,
            "\(id): nothing was changed, because it would hurt who serves:\n"
                + plan.objections.joined(separator: "\n")
                + "\n--cascade carries it out anyway")
    }

    // MARK: - Carrying out

    /// Whether a change that is being carried out decides what becomes of `id`.
    func isChanging(_ id: PluginID) -> Bool {
        goals[id].map { $0.refusal.current == nil } == true
            && changes.contains { $0.members.contains(id) }
    }

    /// Starts those parts of a plan that concern several plugins together. The rest is every plugin's own business.
    ///
    /// What touches plugins that are being changed waits until that is over, and is then decided anew.
    ///
    /// - Returns: the plugins that are taken care of.
    func carryOut(_ plan: ChangePlan, forced: PluginID?) -> Set<PluginID> {
        if isClosed { return [] }
        var taken: Set<PluginID> = []
        let unsettled = UnsettledGoals(self)
        for group in plan.groups where group.contains(where: { isNew($0, forced: forced) }) {
            let members = Set(group.map(\.plugin))
            taken.formUnion(members)
            if unsettled.goal(around: members, decisions) != nil {
                isPostponed = true
                continue
            }
            let parts = group.map { step in
                ChangePart(
                    step: step, goalBefore: goals[step.plugin],
                    goal: record(
                        goal(of: step), of: step.plugin,
                        force: step.action == .restart || step.plugin == forced))
            }
            let change = RunningChange(id: goalSerial, members: members)
            changes.append(change)
            Task {
                await self.run(parts)
                self.changes.removeAll { $0.id == change.id }
                await self.goOn()  // with what was decided meanwhile
            }
        }
        return taken
    }

    /// Whether a step was not asked of its supervisor before.
    private func isNew(_ step: ChangePlan.Step, forced: PluginID?) -> Bool {
        switch step.action {
        case .start, .restart, .rebind: false
        case .replace, .stop:
            step.plugin == forced || !isIssued(goal(of: step), to: step.plugin)
        }
    }

    private func goal(of step: ChangePlan.Step) -> SupervisorGoal.Kind {
        goal(of: step.plugin, serving: nil)
    }

    /// Carries out the parts of one change in order. If one fails, those before it go back.
    private func run(_ parts: [ChangePart]) async {
        let verdict = Promise<Refusal?>()
        var begun: Set<PluginID> = []
        var failure: (part: ChangePart, why: Refusal)?
        for part in parts.prefix(while: { $0.step.action != .stop }) where isLatest(part) {
            let step = ChangeStep(verdict: verdict)
            Task {
                let refusal = await self.pursue(part.goal, of: part.step.plugin, step: step)
                step.switched.fulfill(refusal)
                part.ended.fulfill(refusal)
            }
            begun.insert(part.step.plugin)
            if let why = await step.switched.value {
                failure = (part, why)
                break
            }
        }
        let refusal = failure.map { Self.rolledBack(because: $0.part, $0.why) }
        verdict.fulfill(refusal)
        var ends: [Refusal?] = []
        for part in parts {
            ends.append(begun.contains(part.step.plugin) ? await part.ended.value : refusal)
        }
        if let failure {
            for part in parts where !begun.contains(part.step.plugin) && isLatest(part) {
                // Its supervisor never heard of the other.
                goals[part.step.plugin] = part.goalBefore
            }
            await takeBack(parts, failure.part, failure.why)
        }
        if failure == nil { await stop(parts) }
        report(parts, failure: failure.map { "\($0.part.step.plugin): \($0.why)" })
        for (part, end) in zip(parts, ends) { part.goal.refusal.fulfill(end) }
    }

    private static func rolledBack(because failed: ChangePart, _ why: Refusal) -> Refusal {
        Refusal(
            "rolledBack",
            "\(failed.step.plugin), which belongs to the same change, did not come to serve: \(why)"
        )
    }

    private func isLatest(_ part: ChangePart) -> Bool {
        goals[part.step.plugin]?.serial == part.goal.serial
    }

    /// What stops, when all others have come to serve: dependents first; then who restarts without it.
    private func stop(_ parts: [ChangePart]) async {
        for part in parts.drop(while: { $0.step.action != .stop }) where isLatest(part) {
            let id = part.step.plugin
            _ = await pursue(part.goal, of: id)
            if decisions[id] == nil { forget(id) }
        }
    }

    /// Takes the new builds of a change that failed out of the choice, and decides anew.
    private func takeBack(_ parts: [ChangePart], _ failed: ChangePart, _ why: Refusal) async {
        let culprit = failed.build?.hash
        for part in parts where part.step.action == .replace {
            let id = part.step.plugin
            if let supervisor = supervisors[id] { snapshots[id] = await supervisor.snapshot }
            guard let build = part.build, let culprit, snapshots[id]?.build?.hash != build.hash
            else { continue }
            let reason =
                id == failed.step.plugin ? why : Self.rolledBack(because: failed, why)
            catalog.failed[build.hash] = FailedBuild(why: reason, culprit: culprit)
        }
        await decide()
    }

    /// Tells how a change of several plugins ended.
    private func report(_ parts: [ChangePart], failure: String?) {
        events.publish(
            source: "plugins", name: "host:change",
            payload: [
                "steps": .array(parts.map(\.step.json)),
                "outcome": failure == nil ? "done" : "rolledBack", "reason": JSONValue(failure),
            ])
    }
}

/// One plugin's part in a change that is being carried out.
struct ChangePart: Sendable {
    let step: ChangePlan.Step
    let goalBefore: IssuedGoal?
    let goal: IssuedGoal
    let ended = Promise<Refusal?>()

    /// What it is to run.
    var build: PluginBuild? {
        if case .run(let build, _, _) = goal.kind { build } else { nil }
    }
}
