// AgentOrigin.swift — agents that exist by name outside the program: those of plugins, and programs that the operator
// listed. Next: CalledAgent.swift, AgentCommand.swift.

package import NocturneCore

/// Where an agent comes from that a session can be given again after its process ended.
public enum AgentOrigin: Sendable, Hashable, CustomStringConvertible {
    /// An agent that a plugin contributes under this name.
    case plugin(String)
    /// A program that the operator listed under this name.
    case command(String)

    /// For people: `agent summarize` or `command writer`.
    public var description: String {
        switch self {
        case .plugin(let name): "agent \(name)"
        case .command(let name): "command \(name)"
        }
    }

    /// Reads `agent` or `command` of a descriptor's JSON.
    init?(_ fields: JSONFields) throws(CoordinationError) {
        if let name = try fields.string(ifAny: "agent") {
            self = .plugin(name)
        } else if let name = try fields.string(ifAny: "command") {
            self = .command(name)
        } else {
            return nil
        }
    }

    func write(to object: inout JSONObject) {
        switch self {
        case .plugin(let name): object["agent"] = .string(name)
        case .command(let name): object["command"] = .string(name)
        }
    }
}

/// Gives agents by their origin.
package protocol AgentOffers: Sendable {
    /// All that can be had now: `{"agent" or "command", "plugin", "description", "capabilities"}` each.
    var list: JSONValue { get }

    /// What a session should know of an agent that says nothing of it itself.
    ///
    /// - Throws: a ``ReportableError`` if there is none.
    func descriptor(_ id: AgentID, from origin: AgentOrigin) throws -> AgentDescriptor

    /// An agent.
    ///
    /// - Throws: a ``ReportableError`` if there is none.
    func agent(_ descriptor: AgentDescriptor) throws -> any Agent
}
