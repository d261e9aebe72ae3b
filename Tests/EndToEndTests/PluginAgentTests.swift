// PluginAgentTests.swift — strategies and agents of plugins, as an engine calls them: what they answer and say, and how
// they fail. Next: PluginExporterTests.swift.

import NocturneCore
import Synchronization
import Testing

@testable import NocturneHost

@Suite struct PluginAgentTests {
    /// What an agent says.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func hear(_ line: [UInt8]) {
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
    }

    private func call(
        _ kind: PluginEngineCall.Kind, _ name: String, _ input: String = "{}",
        in harness: HostHarness, timeLeft: Duration = .seconds(5), lines: Lines? = nil
    ) async throws -> PluginEngineCallEnd {
        let place = try #require(await harness.host.caller.waitForPlace(in: "coordinates"))
        var hear: (@Sendable ([UInt8]) -> Void)?
        if let lines { hear = { lines.hear($0) } }
        return await place.call(
            PluginEngineCall(
                kind: kind, name: name, input: Array(input.utf8), timeLeft: timeLeft,
                stopGrace: .milliseconds(500), hear: hear))
    }

    private func json(_ end: PluginEngineCallEnd) throws -> JSONValue? {
        guard case .completed(let bytes) = end else {
            Issue.record("\(end)")
            return nil
        }
        return try JSONParser.parse(bytes)
    }

    @Test func `the host tells which strategies and agents there are`() async throws {
        try await HostHarness.run(["coordinates"]) { harness in
            let info = try #require(await harness.info("coordinates"))
            #expect(info.strategies == ["one-work", "senseless", "crashing", "slow"])
            #expect(info.agents.count == 7 && info.inactive.isEmpty)
            #expect(harness.host.strategyNames == ["coordinates": Set(info.strategies)])
            let helper = try #require(harness.host.agents.first { $0.name == "helper" })
            #expect(helper.plugin == "coordinates" && helper.capabilities == ["help"])
            #expect(helper.concurrency == 2)
            _ = try await harness.host.disable("coordinates")
            #expect(harness.host.agents.isEmpty && harness.host.agentNames.isEmpty)
        }
    }

    @Test func `a step is bytes in and bytes out`() async throws {
        try await HostHarness.run(["coordinates"]) { harness in
            let input = #"{"state":null,"parameters":null,"inputs":[{"type":"started"}]}"#
            let step = try json(try await call(.strategy, "one-work", input, in: harness))
            #expect(step?["state"] == ["steps": 1])
            #expect(step?["commands"]?.array?.first?["type"] == "assign")
        }
    }

    @Test func `an agent answers, fails with what it used, and refuses`() async throws {
        try await HostHarness.run(["coordinates"]) { harness in
            let answer = try json(try await call(.agent, "helper", in: harness))
            #expect(answer?["usage"] == ["tokens": 7])
            let failure = try json(try await call(.agent, "failing", in: harness))
            #expect(failure == ["type": "failed", "message": "not today", "usage": ["tokens": 3]])
            guard case .invalidInput(let why) = try await call(.agent, "refusing", in: harness)
            else {
                Issue.record("it refuses")
                return
            }
            #expect(why.contains("coordinates") && why.contains("nobody can"))
        }
    }

    @Test func `what an agent says comes before its answer, in order, and only agents may say it`()
        async throws
    {
        try await HostHarness.run(["coordinates"]) { harness in
            let lines = Lines()
            let answer = try json(try await call(.agent, "talking", in: harness, lines: lines))
            #expect(
                lines.all == [
                    #"{"type":"heartbeat"}"#, #"{"type":"send","to":"helper","payload":1}"#,
                    #"{"type":"tell","payload":2}"#,
                ])
            // EMSGSIZE 90, EINVAL 22, EPERM 1 of errno(3).
            #expect(answer?["value"] == [-90, -22, -1])
            let tool = try await harness.host.call("coordinates", [:])
            #expect(tool["say"] == -1 && tool["log"] == -1)
        }
    }

    @Test
    func
        `a work that is taken back is stopped; a step that hangs is killed; both leave a free place`()
        async throws
    {
        try await HostHarness.run(["coordinates"]) { harness in
            let pid = try await harness.number("coordinates", "pid")
            let work = Task {
                try await call(.agent, "patient", in: harness, timeLeft: .seconds(60))
            }
            try await harness.eventually("it works") {
                harness.host.measurements().first { $0.plugin == "coordinates" }?.inFlight == 1
            }
            work.cancel()
            #expect(try await work.value == .cancelled)
            #expect(try await harness.number("coordinates", "pid") == pid)
            guard
                case .timedOut(let why) = try await call(
                    .strategy, "slow", in: harness, timeLeft: .milliseconds(200))
            else {
                Issue.record("it hangs")
                return
            }
            #expect(why.contains("200 ms") && why.contains("slow"))
            try await harness.status("coordinates", .enabled)
            #expect(try json(try await call(.agent, "helper", in: harness)) != nil)
        }
    }

    @Test func `an agent that dies over a work is named; a reload withdraws the work`()
        async throws
    {
        try await HostHarness.run(["coordinates"]) { harness in
            guard case .crashed(let why) = try await call(.agent, "dying", in: harness) else {
                Issue.record("it dies")
                return
            }
            #expect(why.contains("coordinates") && why.contains("SIGABRT"))
            try await harness.status("coordinates", .enabled)
            let work = Task {
                try await call(.agent, "patient", in: harness, timeLeft: .seconds(60))
            }
            try await harness.eventually("it works") {
                harness.host.measurements().first { $0.plugin == "coordinates" }?.inFlight == 1
            }
            _ = try await harness.host.reload("coordinates")
            guard case .withdrawn(let why) = try await work.value else {
                Issue.record("it is to move to the new generation")
                return
            }
            #expect(why.contains("coordinates"))
        }
    }
}
