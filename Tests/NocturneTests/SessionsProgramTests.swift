// SessionsProgramTests.swift — `nocturne-plugins sessions` as people and scripts use it, on a real host with real
// plugins and programs. Next: HostProcess.swift.

import Glibc
import Nocturne
import Testing

@Suite(.serialized) struct SessionsProgramTests {
    /// A program that is an agent: it answers with the text in capitals, after as many seconds as the text says.
    private static let shouter = """
        import json, sys, time
        for line in sys.stdin:
            said = json.loads(line)
            if said["type"] == "work":
                text = said["work"]["text"]
                if text.startswith("wait"): time.sleep(600)
                print(json.dumps({"type": "result", "id": said["id"], "value": text.upper()}), flush=True)
        """

    private static func run(
        _ plugins: String..., body: @escaping @Sendable (HostProcess) throws -> Void
    ) async throws {
        try await HostProcess.run { host in
            try write(shouter, to: host.root + "/shouter.py")
            let command: JSONValue = [
                "command": ["/usr/bin/env", "python3", .string(host.root + "/shouter.py")]
            ]
            try host.configure(["coordination": ["commands": ["shout": command]]])
            try host.start()
            for plugin in plugins { try host.drop(plugin) }
            try host.waitUntil("the plugins serve") { try host.serving() == plugins.count }
            try body(host)
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        defer { fclose(file) }
        fputs(text, file)
    }

    private func run(_ session: JSONValue, on host: HostProcess, _ words: String...) throws
        -> Program.Result
    {
        try Self.write("\(session)", to: host.root + "/session.json")
        return try Program.run(
            ["sessions", "run", host.root + "/session.json", "--socket", host.socket] + words)
    }

    @Test func `a plugin's agent and a program share the works, and the timeline tells it`()
        async throws
    {
        try await Self.run("coordinates.so") { host in
            let result = try run(
                [
                    "id": "both", "goal": "four things", "strategy": "parallel",
                    "agents": [["agent": "helper"], ["command": "shout"]],
                    "execute": ["description": "do", "payload": ["items": [1, 2, 3, 4]]],
                ], on: host)
            #expect(result.status == 0, "\(result.errors)")
            let value = try JSONParser.parse(result.output)
            #expect(value.array?.count == 4)
            #expect(value.array?.contains("DO") == true)
            #expect(result.errors.contains("helper joined as worker"))
            #expect(result.errors.contains("outcome: completed"))
            #expect(try host.command("sessions", "list").contains("both  ended  parallel  2"))
            let timeline = try host.command("sessions", "replay", "both")
            #expect(timeline.contains("item/3 → "), "\(timeline)")
            #expect(timeline.contains("session ended"))
            #expect(try host.command("sessions", "agents").contains("command  shout"))
            #expect(try host.command("sessions", "delete", "both") == "both: deleted\n")
            #expect(try host.command("sessions", "list") == "no sessions\n")
        }
    }

    @Test(arguments: [
        ("one-work", 0, "\"well\"\n", ""),
        ("senseless", 70, "", "dance"), ("crashing", 70, "", "SIGABRT"),
    ])
    func `a plugin's strategy decides, and one that is bad ends the session truthfully`(
        strategy: String, status: Int32, output: String, says: String
    ) async throws {
        try await Self.run("coordinates.so") { host in
            let session: JSONValue = [
                "id": "s", "strategy": .string(strategy), "agents": [["agent": "helper"]],
                "execute": ["description": "do it"],
            ]
            let result = try run(session, on: host)
            #expect(result.status == status, "\(result.errors)")
            #expect(status != 0 || result.output == output)
            #expect(result.errors.contains(says), "\(result.errors)")
            guard status != 0 else { return }
            var other = session.object ?? [:]
            (other["id"], other["fallback"]) = ("t", "parallel")
            let saved = try run(.object(other), on: host)
            #expect(saved.status == 0, "\(saved.errors)")
            #expect(saved.errors.contains("parallel takes over"))
        }
    }

    @Test func `works of a plugin that dies, is replaced or disabled are done by others`()
        async throws
    {
        try await Self.run("coordinates.so") { host in
            let session: JSONValue = [
                "id": "s", "strategy": "parallel", "agents": [["agent": "patient"]],
                "execute": ["description": "do"],
            ]
            let begun = try run(session, on: host, "--detach")
            #expect(begun.status == 0, "\(begun.errors)")
            try host.waitUntil("the agent works") {
                try host.command("sessions", "replay", "s").contains("→ patient")
            }
            _ = try host.command("reload", "coordinates")
            _ = try host.command("sessions", "add-agent", "s", "--command", "shout")
            #expect(try !host.command("sessions", "show", "s").contains("outcome"))
            _ = try host.command("disable", "coordinates")
            try host.waitUntil("the other agent has done it") {
                try host.command("sessions", "show", "s").contains("outcome      completed")
            }
            let timeline = try host.command("sessions", "replay", "s")
            #expect(timeline.contains("patient left: coordinates does not serve it any more"))
            #expect(timeline.contains("✓ shout: DO"), "\(timeline)")
        }
    }

    @Test func `a host that is killed loses nothing that was finished`() async throws {
        try await Self.run("coordinates.so") { host in
            let session: JSONValue = [
                "id": "s", "strategy": "pipeline",
                "parameters": [
                    "stages": [
                        ["name": "first", "text": "one"], ["name": "second", "text": "wait"],
                    ]
                ],
                "agents": [["command": "shout"]],
                "execute": ["description": "do", "payload": ["items": [1]]],
            ]
            let begun = try run(session, on: host, "--detach")
            #expect(begun.status == 0, "\(begun.errors)")
            try host.waitUntil("the second stage runs") {
                let timeline = try host.command("sessions", "replay", "s")
                return timeline.contains("✓ shout: ONE") || timeline.contains("session:")
            }
            host.signal(SIGKILL)
            _ = host.end()
            try host.start()
            let timeline = try host.command("sessions", "replay", "s")
            #expect(
                timeline.split(separator: "\n").filter { $0.contains("✓ shout: ONE") }.count == 1)
            let show = try host.command("sessions", "show", "s")
            #expect(show.contains("state        executing"), "\(show)")
            let fork = try host.command("sessions", "fork", "s", "t")
            #expect(fork.hasPrefix("t: executing, 1 agent"), "\(fork)")
            #expect(
                try host.command("sessions", "end", "s").contains(
                    "s: ended, 1 agent, last cancelled"))
            #expect(try host.command("sessions", "show", "s").contains("ONE"))
        }
    }

    @Test(.enabled(if: getenv("NOCTURNE_SAMPLES") != nil, "needs Scripts/build-samples"))
    func `the samples decide and tell as their READMEs say`() async throws {
        try await Self.run("rounds.so", "double-check.so") { host in
            let told = try run(
                [
                    "id": "story", "strategy": "rounds", "parameters": ["rounds": 2],
                    "agents": [
                        ["agent": "teller", "id": "ann"], ["agent": "teller", "id": "bob"],
                    ],
                    "execute": ["description": "a story"],
                ], on: host)
            #expect(told.status == 0, "\(told.errors)")
            let story = try JSONParser.parse(told.output).array ?? []
            #expect(story.count == 4)
            #expect(story.first == "sentence 1 of a story")
            #expect(story.last?.string?.hasSuffix("sentence 4 of a story") == true)
            #expect(told.errors.contains("turn-3 → bob"), "\(told.errors)")

            let checked = try run(
                [
                    "id": "twice", "strategy": "double-check",
                    "agents": [["agent": "teller"], ["agent": "teller", "id": "other"]],
                    "execute": ["description": "\"quoted\" \u{1F319}"],
                ], on: host)
            #expect(checked.status == 0, "\(checked.errors)")
            #expect(
                try JSONParser.parse(checked.output) == "sentence 1 of \"quoted\" \u{1F319}")
            #expect(checked.errors.contains("second"))

            // An agent that says something else: a third work decides.
            let third = try run(
                [
                    "id": "thrice", "strategy": "double-check",
                    "agents": [["agent": "teller"], ["command": "shout"]],
                    "execute": ["description": "x"],
                ], on: host)
            #expect(third.errors.contains("third →"), "\(third.errors)")
            #expect(third.status == 0, "\(third.errors)")
        }
    }
}
