// SessionDescription.swift — a session as a person writes it down: what it is for, how it goes about it, who is in it,
// and what it shall carry out at once. Next: AgentCoordinator.swift.

package import NocturneCore

/// A session as a person writes it down.
package struct SessionDescription: Sendable {
    /// An agent of it: `{"agent": NAME}` of a plugin, or `{"command": NAME}` as the operator listed it; and `id` (the
    /// same name unless told), `role`, `capabilities` besides its own, `cost`, `concurrency`, `heartbeat`, `plans`.
    package struct Member: Sendable {
        package let id: AgentID
        package let origin: AgentOrigin
        private let fields: JSONFields

        package init(json: JSONValue, at path: String = "agent") throws(CoordinationError) {
            fields = try JSONFields(json, at: path)
            try fields.only(
                "id", "agent", "command", "role", "capabilities", "cost", "concurrency",
                "heartbeat", "plans")
            guard let origin = try AgentOrigin(fields),
                fields["agent"] == nil || fields["command"] == nil
            else {
                throw fields.malformed(
                    "agent", expected: "the name of an agent, or `command` and a program's")
            }
            self.origin = origin
            let name =
                switch origin {
                case .plugin(let name), .command(let name): name
                }
            id = try AgentID(try fields.string(ifAny: "id") ?? name)
            _ = try descriptor(of: AgentDescriptor(id))
        }

        /// What the session shall know of it, if `offered` is what it says of itself.
        package func descriptor(
            of offered: AgentDescriptor
        ) throws(CoordinationError) -> AgentDescriptor {
            var descriptor = AgentDescriptor(
                id, role: offered.role, capabilities: offered.capabilities,
                cost: try fields.number("cost") ?? offered.cost,
                concurrency: try fields.count(ifAny: "concurrency") ?? offered.concurrency,
                plans: try fields.flag("plans") ?? offered.plans,
                heartbeat: try fields.duration("heartbeat") ?? offered.heartbeat, origin: origin)
            if let role = try fields.string(ifAny: "role") { descriptor.role = try Role(role) }
            descriptor.add(try fields.list("capabilities", Capability.init(json:at:)))
            return descriptor
        }
    }

    package let id: SessionID
    package let goal: String
    package let strategy: String?
    package let parameters: JSONValue
    package let fallback: String?
    package let policy: SessionPolicy?
    package let members: [Member]
    /// What it shall carry out at once.
    package let execute: Goal?

    /// - Parameter usual: what `policy` changes some of.
    package init(json: JSONValue, usual: SessionPolicy) throws(CoordinationError) {
        let fields = try JSONFields(json, at: "session")
        try fields.only(
            "id", "goal", "strategy", "parameters", "fallback", "policy", "agents", "execute")
        id = try SessionID(try fields.string("id"))
        goal = try fields.string(ifAny: "goal") ?? ""
        strategy = try fields.string(ifAny: "strategy")
        parameters = fields["parameters"] ?? .null
        fallback = try fields.string(ifAny: "fallback")
        if let changes = fields["policy"]?.object {
            var merged = usual.json.object ?? [:]
            for (key, value) in changes { merged[key] = value }
            policy = try SessionPolicy(json: .object(merged))
        } else {
            policy = nil
        }
        members = try fields.list("agents", Member.init(json:at:))
        execute = try fields["execute"].map { json throws(CoordinationError) in
            try Goal(json: json, at: "session.execute")
        }
        var seen: Set<AgentID> = []
        for member in members where !seen.insert(member.id).inserted {
            throw .agentExists(member.id, id)
        }
    }
}
