// PluginManager+Refresh.swift — notices what happens, in the directory and to supervisors, and has it looked at.
// Next: PluginManager+Goals.swift.

import CLinux
import NocturneCore
import NocturneStorage

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
            await goOn()  // with who waited for one that serves now
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
        let log = PluginLog(
            path: "\(state.directory.logs)/\(id).log", meter: router.meter(of: id))
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
            if forgetNameFailures() { await decide() } else { issueGoals() }
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
    func forget(_ id: PluginID) {
        let end = issue(.rest(.unloaded, nil), to: id)
        let log = log(of: id)
        Task {
            _ = await end.value
            log.close()  // until the next record; its supervisor goes on writing to this one
            await prune()
        }
    }
}
