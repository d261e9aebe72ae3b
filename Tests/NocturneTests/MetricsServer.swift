// MetricsServer.swift — a control server in the tests' process, with metrics that a test records and a clock that it
// moves. Next: MetricsProgramTests.swift.

import Glibc
import Nocturne
import TestKit
import Testing

/// A control server with metrics of its own.
struct MetricsServer: Sendable {
    let metrics: MetricsCollector
    let clock: VirtualClock
    /// For files of a test; removed afterwards.
    let directory: String
    var socket: String { directory + "/socket" }

    static func run(_ body: (MetricsServer) async throws -> Void) async throws {
        var template = Array("/tmp/nmet-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        defer { _ = try? Program.system("/bin/rm", ["-rf", directory]) }
        let plugins = try PluginManager(
            configuration: .init(
                pluginsPath: directory + "/plugins", statePath: directory + "/state"))
        let tasks = try await BackgroundTaskManager()
        let clock = VirtualClock()
        var configuration = MetricsCollector.Configuration()
        configuration.enableAutoFlush = false
        let metrics = try MetricsCollector(configuration: configuration, clock: clock)
        let server = MetricsServer(metrics: metrics, clock: clock, directory: directory)
        let control = try ControlServer(
            of: plugins, tasks, metrics, ControlledSessions(AgentCoordinator(), agents: NoAgents()),
            socketPath: server.socket)
        try await control.start()
        let end = {
            await control.shutdown()
            await tasks.shutdown()
            await plugins.shutdown()
        }
        do {
            try await body(server)
            await end()
        } catch {
            await end()
            throw error
        }
    }

    /// What a command of `metrics` comes to.
    func result(_ words: [String], with variables: [String] = []) async throws -> Program.Result {
        let words = ["metrics"] + words + ["--socket", socket]
        return try await blocking { try Program.run(words, with: variables) }
    }

    /// What one that succeeds prints.
    func command(_ words: String...) async throws -> String {
        let result = try await result(words)
        #expect(result.status == 0, "\(words): \(result.errors)")
        return result.output
    }
}

/// Nobody can be an agent.
private struct NoAgents: AgentOffers {
    var list: JSONValue { [] }

    func descriptor(_ id: AgentID, from origin: AgentOrigin) throws -> AgentDescriptor {
        throw CoordinationError.unknownSession("none")
    }

    func agent(_ descriptor: AgentDescriptor) throws -> any Agent {
        throw CoordinationError.unknownSession("none")
    }
}
