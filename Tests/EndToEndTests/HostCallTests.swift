// HostCallTests.swift — calls of real plugins in real workers: results, and every way in which one can fail.

import CWire
import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostCallTests {
    @Test func `a file that is renamed into the directory serves within moments`() async throws {
        try await HostHarness.run { harness in
            try harness.drop("counter")
            try await harness.status("counter", .enabled)

            #expect(try await harness.host.call("counter") == ["value": 1, "build": "a"])
            #expect(try await harness.host.call("counter") == ["value": 2, "build": "a"])
            let info = try #require(await harness.info("counter"))
            #expect(
                info.version == "1.0.0" && info.generation == 1 && info.calls == 2
                    && info.errors == 0)
            #expect(info.pid ?? 0 > 0 && info.tools == ["counter"])
            #expect(
                Set(info.layers).isSuperset(of: ["seccomp", "landlock", "self-test", "non-root"]))
            #expect(harness.host.tools.map(\.name) == ["counter"])
        }
    }

    @Test func `a tool that nobody has is refused and names what was asked for`() async throws {
        try await HostHarness.run { harness in
            let error = try await harness.failure("nobodys")
            #expect(error == .unknownTool(name: "nobodys", kind: "tool"))
        }
    }

    @Test func `input that is no JSON, or not what the schema says, never reaches the plugin`()
        async throws
    {
        try await HostHarness.run { harness in
            let path = "\(harness.root)/staging/picky.so"
            try Fixtures.compile(
                """
                #include "fixture.h"
                FIXTURE("picky", "contributes": { "tools": [ { "name": "picky", "input": {
                    "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } } ] })
                static int seen;
                HANDLER(tell) { answer(call, "%d", ++seen); }
                NOCTURNE_PLUGIN(NOCTURNE_TOOL("picky", tell))
                """, to: path)
            _ = try await harness.host.load(from: path)

            guard
                case .invalidInput("picky", "picky", let why) = try await harness.failure(
                    "picky", ["n": "x"])
            else { throw HostHarness.Missed(what: "invalidInput") }
            #expect(why.contains("n") && why.contains("integer"))
            for text in ["{", "", "{\"n\":1}x", "\u{1}"] {
                await #expect {
                    _ = try await harness.host.router.call(
                        .tool, "picky", CallInput(text: Array(text.utf8)))
                } throws: { ($0 as? CallError)?.code == "invalidInput" }
            }
            #expect(try await harness.host.call("picky", ["n": 1]) == 1)
        }
    }

    @Test func `what a plugin says of its failure arrives with its meaning`() async throws {
        try await HostHarness.run(["fails"]) { harness in
            let expected: [(JSONValue, CallError)] = [
                (1, .failed("fails", name: "fails", message: "as you wished", retryable: false)),
                (2, .failed("fails", name: "fails", message: "as you wished", retryable: true)),
                (3, .invalidInput("fails", name: "fails", why: "as you wished")),
                (4, .failed("fails", name: "fails", message: "as you wished", retryable: true)),
                (
                    9,
                    .failed(
                        "fails", name: "fails", message: "the status was refused", retryable: false)
                ),
            ]
            for (n, error) in expected {
                #expect(try await harness.failure("fails", ["n": n]) == error)
            }
            // 4,096 bytes of é are cut to 512 bytes at most, between two characters.
            guard
                case .failed(_, _, let message, _) = try await harness.failure("fails", ["long": 1])
            else { throw HostHarness.Missed(what: "failed") }
            #expect(
                message.utf8.count > 400 && message.utf8.count <= 512
                    && message.allSatisfy { $0 == "é" })
            #expect(await harness.info("fails")?.generation == 1)
        }
    }

    @Test func `four calls run at once where the manifest says four, never a fifth`() async throws {
        try await HostHarness.run(["concurrent"]) { harness in
            let host = harness.host
            let results = try await withThrowingTaskGroup { group in
                for _ in 0..<12 {
                    group.addTask { try await host.call("concurrent", ["n": 60])["most"]?.int ?? 0 }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.max() == 4)
        }
    }

    @Test func `a full queue answers busy at once, and those who wait are served in order`()
        async throws
    {
        try await HostHarness.run(["busy"]) { harness in
            let host = harness.host
            let gate = await host.supervisor(of: "busy").gate
            func caller() -> Task<ContinuousClock.Instant, any Error> {
                Task {
                    _ = try await host.call("busy", ["n": 150])
                    return .now
                }
            }
            let first = caller()
            try await harness.eventually("it runs") { gate.load.running == 1 }
            let second = caller()
            try await harness.eventually("it waits") { gate.waitingCount == 1 }
            let third = caller()
            try await harness.eventually("both wait") { gate.waitingCount == 2 }

            let clock = ContinuousClock()
            let asked = clock.now
            #expect(try await harness.failure("busy") == .busy("busy", waiting: 2))
            #expect(clock.now - asked < .milliseconds(100))
            let ends = try await [first.value, second.value, third.value]
            #expect(ends[0] < ends[1] && ends[1] < ends[2])
            _ = try await host.call("busy", ["n": 1])
        }
    }

    @Test
    func `a cancelled caller returns at once, the plugin sees it, and its place is free again`()
        async throws
    {
        try await HostHarness.run(["slow", "busy"]) { harness in
            let host = harness.host
            let gate = await host.supervisor(of: "slow").gate
            let call = Task { try await host.call("slow", ["n": 8_000, "polite": 1]) }
            try await harness.eventually("it runs") { gate.load.running == 1 }
            call.cancel()
            await #expect(throws: CallError.cancelled("slow", name: "slow")) {
                try await call.value
            }
            try await harness.eventually("the place is free", within: .seconds(3)) {
                gate.load.running == 0
            }
            #expect(try await host.call("slow", ["n": 1])["slept"] == 1)
            #expect(await harness.info("slow")?.generation == 1)

            // One that waits only gives up its place in the queue.
            let queue = await host.supervisor(of: "busy").gate
            let runs = Task { try await host.call("busy", ["n": 300]) }
            try await harness.eventually("it runs") { queue.load.running == 1 }
            let waits = Task { try await host.call("busy") }
            try await harness.eventually("it waits") { queue.waitingCount == 1 }
            waits.cancel()
            await #expect(throws: CallError.cancelled("busy", name: "busy")) {
                try await waits.value
            }
            #expect(queue.waitingCount == 0)
            _ = try await runs.value
        }
    }

    @Test func `a call that its caller has left keeps its place until the plugin is done with it`()
        async throws
    {
        try await HostHarness.run(["busy"]) { harness in
            let host = harness.host
            let gate = await host.supervisor(of: "busy").gate
            let left = Task { try await host.call("busy", ["n": 400]) }
            try await harness.eventually("it runs") { gate.load.running == 1 }
            left.cancel()
            _ = await left.result
            #expect(gate.load.running == 1)
            // The next one waits for the thread outside of the plugin, so no deadline of its runs meanwhile.
            _ = try await host.call("busy", ["n": 1])
            #expect(gate.load.running == 0)
        }
    }

    @Test func `computing plugins see that nobody waits, and their cancel function is called`()
        async throws
    {
        try await HostHarness.run(["spins"]) { harness in
            let host = harness.host
            let call = Task { try await host.call("spins") }
            // Only a call that the plugin has begun can see that nobody waits for it.
            try await harness.eventually("it runs") {
                try await host.call("spins", ["tell": 1])["started"] == 1
            }
            call.cancel()
            try await harness.eventually("it gave up") {
                try await host.call("spins", ["tell": 1]) == [
                    "started": 1, "cancels": 1, "givenUp": 1,
                ]
            }
        }
    }

    @Test func `a caller in a hurry gives up alone: the plugin serves on`() async throws {
        try await HostHarness.run(["slow"]) { harness in
            let before = try #require(await harness.info("slow")?.pid)
            let error = try await harness.failure(
                "slow", ["n": 8_000, "polite": 1], CallOptions(deadlineMilliseconds: 50))
            #expect(error == .gaveUp("slow", name: "slow", milliseconds: 50))
            #expect(try await harness.host.call("slow", ["n": 1])["slept"] == 1)
            #expect(await harness.info("slow")?.pid == before)
        }
    }

    @Test func `a call that gets no place before its deadline says so and kills nobody`()
        async throws
    {
        try await HostHarness.run(["busy"]) { harness in
            let host = harness.host
            let gate = await host.supervisor(of: "busy").gate
            let first = Task { try await host.call("busy", ["n": 400]) }
            try await harness.eventually("it runs") { gate.load.running == 1 }
            let error = try await harness.failure(
                "busy", [:], CallOptions(deadlineMilliseconds: 60))
            #expect(error == .waitedTooLong("busy", name: "busy", milliseconds: 60))
            _ = try await first.value
            #expect(await harness.info("busy")?.generation == 1)
        }
    }

    @Test func `handlers given at run time are called; withdrawn ones are said to be`() async throws
    {
        try await HostHarness.run(["registers"]) { harness in
            let host = harness.host
            #expect(try await host.call("registers-other") == ["context": "first"])
            #expect(try await host.command("registers:hello") == "hello")
            #expect(try await host.call("registers", ["do": "off"]) == ["error": 0])
            let error = try await harness.failure("registers-other")
            #expect(error == .notRegistered("registers", name: "registers-other"))
            #expect(try await host.call("registers", ["do": "on"]) == ["error": 0])
            #expect(try await host.call("registers-other") == ["context": "second"])
            #expect(try await harness.number("registers", "error", ["do": "foreign"]) < 0)
        }
    }
}

@Suite struct HostPayloadTests {
    @Test func `results of every size arrive whole, written in place or copied`() async throws {
        try await HostHarness.run(["payload"]) { harness in
            let limit = Int(WIRE_PAYLOAD_MAX)
            for size in [2, 39, 40, 41, 65_535, 65_536, 65_537, 1 << 20, limit] {
                for reserve in size > 1 << 20 ? [1] : [0, 1] {
                    let input = JSONValue.object([
                        "n": JSONValue(size), "reserve": JSONValue(reserve),
                    ])
                    let bytes = try await harness.host.callBytes("payload", input.serialized())
                    #expect(bytes.count == size && bytes.first == 34 && bytes.last == 34)
                    #expect(bytes.dropFirst().dropLast().allSatisfy { $0 == 112 })
                }
            }
            #expect(
                try await harness.host.call("payload", ["n": 70_000]).string?.utf8.count == 69_998)
            // A second reservation voids the first, and a result of one's own may be larger than what was reserved.
            for reserve: JSONValue in [0, 1] {
                let input: JSONValue = ["n": 1_000_000, "reserve": reserve, "first": 70_000]
                let reply = try await harness.host.call("payload", input)
                #expect(reply.string?.utf8.count == 999_998)
            }
            _ = try await harness.failure("payload", ["n": JSONValue(limit + 1)])
        }
    }

    @Test func `inputs of every size arrive whole; one past the limit is refused`() async throws {
        try await HostHarness.run(["measure"]) { harness in
            let limit = Int(WIRE_PAYLOAD_MAX)
            for size in [2, 40, 41, 65_536, 65_537, limit] {
                let input = [34] + [UInt8](repeating: 120, count: size - 2) + [34]
                let result = try JSONParser.parse(
                    try await harness.host.callBytes("measure", input))
                #expect(
                    result == ["size": JSONValue(size), "sum": JSONValue(68 + 120 * (size - 2))])
            }
            let text = JSONValue.string(String(repeating: "x", count: limit - 1))
            #expect(
                try await harness.failure("measure", text)
                    == .tooLarge(
                        "measure", what: "the input of measure", bytes: limit + 1, limit: limit))
        }
    }

    @Test func `a result over the limit is refused inside the worker, and nobody else notices`()
        async throws
    {
        try await HostHarness.run(["result-too-big"]) { harness in
            #expect(
                try await harness.host.call("result-too-big") == [
                    "error": JSONValue(-90), "reserved": false,
                ])
            let error = try await harness.failure("result-too-big", ["n": 1])
            #expect(
                error
                    == .deadlineExceeded(
                        "result-too-big", name: "result-too-big", milliseconds: 1_000))
        }
    }

    @Test func `a result that is no JSON or has the wrong shape is the plugin's error`()
        async throws
    {
        try await HostHarness.run(["result-not-json", "result-wrong-shape"]) { harness in
            for n in 0...4 {
                let error = try await harness.failure("result-not-json", ["n": JSONValue(n)])
                guard case .invalidResult("result-not-json", "result-not-json", let why) = error
                else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(why.contains("JSON"))
            }
            let error = try await harness.failure("result-wrong-shape")
            guard case .invalidResult("result-wrong-shape", _, let why) = error else {
                throw HostHarness.Missed(what: "invalidResult")
            }
            #expect(why.contains("sum"))
            #expect(await harness.info("result-wrong-shape")?.generation == 1)
        }
    }
}
