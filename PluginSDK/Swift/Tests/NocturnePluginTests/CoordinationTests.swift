// CoordinationTests.swift — strategies and agents as the host calls them, through the ABI. Next: FakeHost.swift.

import CNocturne
import NocturnePlugin
import Synchronization
import Testing

/// The host's service for agents, as FakeHost has it.
enum FakeAgents {
    private static let lines = Mutex<[String]>([])

    /// What was said since the last look.
    static func takeLines() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    static let table = nocturne_host_agents_t(
        struct_size: FakeServices.size(nocturne_host_agents_t.self), reserved: 0,
        say: { _, json, size in
            FakeAgents.lines.withLock { $0.append(FakeHost.text(json, size)) }
            return 0
        })
}

extension `Everything that goes through the one plugin of a process`.`Calls` {
    private struct Count: Codable, Sendable { var inputs: Int }

    private func step(_ strategy: Strategy, _ input: String) throws -> FakeCall.Answer? {
        try EnteredPlugin(Plugin(strategies: ["s": strategy]))
            .call("s", input, in: NOCTURNE_STRATEGIES).first
    }

    private func work(_ agent: Agent, _ input: String) throws -> FakeCall.Answer? {
        try EnteredPlugin(Plugin(agents: ["a": agent])).call("a", input, in: NOCTURNE_AGENTS).first
    }

    @Test func `a step begins with what the parameters say, and goes on with what it left`() throws
    {
        let strategy = Strategy({ Count(inputs: $0["from"]?.integer ?? 0) }) { state, input in
            state.inputs += 1
            return [["type": "note", "text": input["type"] ?? nil]]
        }
        let first = try step(
            strategy,
            #"{"parameters":{"from":5},"state":null,"inputs":[{"type":"a"},{"type":"b"}]}"#)
        #expect(first?.json?["state"] == ["inputs": 7])
        #expect(
            first?.json?["commands"] == [
                ["type": "note", "text": "a"], ["type": "note", "text": "b"],
            ])
        let next = try step(
            strategy, #"{"parameters":{"from":5},"state":{"inputs":7},"inputs":[{}]}"#)
        #expect(next?.json?["state"] == ["inputs": 8])
        let broken = try step(strategy, #"{"state":{"inputs":"many"},"inputs":[]}"#)
        #expect(broken?.status == NOCTURNE_FAILED)
    }

    @Test func `an agent knows its work, speaks, and says what it used`() throws {
        let agent = Agent { work in
            try work.heartbeat()
            try work.send("hi", to: "bob")
            try work.send(1, topic: "news")
            try work.tellStrategy(nil)
            return AgentAnswer(
                [JSON(work.id), JSON(work.text), work.payload, JSON(work.attempt), JSON(work.key)],
                tokens: 7, handOff: "bob")
        }
        _ = FakeAgents.takeLines()
        let answer = try work(
            agent,
            #"{"type":"work","attempt":2,"key":"k","work":{"id":"w","text":"do","payload":[3]}}"#)
        #expect(answer?.json?["value"] == ["w", "do", [3], 2, "k"])
        #expect(answer?.json?["usage"] == ["tokens": 7, "cost": 0])
        #expect(answer?.json?["handOff"] == "bob")
        #expect(
            FakeAgents.takeLines() == [
                #"{"type":"heartbeat"}"#, #"{"type":"send","to":"bob","payload":"hi"}"#,
                #"{"type":"send","topic":"news","payload":1}"#, #"{"type":"tell","payload":null}"#,
            ])
    }

    @Test func `an agent fails with what it used, refuses, and hears messages`() throws {
        let failing = Agent(hears: { message in
            [JSON(message.sender ?? "-"), message.payload, JSON(message.wantsReply)]
        }) { work in
            if work.text == "refuse" { throw PluginError.invalidInput("nobody can") }
            throw AgentFailure("not today", tokens: 3)
        }
        let failed = try work(failing, #"{"type":"work","work":{"id":"w","text":"do"}}"#)
        #expect(failed?.status == NOCTURNE_OK)
        #expect(
            failed?.json == [
                "type": "failed", "message": "not today", "usage": ["tokens": 3, "cost": 0],
            ])
        let refused = try work(failing, #"{"type":"work","work":{"id":"w","text":"refuse"}}"#)
        #expect(refused?.status == NOCTURNE_INVALID_INPUT)
        let heard = try work(
            failing, #"{"type":"message","from":"ann","wantsReply":true,"payload":5}"#)
        #expect(heard?.json == ["value": ["ann", 5, true]])
    }
}
