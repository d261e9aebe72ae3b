// HostError.swift — what can go wrong with calls and plugins, told to a person. Next: Router.swift.

public import NocturneCore

/// Why a call of a tool or a command has no result. Every call ends in exactly one result or one of these.
public enum CallError: ReportableError, Hashable {
    /// No enabled plugin has it.
    case unknownTool(name: String, kind: String)
    /// The arguments are not JSON, or do not match the tool's schema.
    case invalidInput(PluginID, name: String, why: String)
    /// The result is not JSON, or does not match the tool's schema.
    case invalidResult(PluginID, name: String, why: String)
    /// Arguments or result are over the limit.
    case tooLarge(PluginID, what: String, bytes: Int, limit: Int)
    /// The plugin says that it failed.
    case failed(PluginID, name: String, message: String, retryable: Bool)
    /// Running and waiting places are all taken.
    case busy(PluginID, waiting: Int)
    /// No answer within the deadline; the plugin's process was killed.
    case deadlineExceeded(PluginID, name: String, milliseconds: Int)
    /// No answer within the time that the caller had: its own deadline was shorter than the plugin's, or the call had
    /// waited for a place. The plugin serves on.
    case gaveUp(PluginID, name: String, milliseconds: Int)
    /// It waited for a place until its deadline.
    case waitedTooLong(PluginID, name: String, milliseconds: Int)
    /// The caller went away.
    case cancelled(PluginID, name: String)
    /// The plugin's process ended during the call.
    case crashed(PluginID, name: String, how: String, retryable: Bool)
    /// The process was killed because of another call.
    case killedBecause(PluginID, name: String, because: String, retryable: Bool)
    /// The plugin was unloaded, disabled or replaced while the call waited.
    case gone(PluginID, name: String)
    /// The plugin is being restarted after a crash.
    case restarting(PluginID, milliseconds: Int)
    /// Declared in the manifest, but the plugin has withdrawn its handler.
    case notRegistered(PluginID, name: String)
    /// The call would close a ring of plugins that wait for each other.
    case wouldDeadlock(PluginID, ring: [String])
    /// Plugins called each other too deeply.
    case tooDeep(PluginID, name: String, limit: Int)

    /// The name of the case: stable, so scripts may compare it.
    public var code: String {
        switch self {
        case .unknownTool: "unknownTool"
        case .invalidInput: "invalidInput"
        case .invalidResult: "invalidResult"
        case .tooLarge: "tooLarge"
        case .failed: "failed"
        case .busy: "busy"
        case .deadlineExceeded: "deadlineExceeded"
        case .gaveUp: "gaveUp"
        case .waitedTooLong: "waitedTooLong"
        case .cancelled: "cancelled"
        case .crashed: "crashed"
        case .killedBecause: "killedBecause"
        case .gone: "gone"
        case .restarting: "restarting"
        case .notRegistered: "notRegistered"
        case .wouldDeadlock: "wouldDeadlock"
        case .tooDeep: "tooDeep"
        }
    }

    /// The plugin that was called; `nil` if no plugin has the name.
    public var plugin: PluginID? {
        switch self {
        case .unknownTool: nil
        case .invalidInput(let id, _, _), .invalidResult(let id, _, _), .tooLarge(let id, _, _, _),
            .failed(let id, _, _, _), .busy(let id, _), .deadlineExceeded(let id, _, _),
            .gaveUp(let id, _, _), .waitedTooLong(let id, _, _), .cancelled(let id, _),
            .crashed(let id, _, _, _),
            .killedBecause(let id, _, _, _), .gone(let id, _), .restarting(let id, _),
            .notRegistered(let id, _), .wouldDeadlock(let id, _), .tooDeep(let id, _, _):
            id
        }
    }

    /// Whether the same call may succeed later with nothing changed. After a crash: only for a tool that its manifest
    /// calls idempotent, because the lost call may have done its work.
    public var isRetryable: Bool {
        switch self {
        case .busy, .waitedTooLong, .gone, .restarting, .notRegistered, .wouldDeadlock: true
        case .failed(_, _, _, let retryable), .crashed(_, _, _, let retryable),
            .killedBecause(_, _, _, let retryable):
            retryable
        default: false
        }
    }

    /// 65: the caller's mistake. 75: worth another try. 70: everything else, the plugin's fault above all.
    public var exitStatus: Int32 {
        switch self {
        case .unknownTool, .invalidInput, .tooLarge: 65
        default: isRetryable ? 75 : 70
        }
    }

    /// One sentence for a person: the plugin, what happened, by how much, what to do. Parts come from the plugin and
    /// may hold control characters.
    public var description: String {
        switch self {
        case .unknownTool(let name, let kind):
            "no enabled plugin has the \(kind) \"\(name)\"; `\(kind)s` shows what there is, `list` which plugins "
                + "do not serve"
        case .invalidInput(let id, let name, let why):
            "\(id): the input of \(name) is not accepted: \(why)"
        case .invalidResult(let id, let name, let why):
            "\(id): the result of \(name) is not what its manifest promises: \(why); tell its author"
        case .tooLarge(let id, let what, let bytes, let limit):
            "\(id): \(what) has \(bytes) bytes, the limit is \(limit)"
        case .failed(let id, let name, let message, let retryable):
            "\(id): \(name) failed: \(message)\(retryable ? " (it says a retry may help)" : "")"
        case .busy(let id, let waiting):
            "\(id): \(waiting) calls wait already; retry, or raise `limits.queue` in its manifest"
        case .deadlineExceeded(let id, let name, let milliseconds):
            "\(id): \(name) did not answer within \(milliseconds) ms, so its process was killed and is "
                + "being restarted; raise `limits.deadline` in its manifest if it needs longer"
        case .gaveUp(let id, let name, let milliseconds):
            "\(id): \(name) did not answer within the \(milliseconds) ms that its caller had for it, so the call was "
                + "cancelled; the plugin serves on, so give it longer, or retry if that is safe"
        case .waitedTooLong(let id, let name, let milliseconds):
            "\(id): \(name) waited \(milliseconds) ms for a free place and got none: all were taken, or the plugin was "
                + "being started; retry, or raise `limits.concurrency` in its manifest"
        case .cancelled(let id, let name): "\(id): the call of \(name) was cancelled by its caller"
        case .crashed(let id, let name, let how, let retryable):
            "\(id): its process \(how) during \(name); it is being restarted, `logs \(id)` may say more"
                + (retryable ? "; the tool is idempotent, so a retry is safe" : "")
        case .killedBecause(let id, let name, let because, _):
            "\(id): \(name) was lost, because \(because), so its process was killed; retry if that is safe"
        case .gone(let id, let name):
            "\(id): it was unloaded, disabled or replaced while \(name) waited; retry"
        case .restarting(let id, let milliseconds):
            "\(id): it crashed and will be restarted in \(milliseconds) ms; retry then"
        case .notRegistered(let id, let name):
            "\(id): it has withdrawn the handler of \(name) for now; retry later, or ask its author"
        case .wouldDeadlock(let id, let ring):
            "\(id): the call would wait for itself: \(ring.joined(separator: " → "))"
        case .tooDeep(let id, let name, let limit):
            "\(id): \(name) is the \(limit + 1)th call in a chain of plugins, the limit is \(limit)"
        }
    }
}

/// Why a request about a plugin was not carried out.
public struct PluginError: ReportableError, Hashable {
    /// Stable name of the kind, for example `unknownPlugin` or `stateLocked`.
    public let code: String
    /// The plugin that the request was about; `nil` if it was about the host.
    public let plugin: PluginID?
    /// One sentence for a person: what failed, on what, and what to do.
    public let description: String
    /// Whether the same request may succeed later with nothing changed.
    public let isRetryable: Bool
    /// As in sysexits(3); 65 unless the kind says otherwise.
    public let exitStatus: Int32

    package init(
        _ code: String, _ plugin: PluginID? = nil, _ description: String, retryable: Bool = false,
        exit exitStatus: Int32 = 65
    ) {
        self.code = code
        self.plugin = plugin
        self.description = description
        self.isRetryable = retryable
        self.exitStatus = exitStatus
    }

    static func unknownPlugin(_ id: PluginID) -> PluginError {
        PluginError("unknownPlugin", id, "\(id): no such plugin; `list` shows what there is")
    }
}
