// PluginManager.swift — the host: finds plugins, decides what serves, and lets others call it. How the directory
// becomes decisions is in PluginManager+Refresh.swift, what operators ask in PluginManager+Commands.swift.

import CLinux
import Glibc
public import NocturneCore
import NocturneStorage
import Synchronization

/// How a host is set up. The first three names are the seed's.
public struct PluginManagerConfiguration: Sendable {
    /// The directory that is watched; it need not exist yet. A relative path begins at the working directory.
    public var pluginsPath: String
    /// Replaces a plugin as soon as its file changes. Otherwise the change is shown and waits for `reload`.
    public var enableHotReload = true
    /// Enables plugins that were never seen before. Otherwise they wait for `enable`.
    public var autoEnable = true
    /// Where settings, plugin storage, objects and logs are kept. Created with mode 0700.
    public var statePath: String
    /// Refuses plugins also when an optional layer of the sandbox is missing. This version sets up neither namespaces
    /// nor cgroups, so every plugin is refused.
    public var isStrict = false
    /// Path of the program `nocturne-worker`; `nil`: beside the running executable.
    public var workerPath: String?
    /// User ids for workers when the host is root: one for each live worker.
    public var workerUIDs: Range<UInt32> = 1_879_100_000..<1_879_108_000
    var limits = SupervisorLimits()

    /// A host that watches `pluginsPath` and keeps its state in `statePath`.
    public init(pluginsPath: String = "./plugins", statePath: String) {
        self.pluginsPath = pluginsPath
        self.statePath = statePath
    }
}

/// Which plugins to list.
public struct PluginFilter: Sendable, Hashable {
    /// Only those with this status; `nil`: all.
    public var status: PluginStatus?
    /// All plugins.
    public static let all = PluginFilter()

    /// Plugins with this status; without one, all plugins.
    public init(status: PluginStatus? = nil) { self.status = status }

    func includes(_ info: PluginInfo) -> Bool { status == nil || status == info.status }
}

/// The plugin host. The seed's `createPluginManager`.
///
/// ```swift
/// let host = try PluginManager(configuration: .init(pluginsPath: "plugins", statePath: "state"))
/// try await host.start()
/// let reply = try await host.call("count", ["text": "one two"])
/// await host.shutdown()
/// ```
///
/// No plugin code runs in this process. Methods that change something return when it has been carried out; they may be
/// called from any task, at the same time, and twice. Cancelling their task does not undo them. Calls of tools do not
/// pass through the actor.
public actor PluginManager {
    let configuration: PluginManagerConfiguration
    let directory: String
    let state: HostResources
    /// Everything that happens, in the form of the wire.
    public nonisolated let events: EventBus
    nonisolated let router: Router

    var catalog = Catalog()
    var decisions: [PluginID: CatalogDecision] = [:]
    var memory: [PluginID: PluginMemory] = [:]
    var supervisors: [PluginID: Supervisor] = [:]
    var goals: [PluginID: IssuedGoal] = [:]
    /// Rises with each goal that is issued.
    var goalSerial: UInt64 = 0
    var snapshots: [PluginID: Supervisor.Snapshot] = [:]
    /// Told of, by path: of files that are no plugins, and of those that are left out.
    var reported: [String: Refusal] = [:]
    var reportedReasons: [String: Refusal] = [:]
    var reportedNotes: Set<String> = []
    /// Changes of several plugins that are being carried out.
    var changes: [RunningChange] = []
    /// Whether something that was decided waits for the end of a change.
    var isPostponed = false
    var logs: [PluginID: PluginLog] = [:]
    /// What each plugin ran, and had run before, when its latest change was looked at.
    var noted: [PluginID: [ContentHash?]] = [:]
    /// Supervisors that have news, and whether somebody looks at them already.
    var changedIDs: Set<PluginID> = []
    var isNoting = false
    var reads = 0
    var isPruning = false
    var mustPrune = false
    var changedNames: Set<String> = []
    var isDirty = false
    var refreshing: Task<Void, Never>?
    var watchToken: UInt64?
    var recheck: Task<Void, Never>?
    var isClosed = false
    private var starting: Task<Result<Void, PluginError>, Never>?
    private var closing: Task<Void, Never>?
    let startTime = clinux_now()

    /// Takes the state directory and opens the database; starts no process yet.
    ///
    /// - Throws: ``PluginError`` `stateLocked` if another host has the directory (its pid is in the text), `state` if
    ///   it cannot be used, `worker` if `nocturne-worker` is not there.
    public init(configuration: PluginManagerConfiguration) throws(PluginError) {
        self.configuration = configuration
        directory = Self.absolute(configuration.pluginsPath)
        events = EventBus()
        state = try HostResources(configuration, directory: directory)
        router = Router(payloads: state.payloads)
        do throws(StoreError) {
            for record in try state.store.plugins() { memory[record.id] = PluginMemory(record) }
        } catch {
            throw PluginError("state", nil, "\(error)", exit: 70)
        }
    }

    // MARK: - Life

    /// Scans the directory and starts what should serve, then watches it. Returns when the first scan has been carried
    /// out, or after three seconds: a plugin that starts slowly keeps nobody waiting. A second call waits for the
    /// first.
    ///
    /// - Throws: ``PluginError`` `watch` if the directory cannot be watched, `state` if the database cannot be read,
    ///   `closed` after ``shutdown(immediately:)``.
    public func start() async throws(PluginError) {
        try mustBeOpen()
        // In a task of its own: a caller that goes away does not leave it half done.
        let task = starting ?? Task { await begin() }
        starting = task
        try await task.value.get()
    }

    func mustBeOpen() throws(PluginError) {
        if isClosed {
            throw PluginError("closed", nil, "this host has shut down; make another one", exit: 69)
        }
    }

    private func begin() async -> Result<Void, PluginError> {
        do throws(PluginError) {
            return .success(try await beginWatching())
        } catch {
            return .failure(error)
        }
    }

    private func beginWatching() async throws(PluginError) {
        if let recovery = state.store.recovery {
            events.publish(
                source: "plugins", name: "host:warning",
                payload: ["message": .string("\(recovery)")])
        }
        try loadHolds()
        let watcher = state.watcher
        do throws(SystemError) {
            watchToken = try state.reactor.add(watcher.descriptor) { [weak self] _ in
                let result = watcher.drain()
                guard let self else { return }
                Task { await self.noticed(result) }
            }
        } catch {
            throw PluginError("watch", nil, "\(error)", exit: 70)
        }
        await rescan(within: .seconds(3))
    }

    /// Deactivates all plugins, ends all processes and gives the state directory back. A second call waits for the
    /// first.
    ///
    /// - Parameter immediately: kills the workers without letting calls finish; also if an orderly shutdown has begun.
    public func shutdown(immediately: Bool = false) async {
        isClosed = true
        if immediately { await state.pool.close() }
        let task = closing ?? Task { await close() }
        closing = task
        await task.value
    }

    private func close() async {
        recheck?.cancel()
        if let watchToken { state.reactor.remove(watchToken, descriptor: state.watcher.descriptor) }
        await refreshing?.value
        await withTaskGroup { group in
            for supervisor in supervisors.values { group.addTask { await supervisor.close() } }
        }
        supervisors = [:]
        await state.close()
    }

    // MARK: - What there is

    /// One plugin; `nil` if neither a file nor the host's memory has one of this id. The seed's `getPlugin`.
    public func plugin(_ id: PluginID) async -> PluginInfo? {
        if let supervisor = supervisors[id] { snapshots[id] = await supervisor.snapshot }
        let files = filesByID[id] ?? []
        return decisions[id] == nil && files.isEmpty ? nil : info(of: id, files)
    }

    /// All plugins that match, sorted by id; then files that were refused without a readable id. The seed's
    /// `getPlugins`.
    public func plugins(where filter: PluginFilter = .all) async -> [PluginInfo] {
        for (id, supervisor) in supervisors { snapshots[id] = await supervisor.snapshot }
        let files = filesByID
        let ids = Set(decisions.keys).union(files.keys)
        let known = ids.sorted().map { info(of: $0, files[$0] ?? []) }
        return (known + anonymousFiles()).filter(filter.includes)
    }

    /// Tools of enabled plugins, sorted by name.
    public nonisolated var tools: [ContributionInfo] { router.registry.list(.tool) }
    /// Commands of enabled plugins, sorted by name.
    public nonisolated var commands: [ContributionInfo] { router.registry.list(.command) }
    /// Tasks that enabled plugins run, sorted by name.
    public nonisolated var tasks: [ContributionInfo] { router.registry.list(.task) }
    /// Lends engines the places in which plugins do their work.
    package nonisolated var caller: any PluginCaller { router }
    /// The names of the tasks that each plugin runs, also while it is being restarted.
    package nonisolated var taskNames: [PluginID: Set<String>] { router.registry.names(.task) }

    /// The exporters of plugins that serve, sorted by name. Changes are told to ``watchContributions(_:)``.
    package nonisolated var exporters: [PluginExporter] { router.registry.exporters }

    /// The names of the strategies that each plugin makes the steps of, also while it is being restarted.
    package nonisolated var strategyNames: [PluginID: Set<String>] {
        router.registry.names(.strategy)
    }

    /// The names of the agents of each plugin, also while it is being restarted.
    package nonisolated var agentNames: [PluginID: Set<String>] { router.registry.names(.agent) }

    /// The agents of plugins that serve, sorted by name.
    package nonisolated var agents: [PluginAgent] { router.registry.agents }

    /// Has `listener` told of plugins whose contributions changed, by any thread, as long as
    /// the manager lives.
    package nonisolated func watchContributions(
        _ listener: @escaping @Sendable (PluginID) -> Void
    ) {
        router.registry.listen(listener)
    }

    /// The latest records of a plugin's log, oldest first: what it logged and what it wrote to its standard output and
    /// error, across reloads and crashes. At most 2 MiB are kept.
    ///
    /// - Throws: ``PluginError`` `unknownPlugin`.
    public func logs(of id: PluginID, last count: Int = 1_000) async throws(PluginError)
        -> [LogRecord]
    {
        guard decisions[id] != nil || memory[id] != nil else { throw .unknownPlugin(id) }
        let log = log(of: id)
        return await onFilesThread { log.last(count) }
    }

    /// The host itself, as `/v1/host` shows it.
    public nonisolated var status: JSONValue {
        [
            "version": .string(HostVersion.string), "pid": JSONValue(getpid()),
            "abi": .string("\(HostVersion.abi)"), "pluginsPath": .string(directory),
            "statePath": .string(configuration.statePath),
            "uptimeSeconds": JSONValue((clinux_now() - startTime) / 1_000_000_000),
            "enableHotReload": .bool(configuration.enableHotReload),
            "autoEnable": .bool(configuration.autoEnable), "strict": .bool(configuration.isStrict),
            "tools": JSONValue(tools.count), "commands": JSONValue(commands.count),
        ]
    }

    // MARK: - Calls

    /// Calls a tool. Exactly one of a result or an error, which names the plugin, what happened and what to do.
    ///
    /// Cancelling the task cancels the call. Thread-safe; does not wait for the actor.
    ///
    /// - Parameter input: must match the tool's input schema.
    /// - Returns: the result, which matches the tool's output schema.
    /// - Throws: ``CallError``; ``CallError/isRetryable`` says whether another try is worth it.
    public nonisolated func call(
        _ tool: String, _ input: JSONValue = [:], options: CallOptions = .init()
    ) async throws(CallError) -> JSONValue {
        try await router.call(.tool, tool, CallInput(input), options: options)
    }

    /// Runs a command; otherwise like ``call(_:_:options:)``.
    public nonisolated func command(
        _ name: String, _ input: JSONValue = .null, options: CallOptions = .init()
    ) async throws(CallError) -> JSONValue {
        try await router.call(.command, name, CallInput(input), options: options)
    }

    // MARK: - Events

    /// Events of plugins, typed, from now on; ends when the task that reads them is cancelled.
    public nonisolated var pluginEvents: AsyncStream<PluginEventDelivery> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PluginEventDelivery.self, bufferingPolicy: .bufferingOldest(EventBus.bufferLimit))
        let delivery = BoundedDelivery(continuation, gap: PluginEventDelivery.gap(missed:))
        let token = state.typedEvents.add { delivery.deliver(.event($0)) }
        continuation.onTermination = { _ in token.cancel() }
        return stream
    }

    /// Calls `handler` for each event of a kind, one at a time and in order, until the token is cancelled or gone.
    public nonisolated func on(
        _ kind: PluginEvent.Kind, _ handler: @escaping @Sendable (PluginEvent) async -> Void
    ) -> EventToken {
        let stream = pluginEvents
        let task = Task {
            for await case .event(let event) in stream where event.kind == kind {
                await handler(event)
            }
        }
        return EventToken { task.cancel() }
    }

    /// The same by the seed's name, for example `plugin:enabled`; also `*`, `plugin:*` and what plugins emit.
    public nonisolated func on(
        _ name: String, _ handler: @escaping @Sendable (Event) async -> Void
    ) -> EventToken {
        events.on(name, handler)
    }

    static func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/"), let working = getcwd(nil, 0) {
            path = "\(String(cString: working))/\(path)"
            free(working)
        }
        // No symbolic link is resolved: what a link points to may change, and is watched.
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
