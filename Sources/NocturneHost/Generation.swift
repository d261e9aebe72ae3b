// Generation.swift — one start of a plugin: a build in a worker. A reload makes the next one. Next: PluginGate.swift.

import CLinux
import CWire
import NocturneCore

/// A build that runs in a worker, with the settings it was given.
final class Generation: Sendable {
    /// Rises with each start of the plugin in this host.
    let number: Int
    let build: PluginBuild
    let worker: Worker
    let extensions: PluginExtensions
    /// Calls that may run at once, and the milliseconds that each may take: from the manifest's limits.
    let concurrency: Int, deadlineMilliseconds: Int
    private let byName: [ContributionName: Contribution]

    init(number: Int, build: PluginBuild, worker: Worker, extensions: PluginExtensions) {
        self.number = number
        self.build = build
        self.worker = worker
        self.extensions = extensions
        concurrency = build.manifest.limits.concurrency
        deadlineMilliseconds = build.manifest.limits.deadline.milliseconds
        byName = Dictionary(
            build.contributions.map { (ContributionName(kind: $0.kind, name: $0.name), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// For people: the version, and which start of it.
    var title: String { "version \(build.manifest.version) (generation \(number))" }

    func contribution(_ kind: ContributionKind, _ name: String) -> Contribution? {
        byName[ContributionName(kind: kind, name: name)]
    }

    /// What a hook answered.
    enum HookOutcome: Sendable {
        case done([UInt8])
        /// The plugin has no such hook.
        case absent
        case refused(message: String)
        case failed(StartError)
    }

    /// Runs a hook of the plugin; one that does not return within `limit` gets the process killed.
    func hook(
        _ kind: UInt32, _ name: String, _ payload: [UInt8] = [], within limit: Duration
    ) async -> HookOutcome {
        let milliseconds = limit.milliseconds
        let call = WireCall(
            kind: kind, name: name, deadline: clinux_now() + Int64(milliseconds) * 1_000_000,
            milliseconds: milliseconds)
        switch await worker.link.call(call, payload) {
        case .reply(CallStatus.ok, let bytes): return .done(bytes)
        case .reply(WIRE_STATUS_NO_HOOK, _): return .absent
        case .reply(WIRE_STATUS_CONTRACT, let bytes):
            return .failed(.contract(String(decoding: bytes, as: UTF8.self)))
        case .reply(_, let bytes):
            return .refused(message: String(decoding: bytes.prefix(512), as: UTF8.self))
        case .ended(let end), .notSent(let end): return .failed(.ended(step: name, end))
        case .overdue: return .failed(.tooSlow(step: name, milliseconds: milliseconds))
        case .gaveUp, .cancelled: return .failed(.ended(step: name, .stopped))
        case .failed(let error): return .failed(.system(error))
        }
    }
}

/// How a plugin completed a call: NOCTURNE_OK … NOCTURNE_CANCELLED of the SDK's plugin.h.
enum CallStatus {
    static let ok: UInt32 = 0, failed: UInt32 = 1, retry: UInt32 = 2, invalidInput: UInt32 = 3
    static let cancelled: UInt32 = 4
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int {
        Int(components.seconds) * 1_000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
