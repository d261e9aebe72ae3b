// HostNameTests.swift — names belong to one plugin, and plugins that need others wait for them.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostNameTests {
    @Test func `a name that is taken is refused with both owners, and tried again when it is free`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            func drop(_ id: String) throws {
                try Fixtures.simple(
                    id, build: id, tool: "shared", to: "\(harness.plugins)/\(id).so")
            }
            try drop("owner")
            try await harness.status("owner", .enabled)
            try drop("challenger")
            try await harness.status("challenger", .failed)
            let info = try #require(await harness.info("challenger"))
            #expect(info.reasonCode == "nameTaken")
            for word in ["\"shared\"", "owner", "challenger", "disable", "rename"] {
                #expect(info.reason?.contains(word) == true, "\(info.reason ?? "-")")
            }
            // The one already enabled keeps it, though its id is the higher; also across its crashes.
            #expect(try await host.call("shared")["build"] == "owner")
            let pid = try #require(await harness.info("owner")?.pid)
            kill(pid, SIGKILL)
            try await harness.eventually("it is back") {
                await harness.info("owner")?.generation == 2
            }
            #expect(try await host.call("shared")["build"] == "owner")

            try await host.disable("owner")
            try await harness.status("challenger", .enabled)
            #expect(try await host.call("shared")["build"] == "challenger")
            await #expect {
                try await host.enable("owner")
            } throws: { ($0 as? PluginError)?.code == "nameTaken" }
            harness.removeFile("challenger")
            try await harness.status("owner", .enabled)
            #expect(try await host.call("shared")["build"] == "owner")

            // At a start the lower id has it.
            try drop("challenger")
            try await harness.restart()
            #expect(try await harness.host.call("shared")["build"] == "challenger")
            #expect(await harness.info("owner")?.reasonCode == "nameTaken")
        }
    }

    @Test func `a new build with a name that is taken is refused, and taken when the name is free`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            try Fixtures.simple("aaa", build: "1", tool: "mine", to: "\(harness.plugins)/aaa.so")
            try Fixtures.simple("bbb", tool: "wanted", to: "\(harness.plugins)/bbb.so")
            try await harness.status("aaa", .enabled)
            try await harness.status("bbb", .enabled)
            try Fixtures.simple("aaa", build: "2", tool: "wanted", to: "\(harness.plugins)/aaa.so")
            try await harness.eventually("the refusal is shown") {
                await harness.info("aaa")?.pendingChange?.contains("bbb") == true
            }
            #expect(try await host.call("mine")["build"] == "1")
            #expect(await harness.info("aaa")?.status == .enabled)
            harness.removeFile("bbb")
            try await harness.eventually("the new build serves") {
                await harness.info("aaa")?.generation == 2
            }
            #expect(try await host.call("wanted")["build"] == "2")
            // The name that it gave up is free, too.
            try Fixtures.simple("ccc", tool: "mine", to: "\(harness.plugins)/ccc.so")
            try await harness.status("ccc", .enabled)
        }
    }

    @Test
    func `a required plugin that is absent, off or of the wrong version keeps its dependent out`()
        async throws
    {
        try await HostHarness.run(["needs-counter"]) { harness in
            let host = harness.host
            func waits(_ code: String, _ words: String) async throws {
                try await harness.eventually("it waits: \(words)") {
                    let info = await harness.info("needs-counter")
                    return info?.status == .waiting && info?.reasonCode == code
                        && info?.reason?.contains(words) == true
                }
                #expect(try await harness.failure("needs-counter").code == "unknownTool")
            }
            func serves() async throws {
                try await harness.status("needs-counter", .enabled)
                #expect(try await host.call("needs-counter")["build"] == "a")
            }
            try await waits("missing", "counter ^1.0.0, which is not there")
            try harness.drop("counter")
            try await serves()
            try await host.disable("counter", cascade: true)
            try await waits("dependency", "it is disabled")
            try await host.enable("counter")
            try await serves()
            try await host.unload("counter", cascade: true)
            try await waits("dependency", "it is unloaded")
            try Fixtures.simple(
                "counter", version: "2.0.0", to: "\(harness.plugins)/counter-2.so")
            func counter() -> SemanticVersion? {
                host.router.registry.entry(.tool, "counter")?.generation.build.manifest.version
            }
            try await harness.eventually("2.0.0 serves") { counter() == SemanticVersion(2, 0, 0) }
            // Two plugins with the older one, one with the newer.
            try await host.load(from: "\(harness.plugins)/counter.so")
            try await serves()
            #expect(counter() == SemanticVersion(1, 0, 0))
        }
    }

    @Test func `the graph shows who answers, as a dependency comes and is turned off`() async throws
    {
        try await HostHarness.run(["needs-counter"]) { harness in
            let host = harness.host
            func eventually(_ what: String, _ isSo: (PluginGraph.Edge) -> Bool) async throws {
                try await harness.eventually(what) {
                    await host.graph().edges.first.map(isSo) ?? false
                }
            }
            try await eventually("nobody answers") { $0.answeredBy == nil && !$0.isSatisfied }
            let edge = try #require(await host.graph().edges.first)
            #expect(edge.from == "needs-counter" && edge.to == "counter")
            #expect(edge.kind == .requires && edge.range == "^1.0.0")
            try harness.drop("counter")
            try await eventually("counter answers") { $0.answeredBy == "counter" && $0.isSatisfied }
            try await harness.status("needs-counter", .enabled)
            let graph = await host.graph()
            #expect(graph.nodes.map(\.id) == ["counter", "needs-counter"])
            #expect(graph.nodes.map(\.status) == [.enabled, .enabled])
            #expect(graph.edges.map(\.answeredVersion) == ["1.0.0"])
            try await host.disable("counter", cascade: true)
            try await eventually("it does not serve") {
                $0.answeredBy == "counter" && !$0.isSatisfied
            }
        }
    }

    @Test func `a dependency's crash stops nobody who runs already`() async throws {
        try await HostHarness.run(["counter", "needs-counter"]) { harness in
            let host = harness.host
            try await harness.status("needs-counter", .enabled)
            #expect(try await host.call("needs-counter")["value"] == 1)
            let generation = await harness.info("needs-counter")?.generation
            kill(try #require(await harness.info("counter")?.pid), SIGKILL)
            try await harness.eventually("it is back") {
                let info = await harness.info("counter")
                return info?.crashes == 1 && info?.status == .enabled
            }
            #expect(try await host.call("needs-counter")["value"] == 1)
            #expect(await harness.info("needs-counter")?.generation == generation)
        }
    }

    @Test
    func
        `plugins that need each other are told so, and permissions that nobody grants are waited for`()
        async throws
    {
        try await HostHarness.run { harness in
            for (id, other) in [("left", "right"), ("right", "left")] {
                try Fixtures.simple(
                    id, manifest: #""dependencies":{"\#(other)":"^1"}"#,
                    to: "\(harness.plugins)/\(id).so")
            }
            try Fixtures.simple(
                "asks", manifest: #""permissions":{"read":["/srv/books"]}"#,
                to: "\(harness.plugins)/asks.so")
            for (id, code, words) in [
                ("left", "cycle", "left waits for right ^1.0.0, right waits for left ^1.0.0"),
                ("right", "cycle", "right waits for left ^1.0.0"),
                ("asks", "permission", "read /srv/books"),
            ] {
                try await harness.eventually("\(id) says why") {
                    let info = await harness.info(id)
                    return info?.reasonCode == code && info?.reason?.contains(words) == true
                }
            }
            #expect(await harness.info("asks")?.status == .waiting)
            #expect(harness.host.tools.isEmpty)
        }
    }
}
