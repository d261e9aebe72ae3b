// Supervisor.swift — one plugin's life: start, replace, stop, restart after a crash. It is told a goal and pursues it;
// how a generation starts and how one replaces another is in Supervisor+Steps.swift. Next: PluginManager.swift.

import CLinux
import CWire
import Glibc
import NocturneCore
import Synchronization

/// What a plugin should be doing.
struct SupervisorGoal: Sendable {
    enum Kind: Sendable {
        case run(PluginBuild, settings: JSONValue, file: String)
        /// Rest, with this status and, for `waiting` and `failed`, the reason.
        case rest(PluginStatus, Refusal?)
    }
    var kind: Kind
    /// Rises with each goal, so that one that was tried is not tried again by itself.
    fileprivate(set) var number = 0
    /// Starts a new generation even if the same build runs already.
    var isForced = false
    /// Its part in a change of several plugins.
    var step: ChangeStep?
}

/// What a supervisor needs of the host.
struct SupervisorHost: Sendable {
    let pool: ZygotePool
    let router: Router
    let services: WorkerServices.Host
    let limits: SupervisorLimits
    let publish: @Sendable (PluginEvent) -> Void
    /// Called after each change of status, when it is visible.
    let changed: @Sendable (PluginID) -> Void
}

/// How long the steps of a plugin's life may take.
struct SupervisorLimits: Sendable {
    /// For the sandbox, the constructors and the entry function together. 5 s.
    var load = Duration.seconds(5)
    /// For `activate`, the health check, save and restore, and new settings, each. 5 s.
    var hook = Duration.seconds(5)
    /// For `deactivate`; then the process is killed. 1 s.
    var deactivate = Duration.seconds(1)
    /// A new generation that crashes this soon is taken back (DESIGN §7, *Healthy*). 100 ms.
    var probation = Duration.milliseconds(100)
    /// For a killed process to be gone. 5 s.
    var end = Duration.seconds(5)
}

/// Runs one plugin. Work is done in the order of goals; a newer goal replaces one that has not begun.
actor Supervisor {
    nonisolated let id: PluginID
    nonisolated let gate: PluginGate
    let host: SupervisorHost
    private var goal = SupervisorGoal(kind: .rest(.discovered, nil))
    /// Which of those that were decided for this plugin the goal is.
    private var goalSerial: UInt64 = 0
    private var attempted = 0
    /// The latest piece of work, until it is done: a finished task keeps its memory as long as somebody holds it.
    private var work: (number: Int, task: Task<Void, Never>)?
    private var lastWork = 0
    /// What is being tried, perhaps not the latest goal any more.
    private var pursued: SupervisorGoal.Kind?
    private var backoff = Backoff()
    private var restart: Task<Void, Never>?
    private var isWorking = false
    private var isClosed = false
    /// What crashed while something else was being done, and how: it is started again if nothing takes its place.
    var lost: (generation: Generation, why: Refusal)?
    /// By pattern.
    var listeners: [String: EventToken] = [:]

    var current: Generation?
    var settings: JSONValue = [:]
    var file: String?
    var lastNumber = 0
    /// What served last: it will be tried again if it crashes while it starts, which a new build is not.
    private(set) var served: ContentHash?
    /// What served before that; never a build that was taken back.
    private(set) var servedBefore: ContentHash?
    private(set) var status = PluginStatus.discovered
    private(set) var reason: Refusal?
    private(set) var crashes = 0
    /// Why the latest replacement was given up, while the older generation serves on.
    private(set) var rejected: (hash: ContentHash, why: Refusal)?
    /// How the latest goal that was pursued ended.
    private var outcome: (number: Int, refusal: Refusal?) = (0, nil)

    init(_ id: PluginID, host: SupervisorHost, reactor: Reactor) {
        self.id = id
        self.host = host
        gate = PluginGate(reactor: reactor, meter: host.router.meter(of: id))
        host.router.setGate(gate, for: id)
    }

    /// What can be seen from outside.
    struct Snapshot: Sendable {
        let status: PluginStatus
        let reason: Refusal?
        let generation: Int
        let pid: Int32?
        let report: SandboxReport?
        let crashes: Int
        let build: PluginBuild?
        /// What served last, and before that; a build on probation is neither.
        let served: ContentHash?
        let servedBefore: ContentHash?
        let file: String?
        let settings: JSONValue
        let rejected: (hash: ContentHash, why: Refusal)?
    }

    var snapshot: Snapshot {
        Snapshot(
            status: status, reason: reason, generation: current?.number ?? lastNumber,
            pid: current?.worker.pid, report: current?.worker.report, crashes: crashes,
            build: current?.build, served: served, servedBefore: servedBefore, file: file,
            settings: settings,
            rejected: rejected)
    }

    /// Objects that it runs or starts, and, until it is unloaded, those that it may go back to.
    var needed: Set<ContentHash> {
        var needed = Set([current?.build.hash].compactMap(\.self))
        for kind in [goal.kind, pursued] {
            if case .run(let build, _, _)? = kind { needed.insert(build.hash) }
        }
        if case .rest(.unloaded, _) = goal.kind { return needed }
        return needed.union([served, servedBefore].compactMap(\.self))
    }

    // MARK: - Goals

    /// Pursues `kind` and returns when it, or a newer goal, has been reached or given up.
    ///
    /// - Parameters:
    ///   - serial: rises with each decision. Goals may arrive in another order than they were decided in: what is
    ///     checked first for one is not for another. Then the latest decision counts.
    ///   - step: if given, a replacement is kept only if all of the change agree.
    /// - Returns: why it was given up.
    @discardableResult
    func pursue(
        _ kind: SupervisorGoal.Kind, serial: UInt64, force: Bool = false, step: ChangeStep? = nil
    ) async -> Refusal? {
        if isClosed { return Refusal("closed", "the host is shutting down") }
        if serial > goalSerial {
            submit(kind, serial: serial, force: force, step: step)
        }
        await work?.task.value
        return outcome.refusal
    }

    private func submit(
        _ kind: SupervisorGoal.Kind, serial: UInt64, force: Bool, step: ChangeStep?
    ) {
        goalSerial = serial
        goal = SupervisorGoal(kind: kind, number: goal.number + 1, isForced: force, step: step)
        restart?.cancel()
        restart = nil
        enqueue()
    }

    /// What should run is not there: what runs goes on, if anything does.
    func decline(_ build: PluginBuild, serial: UInt64, _ why: Refusal) async -> Refusal? {
        guard serial > goalSerial else {
            await work?.task.value
            return outcome.refusal
        }
        guard let current else {
            return await pursue(.rest(.failed, why), serial: serial) ?? why
        }
        goalSerial = serial
        host.router.registry.release(id, except: current.build)
        rejected = (build.hash, why)
        return kept(current, why)
    }

    @discardableResult
    private func enqueue() -> Task<Void, Never> {
        let previous = work?.task
        lastWork += 1
        let number = lastWork
        let task = Task {
            await previous?.value
            await self.pursueGoals()
            self.finished(number)
        }
        work = (number, task)
        return task
    }

    private func finished(_ number: Int) {
        if work?.number == number { work = nil }
    }

    private func pursueGoals() async {
        isWorking = true
        defer { (isWorking, pursued) = (false, nil) }
        while attempted < goal.number {
            let target = goal
            (attempted, pursued) = (target.number, target.kind)
            switch target.kind {
            case .rest(let status, let why):
                await rest()
                lost = nil
                rejected = nil
                set(status, why)
                outcome = (target.number, nil)
            case .run(let build, let settings, let file):
                let refusal = await run(
                    build, settings, file, force: target.isForced, target.step)
                outcome = (target.number, refusal)
                if let why = refusal ?? lost?.why, current == nil, attempted == goal.number {
                    standStill(target.kind, build, why)
                }
                if current != nil { lost = nil }
            }
        }
    }

    private func run(
        _ build: PluginBuild, _ settings: JSONValue, _ file: String, force: Bool,
        _ step: ChangeStep?
    ) async -> Refusal? {
        guard let old = current else {
            set(.resolved, nil)
            return await begin(build, settings, file)
        }
        if old.build.hash == build.hash, self.settings == settings, !force {
            self.file = file
            rejected = nil
            // Names that were claimed for a goal that another took the place of.
            host.router.registry.release(id, except: old.build)
            if status != .enabled { set(.enabled, nil) }
            return nil
        }
        let refusal = await replace(old, with: build, settings, file, step)
        rejected = refusal.map { (build.hash, $0) }
        host.changed(id)  // the status may be the same, what serves is not
        return refusal
    }

    /// Nothing runs after all that was tried: what served is started again later, or the plugin has failed.
    private func standStill(_ goal: SupervisorGoal.Kind, _ build: PluginBuild, _ refusal: Refusal) {
        if let lost {
            self.lost = nil
            let generation = lost.generation
            scheduleRestart(
                of: .run(generation.build, settings: settings, file: file ?? ""), as: lost.why)
        } else if refusal.mayPass(hasServed: served == build.hash) {
            scheduleRestart(of: goal, as: refusal)
        } else {
            host.router.registry.remove(id)
            gate.close(.gone)
            set(.failed, refusal)
            host.publish(.error(id, code: refusal.code, message: "\(id): \(refusal)"))
        }
    }

    /// `build` serves, and has not been taken back.
    func noteServed(_ build: PluginBuild) {
        guard served != build.hash else { return }
        servedBefore = served
        served = build.hash
    }

    func set(_ status: PluginStatus, _ reason: Refusal?) {
        guard self.status != status || self.reason != reason else { return }
        let before = self.status
        self.status = status
        self.reason = reason
        if status == .disabled, before != .disabled { host.publish(.disabled(id)) }
        if status == .unloaded, before != .unloaded { host.publish(.unloaded(id)) }
        if status == .failed, case .rest = goal.kind, let reason {
            host.publish(.error(id, code: reason.code, message: "\(id): \(reason)"))
        }
        host.changed(id)
    }

    // MARK: - Crashes

    /// Watches a generation that serves.
    func watch(_ generation: Generation) {
        generation.worker.ended.whenFulfilled { [weak self] end in
            guard let self else { return }
            Task { await self.ended(generation, end) }
        }
    }

    private func ended(_ generation: Generation, _ end: WorkerEnd) async {
        guard current === generation else { return }
        current = nil
        listeners = [:]
        crashes += 1
        gate.meter.add(1, to: .crashes)
        if case .signaled(SIGSYS) = end { gate.meter.add(1, to: .denials) }
        host.router.registry.remove(id, keepingClaims: true)
        let why = Refusal("crashed", "its process \(end)")
        guard !isWorking, attempted == goal.number else {
            // What is being done, or comes next, decides how it goes on. Callers wait for that.
            lost = (generation, why)
            gate.park()
            host.publish(
                .crashed(id, code: why.code, message: "\(id): \(why)", restartMilliseconds: nil))
            return
        }
        // What served is started again, even if a newer build was tried in vain meanwhile.
        scheduleRestart(of: .run(generation.build, settings: settings, file: file ?? ""), as: why)
    }

    private func scheduleRestart(of kind: SupervisorGoal.Kind, as refusal: Refusal) {
        let wait = backoff.next(now: clinux_now())
        let milliseconds = wait.milliseconds
        if wait == .zero {
            gate.park()
        } else {
            gate.close(.restarting(at: clinux_now() + Int64(milliseconds) * 1_000_000))
        }
        let why = Refusal(refusal.code, "\(refusal); restart in \(milliseconds) ms")
        host.publish(
            .crashed(
                id, code: refusal.code, message: "\(id): \(refusal)",
                restartMilliseconds: milliseconds))
        set(.failed, why)
        let number = goal.number
        restart?.cancel()
        restart = Task { [weak self] in
            if wait > .zero {
                do {
                    try await Task.sleep(for: wait)
                } catch {
                    return  // a newer goal came
                }
            }
            await self?.restartNow(ifStill: number, kind)
        }
    }

    private func restartNow(ifStill number: Int, _ kind: SupervisorGoal.Kind) async {
        guard goal.number == number, current == nil else { return }
        gate.meter.add(1, to: .restarts)
        gate.park()
        goal = SupervisorGoal(kind: kind, number: number + 1)
        await enqueue().value
    }

    /// Ends for good: nothing of the plugin is left afterwards.
    func close() async {
        if isClosed { return }
        submit(.rest(.unloaded, nil), serial: .max, force: false, step: nil)
        isClosed = true
        await work?.task.value
        host.router.setGate(nil, for: id)
    }
}

extension Refusal {
    init(_ error: StartError) { self.init(error.code, error.description) }

    /// Whether a start that failed for this reason is tried again by itself: because of the machine, or because the
    /// build has served before, so that it is not the build.
    func mayPass(hasServed: Bool) -> Bool {
        switch code {
        case "zygote", "system": true
        case "crashed", "tooSlow": hasServed
        default: false
        }
    }
}
