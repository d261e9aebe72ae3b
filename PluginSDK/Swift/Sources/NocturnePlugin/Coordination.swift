// Coordination.swift — the closures that take part in sessions of agents: strategies decide, agents do works.
// Next: Call.swift.

public import NocturneJSON
internal import CNocturne

/// Decides how a session goes about a goal. Its closure is told what happened, one thing at a time and in order, and
/// says what shall be done: JSON objects with a `type`, as `PluginSDK/README.md` lists them.
///
/// A step is pure: equal inputs give equal commands, because a session is resumed and replayed by them. So it uses no
/// clock, no randomness, nothing of the host. What it remembers is its state, which the host keeps between steps.
/// What it throws fails the step: the execution ends, or the session's fallback takes over.
public struct Strategy: Sendable {
    let handler: Handler

    /// A strategy without parameters.
    ///
    /// - Parameters:
    ///   - initial: what it remembers at the beginning of an execution.
    ///   - step: gets what it remembers, to be changed, and what happened.
    public init<State: Codable & Sendable>(
        _ initial: State, _ step: @escaping @Sendable (inout State, JSON) throws -> [JSON]
    ) {
        self.init({ _ in initial }, step)
    }

    /// A strategy that begins with what the session's parameters say.
    ///
    /// - Parameter begin: makes of the parameters what it remembers at the beginning; throws if they make no sense.
    public init<State: Codable & Sendable>(
        _ begin: @escaping @Sendable (_ parameters: JSON) throws -> State,
        _ step: @escaping @Sendable (inout State, JSON) throws -> [JSON]
    ) {
        handler = Handler { (request: JSON, _: Call) throws -> JSON in
            let saved = request["state"] ?? .null
            var state =
                try saved.isNull
                ? begin(request["parameters"] ?? .null) : saved.decode(State.self)
            var commands: [JSON] = []
            for input in request["inputs"]?.array ?? [] { commands += try step(&state, input) }
            return ["state": try JSON(encoding: state), "commands": .array(commands)]
        }
    }
}

/// Does works of a session, and hears messages.
///
/// What its closure throws fails the work, which is then tried again, by whom it suits;
/// ``PluginError/invalidInput(_:)`` says that nobody can do it. A work that is taken back is cancelled.
public struct Agent: Sendable {
    /// Does a work.
    public typealias Work = @Sendable (AgentWork) async throws -> AgentAnswer
    /// Hears a message; what it returns is the reply if the sender waits for one.
    public typealias Hearing = @Sendable (AgentMessage) async throws -> JSON

    let handler: Handler

    /// An agent.
    ///
    /// - Parameter hears: `nil`: it takes no notice of messages.
    public init(hears: Hearing? = nil, _ work: @escaping Work) {
        handler = Handler(
            .asynchronous { request, call in
                if request["type"]?.string == "message" {
                    let reply = try await hears?(AgentMessage(request, call)) ?? .null
                    return (["value": reply] as JSON).bytes
                }
                do {
                    return try await work(AgentWork(request, call)).json.bytes
                } catch let failure as AgentFailure {
                    return failure.json.bytes
                }
            })
    }
}

/// A work that an agent shall do. May be used from any thread until its closure has returned.
public struct AgentWork: Sendable {
    /// The call that this is; for tools of other plugins.
    public let call: Call
    /// All that the host says: `session`, `attempt`, `key`, `timeout` in milliseconds, `work`.
    public let request: JSON

    init(_ request: JSON, _ call: Call) { (self.request, self.call) = (request, call) }

    /// The session.
    public var session: String { request["session"]?.string ?? "" }
    /// The work's name within the execution.
    public var id: String { request["work"]?["id"]?.string ?? "" }
    /// What kind of thing is asked for: `perform`, `plan`, `review`, `summarize`, `draft`, `vote`, `bid`.
    public var kind: String { request["work"]?["kind"]?.string ?? "" }
    /// What is to be done, in words.
    public var text: String { request["work"]?["text"]?.string ?? "" }
    /// What the work is about.
    public var payload: JSON { request["work"]?["payload"] ?? .null }
    /// The number of the attempt, from 1.
    public var attempt: Int { Int(request["attempt"]?.integer ?? 1) }
    /// The same for every attempt at the same work: for whoever must not do a thing twice.
    public var key: String { request["key"]?.string ?? "" }

    /// Whether it was taken back: return soon, or the whole plugin is killed.
    public var isCancelled: Bool { call.isCancelled }

    /// Gives a sign of life: who joined with `heartbeat` loses a work without one.
    public func heartbeat() throws(HostError) { try say(["type": "heartbeat"]) }

    /// Sends a message to an agent of the session, or to all others.
    public func send(_ payload: JSON, to agent: String? = nil) throws(HostError) {
        try say(["type": "send", "to": agent.map { JSON($0) } ?? .null, "payload": payload])
    }

    /// Sends a message to all who subscribed to a topic.
    public func send(_ payload: JSON, topic: String) throws(HostError) {
        try say(["type": "send", "topic": JSON(topic), "payload": payload])
    }

    /// Says something to the session's strategy.
    public func tellStrategy(_ payload: JSON) throws(HostError) {
        try say(["type": "tell", "payload": payload])
    }

    private func say(_ line: JSON) throws(HostError) {
        guard let table = call.host.tables.agents else {
            throw .unavailable(service: NOCTURNE_HOST_AGENTS)
        }
        try table.say(call.handle, line.bytes)
    }
}

/// What an agent answers to a work.
public struct AgentAnswer: Sendable {
    /// What it came to.
    public var value: JSON
    /// Tokens that it used.
    public var tokens: Int
    /// What it cost, in the unit of the session's agents.
    public var cost: Double
    /// The agent that should go on with it, if a strategy hands works on.
    public var handOff: String?
    /// Subtasks that it wants done by others: a plan, `{"subtasks": […]}`.
    public var delegation: JSON?

    /// An answer.
    public init(
        _ value: JSON, tokens: Int = 0, cost: Double = 0, handOff: String? = nil,
        delegation: JSON? = nil
    ) {
        (self.value, self.tokens, self.cost) = (value, tokens, cost)
        (self.handOff, self.delegation) = (handOff, delegation)
    }

    var json: JSON {
        var object: JSONObject = ["value": value, "usage": usage(tokens, cost)]
        if let handOff { object["handOff"] = JSON(handOff) }
        if let delegation { object["delegate"] = delegation }
        return .object(object)
    }
}

/// Thrown by an agent's closure: the work failed, and this was used for nothing.
public struct AgentFailure: Error, Sendable, Hashable {
    /// What happened.
    public let message: String
    /// Tokens that were used.
    public let tokens: Int
    /// What it cost.
    public let cost: Double

    /// A failure.
    public init(_ message: String, tokens: Int = 0, cost: Double = 0) {
        (self.message, self.tokens, self.cost) = (message, tokens, cost)
    }

    var json: JSON {
        ["type": "failed", "message": JSON(message), "usage": usage(tokens, cost)]
    }
}

private func usage(_ tokens: Int, _ cost: Double) -> JSON {
    ["tokens": JSON(tokens), "cost": JSON(cost)]
}

/// A message to an agent.
public struct AgentMessage: Sendable {
    /// The call that this is.
    public let call: Call
    /// Who sent it; `nil`: a person or the strategy.
    public let sender: String?
    /// What it says.
    public let payload: JSON
    /// Whether the sender waits for a reply.
    public let wantsReply: Bool

    init(_ message: JSON, _ call: Call) {
        self.call = call
        sender = message["from"]?.string
        payload = message["payload"] ?? .null
        wantsReply = message["wantsReply"]?.bool ?? false
    }
}
