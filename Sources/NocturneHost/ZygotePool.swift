// ZygotePool.swift — the zygotes of this host, one for each runtime, started on demand. Next: Supervisor.swift.

import Glibc
import NocturneCore

/// Starts workers from the right zygote, and zygotes when they are needed.
actor ZygotePool {
    struct Configuration: Sendable {
        /// Path of `nocturne-worker`.
        var worker: String
        var objects: String
        /// User ids for workers, if the host is root.
        var uids: Range<UInt32>
    }
    private let configuration: Configuration
    private let reactor: Reactor, io: Reactor
    private var zygotes: [String: Zygote] = [:]
    private lazy var runtimes = SwiftRuntime.available(worker: configuration.worker)
    private var isClosed = false
    /// Which share of the user ids a role has.
    private var shares: [String: UInt32] = [:]

    init(_ configuration: Configuration, reactor: Reactor, io: Reactor) {
        self.configuration = configuration
        self.reactor = reactor
        self.io = io
    }

    /// Starts a worker and waits until the plugin is loaded in it.
    ///
    /// - Parameter limit: for the sandbox, the constructors and the entry function together.
    func start(
        _ spec: WorkerSpec, runtime: Manifest.Runtime, services: any WorkerServicing,
        within limit: Duration
    ) async throws(StartError) -> (Worker, PluginExtensions) {
        let zygote = try await zygote(for: runtime)
        let worker = try worker(spec, from: zygote, services)
        guard let result = await worker.loaded.value(within: limit) else {
            let milliseconds = limit.milliseconds
            worker.end(.overdue(call: "loading", milliseconds: milliseconds))
            guard worker.isForked else {
                // The zygote has not even forked: it hangs, and nobody gets a worker from it any more.
                zygote.end()
                throw .zygote(
                    "its zygote did not answer within \(milliseconds) ms and was replaced")
            }
            _ = await worker.ended.value(within: .seconds(5))
            throw .tooSlow(step: "loading it", milliseconds: milliseconds)
        }
        do {
            return (worker, try result.get())
        } catch {
            worker.end(.stopped)
            _ = await worker.ended.value(within: .seconds(5))
            throw error
        }
    }

    private func worker(
        _ spec: WorkerSpec, from zygote: Zygote, _ services: any WorkerServicing
    ) throws(StartError) -> Worker {
        do throws(SystemError) {
            return try Worker.start(
                spec, from: zygote, reactor: reactor, io: io, services: services)
        } catch {
            throw .system(error)
        }
    }

    /// What a worker that loads nothing says of its sandbox.
    func hello(
        _ spec: WorkerSpec, services: any WorkerServicing, within limit: Duration
    ) async throws(StartError) -> Result<SandboxReport, StartError> {
        let worker = try worker(spec, from: try await zygote(for: .c), services)
        let loaded = await worker.loaded.value(within: limit)
        let report = worker.report
        worker.end(.stopped)
        _ = await worker.ended.value(within: .seconds(5))
        if let report { return .success(report) }
        if case .failure(let error)? = loaded { return .failure(error) }
        return .failure(.tooSlow(step: "its sandbox", milliseconds: limit.milliseconds))
    }

    /// The zygotes that run, by role, with their process ids.
    var running: [String: Int32] { zygotes.mapValues(\.pid) }

    /// What the zygote for C plugins says of this machine.
    func probe() async throws(StartError) -> Zygote.Ready {
        try await zygote(for: .c).whenReady()
    }

    /// Ends all zygotes, and with them all workers that are left.
    func close() async {
        isClosed = true
        for zygote in zygotes.values {
            zygote.end()
            _ = await zygote.reaped.value(within: .seconds(5))
        }
        zygotes = [:]
    }

    private func zygote(for runtime: Manifest.Runtime) async throws(StartError) -> Zygote {
        if isClosed { throw .zygote("the host is shutting down") }
        let role = "\(runtime)"
        if let zygote = zygotes[role], zygote.lost.current == nil {
            _ = try await zygote.whenReady()
            return zygote
        }
        var directory: String?
        if case .swift(let version) = runtime {
            guard let found = runtimes.first(where: { $0.version == version }) else {
                throw .runtime(wanted: role, found: runtimes.map { "swift-\($0.version)" })
            }
            directory = found.directory
        }
        let zygote: Zygote
        do throws(SystemError) {
            zygote = try Zygote(program(role, directory), reactor: reactor)
            zygotes[role] = zygote
            try zygote.listen()
        } catch {
            zygotes[role] = nil
            throw .system(error)
        }
        do throws(StartError) {
            _ = try await zygote.whenReady()
        } catch {
            zygote.end()
            if zygotes[role] === zygote { zygotes[role] = nil }
            throw error
        }
        return zygote
    }

    /// Each zygote has a share of the user ids to itself, so that no two workers ever have the same.
    private func program(_ role: String, _ runtime: String?) -> Zygote.Program {
        let share = UInt32(configuration.uids.count / 4)
        let index = shares[role] ?? UInt32(min(shares.count, 3))
        shares[role] = index
        return Zygote.Program(
            executable: configuration.worker, role: runtime == nil ? "c" : "swift",
            objects: configuration.objects,
            runtime: runtime, uidBase: configuration.uids.lowerBound + index * share,
            uidCount: share)
    }
}
