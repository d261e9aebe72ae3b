// EchoingAgents.swift — agents as offers of a test: `echo` answers with the text of its work, `waits` until it is
// cancelled. Next: SessionEndpointTests.swift.

import NocturneCoordination
import NocturneCore

struct EchoingAgents: AgentOffers {
    struct Unknown: ReportableError {
        let name: String
        var code: String { "unknownAgentName" }
        var plugin: PluginID? { nil }
        var isRetryable: Bool { false }
        var exitStatus: Int32 { 65 }
        var description: String { "no agent \(name)" }
    }

    var list: JSONValue { [["agent": "echo"], ["agent": "waits"]] }

    func descriptor(_ id: AgentID, from origin: AgentOrigin) throws -> AgentDescriptor {
        guard [.plugin("echo"), .plugin("waits")].contains(origin) else {
            throw Unknown(name: "\(origin)")
        }
        return AgentDescriptor(id, capabilities: [try Capability("echoing")], origin: origin)
    }

    func agent(_ descriptor: AgentDescriptor) throws -> any Agent {
        let waits = descriptor.origin == .plugin("waits")
        return ClosureAgent(descriptor) { request, _ in
            if waits { try await Task.sleep(for: .seconds(600)) }
            return WorkAnswer(.string(request.work.text))
        }
    }
}
