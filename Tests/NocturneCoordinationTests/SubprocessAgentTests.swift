// SubprocessAgentTests.swift — programs in a session: they work, talk and are replaced when they fail.

import NocturneCore
import Synchronization
import Testing

@testable import NocturneCoordination

@Suite(.timeLimit(.minutes(2)))
struct SubprocessAgentTests {
    /// A shell program that does `body` for each line, with the line's id in `$id` and its payload, a text, in `$word`.
    private func agent(_ name: AgentID, role: Role = .worker, _ body: String) throws
        -> SubprocessAgent
    {
        let script = """
            say() { printf '{"type":"%s",%s}\\n' "$1" "$2"; }
            while IFS= read -r line; do
                id=${line#*'"id":"'}; id=${id%%'"'*}
                word=${line##*'"payload":"'}; word=${word%%'"'*}
                case $line in
                '{"type":"work"'*|'{"type":"message"'*) \(body) ;;
                esac
            done
            """
        return SubprocessAgent(
            AgentDescriptor(name, role: role), try AgentCommand("/bin/sh", ["-c", script]),
            grace: .milliseconds(300))
    }

    @Test func `a session of programs carries out a goal, and leaves nothing of them`() async throws
    {
        let coordinator = AgentCoordinator()
        let session = try await coordinator.createSession(
            "team", goal: "count", strategy: "parallel")
        let agents = try ["a", "b"].map { name in
            try agent(
                AgentID(name), #"say result "\"id\":\"$id\",\"value\":\"\#(name) did it\"""#)
        }
        for agent in agents { try await coordinator.addAgent(agent, to: session.id) }
        let outcome = try await coordinator.execute(
            session.id, Goal("count", payload: ["items": [1, 2, 3, 4]]))
        #expect(outcome.status == .completed)
        #expect(outcome.value.array?.count == 4)
        let processes = agents.compactMap(\.processID)
        #expect(!processes.isEmpty)
        _ = try await coordinator.end(session.id)
        for agent in agents { await agent.leave() }  // twice is once
        #expect(agents.allSatisfy { $0.processID == nil })
    }

    @Test func `programs talk to agents, answer questions and tell the strategy`() async throws {
        let coordinator = AgentCoordinator()
        let session = try await coordinator.createSession(
            "talk", goal: "talk", strategy: "parallel")
        let heard = Promise<JSONValue>()
        let program = try agent(
            "program",
            #"""
            case $line in
            '{"type":"work"'*)
                say heartbeat "\"id\":\"$id\""
                say tell '"payload":"I am at it"'
                say send '"to":"listener","payload":"psst"'
                say result "\"id\":\"$id\",\"value\":1" ;;
            *) say reply "\"id\":\"$id\",\"payload\":\"you said $word\"" ;;
            esac
            """#)
        try await coordinator.addAgent(program, to: session.id)
        try await coordinator.addAgent(
            Listener(descriptor: AgentDescriptor("listener", role: .reviewer), heard: heard),
            to: session.id)
        let outcome = try await coordinator.execute(session.id, Goal("talk"))
        #expect(outcome.status == .completed)
        #expect(await heard.value(within: .seconds(30)) == "you said hello")
        _ = try await coordinator.end(session.id)
    }

    @Test func `a work that killed its program goes to another one`() async throws {
        let coordinator = AgentCoordinator()
        let session = try await coordinator.createSession("crash", goal: "x", strategy: "parallel")
        try await coordinator.addAgent(try agent("bad", "exit 1"), to: session.id)
        try await coordinator.addAgent(
            try agent("good", #"say result "\"id\":\"$id\",\"value\":\"good\"""#), to: session.id)
        let outcome = try await coordinator.execute(
            session.id, Goal("x", payload: ["items": [1, 2, 3]]))
        #expect(outcome.status == .completed)
        #expect(outcome.value == ["good", "good", "good"])
        _ = try await coordinator.end(session.id)
    }
}

/// Asks whoever says something to it a question, and keeps the reply.
private struct Listener: Agent {
    let descriptor: AgentDescriptor
    let heard: Promise<JSONValue>

    func perform(_ request: WorkRequest, _ context: AgentContext) async throws -> WorkAnswer {
        WorkAnswer(.null)
    }

    func receive(_ message: Message, _ context: AgentContext) async {
        guard message.payload == "psst" else { return }
        let reply = try? await context.ask("hello", of: "program", within: .seconds(30))
        if let reply { heard.fulfill(reply) }
    }
}
