// SessionAgents.swift — who can be an agent of a session: agents of plugins that serve, and programs that the operator
// listed. Next: PluginSessions.swift, NocturneCoordination/CalledAgent.swift.

internal import NocturneCoordination
internal import NocturneCore
internal import NocturneHost

/// Gives agents by name.
struct SessionAgents: AgentOffers {
    private let plugins: PluginManager
    private let commands: AgentCommands

    init(_ plugins: PluginManager, _ commands: AgentCommands) {
        (self.plugins, self.commands) = (plugins, commands)
    }

    var list: JSONValue {
        let offered = plugins.agents.map { agent -> JSONValue in
            [
                "agent": .string(agent.name), "plugin": .string(agent.plugin.description),
                "description": agent.description.map(JSONValue.string) ?? .null,
                "capabilities": .array(agent.capabilities.map(JSONValue.string)),
            ]
        }
        return .array(offered + commands.names.map { ["command": .string($0)] })
    }

    func descriptor(_ id: AgentID, from origin: AgentOrigin) throws -> AgentDescriptor {
        switch origin {
        case .plugin(let name):
            let agent = try serving(name)
            return AgentDescriptor(
                id, capabilities: try agent.capabilities.map { try Capability($0) },
                concurrency: agent.concurrency, origin: origin)
        case .command(let name):
            _ = try commands.command(name)
            return AgentDescriptor(id, origin: origin)
        }
    }

    func agent(_ descriptor: AgentDescriptor) throws -> any Agent {
        switch descriptor.origin {
        case .plugin(let name):
            _ = try serving(name)
            let plugins = plugins
            return CalledAgent(descriptor) { input, timeLeft, hear throws(WorkFailure) in
                try await PluginCalls(plugins).work(name, input, within: timeLeft, hear)
            }
        case .command(let name):
            return SubprocessAgent(descriptor, try commands.command(name))
        case nil: throw AgentNotOffered(name: descriptor.id.description, known: [])
        }
    }

    private func serving(_ name: String) throws(AgentNotOffered) -> PluginAgent {
        let agents = plugins.agents
        guard let agent = agents.first(where: { $0.name == name }) else {
            throw AgentNotOffered(name: name, known: agents.map(\.name))
        }
        return agent
    }
}

/// No plugin that serves has an agent of that name.
struct AgentNotOffered: ReportableError {
    let name: String
    let known: [String]
    var code: String { "unknownAgentName" }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 65 }
    var description: String {
        "no plugin that serves has an agent \(quoted(name)); there "
            + (known.isEmpty ? "are none" : "are \(known.joined(separator: ", "))")
            + "; see `sessions agents`, and `list` for plugins that do not serve"
    }
}

/// Works and steps as calls of plugins, in whichever generation serves.
struct PluginCalls: Sendable {
    /// For an agent that was told to leave a work.
    private static let stopGrace = Duration.seconds(2)
    /// For a step, once its plugin has a place for it.
    static let stepLimit = Duration.seconds(5)
    /// For such a place: a plugin that is being replaced or restarted has one again soon.
    static let placeLimit = Duration.seconds(30)

    private let plugins: PluginManager

    init(_ plugins: PluginManager) { self.plugins = plugins }

    /// Has an agent do a work. If its plugin is replaced meanwhile, the new build begins anew within the same time.
    func work(
        _ name: String, _ input: [UInt8], within limit: Duration,
        _ hear: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(WorkFailure) -> [UInt8] {
        let clock = SuspendingClock(), end = clock.now + limit
        while true {
            guard let plugin = plugins.agentNames.first(where: { $0.value.contains(name) })?.key
            else { throw WorkFailure(.lost, "no plugin that serves has an agent \(name)") }
            guard let place = await place(in: plugin, within: clock.now.duration(to: end)) else {
                throw WorkFailure(.lost, "\(plugin) does not serve")
            }
            // The session's own limit comes first: the agent is asked to stop before it is killed.
            let left = clock.now.duration(to: end) + Self.stopGrace
            switch await place.call(
                PluginEngineCall(
                    kind: .agent, name: name, input: input, timeLeft: left,
                    stopGrace: Self.stopGrace, hear: hear))
            {
            case .completed(let bytes): return bytes
            case .failed(let why, _): throw WorkFailure(.failed, why)
            case .invalidInput(let why): throw WorkFailure(.refused, why)
            case .cancelled: throw WorkFailure(.lost, "\(plugin): it was taken back")
            case .timedOut(let why): throw WorkFailure(.timedOut, why)
            case .crashed(let why): throw WorkFailure(.crashed, why)
            case .withdrawn(let why):
                if Task.isCancelled || clock.now >= end { throw WorkFailure(.lost, why) }
            }
        }
    }

    /// Has a strategy make a step. A step is pure, so one that is withdrawn is made again.
    func step(_ request: StepRequest) async -> StepReply {
        let name = request.strategy
        for _ in 0..<Self.stepTries {
            guard let plugin = plugins.strategyNames.first(where: { $0.value.contains(name) })?.key
            else { return .failed("no plugin that serves has a strategy \(name)") }
            guard let place = await place(in: plugin, within: Self.placeLimit) else {
                return .failed("strategy \(name): \(plugin) does not serve")
            }
            switch await place.call(
                PluginEngineCall(
                    kind: .strategy, name: name, input: request.bytes, timeLeft: Self.stepLimit,
                    stopGrace: .zero))
            {
            case .completed(let bytes): return StepReply(bytes, of: name)
            case .withdrawn: continue
            case .cancelled: return .failed("strategy \(name): the step was cancelled")
            case .failed(let why, _), .invalidInput(let why), .timedOut(let why),
                .crashed(let why):
                return .failed("strategy \(name): \(why)")
            }
        }
        return .failed("strategy \(name): its plugin was replaced again and again")
    }

    /// Replacements of a plugin during one step.
    private static let stepTries = 5

    private func place(
        in plugin: PluginID, within limit: Duration
    ) async -> (any PluginPlace)? {
        if let place = plugins.caller.takePlace(in: plugin) { return place }
        let caller = plugins.caller
        let waiting = Task { await caller.waitForPlace(in: plugin) }
        let alarm = Task {
            try? await Task.sleep(for: limit)
            waiting.cancel()
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            waiting.cancel()
        }
    }
}
