// Plugin.swift — what an author writes: one `let plugin = Plugin(…)`. Next: Handler.swift.

@_exported public import NocturneJSON

/// A plugin: its handlers and hooks. The author's file defines one as a global constant named `plugin`:
///
/// ```swift
/// import NocturnePlugin
///
/// let plugin = Plugin(tools: [
///     "greet": Tool { input, call in ["text": "Hello, \(input["name"]?.string ?? "you")!"] }
/// ])
/// ```
///
/// Every tool, command, task, exporter, strategy, agent and event that `manifest.json` declares needs a handler here,
/// or one given by ``Host/register(tool:_:)`` before `activate` ends; the host refuses the plugin otherwise, by name.
///
/// Hooks run on a call thread, one at a time. They may be `async`.
public struct Plugin: Sendable {
    /// A hook that gets the host and may refuse by throwing.
    public typealias Hook = @Sendable (Host) async throws -> Void

    let tools: [String: Tool]
    let commands: [String: Command]
    let tasks: [String: TaskHandler]
    let listeners: [String: Listener]
    let exporters: [String: Exporter]
    let strategies: [String: Strategy]
    let agents: [String: Agent]
    let activate: Hook?
    let deactivate: Hook?
    let health: Hook?
    let state: StateHooks?
    let settingsChanged: (@Sendable (JSON, Host) async throws -> Void)?

    /// - Parameters:
    ///   - tools: By the names of the manifest's `contributes.tools`.
    ///   - commands: By the names of the manifest's `contributes.commands`.
    ///   - tasks: By the names of the manifest's `contributes.tasks`.
    ///   - listeners: By the event names of the manifest's `contributes.listens`.
    ///   - exporters: By the names of the manifest's `contributes.exporters`.
    ///   - strategies: By the names of the manifest's `contributes.strategies`.
    ///   - agents: By the names of the manifest's `contributes.agents`.
    ///   - state: Carries state through a reload; needs `"reload": {"state": true}` in the manifest.
    ///   - health: Throws if the plugin cannot serve; a reload then goes back to the old one.
    ///   - settingsChanged: Gets the new settings as an object; throwing refuses them. Without it the
    ///     host restarts the plugin when settings change.
    ///   - activate: Starts the plugin; throwing says that it cannot run.
    ///   - deactivate: No call runs any more. The process is killed afterwards: nothing else is
    ///     cleaned up, no `deinit` runs.
    public init(
        tools: [String: Tool] = [:],
        commands: [String: Command] = [:],
        tasks: [String: TaskHandler] = [:],
        listeners: [String: Listener] = [:],
        exporters: [String: Exporter] = [:],
        strategies: [String: Strategy] = [:],
        agents: [String: Agent] = [:],
        state: StateHooks? = nil,
        health: Hook? = nil,
        settingsChanged: (@Sendable (JSON, Host) async throws -> Void)? = nil,
        activate: Hook? = nil,
        deactivate: Hook? = nil
    ) {
        self.tools = tools
        self.commands = commands
        self.tasks = tasks
        self.listeners = listeners
        self.exporters = exporters
        self.strategies = strategies
        self.agents = agents
        self.state = state
        self.health = health
        self.settingsChanged = settingsChanged
        self.activate = activate
        self.deactivate = deactivate
    }
}

/// What goes from one generation of a plugin to the next: bytes and the number of their layout.
public struct SavedState: Sendable, Equatable {
    /// The author's number for the layout of ``bytes``; the new build decides what it understands.
    public let schema: UInt32
    /// The state, at most 16 MiB.
    public let bytes: [UInt8]

    /// State in a layout of the author's own.
    public init(schema: UInt32, bytes: [UInt8]) {
        self.schema = schema
        self.bytes = bytes
    }

    /// State as JSON.
    public init(schema: UInt32, json: JSON) {
        self.init(schema: schema, bytes: json.bytes)
    }

    /// The state as JSON.
    public func json() throws(JSONError) -> JSON { try JSON(parsing: bytes) }
}

/// Both halves of carrying state through a reload. No call runs meanwhile.
public struct StateHooks: Sendable {
    let save: @Sendable (Host) async throws -> SavedState
    let restore: @Sendable (SavedState, Host) async throws -> Void

    /// - Parameters:
    ///   - save: Runs in the old generation. Throwing gives the reload up.
    ///   - restore: Runs in the new generation, with what the old one saved. Throwing says "cannot": the
    ///     reload is given up and the old generation goes on.
    public init(
        save: @escaping @Sendable (Host) async throws -> SavedState,
        restore: @escaping @Sendable (SavedState, Host) async throws -> Void
    ) {
        self.save = save
        self.restore = restore
    }
}
