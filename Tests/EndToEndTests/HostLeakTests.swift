// HostLeakTests.swift — after an unload or a crash nothing of a plugin is left, in the host or beside it. Each test
// runs in a process of its own, because it counts what the whole process holds.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

/// What a host holds while no plugin is loaded.
private struct Left: Equatable {
    let descriptors: Int, mappings: Int, processes: Int
    let tools: Int, commands: Int, objects: Int, nested: Int

    init(_ harness: HostHarness) {
        descriptors = names(in: "/proc/self/fd").count
        mappings = Holdings.now.mappings
        processes = children(of: getpid(), named: "nocturne-worker").count
        tools = harness.host.tools.count
        commands = harness.host.commands.count
        objects = harness.objects.count
        nested = harness.host.router.graph.count
    }

    /// Waits until the host holds what it held: what ended is taken down a moment later, on other threads.
    func expectAgain(_ harness: HostHarness) async throws {
        var now = self
        for _ in 0..<1_000 {
            now = Left(harness)
            if now == self { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(
            now == self,
            "before \(self), now \(now), \(names(in: "/proc/self/fd").map(Left.target))")
    }

    /// What a descriptor is of.
    private static func target(_ descriptor: String) -> String {
        var text = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(descriptor)", &text, text.count)
        return String(
            decoding: text.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// As it is once nothing has changed for a while.
    static func settled(_ harness: HostHarness) async throws -> Left {
        var last = Left(harness), same = 0
        while same < 10 {
            try await Task.sleep(for: .milliseconds(10))
            let now = Left(harness)
            same = now == last ? same + 1 : 0
            last = now
        }
        return last
    }
}

@Suite struct HostLeakTests {
    @Test func `a hundred loads and unloads leave no descriptor, memory, process, name or object`()
        async throws
    {
        await #expect(processExitsWith: .success) {
            try await HostHarness.run { harness in
                let host = harness.host
                let fixtures = try ["counter", "listener", "registers", "storage", "log-flood"].map
                {
                    try Fixtures.path($0)
                }
                func cycle() async throws {
                    for path in fixtures { try await host.load(from: path) }
                    #expect(try await host.call("counter")["value"] == 1)
                    #expect(try await host.command("registers:hello") == "hello")
                    _ = try await host.call("log-flood", ["n": 20])
                    for info in await host.plugins() {
                        try await host.unload(try #require(info.id))
                    }
                    #expect(await host.plugins().isEmpty)
                }
                try await cycle()
                // The zygote and its spare worker stay.
                let before = try await Left.settled(harness), memory = Holdings.now.residentBytes
                let threads = names(in: "/proc/self/task").count
                #expect(before.tools == 0 && before.commands == 0 && before.objects == 0)
                #expect(before.mappings == 0)

                for _ in 0..<20 { try await cycle() }

                try await before.expectAgain(harness)
                // Swift's own pool may have grown by a thread; a hundred plugins by none of theirs.
                #expect(names(in: "/proc/self/task").count <= threads + 2)
                // 100 plugins that leaked their wire memory alone would hold 300 MiB.
                #expect(Holdings.now.residentBytes - memory < 32 << 20)
                #expect(await host.supervisor(of: "listener").listeners.isEmpty)
            }
        }
    }

    @Test func `a hundred crashes leave nothing of those who crashed`() async throws {
        await #expect(processExitsWith: .success) {
            try await HostHarness.run { harness in
                let host = harness.host
                let path = try Fixtures.path("crash-call")
                func cycle() async throws {
                    try await host.load(from: path)
                    #expect(try await harness.failure("crash-call").code == "crashed")
                    try await host.unload("crash-call")
                }
                for _ in 0..<3 { try await cycle() }
                let before = try await Left.settled(harness)
                for _ in 0..<100 { try await cycle() }
                try await before.expectAgain(harness)
            }
        }
    }

    @Test func `one that is killed for a forged record ring is let go of`() async throws {
        await #expect(processExitsWith: .success) {
            try await HostHarness.run { harness in
                let host = harness.host
                let path = try Fixtures.path("forges-records")
                func cycle() async throws {
                    try await host.load(from: path)
                    let error = try await harness.failure("forges-records")
                    #expect(error.code == "crashed" && error.description.contains("record ring"))
                    try await host.unload("forges-records")
                }
                // Once the zygote and its spare worker are there.
                try await host.load(from: try Fixtures.path("counter"))
                try await host.unload("counter")
                let before = try await Left.settled(harness)
                for _ in 0..<5 { try await cycle() }
                try await before.expectAgain(harness)
            }
        }
    }

    @Test func `failed starts and failed replacements leave nothing`() async throws {
        await #expect(processExitsWith: .success) {
            let broken = [
                "crash-constructor", "undefined-symbol", "tool-without-handler", "activate-fails",
                "unhealthy", "entry-fails", "missing-library", "table-size",
            ]
            try await HostHarness.run(["counter"]) { harness in
                let host = harness.host
                let good = try Fixtures.path("stateful-good")
                let bad = try Fixtures.path("stateful-cannot-restore")
                func cycle() async throws {
                    for name in broken {
                        let path = try Fixtures.path(name)
                        await #expect(throws: PluginError.self) { try await host.load(from: path) }
                        try await host.unload(PluginID(stringLiteral: name))
                    }
                    let path = "\(harness.root)/staging/stateful.so"
                    try copyFile(good, to: path)
                    try await host.load(from: path)
                    try copyFile(bad, to: path)
                    await #expect(throws: PluginError.self) { try await host.reload("stateful") }
                    try await host.unload("stateful")
                }
                try await cycle()
                let before = try await Left.settled(harness)
                for _ in 0..<10 { try await cycle() }
                try await before.expectAgain(harness)
                #expect(try await host.call("counter")["value"] == 1)
                #expect(await harness.info("counter")?.generation == 1)
            }
        }
    }

    @Test
    func `a host that has shut down leaves no descriptor, thread, process or file of its own`()
        async throws
    {
        await #expect(processExitsWith: .success) {
            try await HostHarness.run(["counter", "slow"]) { harness in
                await harness.host.shutdown()
                try await harness.restart()
                await harness.host.shutdown()
                let descriptors = names(in: "/proc/self/fd").count
                let threads = names(in: "/proc/self/task").count
                for _ in 0..<10 {
                    try await harness.restart()
                    #expect(try await harness.host.call("counter")["value"] == 1)
                    await harness.host.shutdown()
                }
                try await harness.eventually("descriptors are back") {
                    names(in: "/proc/self/fd").count <= descriptors
                }
                try await harness.eventually("threads are back") {
                    names(in: "/proc/self/task").count <= threads + 2
                }
                #expect(children(of: getpid(), named: "nocturne-worker").isEmpty)
                #expect(Holdings.now.mappings == 0)
            }
        }
    }
}
