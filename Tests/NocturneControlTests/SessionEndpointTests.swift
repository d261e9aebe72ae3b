// SessionEndpointTests.swift — sessions over a real socket: what is asked of the coordinator, and what comes back.
// Next: EchoingAgents.swift.

import NocturneCoordination
import NocturneCore
import NocturneHost
import TestKit
import Testing

@testable import NocturneControl

@Suite struct SessionEndpointTests {
    private static let poem: JSONValue = [
        "id": "poem", "goal": "a poem", "strategy": "parallel",
        "agents": [
            ["agent": "echo"], ["agent": "echo", "id": "b", "capabilities": [["name": "rhyme"]]],
        ],
        "execute": ["description": "two lines", "payload": ["items": [1, 2]]],
    ]

    @Test func `a session is made, carried out, followed to its end, ended and deleted`()
        async throws
    {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                let made = try client.json("POST", "/v1/sessions", body: Self.poem)
                let since = try #require(made["event"]?.int)
                var names: [String] = []
                try client.follow("/v1/sessions/poem/events?since=\(since)") { event in
                    let json = (try? JSONParser.parse(event.data)) ?? .null
                    #expect(json["payload"]?["sessionId"] == "poem")
                    names.append(json["name"]?.string ?? "?")
                    return true
                }
                #expect(names.first == "session:created" && names.last == "execution:completed")
                #expect(names.filter { $0 == "agent:joined" }.count == 2)
                #expect(names.filter { $0 == "task:completed" }.count == 2)
                let session = try client.json("GET", "/v1/sessions/poem")
                #expect(session["state"] == "idle")
                #expect(session["outcome"]?["status"] == "completed")
                let skills = session["agents"]?.array?.last?["capabilities"]?.array ?? []
                #expect(skills.compactMap { $0["name"]?.string } == ["echoing", "rhyme"])
                #expect(
                    try client.json("POST", "/v1/sessions/poem/end", body: [:])["state"] == "ended")
                _ = try client.send("DELETE", "/v1/sessions/poem")
                #expect(try client.json("GET", "/v1/sessions") == [])
            }
        }
    }

    @Test func `agents come and go, a pause holds, and a goal begins later`() async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                _ = try client.json(
                    "POST", "/v1/sessions", body: ["id": "s", "strategy": "parallel"])
                _ = try client.json("POST", "/v1/sessions/s/agents", body: ["agent": "echo"])
                _ = try client.json(
                    "POST", "/v1/sessions/s/agents", body: ["agent": "waits", "role": "observer"])
                let left = try client.json("DELETE", "/v1/sessions/s/agents/waits")
                #expect(left["agents"]?.array?.count == 1)
                #expect(
                    try client.json("POST", "/v1/sessions/s/pause", body: [:])["state"] == "paused")
                let begun = try client.json(
                    "POST", "/v1/sessions/s/execute", body: ["description": "x"])
                #expect(begun["outcome"] == nil)
                _ = try client.json("POST", "/v1/sessions/s/resume")
                try client.follow("/v1/sessions/s/events?since=0") { _ in true }
                let session = try client.json("GET", "/v1/sessions/s")
                #expect(session["outcome"]?["status"] == "completed")
                let sent = try client.json(
                    "POST", "/v1/sessions/s/send", body: ["to": "echo", "payload": "hello"])
                #expect(sent["id"] == "s")
                _ = try client.json("POST", "/v1/sessions/s/broadcast", body: ["payload": 1])
            }
        }
    }

    @Test(
        arguments: [
            ("GET", "/v1/sessions/none", .null, "unknownSession"),
            ("GET", "/v1/sessions/a%2Fb", .null, "invalidName"),
            ("POST", "/v1/sessions", ["goal": "x"], "malformed"),
            ("POST", "/v1/sessions", ["id": "x", "gaol": "y"], "malformed"),
            ("POST", "/v1/sessions", ["id": "x", "strategy": "none"], "unknownStrategy"),
            (
                "POST", "/v1/sessions", ["id": "x", "agents": [["agent": "none"]]],
                "unknownAgentName"
            ),
            (
                "POST", "/v1/sessions", ["id": "x", "agents": [["command": "sh"]]],
                "unknownAgentName"
            ),
            ("POST", "/v1/sessions", ["id": "x", "agents": [["id": "y"]]], "malformed"),
            (
                "POST", "/v1/sessions",
                ["id": "x", "agents": [["agent": "echo"], ["agent": "echo"]]],
                "agentExists"
            ),
            (
                "POST", "/v1/sessions", ["id": "x", "execute": ["description": "nobody does it"]],
                "noAgents"
            ),
            ("POST", "/v1/sessions", ["id": "x", "policy": ["attempts": 0]], "malformed"),
            ("POST", "/v1/sessions", ["id": "there"], "sessionExists"),
            ("POST", "/v1/sessions/there/send", ["to": "nobody", "payload": 1], "unknownAgent"),
            (
                "POST", "/v1/sessions/there/answer", ["question": "q", "value": 1],
                "unknownQuestion"
            ),
            ("POST", "/v1/sessions/there/answer", ["value": 1], "wrongBody"),
            ("DELETE", "/v1/sessions/there", .null, "wrongState"),
            ("DELETE", "/v1/sessions/there/agents/none", .null, "unknownAgent"),
            ("GET", "/v1/sessions/there/timeline", .null, "unknownSession"),
        ] as [(String, String, JSONValue, String)])
    func `what cannot be is refused by name, and nothing is left of it`(
        method: String, target: String, body: JSONValue, code: String
    ) async throws {
        try await withServer(of: FakeHost()) { _, client in
            try await blocking {
                _ = try client.json("POST", "/v1/sessions", body: ["id": "there"])
            }
            let report = await refusal {
                try client.send(method, target, body: body.isNull ? [] : body.serialized())
            }
            #expect(report?.code == code, "\(report.map { "\($0)" } ?? "it was not refused")")
            try await blocking {
                let list = try client.json("GET", "/v1/sessions")
                #expect(list.array?.compactMap { $0["id"]?.string } == ["there"])
            }
        }
    }
}
