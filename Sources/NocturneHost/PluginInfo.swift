// PluginInfo.swift — what the host says of one plugin. Next: PluginManager.swift.

public import NocturneCore

/// Where a plugin stands in its life.
///
/// `discovered → resolved → loaded → enabled ⇄ disabled → unloaded`, beside them `waiting` and `failed`, which have a
/// reason. (`quarantined` comes with crash budgets.)
public enum PluginStatus: String, Sendable, Hashable, CaseIterable {
    /// Its file is known; nothing was decided yet.
    case discovered
    /// It was chosen to serve; its process is being started.
    case resolved
    /// Verified and ready, but it serves only after `enable`. No process runs.
    case loaded
    /// It serves.
    case enabled
    /// An operator disabled it. No process runs.
    case disabled
    /// An operator unloaded it, or its file is gone.
    case unloaded
    /// It cannot run yet: a permission, a dependency or a descriptor is missing.
    case waiting
    /// It could not be loaded or started, or it crashed and is waiting to be restarted.
    case failed
}

/// A file that offers a plugin, or should.
public struct PluginSource: Sendable, Hashable {
    /// Absolute path in the plugins directory, or where `load` found it.
    public let path: String
    /// SHA-256 of its content in hexadecimal, if it could be read.
    public let hash: String?
    /// The manifest's version in canonical form, such as `1.2.0`; `nil` if no manifest could be read.
    public let version: String?
    /// Why it does not serve; `nil` for the one that serves.
    public let reason: String?

    /// A source with these values, unchecked. For those who stand in for a host, as tests do.
    public init(path: String, hash: String?, version: String?, reason: String?) {
        self.path = path
        self.hash = hash
        self.version = version
        self.reason = reason
    }

    /// `{"path", "hash", "version", "reason"}`; what is `nil` is null.
    public var json: JSONValue {
        [
            "path": .string(path), "hash": JSONValue(hash), "version": JSONValue(version),
            "reason": JSONValue(reason),
        ]
    }
}

/// A snapshot of one plugin, as it stood when it was asked for. Its JSON form has the same field names and is what
/// `info --json` prints.
public struct PluginInfo: Sendable {
    /// `nil` for a file that was refused before its id could be read.
    public var id: PluginID?
    /// What the manifest calls it, for people; empty until a manifest was read. May hold control characters.
    public var name: String = ""
    /// Version of the build that runs, else of the one that would; `nil` until one was read.
    public var version: String?
    /// Where it stands; ``reason`` says why where that is not plain.
    public var status: PluginStatus
    /// Why it is waiting or failed, in words, with what to do.
    public var reason: String?
    /// The kind of reason, stable for scripts, for example `truncated` or `nameTaken`.
    public var reasonCode: String?
    /// Rises with each start of the plugin in this host. 0: never started.
    public var generation = 0
    /// Process id of its worker as the host sees it, while one runs.
    public var pid: Int32?
    /// What it was linked against, as its manifest says: `c`, or `swift-` and the version.
    public var runtime: String?
    /// SHA-256 of the object that serves or would serve.
    public var hash: String?
    /// The object that `rollback` would serve again.
    public var previousHash: String?
    /// The file that serves.
    public var file: String?
    /// All files that offer this id, with the reasons of those that do not serve.
    public var files: [PluginSource] = []
    /// A change of its file that waits for `reload` or `unload`.
    public var pendingChange: String?
    /// Names of the tools that its manifest declares, in the manifest's order, whether or not it serves now.
    public var tools: [String] = []
    /// Names of the commands that its manifest declares, likewise.
    public var commands: [String] = []
    /// Names of the tasks that its manifest declares, likewise.
    public var tasks: [String] = []
    /// Names of the exporters of metrics that its manifest declares, likewise.
    public var exporters: [String] = []
    /// Names of the coordination strategies that its manifest declares, likewise.
    public var strategies: [String] = []
    /// Names of the agents that its manifest declares, likewise.
    public var agents: [String] = []
    /// Patterns of the events that its manifest listens for, such as `plugin:*`.
    public var listens: [String] = []
    /// Declared contributions of kinds that this host has no engine for, as `kind: name`.
    public var inactive: [String] = []
    /// The sandbox's layers that the running worker reported after its self-test.
    public var layers: [String] = []
    /// What the sandbox could not do, in words.
    public var degradations: [String] = []
    /// Crashes since the host started.
    public var crashes = 0
    /// Calls of its tools and commands that have ended, well or not, since the host started.
    public var calls: UInt64 = 0
    /// Those of ``calls`` that ended in an error, whosever fault it was.
    public var errors: UInt64 = 0
    /// Settings as the plugin sees them, defaults filled in.
    public var settings: JSONValue = [:]
    /// The manifest, as JSON.
    public var manifest: JSONValue = .null

    /// A plugin of which nothing else is known yet; the other fields are set afterwards.
    public init(id: PluginID?, status: PluginStatus) {
        self.id = id
        self.status = status
    }

    /// The short form, one element of `list --json`.
    public var summaryJSON: JSONValue { .object(summary) }

    /// Everything, as `info --json` prints it.
    public var json: JSONValue {
        var object = summary
        object["name"] = .string(name)
        object["previousHash"] = JSONValue(previousHash)
        object["files"] = .array(files.map(\.json))
        object["tools"] = JSONValue(tools)
        object["commands"] = JSONValue(commands)
        object["tasks"] = JSONValue(tasks)
        object["exporters"] = JSONValue(exporters)
        object["strategies"] = JSONValue(strategies)
        object["agents"] = JSONValue(agents)
        object["listens"] = JSONValue(listens)
        object["inactive"] = JSONValue(inactive)
        object["layers"] = JSONValue(layers)
        object["degradations"] = JSONValue(degradations)
        object["settings"] = settings
        object["manifest"] = manifest
        return .object(object)
    }

    private var summary: JSONObject {
        [
            "id": JSONValue(id?.description),
            "version": JSONValue(version),
            "status": .string(status.rawValue),
            "reason": JSONValue(reason),
            "reasonCode": JSONValue(reasonCode),
            "generation": .number(JSONNumber(Int64(generation))),
            "pid": pid.map { .number(JSONNumber(Int64($0))) } ?? .null,
            "runtime": JSONValue(runtime),
            "hash": JSONValue(hash),
            "file": JSONValue(file),
            "pendingChange": JSONValue(pendingChange),
            "crashes": .number(JSONNumber(Int64(crashes))),
            "calls": .number(JSONNumber(Int64(clamping: calls))),
            "errors": .number(JSONNumber(Int64(clamping: errors))),
        ]
    }
}

extension JSONValue {
    /// A string, or null.
    init(_ string: String?) { self = string.map { .string($0) } ?? .null }
    /// An array of strings.
    init(_ strings: [String]) { self = .array(strings.map { .string($0) }) }
}
