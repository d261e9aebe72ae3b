// PluginManager+Refresh.swift — from the directory to decisions to goals for supervisors. Next:
// PluginManager+Info.swift.

import CLinux
import NocturneCore
import NocturneStorage

/// The goal that a supervisor was last given, so that it is told only what is new.
struct IssuedGoal: Sendable {
    let kind: SupervisorGoal.Kind
    /// Why it was given up. Not the task itself: a finished task keeps its memory as long as somebody holds it.
    let refusal = Promise<Refusal?>()
}

extension PluginManager {
    /// A file that ends too early may still be being written; after this long it is reported. 2 s (DESIGN §7).
    private static let incompleteNanoseconds: Int64 = 2_000_000_000

    // MARK: - Noticing

    func noticed(_ result: WatchResult) {
        if let problem = result.problem {
            events.publish(
                source: "plugins", name: "host:warning", payload: ["message": .string("\(problem)")]
            )
        }
        guard !result.changedNames.isEmpty || result.needsRescan else { return }
        changedNames.formUnion(result.changedNames)
        scheduleRefresh()
    }

    /// Looks at the directory now, and waits until what follows from it has been carried out.
    public func rescan() async { await rescan(within: .seconds(60)) }

    func rescan(within limit: Duration) async {
        scheduleRefresh()
        await refreshing?.value
        await settle(within: limit)
    }

    /// Waits until all goals, and those that follow from what they led to, were reached or given up.
    func settle(within limit: Duration) async {
        let end = clinux_now() + Int64(limit.milliseconds) * 1_000_000
        var settled = goalSerial
        repeat {
            settled = goalSerial
            let pending = goals.values.map(\.refusal)
            let done = Promise<Void>()
            Task {
                for refusal in pending { _ = await refusal.value }
                done.fulfill(())
            }
            _ = await done.value(within: .nanoseconds(max(0, end - clinux_now())))
            for (id, supervisor) in supervisors { snapshots[id] = await supervisor.snapshot }
            issueGoals()  // who waited for one that serves now
        } while goalSerial != settled && clinux_now() < end
    }

    private func scheduleRefresh() {
        isDirty = true
        guard refreshing == nil, !isClosed else { return }
        refreshing = Task {
            while isDirty, !isClosed {
                isDirty = false
                await refresh()
            }
            refreshing = nil
        }
    }

    private func refresh() async {
        beginReading()
        defer { endReading() }
        let names = changedNames
        changedNames = []
        let known = catalog.files
        let reader = reader
        let watcher = state.watcher
        let scanned: Result<[String: CatalogFile], DirectoryScanError> = await onFilesThread {
            if let problem = watcher.rearm() { _ = problem }  // told by `drain`
            do throws(DirectoryScanError) {
                return .success(try reader.scan(known: known, changed: names))
            } catch {
                return .failure(error)
            }
        }
        switch scanned {
        case .success(let files):
            // Files from elsewhere are the commands' business, which may have loaded or unloaded some meanwhile.
            let external = catalog.files.filter(\.value.isExternal)
            catalog.files = files.filter { !$0.value.isExternal }.merging(external) { _, other in
                other
            }
        case .failure(let error):
            events.publish(
                source: "plugins", name: "host:warning", payload: ["message": .string("\(error)")])
            return
        }
        reportFiles()
        await decide()
        await prune()
    }

    var reader: CatalogReader { CatalogReader(store: state.objects, directory: directory) }

    func onFilesThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        let files = state.files
        return await withUnsafeContinuation { continuation in
            files.async { continuation.resume(returning: body()) }
        }
    }

    // MARK: - Telling

    /// Tells of refused files, each reason once; of incomplete ones after two seconds.
    private func reportFiles() {
        var next: Int64?
        var seen: Set<String> = []
        for (path, file) in catalog.files {
            let refusal: Refusal, id: PluginID?
            switch file.content {
            case .build: continue
            case .refused(let why, let found, _): (refusal, id) = (why, found)
            case .incomplete(let why):
                let due = (file.incompleteSince ?? 0) + Self.incompleteNanoseconds
                if clinux_now() < due {
                    next = min(next ?? .max, due)
                    continue
                }
                (refusal, id) = (why, nil)
            }
            seen.insert(path)
            guard reported[path] != refusal else { continue }
            reported[path] = refusal
            publish(
                .refused(
                    file: path, id ?? file.lastGood?.id, code: refusal.code,
                    message: refusal.description))
        }
        reported = reported.filter { seen.contains($0.key) }
        guard let next else { return }
        recheck?.cancel()
        recheck = Task {
            try? await Task.sleep(for: .nanoseconds(max(0, next - clinux_now()) + 1_000_000))
            if !Task.isCancelled { scheduleRefresh() }
        }
    }

    nonisolated func publish(_ event: PluginEvent) {
        events.publish(source: "plugins", name: event.kind.rawValue, payload: event.payload)
        state.typedEvents.publish(event)
    }

    // MARK: - Deciding

    /// Decides anew what should serve, and gives supervisors the goals that changed.
    ///
    /// - Parameter forced: this one gets a new generation even if nothing changed.
    func decide(forced: PluginID? = nil) async {
        catalog.previous = decisions
        catalog.enableHotReload = configuration.enableHotReload
        let before = decisions
        decisions = catalog.decide()
        for id in decisions.keys.sorted() {
            guard let decision = decisions[id], let build = decision.choice else { continue }
            if before[id]?.choice?.hash != build.hash {
                see(id)
                publish(
                    .loaded(id, version: "\(build.manifest.version)", file: decision.path ?? ""))
            }
        }
        issueGoals(forced: forced)
        for id in before.keys where decisions[id] == nil { forget(id) }
    }

    func issueGoals(forced: PluginID? = nil) {
        if isClosed { return }
        for id in decisions.keys.sorted() {
            let kind = goal(of: id)
            if id != forced, let issued = goals[id], Self.isSame(issued.kind, kind),
                !hasNamesNow(id, kind)
            {
                continue
            }
            if case .run(let build, _, _) = kind {
                // In order of ids, so that of two that start together the lower has the name. Who comes too late is
                // told by its supervisor.
                _ = try? router.registry.claim(build)
            }
            issue(kind, to: id, force: id == forced)
        }
    }

    /// Whether a plugin was refused because of a name that is free now.
    private func hasNamesNow(_ id: PluginID, _ kind: SupervisorGoal.Kind) -> Bool {
        guard case .run(let build, _, _) = kind, let snapshot = snapshots[id] else { return false }
        let why = snapshot.status == .failed ? snapshot.reason : snapshot.rejected?.why
        return why?.code == "nameTaken" && router.registry.isFree(for: build)
    }

    @discardableResult
    func issue(
        _ kind: SupervisorGoal.Kind, to id: PluginID, force: Bool = false
    ) -> Promise<Refusal?> {
        let supervisor = supervisor(of: id)
        let objects = state.objects
        let path = decisions[id]?.path
        let files = state.files
        let goal = IssuedGoal(kind: kind)
        goals[id] = goal
        goalSerial += 1
        let serial = goalSerial
        Task {
            if case .run(let build, _, _) = kind {
                // An object that was pruned is copied again from its file.
                let problem: Refusal? = await withUnsafeContinuation { continuation in
                    files.async {
                        continuation.resume(returning: Self.ensure(build, in: objects, from: path))
                    }
                }
                if let problem {
                    let refusal = await supervisor.decline(build, serial: serial, problem)
                    goal.refusal.fulfill(refusal)
                    return
                }
            }
            goal.refusal.fulfill(await supervisor.pursue(kind, serial: serial, force: force))
        }
        return goal.refusal
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

    /// What a plugin should be doing.
    func goal(of id: PluginID) -> SupervisorGoal.Kind {
        guard let decision = decisions[id], let build = decision.choice else {
            let why = decisions[id]?.reasons.values.first
            return .rest(.unloaded, why)
        }
        guard memory[id]?.enabled ?? configuration.autoEnable else {
            return .rest(memory[id]?.enabled == false ? .disabled : .loaded, nil)
        }
        if configuration.isStrict {
            return .rest(
                .waiting,
                Refusal(
                    "strict",
                    "strict mode wants namespaces and a cgroup for each worker, which this version does "
                        + "not set up; start the host without --strict"))
        }
        let isRunning = isServing(id)
        if let cycle = Requirements.cycle(from: id, in: { self.decisions[$0]?.choice?.manifest }) {
            return .rest(.failed, cycle)
        }
        if let waiting = Requirements.waiting(
            build.manifest, isRunning: isRunning, dependency: { dependency($0) })
        {
            return .rest(waiting.code == "conflict" ? .failed : .waiting, waiting)
        }
        let given = memory[id]?.settings ?? [:]
        do throws(Refusal) {
            return .run(build, settings: try build.settings(given), file: decision.path ?? "")
        } catch {
            return .rest(.failed, error)
        }
    }

    private func isServing(_ id: PluginID) -> Bool {
        if case .run = goals[id]?.kind { return snapshots[id]?.pid != nil }
        return false
    }

    private func dependency(_ id: PluginID) -> Requirements.Dependency? {
        guard let choice = decisions[id]?.choice else { return nil }
        let isWanted: Bool
        if case .run = goals[id]?.kind { isWanted = true } else { isWanted = false }
        let snapshot = snapshots[id]
        return Requirements.Dependency(
            version: choice.manifest.version,
            serving: snapshot?.status == .enabled ? snapshot?.build?.manifest.version : nil,
            isWanted: isWanted)
    }

    private static func isSame(_ left: SupervisorGoal.Kind, _ right: SupervisorGoal.Kind) -> Bool {
        switch (left, right) {
        case (.run(let a, let settings, _), .run(let b, let other, _)):
            a.hash == b.hash && settings == other
        case (.rest(let a, let why), .rest(let b, let other)): a == b && why == other
        default: false
        }
    }

    // MARK: - Supervisors

    func supervisor(of id: PluginID) -> Supervisor {
        if let supervisor = supervisors[id] { return supervisor }
        let log = log(of: id)
        let host = SupervisorHost(
            pool: state.pool, router: router,
            services: WorkerServices.Host(
                io: state.io, store: state.store, events: events, router: router, log: log,
                publish: { [weak self] event in self?.publish(event) }),
            limits: configuration.limits,
            publish: { [weak self] event in self?.publish(event) },
            changed: { [weak self] id in
                guard let self else { return }
                Task { await self.changed(id) }
            })
        let supervisor = Supervisor(id, host: host, reactor: state.reactor)
        supervisors[id] = supervisor
        return supervisor
    }

    func log(of id: PluginID) -> PluginLog {
        if let log = logs[id] { return log }
        let log = PluginLog(path: "\(state.directory.logs)/\(id).log")
        logs[id] = log
        return log
    }

    /// A supervisor's status, or what it runs, changed: others may depend on it. Many at once are looked at together,
    /// because each look is at all plugins.
    private func changed(_ id: PluginID) async {
        changedIDs.insert(id)
        guard !isNoting else { return }
        isNoting = true
        var mustPrune = false
        while !changedIDs.isEmpty, !isClosed {
            let ids = changedIDs
            changedIDs = []
            for id in ids { mustPrune = await note(id) || mustPrune }
            issueGoals()
        }
        isNoting = false
        if mustPrune { await prune() }
    }

    /// Takes up what a supervisor tells. Returns whether it runs something else than before.
    private func note(_ id: PluginID) async -> Bool {
        guard let supervisor = supervisors[id] else { return false }
        let snapshot = await supervisor.snapshot
        snapshots[id] = snapshot
        if snapshot.status == .enabled, let hash = snapshot.build?.hash, hash == snapshot.served {
            remember(hash, after: snapshot.servedBefore, of: id)
        }
        // Told apart from `snapshots`, which queries refresh too.
        let builds = [snapshot.build?.hash, snapshot.served, snapshot.servedBefore]
        let before = noted.updateValue(builds, forKey: id)
        return before != builds
    }

    /// No file offers the id any more. Its supervisor stays, at rest, so that a quick return meets the same one.
    private func forget(_ id: PluginID) {
        let end = issue(.rest(.unloaded, nil), to: id)
        let log = log(of: id)
        Task {
            _ = await end.value
            log.close()  // until the next record; its supervisor goes on writing to this one
            await prune()
        }
    }
}
