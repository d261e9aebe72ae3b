// DaemonConfiguration.swift — how a daemon is set up: the file's sections and keys, each with its
// type and default. Next: NocturneDaemon.swift.

internal import Glibc
internal import NocturneControl
public import NocturneCoordination
internal import NocturneCore
public import NocturneHost
public import NocturneMetrics
public import NocturneTasks

/// How a ``NocturneDaemon`` is set up.
public struct DaemonConfiguration: Sendable {
    /// The plugin host.
    public var plugins: PluginManagerConfiguration
    /// The tasks.
    public var tasks: BackgroundTaskManager.Configuration
    /// The metrics.
    public var metrics: MetricsCollector.Configuration
    /// The sessions of agents.
    public var coordination: AgentCoordinatorConfiguration
    /// The programs that may be agents of sessions.
    public var agentCommands = AgentCommands()
    /// Where `/metrics` is served over TCP, `ADDR:PORT`; `nil`: nowhere.
    public var metricsAddress: String?
    /// Where the control API listens: a path of at most 107 bytes.
    public var socketPath: String

    /// Bytes of a configuration file. 1 MiB: thousands of times what all keys need.
    static let fileLimit = 1 << 20

    /// A configuration without a file.
    public init(
        plugins: PluginManagerConfiguration, tasks: BackgroundTaskManager.Configuration,
        metrics: MetricsCollector.Configuration, coordination: AgentCoordinatorConfiguration,
        socketPath: String
    ) {
        (self.plugins, self.tasks, self.metrics) = (plugins, tasks, metrics)
        self.coordination = coordination
        self.socketPath = socketPath
    }

    /// Tasks are kept beside the plugins' state. Their end must leave time for the plugins' within
    /// ``NocturneDaemon/endLimit``.
    private static func tasks(in statePath: String) -> BackgroundTaskManager.Configuration {
        var tasks = BackgroundTaskManager.Configuration()
        tasks.enablePersistence = true
        tasks.statePath = statePath
        (tasks.drain, tasks.stopGrace) = (.seconds(5), .seconds(2))
        return tasks
    }

    /// Metrics are kept there as well, in a directory of their own.
    private static func metrics(in statePath: String) -> MetricsCollector.Configuration {
        var metrics = MetricsCollector.Configuration()
        metrics.statePath = statePath + "/metrics"
        return metrics
    }

    /// So are sessions.
    private static func coordination(in statePath: String) -> AgentCoordinatorConfiguration {
        var coordination = AgentCoordinatorConfiguration()
        coordination.sessionsPath = statePath + "/sessions"
        return coordination
    }

    /// Reads a configuration file; what it does not say has its default.
    ///
    /// - Parameters:
    ///   - file: a path; `nil`: the standard one, which need not exist.
    ///   - statePath: where state is kept; `nil`: the standard directory.
    ///   - socketPath: where to listen; `nil`: the standard socket.
    ///   - paths: the standard paths.
    /// - Throws: ``ConfigurationError``, which names the file, the key and what would be right.
    public init(
        file: String? = nil, statePath: String? = nil, socketPath: String? = nil,
        paths: StandardPaths = .current
    ) throws(ConfigurationError) {
        // `??` with a throwing right side would forget the type of the error.
        let statePath = if let statePath { statePath } else { try paths.stateDirectory }
        plugins = PluginManagerConfiguration(statePath: statePath)
        tasks = Self.tasks(in: statePath)
        metrics = Self.metrics(in: statePath)
        coordination = Self.coordination(in: statePath)
        self.socketPath = if let socketPath { socketPath } else { try paths.socket }
        guard let path = file ?? paths.configurationFile,
            let bytes = try Self.read(path, mayBeAbsent: file == nil)
        else { return }
        try apply(try Self.parse(bytes, from: path), from: path)
    }

    private static func parse(
        _ bytes: [UInt8], from path: String
    ) throws(ConfigurationError) -> JSONValue {
        do throws(JSONError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw .notJSON(file: path, error)
        }
    }

    // MARK: - Sections

    private mutating func apply(_ json: JSONValue, from file: String) throws(ConfigurationError) {
        let reader = SectionReader(file: file, place: "", json)
        let sections = ["plugins", "tasks", "metrics", "coordination"]
        let top = try reader.object(knowing: sections)
        for section in sections {
            guard let json = top[section] else { continue }
            let reader = SectionReader(file: file, place: section, json)
            switch section {
            case "plugins": try applyPlugins(reader)
            case "tasks": try applyTasks(reader)
            case "metrics": try applyMetrics(reader)
            default: try applyCoordination(reader)
            }
        }
    }

    private mutating func applyPlugins(_ reader: SectionReader) throws(ConfigurationError) {
        let section = try reader.object(
            knowing: ["pluginsPath", "enableHotReload", "autoEnable"])
        if let path = try reader.text("pluginsPath", in: section) { plugins.pluginsPath = path }
        if let isOn = try reader.flag("enableHotReload", in: section) {
            plugins.enableHotReload = isOn
        }
        if let isOn = try reader.flag("autoEnable", in: section) { plugins.autoEnable = isOn }
    }

    private mutating func applyTasks(_ reader: SectionReader) throws(ConfigurationError) {
        let section = try reader.object(
            knowing: ["maxConcurrent", "defaultRetries", "enablePersistence"])
        if let count = try reader.count("maxConcurrent", in: 1...Self.mostConcurrent, of: section) {
            tasks.maxConcurrent = Int(count)
        }
        let retries = 0...Int64(RetryPolicy.mostRetries)
        if let count = try reader.count("defaultRetries", in: retries, of: section) {
            tasks.defaultRetries = Int(count)
        }
        if let isOn = try reader.flag("enablePersistence", in: section) {
            tasks.enablePersistence = isOn
        }
    }

    /// Tasks that a daemon runs at once at most: each may hold a plugin's place and its input in memory.
    private static let mostConcurrent: Int64 = 100_000

    private mutating func applyMetrics(_ reader: SectionReader) throws(ConfigurationError) {
        let section = try reader.object(
            knowing: [
                "retentionPeriod", "enableAutoFlush", "flushInterval", "computePercentiles",
                "alerts",
            ])
        if let period = try reader.duration("retentionPeriod", in: section) {
            metrics.retentionPeriod = period
        }
        if let isOn = try reader.flag("enableAutoFlush", in: section) {
            metrics.enableAutoFlush = isOn
        }
        if let interval = try reader.duration("flushInterval", in: section) {
            metrics.flushInterval = interval
        }
        if let isOn = try reader.flag("computePercentiles", in: section) {
            metrics.computePercentiles = isOn
        }
        for alert in try reader.list("alerts", in: section) {
            do throws(MetricsError) {
                metrics.alerts.append(try AlertRule(json: alert))
            } catch {
                throw reader.invalid("alerts", "\(error)")
            }
        }
    }

    private mutating func applyCoordination(
        _ reader: SectionReader
    ) throws(ConfigurationError) {
        let section = try reader.object(
            knowing: [
                "strategy", "maxAgents", "enableFaultTolerance", "commands", "logAge", "logBytes",
            ])
        // Plugins bring strategies of their own, so any name may become valid.
        if let name = try reader.text("strategy", in: section) { coordination.strategy = name }
        if let count = try reader.count("maxAgents", in: 1...Int64(Int32.max), of: section) {
            coordination.policy.maxAgents = Int(count)
        }
        if let isOn = try reader.flag("enableFaultTolerance", in: section) {
            coordination.policy.isFaultTolerant = isOn
        }
        if let age = try reader.duration("logAge", in: section) { coordination.logAge = age }
        if let bytes = try reader.count("logBytes", in: 0...Int64.max, of: section) {
            coordination.logBytes = Int(bytes)
        }
        guard let listed = section["commands"] else { return }
        guard let listed = listed.object else {
            throw reader.invalid("commands", "an object of programs by name is expected")
        }
        var commands: [String: AgentCommand] = [:]
        for (name, json) in listed {
            do throws(AgentCommandError) {
                commands[name] = try AgentCommand(json: json)
            } catch {
                throw reader.invalid("commands.\(name)", "\(error)")
            }
        }
        agentCommands = AgentCommands(commands)
    }

    // MARK: - The file

    private static func read(
        _ path: String, mayBeAbsent: Bool
    ) throws(ConfigurationError) -> [UInt8]? {
        // O_NONBLOCK: a FIFO must not stop us.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if mayBeAbsent, errno == ENOENT || errno == ENOTDIR { return nil }
            throw .unreadable(file: path, errno: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(file: path, errno: errno) }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= fileLimit else {
                throw .tooLarge(file: path, limitBytes: fileLimit)
            }
        }
    }
}
