// HostServiceTests.swift — what plugins ask of the host and of each other: calls, events, storage, log. One that asks
// without end harms itself.

import CWire
import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostServiceTests {
    @Test func `a plugin is offered each service, and nothing for an id that nobody has`()
        async throws
    {
        try await HostHarness.run(["handshake", "wrong-thread"]) { harness in
            let told = try await harness.host.call("handshake")
            #expect(told["abi"] == 0x0001_0000 || told["abi"]?.int ?? 0 > 0)
            let services = try #require(told["services"]?.object)
            for (id, isThere) in services {
                #expect(isThere == .bool(!id.contains("nonsense")), "\(id)")
            }
            #expect(services.count == 7)
            // EPERM is 1: asked on the loader's thread, before it is active.
            #expect(try await harness.host.call("wrong-thread") == ["emitted": -1, "stored": -1])
        }
    }

    @Test func `a plugin calls a plugin, to the depth that is allowed and no deeper`() async throws
    {
        try await HostHarness.run(["counter", "needs-counter", "ring-a", "ring-b", "ring-c"]) {
            harness in
            let host = harness.host
            #expect(try await host.call("needs-counter") == ["value": 1, "build": "a"])
            #expect(
                try await host.call("ring-a", ["n": 3])
                    == ["ring-a": ["ring-b": ["ring-c": "end"]]])
            // One that the callee fails with is the answer of its caller.
            let missing = try await harness.failure("ring-a", ["n": 1, "tool": "nobodys"])
            #expect(missing.code == "failed" && missing.description.contains("nobodys"))
            #expect(host.router.graph.count == 0)
        }
    }

    @Test func `a chain deeper than sixteen is refused, and all of it ends`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            // Each calls the next, so that no slot is waited for and the depth alone decides.
            let count = CallContext.depthLimit + 2
            for index in 0..<count {
                let next = "deep-\((index + 1) % count)"
                let path = "\(harness.plugins)/deep-\(index).so"
                try Fixtures.compile(
                    "#define SELF \"deep-\(index)\"\n#define NEXT \"\(next)\"\n#include \"ring-of.h\"\n",
                    to: path)
            }
            await host.rescan()
            _ = try await host.call("deep-0", ["n": JSONValue(CallContext.depthLimit - 1)])
            let error = try await harness.failure(
                "deep-0", ["n": JSONValue(CallContext.depthLimit + 1)])
            #expect(error.code == "failed")
            #expect(error.description.contains("\(CallContext.depthLimit)"), "\(error)")
            #expect(host.router.graph.count == 0)
        }
    }

    @Test
    func `calls that would wait for each other in a ring fail with the ring, not with a deadline`()
        async throws
    {
        try await HostHarness.run(["ring-a", "ring-b", "ring-c"]) { harness in
            let host = harness.host
            // Two call places each: the seventh call of one chain would wait for a place that its own chain has.
            let begun = ContinuousClock.now
            let error = try await harness.failure("ring-a", ["n": 9])
            #expect(ContinuousClock.now - begun < .seconds(2))
            let text = error.description
            #expect(text.contains("would wait for itself"), "\(text)")
            for name in ["ring-a", "ring-b", "ring-c"] { #expect(text.contains(name), "\(text)") }

            // Many chains at once: each ends with an answer or with a reason, none hangs.
            let results = await withTaskGroup { group in
                for index in 0..<12 {
                    group.addTask { () -> String in
                        let tool = ["ring-a", "ring-b", "ring-c"][index % 3]
                        do throws(CallError) {
                            _ = try await host.call(tool, ["n": 4])
                            return "answer"
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(results).isSubset(of: ["answer", "failed", "busy", "wouldDeadlock"]))
            try await harness.eventually("all is over") { host.router.graph.count == 0 }
            #expect(try await host.call("ring-a", ["n": 2])["ring-a"] == ["ring-b": "end"])
            for name in ["ring-a", "ring-b", "ring-c"] {
                #expect(await harness.info(name)?.crashes == 0)
            }
        }
    }

    @Test func `events reach listeners with who sent them; foreign names and bad payloads do not`()
        async throws
    {
        try await HostHarness.run(["emitter", "listener"]) { harness in
            let host = harness.host
            func heard() async throws -> Int64 { try await harness.number("listener", "heard") }
            #expect(try await host.call("emitter", ["n": 4]) == ["error": 0])
            try await harness.eventually("it is heard") { try await heard() == 1 }
            let last = try await host.call("listener")["last"]
            #expect(last?["name"] == "emitter:ping" && last?["source"] == "plugin/emitter")

            for bad: JSONValue in [["foreign": 1], ["n": -1], ["n": -2]] {
                _ = try await host.call("emitter", bad)
            }
            #expect(try await host.call("emitter", ["n": 5]) == ["error": 0])
            try await harness.eventually("the next is heard") { try await heard() == 2 }
            #expect(await harness.events("somebody-else:ping").isEmpty)

            #expect(try await harness.number("listener", "error", ["listen": 0]) == 0)
            let before = await harness.events("emitter:ping").count
            _ = try await host.call("emitter")
            try await harness.eventually("it is on its way") {
                await harness.events("emitter:ping").count == before + 1
            }
            for _ in 0..<50 { #expect(try await heard() == 2) }
            #expect(try await harness.number("listener", "error", ["listen": 1]) == 0)
            _ = try await host.call("emitter")
            // Perhaps with the one before, if that was on its way for so long.
            try await harness.eventually("it is heard again") { try await heard() >= 3 }

            // A reload of the listener loses nobody, an unload ends it.
            _ = try await host.reload("listener")
            _ = try await host.call("emitter")
            try await harness.eventually("the new one hears") { try await heard() >= 1 }
            harness.removeFile("listener")
            await host.rescan()
            #expect(try await host.call("emitter") == ["error": 0])
        }
    }

    @Test
    func `storage is private to an id, and survives a crash, a reload, an unload and a restart`()
        async throws
    {
        try await HostHarness.run(["storage"]) { harness in
            func use(_ op: String, _ key: String, _ value: String = "", in tool: String = "storage")
                async throws -> JSONValue
            {
                try await harness.host.call(
                    tool, ["op": .string(op), "key": .string(key), "value": .string(value)])
            }
            #expect(try await use("get", "a")["result"] == -2)  // ENOENT
            #expect(try await use("set", "a", "one")["result"] == 0)
            #expect(try await use("set", "b", "two")["result"] == 0)
            #expect(try await use("bytes", "c")["result"] == 0)
            #expect(try await use("bad-json", "d")["result"] == -22)  // EINVAL
            #expect(try await use("keys", "")["value"] == ["a", "b", "c"])
            #expect(try await use("get", "c")["result"] == 3)

            // The same code under another id sees none of it.
            try harness.drop("other-storage")
            try await harness.status("other-storage", .enabled)
            #expect(try await use("keys", "", in: "other-storage")["value"] == [])
            #expect(try await use("set", "a", "other", in: "other-storage")["result"] == 0)
            #expect(try await use("get", "a")["value"] == "one")

            kill(try #require(await harness.info("storage")?.pid), SIGKILL)
            try await harness.eventually("it is back") {
                await harness.info("storage")?.generation == 2
            }
            #expect(try await use("get", "a")["value"] == "one")
            _ = try await harness.host.reload("storage")
            #expect(try await use("remove", "b")["result"] == 0)
            try await harness.host.unload("storage")
            _ = try await harness.host.load(from: "\(harness.plugins)/storage.so")
            #expect(try await use("keys", "")["value"] == ["a", "c"])
            try await harness.restart()
            #expect(try await use("get", "a")["value"] == "one")
            #expect(try await use("get", "a", in: "other-storage")["value"] == "other")
        }
    }

    @Test(arguments: ["log-flood", "event-flood", "output-flood", "doorbell-flood"])
    func `a plugin that floods the host starves nobody, and is cut short`(_ plugin: String)
        async throws
    {
        try await HostHarness.run([plugin, "counter"]) { harness in
            let host = harness.host
            let amount: JSONValue = plugin == "output-flood" ? 4 : 20_000
            let flood = Task { try? await host.call(plugin, ["n": amount]) }
            var slowest = Duration.zero
            for _ in 0..<100 {
                let begun = ContinuousClock.now
                _ = try await host.call("counter")
                slowest = max(slowest, ContinuousClock.now - begun)
            }
            // A call takes a fraction of a millisecond; on a busy machine it may wait for a slice of the scheduler's.
            #expect(slowest < .seconds(1), "\(slowest)")
            _ = await flood.value
            #expect(await harness.info("counter")?.errors == 0)
            #expect(try await host.call("counter")["value"] == 101)
            // What is kept of it is bounded: two files of a log.
            let folder = "\(harness.configuration.statePath)/logs"
            for name in names(in: folder) where name.hasPrefix(plugin) {
                #expect(try readFile("\(folder)/\(name)").count <= PluginLog.sizeLimit)
            }
            #expect(try await host.logs(of: PluginID(stringLiteral: plugin), last: 10).count <= 10)
        }
    }

    @Test func `what a plugin logs and prints is kept, across its crash, with what was dropped`()
        async throws
    {
        try await HostHarness.run(["log-flood", "crash-call"]) { harness in
            let host = harness.host
            _ = try await host.call("log-flood", ["n": 5])
            try await harness.eventually("its records are there") {
                try await host.logs(of: "log-flood").count >= 5
            }
            let records = try await host.logs(of: "log-flood")
            // Levels as NOCTURNE_LOG_DEBUG … of plugin.h: 0 debug, 1 info, 2 warning, 3 error; more is an error.
            #expect(records.dropFirst().prefix(3).map(\.level) == ["info", "warning", "error"])
            #expect(records.dropFirst().prefix(4).allSatisfy { $0.message == "flood" })

            kill(try #require(await harness.info("log-flood")?.pid), SIGKILL)
            try await harness.eventually("it is back") {
                await harness.info("log-flood")?.generation == 2
            }
            #expect(try await host.logs(of: "log-flood").count >= 5)
            _ = try? await host.call("log-flood", ["n": 20_000])
            try await harness.eventually("what was dropped is told") {
                _ = try? await host.call("log-flood", ["n": 2])
                return try await host.logs(of: "log-flood").contains {
                    $0.stream == "host" && $0.message.contains("records were")
                }
            }
        }
    }
}
