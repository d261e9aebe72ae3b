// Host.swift — the host and its services, as an author sees them. Next: Storage.swift, Registry.swift.

public import NocturneJSON
internal import CNocturne

/// The host. A plain value, good from the start of the plugin until its end, on any thread.
public struct Host: Sendable {
    let tables: HostTables
    let registry: Registry

    /// The plugin's log.
    public var log: Log { Log(table: tables.log) }
    /// The plugin's settings.
    public var configuration: Configuration { Configuration(table: tables.configuration) }
    /// Keys and values of the plugin's own that survive reload, crash and restart.
    public var storage: Storage { Storage(table: tables.storage) }
    /// Events for whoever listens.
    public var events: Events { Events(table: tables.events) }
    /// What the plugin measures.
    public var metrics: Metrics { Metrics(table: tables.metrics, known: registry.series) }

    /// Gives `tool` its handler, in place of what it had. The manifest must declare the tool.
    public func register(tool: String, _ handler: Tool) throws(HostError) {
        try registry.register(.tool, tool, handler)
    }

    /// Takes `tool` its handler; its callers get an error that says so.
    public func unregister(tool: String) throws(HostError) {
        try registry.unregister(.tool, tool)
    }

    /// Gives `command` its handler, in place of what it had. The manifest must declare the command.
    public func register(command: String, _ handler: Command) throws(HostError) {
        try registry.register(.command, command, handler)
    }

    /// Takes `command` its handler; its callers get an error that says so.
    public func unregister(command: String) throws(HostError) {
        try registry.unregister(.command, command)
    }

    /// Gives `task` its handler, in place of what it had. The manifest must declare the task.
    public func register(task: String, _ handler: TaskHandler) throws(HostError) {
        try registry.register(.task, task, handler.handler)
    }

    /// Takes `task` its handler; attempts at it fail, and are tried again.
    public func unregister(task: String) throws(HostError) {
        try registry.unregister(.task, task)
    }

    /// Gives `exporter` its handler, in place of what it had. The manifest must declare the exporter.
    public func register(exporter: String, _ handler: Exporter) throws(HostError) {
        try registry.register(.exporter, exporter, handler.handler)
    }

    /// Takes `exporter` its handler; exports by its name fail.
    public func unregister(exporter: String) throws(HostError) {
        try registry.unregister(.exporter, exporter)
    }

    /// Gives `strategy` its steps, in place of those it had. The manifest must declare the strategy.
    public func register(strategy: String, _ handler: Strategy) throws(HostError) {
        try registry.register(.strategy, strategy, handler.handler)
    }

    /// Takes `strategy` its steps; executions that need them fail, or fall back.
    public func unregister(strategy: String) throws(HostError) {
        try registry.unregister(.strategy, strategy)
    }

    /// Gives `agent` its handler, in place of what it had. The manifest must declare the agent.
    public func register(agent: String, _ handler: Agent) throws(HostError) {
        try registry.register(.agent, agent, handler.handler)
    }

    /// Takes `agent` its handler; its works fail, and go to others.
    public func unregister(agent: String) throws(HostError) {
        try registry.unregister(.agent, agent)
    }

    /// Listens to `event`, which the manifest must name in `listens`.
    public func subscribe(_ event: String, _ listener: Listener) throws(HostError) {
        try registry.register(.listener, event, listener.handler)
    }

    /// Listens to `event` no more.
    public func unsubscribe(_ event: String) throws(HostError) {
        try registry.unregister(.listener, event)
    }
}

/// The plugin's log. Never blocks and never fails: what the host cannot take in time is dropped and
/// counted; on a host without a log nothing happens. A record keeps 4,096 bytes.
public struct Log: Sendable {
    let table: LogTable?

    /// Something for the author.
    public func debug(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(NOCTURNE_LOG_DEBUG, message, fields)
    }

    /// Something that an operator may want to know.
    public func info(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(NOCTURNE_LOG_INFO, message, fields)
    }

    /// Something that an operator should look at some time.
    public func warning(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(NOCTURNE_LOG_WARNING, message, fields)
    }

    /// Something that an operator should look at now.
    public func error(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) {
        write(NOCTURNE_LOG_ERROR, message, fields)
    }

    private func write(
        _ level: UInt32, _ message: String, _ fields: KeyValuePairs<String, String>
    ) {
        table?.write(level, message, fields)
    }
}

/// The plugin's settings, with the defaults of the manifest's schema filled in. From `activate` on.
public struct Configuration: Sendable {
    let table: ConfigurationTable?

    /// All settings, an object.
    public func all() throws(HostError) -> JSON {
        try value(nil) ?? [:]
    }

    /// The setting `key`, or `nil` if there is none.
    public func get(_ key: String) throws(HostError) -> JSON? {
        try value(key)
    }

    private func value(_ key: String?) throws(HostError) -> JSON? {
        guard let table else { throw .unavailable(service: NOCTURNE_HOST_CONFIGURATION) }
        let what = key.map { "setting \($0)" } ?? "settings"
        guard let bytes = try table.get(key, what) else { return nil }
        do {
            return try JSON(parsing: bytes)
        } catch {
            throw .malformed("\(what) (\(error))")
        }
    }
}

/// Publishes events.
public struct Events: Sendable {
    let table: EventsTable?

    /// Publishes an event, without waiting for anyone.
    ///
    /// - Parameters:
    ///   - name: Begins with the plugin's id and a colon, for example `"word-count:milestone"`.
    ///   - payload: At most 4,096 bytes as JSON.
    /// - Throws: ``HostError/busy(_:)`` if the host is behind and dropped it.
    public func emit(_ name: String, _ payload: JSON) throws(HostError) {
        guard let table else { throw .unavailable(service: NOCTURNE_HOST_EVENTS) }
        try table.emit(name, payload.bytes)
    }
}
