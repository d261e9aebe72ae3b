// PluginManager+Goals.swift — from decisions to goals for supervisors. Next: PluginManager+Changes.swift.

import CLinux
import NocturneCore
import NocturneStorage

/// The goal that a supervisor was last given, so that it is told only what is new.
struct IssuedGoal: Sendable {
    let kind: SupervisorGoal.Kind
    let isForced: Bool
    /// The latest decision counts, in whatever order they arrive.
    let serial: UInt64
    /// What serves until another build has taken its place, and if that fails.
    let replaced: PluginBuild?
    /// Why it was given up. Not the task itself: a finished task keeps its memory as long as somebody holds it.
    let refusal = Promise<Refusal?>()
}

extension PluginManager {
    // MARK: - Deciding

    /// Decides anew what should serve, and has it carried out.
    ///
    /// - Parameter forced: this one gets a new generation even if nothing changed.
    func decide(forced: PluginID? = nil) async {
        let before = decisions
        isPostponed = false
        refreshCatalog()
        let outcome = catalog.decide()
        let plan = plan(outcome, of: catalog, forced: forced)
        decisions = outcome.decisions
        for id in decisions.keys.sorted() {
            guard let decision = decisions[id], let build = decision.choice else { continue }
            if before[id]?.choice?.hash != build.hash {
                see(id)
                publish(
                    .loaded(id, version: "\(build.manifest.version)", file: decision.path ?? ""))
            }
        }
        reportReasons(outcome.notes)
        let changing = carryOut(plan, forced: forced)
        issueGoals(forced: forced, except: changing, isPlanned: true)
        for id in before.keys where decisions[id] == nil && !changing.contains(id) { forget(id) }
    }

    /// Brings what the catalog knows of the rest of the host up to date.
    func refreshCatalog() {
        catalog.previous = decisions
        catalog.enableHotReload = configuration.enableHotReload
        catalog.serving = serving
        catalog.off = off
        catalog.settings = memory.mapValues(\.settings)
        catalog.forgetFailures()
    }

    /// What runs, or is coming back after a crash: what each was told to run, unless that was not taken.
    var serving: [PluginID: PluginBuild] {
        var serving: [PluginID: PluginBuild] = [:]
        for (id, goal) in goals {
            guard case .run(let build, _, _) = goal.kind, let snapshot = snapshots[id] else {
                continue
            }
            if snapshot.pid != nil {
                serving[id] = snapshot.rejected?.hash == build.hash ? snapshot.build : build
            } else if snapshot.served == build.hash {
                serving[id] = build
            } else if let old = goal.replaced, old.hash == snapshot.served,
                snapshot.rejected?.hash == build.hash
            {
                serving[id] = old  // it ended while another build was tried in vain
            }
        }
        return serving
    }

    /// Ids that are not to run, as operators have it.
    private var off: [PluginID: Refusal] {
        var off: [PluginID: Refusal] = [:]
        for id in Set(catalog.files.values.compactMap { $0.offer?.id }).union(decisions.keys) {
            switch memory[id]?.enabled {
            case true?: break
            case false?: off[id] = Self.disabled(id)
            case nil where !configuration.autoEnable:
                off[id] = Refusal("notEnabled", "it was never enabled; `enable \(id)` does that")
            case nil: break
            }
        }
        return off
    }

    static func disabled(_ id: PluginID) -> Refusal {
        Refusal("disabled", "it is disabled; `enable \(id)` lets it serve again")
    }

    /// Tells, each once, why files are left out that are plugins otherwise.
    private func reportReasons(_ notes: [String]) {
        var reasons: [String: (PluginID, Refusal)] = [:]
        for (id, decision) in decisions {
            for (path, why) in decision.reasons where !Self.isPlain(why) {
                reasons[path] = (id, why)
            }
            if let why = decision.leftOut, let path = decision.path { reasons[path] = (id, why) }
        }
        for (path, (id, why)) in reasons.sorted(by: { $0.key < $1.key })
        where reportedReasons[path] != why {
            publish(.refused(file: path, id, code: why.code, message: "\(id): \(why)"))
        }
        reportedReasons = reasons.mapValues(\.1)
        for note in notes where !reportedNotes.contains(note) {
            events.publish(
                source: "plugins", name: "host:warning", payload: ["message": .string(note)])
        }
        reportedNotes = Set(notes)
    }

    /// Whether it is as anybody would expect.
    private static func isPlain(_ why: Refusal) -> Bool {
        ["olderVersion", "sameContent", "unloaded"].contains(why.code)
    }

    // MARK: - Goals

    /// What a plugin is meant to do, as far as the catalog and its operator say.
    func standing(
        of id: PluginID, _ decisions: [PluginID: CatalogDecision], off: [PluginID: Refusal]
    ) -> PluginStanding {
        guard let decision = decisions[id], let build = decision.choice else {
            return .rests(.unloaded, decisions[id]?.reasons.values.first)
        }
        if let off = off[id] { return .rests(off.code == "disabled" ? .disabled : .loaded, nil) }
        if configuration.isStrict {
            return .rests(
                .waiting,
                Refusal(
                    "strict",
                    "strict mode wants namespaces and a cgroup for each worker, which this version does "
                        + "not set up; start the host without --strict"))
        }
        guard let why = decision.leftOut else { return .runs(build) }
        let isFinal = ["conflict", "cycle", "host", "abi", "architecture", "settings"]
            .contains(why.code)
        return .rests(isFinal ? .failed : .waiting, why)
    }

    /// What a plugin should be doing now.
    ///
    /// - Parameter serving: who fulfills dependencies at the moment; `nil`: the order in which they start is somebody
    ///   else's business.
    func goal(of id: PluginID, serving: ServingNames?) -> SupervisorGoal.Kind {
        let build: PluginBuild
        switch standing(of: id, decisions, off: catalog.off) {
        case .rests(let status, let why): return .rest(status, why)
        case .runs(let chosen): build = chosen
        }
        // A running plugin is not stopped because a dependency is being restarted.
        if let serving, !isServing(id), let why = serving.missing(for: build.manifest) {
            return .rest(.waiting, why)
        }
        do throws(Refusal) {
            return .run(
                build, settings: try build.settings(memory[id]?.settings ?? [:]),
                file: decisions[id]?.path ?? "")
        } catch {
            return .rest(.failed, error)
        }
    }

    /// Gives supervisors the goals that changed.
    ///
    /// - Parameters:
    ///   - changing: these are the business of a change.
    ///   - isPlanned: what is issued was decided right now.
    func issueGoals(
        forced: PluginID? = nil, except changing: Set<PluginID> = [], isPlanned: Bool = false
    ) {
        if isClosed { return }
        let unsettled = UnsettledGoals(self)
        let serving = ServingNames(
            snapshots.values.compactMap { $0.status == .enabled ? $0.build?.manifest : nil })
        for id in decisions.keys.sorted() where !changing.contains(id) {
            if id != forced, isChanging(id) { continue }
            let kind = goal(of: id, serving: serving)
            if id != forced, isIssued(kind, to: id), !hasNamesNow(id, kind) { continue }
            if id != forced, takesAway(kind, from: id) {
                // What was postponed may only hold together, which is for the next decision to say.
                if isPostponed, !isPlanned { continue }
                if unsettled.goal(around: [id], decisions) != nil {
                    isPostponed = true
                    continue
                }
            }
            if case .run(let build, _, _) = kind {
                // In order of ids, so that of two that start together the lower has the name. Who comes too late is
                // told by its supervisor.
                _ = try? router.registry.claim(build)
            }
            issue(kind, to: id, force: id == forced)
        }
    }

    /// Whether another build takes the place of what runs, or nothing.
    private func takesAway(_ kind: SupervisorGoal.Kind, from id: PluginID) -> Bool {
        guard let old = snapshots[id]?.build else { return false }
        guard case .run(let build, _, _) = kind else { return true }
        return old.hash != build.hash
    }

    /// Whether a plugin was refused because of a name that is free now.
    private func hasNamesNow(_ id: PluginID, _ kind: SupervisorGoal.Kind) -> Bool {
        guard case .run(let build, _, _) = kind, let snapshot = snapshots[id] else { return false }
        let why = snapshot.status == .failed ? snapshot.reason : snapshot.rejected?.why
        return why?.code == "nameTaken" && router.registry.isFree(for: build)
    }

    /// Gives a supervisor a goal, and has it pursued.
    @discardableResult
    func issue(
        _ kind: SupervisorGoal.Kind, to id: PluginID, force: Bool = false
    ) -> Promise<Refusal?> {
        let goal = record(kind, of: id, force: force)
        Task {
            goal.refusal.fulfill(await pursue(goal, of: id))
            if isPostponed { await goOn() }
        }
        return goal.refusal
    }

    /// Something was carried out, or given up: what waited for it is next.
    func goOn() async {
        if isPostponed { await decide() } else { issueGoals() }
    }

    /// Notes a goal that is about to be pursued.
    func record(_ kind: SupervisorGoal.Kind, of id: PluginID, force: Bool) -> IssuedGoal {
        goalSerial += 1
        var replaced: PluginBuild?
        if case .run(let build, _, _) = kind, let old = snapshots[id]?.build,
            old.hash != build.hash
        {
            replaced = old
        }
        let goal = IssuedGoal(kind: kind, isForced: force, serial: goalSerial, replaced: replaced)
        goals[id] = goal
        return goal
    }

    /// Has a goal pursued. Returns why it was given up.
    func pursue(
        _ goal: IssuedGoal, of id: PluginID, step: ChangeStep? = nil
    ) async -> Refusal? {
        let supervisor = supervisor(of: id)
        guard case .run(let build, _, _) = goal.kind else {
            return await supervisor.pursue(goal.kind, serial: goal.serial)
        }
        // An object that was pruned is copied again from its file.
        let objects = state.objects, path = decisions[id]?.path
        let problem = await onFilesThread { Self.ensure(build, in: objects, from: path) }
        if let problem {
            return await supervisor.decline(build, serial: goal.serial, problem)
        }
        let refusal = await supervisor.pursue(
            goal.kind, serial: goal.serial, force: goal.isForced, step: step)
        if step == nil, let refusal { await noteFailure(of: build, refusal) }
        return refusal
    }

    /// A build that was not taken is out of the choice until its file changes or an operator asks for it again, so
    /// that what is decided is what serves.
    private func noteFailure(of build: PluginBuild, _ why: Refusal) async {
        let mayPass = ["zygote", "system", "closed"].contains(why.code)
        guard !mayPass, let supervisor = supervisors[build.id] else { return }
        let snapshot = await supervisor.snapshot
        snapshots[build.id] = snapshot
        guard let served = snapshot.build, served.hash != build.hash,
            snapshot.rejected?.hash == build.hash
        else { return }
        catalog.failed[build.hash] = FailedBuild(why: why, culprit: build.hash)
        await decide()
    }

    /// Lets builds that failed for a name be tried again when the name is free. Returns whether there are any.
    func forgetNameFailures() -> Bool {
        let before = catalog.failed.count
        for file in catalog.files.values {
            guard let offer = file.offer, catalog.failed[offer.hash]?.why.code == "nameTaken",
                router.registry.isFree(for: offer)
            else { continue }
            catalog.failed[offer.hash] = nil
        }
        return catalog.failed.count != before
    }

    private static func ensure(
        _ build: PluginBuild, in objects: ObjectStore, from path: String?
    ) -> Refusal? {
        do throws(IngestError) {
            if try objects.isIntact(build.hash) { return nil }
            guard let path else { return Refusal("vanished", "its object is gone from the store") }
            let object = try objects.ingest(path)
            if object.hash == build.hash { return nil }
            return Refusal("changing", "\(path) changed while it was being loaded")
        } catch {
            return Refusal("store", "\(error)")
        }
    }

    private func isServing(_ id: PluginID) -> Bool {
        if case .run = goals[id]?.kind { return snapshots[id]?.pid != nil }
        return false
    }

    /// Whether it is what its supervisor was told last.
    func isIssued(_ kind: SupervisorGoal.Kind, to id: PluginID) -> Bool {
        switch (goals[id]?.kind, kind) {
        case (.run(let a, let settings, _)?, .run(let b, let other, _)):
            a.hash == b.hash && settings == other
        case (.rest(let a, let why)?, .rest(let b, let other)): a == b && why == other
        default: false
        }
    }
}
