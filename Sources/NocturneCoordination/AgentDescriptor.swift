// AgentDescriptor.swift — what a session knows of an agent. Next: Work.swift.

public import NocturneCore

/// What a session knows of an agent.
public struct AgentDescriptor: Sendable, Hashable {
    /// Works that one agent may have at once, however much it says.
    public static let maximumConcurrency = 1_024

    /// Its name within the session.
    public let id: AgentID
    /// What it is in the session.
    public var role: Role
    /// What it can do; each name once, the greatest score counts.
    public var capabilities: [Capability]
    /// What one work costs with it, in any unit that all agents of a session share; 0 or more.
    public var cost: Double
    /// Works that it takes at once, 1 … ``maximumConcurrency``.
    public var concurrency: Int
    /// Whether it can be asked for a plan.
    public var plans: Bool
    /// How often at least it gives a sign of life while it works; `nil`: only the timeout of a work counts.
    public var heartbeat: Duration?
    /// Where it comes from, if a later process can have it again from there.
    public var origin: AgentOrigin?

    /// An agent. Numbers outside their ranges become the nearest within them.
    public init(
        _ id: AgentID, role: Role = .worker, capabilities: [Capability] = [], cost: Double = 0,
        concurrency: Int = 1, plans: Bool = true, heartbeat: Duration? = nil,
        origin: AgentOrigin? = nil
    ) {
        self.id = id
        self.role = role
        self.capabilities = []
        self.cost = cost.isFinite ? max(cost, 0) : 0
        self.concurrency = min(max(concurrency, 1), Self.maximumConcurrency)
        self.plans = plans
        self.heartbeat = heartbeat.map { max($0, .milliseconds(1)) }
        self.origin = origin
        add(capabilities)
    }

    /// Adds capabilities to its own; of equal names the greater score counts.
    public mutating func add(_ more: [Capability]) {
        for capability in more {
            if let index = capabilities.firstIndex(where: { $0.name == capability.name }) {
                if capabilities[index].score < capability.score {
                    capabilities[index] = capability
                }
            } else {
                capabilities.append(capability)
            }
        }
    }

    /// How well it can do something, 0 … 1; `nil` if it cannot.
    public func score(of capability: String) -> Double? {
        capabilities.first { $0.name == capability }?.score
    }

    /// The object as which strategies and logs have it.
    public var json: JSONValue {
        var object: JSONObject = [
            "id": .string(id.description), "role": .string(role.description),
            "capabilities": .array(capabilities.map(\.json)), "cost": JSONValue(cost) ?? 0,
            "concurrency": JSONValue(concurrency), "plans": .bool(plans),
        ]
        object.set("heartbeat", heartbeat?.json)
        origin?.write(to: &object)
        return .object(object)
    }

    /// Reads what ``json`` wrote, or what a person did: only `id` must be there.
    public init(json: JSONValue) throws(CoordinationError) {
        try self.init(json: json, at: "agent")
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        self.init(
            try AgentID(fields.string("id")),
            role: try Role(fields.string(ifAny: "role") ?? "worker"),
            capabilities: try fields.list("capabilities", Capability.init(json:at:)),
            cost: try fields.number("cost") ?? 0,
            concurrency: try fields.count(ifAny: "concurrency") ?? 1,
            plans: try fields.flag("plans") ?? true, heartbeat: try fields.duration("heartbeat"),
            origin: try AgentOrigin(fields))
    }
}
