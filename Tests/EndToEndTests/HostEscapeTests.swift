// HostEscapeTests.swift — plugins that try to get out: what they reach is nothing, and what they break is themselves.
// The sandbox differs for root and for an ordinary user, so this suite runs as both. Next: nocturne-worker/lockdown.c.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostEscapeTests {
    /// A denial is an errno to the plugin, or its end.
    private func denied(
        _ harness: HostHarness, _ tool: String, _ input: JSONValue = [:],
        sourceLocation: SourceLocation = #_sourceLocation, _ isDenied: (JSONValue) -> Bool
    ) async throws {
        do throws(CallError) {
            let answer = try await harness.host.call(tool, input)
            #expect(isDenied(answer), "\(tool) got \(answer)", sourceLocation: sourceLocation)
        } catch {
            #expect(
                ["crashed", "deadlineExceeded", "killedBecause"].contains(error.code), "\(error)",
                sourceLocation: sourceLocation)
        }
    }

    @Test func `files, sockets, processes, signals and executable memory are denied`() async throws
    {
        let plugins = [
            "read-file", "write-files", "open-sockets", "fork-exec", "kill-others",
            "executable-memory", "constructor-escape", "counter",
        ]
        try await HostHarness.run(plugins) { harness in
            let secrets = [
                "/etc/passwd", "/etc/shadow", "/proc/self/maps", "/proc/1/environ",
                "/proc/self/mem",
                "\(harness.root)/state/host.db", ".", "/dev/mem", "/tmp",
            ]
            for path in secrets {
                try await denied(harness, "read-file", ["path": .string(path)]) {
                    $0["opened"] == false
                }
            }
            try await denied(harness, "write-files") { $0["done"] == 0 }
            try await denied(harness, "open-sockets") { $0["opened"] == 0 && $0["pair"] == false }
            for how: JSONValue in ["fork", "clone", "exec"] {
                try await denied(harness, "fork-exec", ["how": how]) { $0["forked"] == false }
            }
            try await denied(harness, "kill-others") { $0["reached"] == 0 }
            try await denied(harness, "kill-others", ["n": 9]) { $0["reached"] == 0 }
            for how: JSONValue in ["map", "protect"] {
                try await denied(harness, "executable-memory", ["how": how]) { $0["made"] == false }
            }
            // Inside dlopen, before anything of it was asked for.
            try await harness.eventually("its constructor ran") {
                let status = await harness.info("constructor-escape")?.status
                return status == .enabled || status == .failed
            }
            if await harness.info("constructor-escape")?.status == .enabled {
                try await denied(harness, "constructor-escape") {
                    $0["file"] != 0 && $0["socket"] != 0 && $0["fork"] != 0
                }
            }
            #expect(try await harness.host.call("counter")["value"] == 1)
            #expect(await harness.info("counter")?.generation == 1)
            #expect(access("/tmp/nocturne-fixture-escaped", F_OK) != 0)
        }
    }

    @Test func `memory, threads and stack without end are bounded`() async throws {
        try await HostHarness.run(["allocate", "thread-flood", "counter"]) { harness in
            let host = harness.host
            #expect(try await host.call("allocate", ["n": 4]) == ["megabytes": 4])
            // Its manifest says 32 MiB; what the runtime needs comes on top.
            try await denied(harness, "allocate") { ($0["megabytes"]?.int ?? .max) < 200 }
            // Its manifest says 4 threads.
            try await denied(harness, "thread-flood") { ($0["started"]?.int ?? .max) <= 16 }
            #expect(try await host.call("counter")["value"] == 1)
            #expect(await harness.info("counter")?.generation == 1)
        }
    }

    @Test(arguments: ["wild-writes", "control-socket", "close-descriptors", "doorbell-flood"])
    func `one that attacks the wire harms itself, is named for it, and is back`(_ plugin: String)
        async throws
    {
        try await HostHarness.run([plugin, "counter"]) { harness in
            let host = harness.host
            let inputs: [JSONValue] =
                plugin == "control-socket"
                ? ["lies", "flood", "steal", "shutdown"].map { ["how": $0] }
                : plugin == "wild-writes" ? (1...6).map { ["n": JSONValue($0)] } : [["n": 1_000]]
            for input in inputs {
                // Any answer or typed error will do: the memory it is read from is the plugin's to spoil.
                _ = try? await host.call(plugin, input)
                #expect(try await host.call("counter")["value"]?.int ?? 0 > 0)
            }
            #expect(await harness.info("counter")?.generation == 1)
            #expect(await harness.info("counter")?.errors == 0)
            for event in await harness.events("plugin:crashed", of: plugin) {
                #expect(event.payload["message"]?.string?.contains(plugin) == true)
            }
            try await harness.eventually("it serves again") {
                await harness.info(plugin)?.status == .enabled
            }
        }
    }

    @Test func `a crash outside of any call is noticed, and the plugin is back`() async throws {
        try await HostHarness.run(["crash-later", "deactivate-hangs"]) { harness in
            let host = harness.host
            #expect(try await host.call("crash-later") == ["error": 0])
            try await harness.eventually("it is back") {
                let info = await harness.info("crash-later")
                return info?.crashes == 1 && info?.generation == 2 && info?.status == .enabled
            }
            // One that never leaves deactivate is killed when its time is over: 1 s.
            let pid = try #require(await harness.info("deactivate-hangs")?.pid)
            let begun = ContinuousClock.now
            try await host.unload("deactivate-hangs")
            #expect(ContinuousClock.now - begun < .seconds(4))
            #expect(kill(pid, 0) != 0)
        }
    }
}
