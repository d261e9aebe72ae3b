// Supervisor.swift — one plugin's life: start, replace, stop, restart after a crash. It is told a goal and pursues it;
// how a generation starts and how one replaces another is in Supervisor+Steps.swift. Next: PluginManager.swift.

import CLinux
import CWire
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
}

/// What a supervisor needs of the host.
struct SupervisorHost: Sendable {
    let pool: ZygotePool
    let router: Router
    let services: WorkerServices.Host
    let publish: @Sendable (PluginEvent) -> Void
    /// Called after each change of status, when it is visible.
    let changed: @Sendable (PluginID) -> Void
}

/// Runs one plugin. Work is done in the order of goals; a newer goal replaces one that has not begun.
actor Supervisor {
    /// For the sandbox, the constructors and the entry function together. 5 s.
    static let loadLimit = Duration.seconds(5)
    /// For `activate`, the health check, save and restore, each. 5 s.
    static let hookLimit = Duration.seconds(5)
    /// For `deactivate`; then the process is killed. 1 s.
    static let deactivateLimit = Duration.seconds(1)
    /// A new generation that crashes this soon is taken back (DESIGN §7, *Healthy*). 100 ms.
    static let probation = Duration.milliseconds(100)
    /// For a killed process to be gone. 5 s.
    static let endLimit = Duration.seconds(5)

    nonisolated let id: PluginID
    nonisolated let gate: PluginGate
    let host: SupervisorHost
    private var goal = SupervisorGoal(kind: .rest(.discovered, nil))
    private var attempted = 0
    private var work: Task<Void, Never>?
    private var backoff = Backoff()
    private var restart: Task<Void, Never>?
    var listeners: [EventToken] = []

    var current: Generation?
    var settings: JSONValue = [:]
    var file: String?
    var lastNumber = 0
    /// What served last: it will be tried again if it crashes while it starts, which a new build is not.
    var served: ContentHash?
    private(set) var status = PluginStatus.discovered
    private(set) var reason: Refusal?
    private(set) var crashes = 0
    /// Why the latest replacement was given up, while the older generation serves on.
    private(set) var rejected: (hash: ContentHash, why: Refusal)?

    init(_ id: PluginID, host: SupervisorHost, reactor: Reactor) {
        self.id = id
        self.host = host
        gate = PluginGate(reactor: reactor)
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
        let file: String?
        let settings: JSONValue
        let rejected: (hash: ContentHash, why: Refusal)?
    }

    var snapshot: Snapshot {
        Snapshot(
            status: status, reason: reason, generation: lastNumber, pid: current?.worker.pid,
            report: current?.worker.report, crashes: crashes, build: current?.build, file: file,
            settings: settings, rejected: rejected)
    }

    // MARK: - Goals

    /// Pursues `kind` and returns when it, or a newer goal, has been reached or given up.
    ///
    /// - Returns: why it was given up.
    @discardableResult
    func pursue(_ kind: SupervisorGoal.Kind, force: Bool = false) async -> Refusal? {
        let next = goal.number + 1
        goal = SupervisorGoal(kind: kind, number: next, isForced: force)
        restart?.cancel()
        restart = nil
        await enqueue().value
        return outcomes.removeValue(forKey: next) ?? nil
    }

    private var outcomes: [Int: Refusal?] = [:]

    private func enqueue() -> Task<Void, Never> {
        let previous = work
        let task = Task {
            await previous?.value
            await self.pursueGoals()
        }
        work = task
        return task
    }

    private func pursueGoals() async {
        while attempted < goal.number {
            let target = goal
            attempted = target.number
            let refusal: Refusal?
            switch target.kind {
            case .rest(let status, let why):
                await rest()
                set(status, why)
                refusal = nil
            case .run(let build, let settings, let file):
                refusal = await run(build, settings, file, force: target.isForced)
            }
            outcomes[target.number] = refusal
        }
    }

    private func run(
        _ build: PluginBuild, _ settings: JSONValue, _ file: String, force: Bool
    ) async -> Refusal? {
        if let old = current {
            if old.build.hash == build.hash, self.settings == settings, !force {
                self.file = file
                if status != .enabled { set(.enabled, nil) }
                return nil
            }
            let refusal = await replace(old, with: build, settings, file)
            rejected = refusal.map { (build.hash, $0) }
            return refusal
        }
        set(.resolved, nil)
        let refusal = await begin(build, settings, file)
        if let refusal {
            set(.failed, refusal)
            host.publish(.error(id, code: refusal.code, message: "\(id): \(refusal)"))
            if refusal.isWorthRetrying || (refusal.code == "crashed" && served == build.hash) {
                scheduleRestart(of: .run(build, settings: settings, file: file), as: refusal)
            }
        }
        return refusal
    }

    func set(_ status: PluginStatus, _ reason: Refusal?) {
        guard self.status != status || self.reason != reason else { return }
        let before = self.status
        self.status = status
        self.reason = reason
        if status == .disabled, before != .disabled { host.publish(.disabled(id)) }
        if status == .unloaded, before != .unloaded { host.publish(.unloaded(id)) }
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
        listeners = []
        crashes += 1
        host.router.registry.remove(id, keepingClaims: true)
        // What served is started again, even if a newer build was tried in vain meanwhile.
        scheduleRestart(
            of: .run(generation.build, settings: settings, file: file ?? ""),
            as: Refusal("crashed", "its process \(end)"))
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
        gate.park()
        goal = SupervisorGoal(kind: kind, number: number + 1)
        await enqueue().value
        outcomes[number + 1] = nil
    }

    /// Ends for good: nothing of the plugin is left afterwards.
    func close() async {
        await pursue(.rest(.unloaded, nil))
        host.router.setGate(nil, for: id)
    }
}

extension Refusal {
    init(_ error: StartError) { self.init(error.code, error.description) }

    /// A start that failed for a reason that may pass by itself.
    var isWorthRetrying: Bool { code == "zygote" || code == "system" }
}
