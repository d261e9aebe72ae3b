// FakeHost.swift — a host without plugins: every request is answered by what the test says.

import Glibc
import NocturneControl
import NocturneCoordination
import NocturneCore
import NocturneHost
import NocturneMetrics
import NocturneTasks
import Synchronization
import TestKit
import Testing

final class FakeHost: ControlledHost {
    typealias Call = @Sendable (String, JSONValue, CallOptions) async throws(CallError) -> JSONValue

    let events = EventBus()
    private let calling: Call
    private let known: [PluginInfo]
    private let log: [JSONValue]
    private let changesMade = Mutex<[String]>([])

    init(
        plugins: [PluginInfo] = [], log: [JSONValue] = [],
        call: @escaping Call = { _, input, _ in input }
    ) {
        (known, self.log, calling) = (plugins, log, call)
    }

    /// Tasks in memory, whose events are the host's.
    func tasks(handling names: String...) -> BackgroundTaskManager {
        let tasks = BackgroundTaskManager(
            configuration: .init(maxConcurrent: 2), store: MemoryTaskStore(),
            worker: WorkerID("test"), bus: events)
        for name in names { tasks.handle(name) { input, _ in input } }
        return tasks
    }

    /// Metrics in memory that are flushed when a test says so.
    func metrics() throws -> MetricsCollector {
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        return try MetricsCollector(configuration: configuration, bus: events)
    }

    /// Sessions without logs, whose agents answer with the text of their works.
    func sessions() -> ControlledSessions {
        ControlledSessions(AgentCoordinator(bus: events), agents: EchoingAgents())
    }

    /// The changes that were asked for, in order.
    var changes: [String] { changesMade.withLock { $0 } }

    var status: JSONValue { ["version": "9.9.9"] }
    var toolList: [JSONValue] { [["name": "count", "plugin": "word-count"]] }
    var commandList: [JSONValue] { [] }

    func plugins(where filter: PluginFilter) async -> [PluginInfo] {
        known.filter { filter.status == nil || filter.status == $0.status }
    }

    func plugin(_ id: PluginID) async -> PluginInfo? { known.first { $0.id == id } }

    func graph() async -> PluginGraph {
        PluginGraph(
            known.compactMap { info in
                info.id.map {
                    .init($0, version: info.version, status: info.status, manifest: nil)
                }
            })
    }

    func load(
        _ id: PluginID?, from path: String, cascade: Bool
    ) async throws(PluginError) -> PluginInfo {
        changesMade.withLock { $0.append("load \(id?.description ?? "-") \(path)") }
        return PluginInfo(id: id ?? "loaded", status: .enabled)
    }

    func unload(_ id: PluginID, cascade: Bool) async throws(PluginError) {
        _ = try change(cascade ? "unload with dependents" : "unload", id)
    }
    func enable(_ id: PluginID) async throws(PluginError) -> PluginInfo { try change("enable", id) }
    func disable(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo {
        try change(cascade ? "disable with dependents" : "disable", id)
    }
    func reload(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo {
        try change(cascade ? "reload with dependents" : "reload", id)
    }
    func rollback(_ id: PluginID, cascade: Bool) async throws(PluginError) -> PluginInfo {
        try change(cascade ? "rollback with dependents" : "rollback", id)
    }
    func planReload(_ id: PluginID) async throws(PluginError) -> ChangePlan {
        try plan(id, .replace)
    }
    func planUnload(_ id: PluginID) async throws(PluginError) -> ChangePlan { try plan(id, .stop) }

    private func plan(
        _ id: PluginID, _ action: ChangePlan.Action
    ) throws(PluginError) -> ChangePlan {
        _ = try change("plan", id)
        return ChangePlan(
            steps: [
                .init(
                    plugin: id, action: action, from: "1.0.0",
                    to: action == .stop ? nil : "2.0.0", reason: nil)
            ], objections: [])
    }

    func configure(
        _ id: PluginID, _ settings: JSONObject, replacing: Bool
    ) async throws(PluginError) -> PluginInfo {
        try change("\(replacing ? "replace" : "merge") \(JSONValue.object(settings))", id)
    }

    func rescan() async { changesMade.withLock { $0.append("rescan") } }

    func call(
        _ tool: String, _ input: JSONValue, options: CallOptions
    ) async throws(CallError) -> JSONValue { try await calling(tool, input, options) }

    func command(
        _ name: String, _ input: JSONValue, options: CallOptions
    ) async throws(CallError) -> JSONValue { input }

    func logRecords(of id: PluginID, last: Int) async throws(PluginError) -> [JSONValue] {
        Array(log.suffix(last))
    }

    private func change(_ verb: String, _ id: PluginID) throws(PluginError) -> PluginInfo {
        guard let info = known.first(where: { $0.id == id }) else {
            throw PluginError("unknownPlugin", id, "\(id): no such plugin")
        }
        changesMade.withLock { $0.append("\(verb) \(id)") }
        return info
    }
}

/// A directory of its own for one test, removed afterwards. Short, because socket paths must be.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/nctl-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("mkdtemp: errno \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["n.sock", "n.sock.lock", "d/n.sock", "d/n.sock.lock", "file"] {
            unlink("\(path)/\(name)")
        }
        rmdir("\(path)/d")
        rmdir(path)
    }
}

/// Serves `host` while `body` runs, and ends in order. A request may take longer than in the product: the tests of
/// other suites may keep all threads busy meanwhile.
func withServer<Value: Sendable>(
    of host: FakeHost, tasks: BackgroundTaskManager? = nil, metrics: MetricsCollector? = nil,
    sessions: ControlledSessions? = nil, requestLimit: Duration = .seconds(300),
    _ body: (ControlServer, ControlClient) async throws -> Value
) async throws -> Value {
    let directory = TemporaryDirectory()
    let path = directory.path + "/n.sock"
    let server = try ControlServer(
        host: host, tasks: tasks ?? host.tasks(), metrics: try metrics ?? host.metrics(),
        sessions: sessions ?? host.sessions(), socketPath: path, requestLimit: requestLimit)
    try await server.start()
    do {
        let value = try await body(server, ControlClient(socketPath: path))
        await server.shutdown()
        return value
    } catch {
        await server.shutdown()
        throw error
    }
}

/// The error that a request ends in.
func refusal(
    _ body: @escaping @Sendable () throws -> [UInt8]
) async -> HostReport? {
    do {
        _ = try await blocking(body)
    } catch ClientError.refused(let report) {
        return report
    } catch {
        Issue.record("\(error)")
    }
    return nil
}
