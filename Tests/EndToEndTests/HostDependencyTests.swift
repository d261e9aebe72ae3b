// HostDependencyTests.swift — claims about plugins that depend on each other: what loads, what is held, what changes
// together, and what is said of it.

import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostDependencyTests {
    /// Drops a plugin that is made for the test, under `file` or its id.
    private func drop(
        _ id: String, _ version: String = "1.0.0", _ manifest: String? = nil,
        as file: String? = nil,
        in harness: HostHarness
    ) throws {
        let staged = "\(harness.root)/staging/\(file ?? id)-made"
        try Fixtures.simple(id, version: version, build: version, manifest: manifest, to: staged)
        try harness.drop(file: staged, as: file ?? id)
    }

    private func needs(_ id: String, _ range: String, _ more: String = "") -> String {
        #""dependencies":{"\#(id)":"\#(range)"}\#(more)"#
    }

    private func reloadPolicy(_ policy: String) -> String {
        #","reload":{"onDependencyChange":"\#(policy)"}"#
    }

    @Test func `a directory of conflicting plugins loads its best subset and says what to change`()
        async throws
    {
        try await HostHarness.run { harness in
            try drop("text", "1.4.0", as: "text-14", in: harness)
            try drop("text", "2.0.0", as: "text-20", in: harness)
            try drop("count", "1.0.0", needs("text", "^1.2"), in: harness)
            try drop("sort", "1.0.0", needs("text", "^1.4"), in: harness)
            try drop("future", "1.0.0", needs("text", "^1.5"), in: harness)
            try drop("old-count", "1.0.0", #""conflicts":{"count":"*"}"#, in: harness)
            try await harness.restart()
            for id in ["text", "count", "sort"] { try await harness.status(id, .enabled) }
            // Three of text 1.4, against two of text 2.0.
            #expect(await harness.info("text")?.version == "1.4.0")
            let future = try #require(await harness.info("future"))
            #expect(future.status == .waiting && future.reasonCode == "dependency")
            #expect(future.reason?.contains("future depends on text ^1.5.0") == true)
            #expect(future.reason?.contains("1.5.0") == true, "what to add: \(future.reason ?? "")")
            let old = try #require(await harness.info("old-count"))
            #expect(old.status == .failed && old.reasonCode == "conflict")
            #expect(old.reason?.contains("count") == true)
            let refused = await harness.events("plugin:refused")
            for id in ["future", "old-count"] {
                let told = refused.filter { $0.payload["pluginId"]?.string == id }
                #expect(told.count == 1, "\(id) is told of once: \(told.map(\.payload))")
            }
        }
    }

    @Test func `a changed file that would break a dependent is held, and carried out by cascade`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            try drop("text", "1.0.0", in: harness)
            try drop("count", "1.0.0", needs("text", "^1"), in: harness)
            try await harness.status("count", .enabled)

            try drop("text", "2.0.0", in: harness)
            try await harness.eventually("it is held") {
                await harness.info("text")?.pendingChange?.contains("2.0.0") == true
            }
            let pending = try #require(await harness.info("text")?.pendingChange)
            #expect(pending.contains("count") && pending.contains("reload text --cascade"))
            #expect(try await host.call("text")["build"] == "1.0.0")
            #expect(await harness.info("count")?.status == .enabled)

            await #expect {
                try await host.reload("text")
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "dependents" && error?.description.contains("^1") == true
            }
            #expect(try await host.call("text")["build"] == "1.0.0")

            let plan = try await host.planReload("text")
            #expect(plan.steps.map(\.action) == [.replace, .stop])
            #expect(plan.steps.map(\.plugin) == ["text", "count"])
            #expect(plan.steps[0].from == "1.0.0" && plan.steps[0].to == "2.0.0")
            #expect(plan.objections.count == 1)
            #expect(try await host.call("text")["build"] == "1.0.0", "a plan changes nothing")

            #expect(try await host.reload("text", cascade: true).version == "2.0.0")
            try await harness.status("count", .waiting)
            #expect(try await harness.failure("count").code == "unknownTool")
            // A build of the dependent that goes with it comes in by itself.
            try drop("count", "2.0.0", needs("text", "^2"), in: harness)
            try await harness.status("count", .enabled)
        }
    }

    @Test func `a dependency whose file vanishes serves on, until unload with cascade`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            try drop("text", in: harness)
            try drop("count", "1.0.0", needs("text", "^1"), in: harness)
            try await harness.status("count", .enabled)
            harness.removeFile("text")
            try await harness.eventually("it is held") {
                await harness.info("text")?.pendingChange?.contains("gone") == true
            }
            #expect(try await host.call("text")["build"] == "1.0.0")
            for command in ["unload", "disable"] {
                await #expect("\(command) is refused") {
                    if command == "unload" {
                        try await host.unload("text")
                    } else {
                        try await host.disable("text")
                    }
                } throws: { ($0 as? PluginError)?.code == "dependents" }
            }
            #expect(await harness.info("count")?.status == .enabled)
            try await host.unload("text", cascade: true)
            try await harness.status("count", .waiting)
            #expect(await harness.info("text") == nil)
            // The dependent waits; only the other one is gone.
            let unloaded = await harness.events("plugin:unloaded")
            #expect(unloaded.map { $0.payload["pluginId"]?.string } == ["text"])
            try drop("text", in: harness)
            try await harness.status("count", .enabled)
        }
    }

    @Test func `each dependent does what it says when its dependency is replaced`() async throws {
        try await HostHarness.run { harness in
            try drop("text", in: harness)
            try drop("rebinds", "1.0.0", needs("text", "^1"), in: harness)
            try drop("restarts", "1.0.0", needs("text", "^1", reloadPolicy("restart")), in: harness)
            for id in ["rebinds", "restarts"] { try await harness.status(id, .enabled) }
            func generation(_ id: String) async -> Int? { await harness.info(id)?.generation }

            let plan = try await harness.host.planReload("text")
            #expect(
                plan.steps.map { "\($0.action) \($0.plugin)" } == [
                    "replace text", "rebind rebinds", "restart restarts",
                ])
            try drop("text", "1.1.0", in: harness)
            try await harness.eventually("the one restarts") { await generation("restarts") == 2 }
            #expect(await generation("rebinds") == 1)
            #expect(await generation("text") == 2)

            try drop("refuses", "1.0.0", needs("text", "^1", reloadPolicy("refuse")), in: harness)
            try await harness.status("refuses", .enabled)
            try drop("text", "1.2.0", in: harness)
            try await harness.eventually("it is held") {
                await harness.info("text")?.pendingChange?.contains("refuses") == true
            }
            #expect(try await harness.host.call("text")["build"] == "1.1.0")
            #expect(try await harness.host.reload("text", cascade: true).version == "1.2.0")
            try await harness.eventually("both restart") {
                let (first, second) = (await generation("restarts"), await generation("refuses"))
                return first == 3 && second == 2
            }
        }
    }

    @Test func `a change of two is all or nothing: one that fails takes the other back`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            try drop("text", "1.0.0", in: harness)
            try drop("count", "1.0.0", needs("text", "^1"), in: harness)
            try await harness.status("count", .enabled)
            let pids = (await harness.info("text")?.pid, await harness.info("count")?.pid)

            // Needs the new text, and does not start.
            let bad = "\(harness.root)/staging/bad.so"
            try Fixtures.compile(
                """
                #include "fixture.h"
                NOCTURNE_MANIFEST({ "id": "count", "name": "x", "version": "2.0.0", "abi": "1.0",
                    "dependencies": { "text": "^2" } })
                static int32_t activate(nocturne_error_t *error) { (void)error; abort(); }
                ENTRY_WITH(NULL, activate)
                """, to: bad)
            try drop("text", "2.0.0", in: harness)  // held, alone
            try harness.drop(file: bad, as: "count")
            try await harness.eventually("the failure is told") {
                await harness.info("count")?.pendingChange?.contains("SIGABRT") == true
            }
            try await harness.eventually("text went back") {
                await harness.info("text")?.pendingChange?.contains("count") == true
            }
            #expect(try await host.call("text")["build"] == "1.0.0")
            #expect(try await host.call("count")["build"] == "1.0.0")
            #expect(await harness.info("text")?.pid == pids.0)
            #expect(await harness.info("count")?.pid == pids.1)
            // Told when the last part of the change has settled.
            try await harness.eventually("how the change ended is told") {
                let changes = await harness.events("host:change")
                return changes.last?.payload["outcome"] == "rolledBack"
            }
            #expect(await harness.events("plugin:reloaded").isEmpty)

            // A build that starts brings both in.
            try drop("count", "2.0.1", needs("text", "^2"), in: harness)
            try await harness.eventually("both are new") {
                let versions = (
                    await harness.info("text")?.version, await harness.info("count")?.version
                )
                return versions.0 == "2.0.0" && versions.1 == "2.0.1"
            }
            #expect(await harness.info("text")?.pendingChange == nil)
        }
    }

    @Test func `a dependent that does not restart takes the replacement back; the command says so`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let brittle = "\(harness.root)/staging/brittle.so"
            // Activates once: its second process finds what the first one stored.
            try Fixtures.compile(
                """
                #include "fixture.h"
                NOCTURNE_MANIFEST({ "id": "brittle", "name": "x", "version": "1.0.0", "abi": "1.0",
                    "dependencies": { "text": "^1" }, "reload": { "onDependencyChange": "restart" } })
                static int32_t activate(nocturne_error_t *error) {
                    const nocturne_host_storage_t *storage = nocturne->get_extension(NOCTURNE_HOST_STORAGE);
                    char byte = 0;
                    if (storage == NULL) abort();
                    if (storage->get("seen", &byte, sizeof byte) >= 0) { (void)error; return -1; }
                    return storage->set("seen", NOCTURNE_BYTES, "1", 1);
                }
                ENTRY_WITH(NULL, activate)
                """, to: brittle)
            try drop("text", "1.0.0", in: harness)
            try harness.drop(file: brittle, as: "brittle")
            try await harness.status("brittle", .enabled)
            let pid = await harness.info("brittle")?.pid

            let text = "\(harness.root)/staging/text-new"
            try Fixtures.simple("text", version: "1.1.0", build: "1.1.0", to: text)
            try harness.drop(file: text, as: "text")
            try await harness.eventually("text went back") {
                await harness.info("text")?.pendingChange?.contains("brittle") == true
            }
            #expect(try await host.call("text")["build"] == "1.0.0")
            #expect(await harness.info("brittle")?.pid == pid)
            await #expect {
                try await host.reload("text")
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "rolledBack" && error?.description.contains("brittle") == true
            }
            #expect(try await host.call("text")["build"] == "1.0.0")
            #expect(await harness.info("brittle")?.status == .enabled)
        }
    }

    @Test func `a new file never takes the place of what serves`() async throws {
        try await HostHarness.run { harness in
            try drop("here", in: harness)
            try await harness.status("here", .enabled)
            for id in ["one", "two", "three"] {
                try drop(id, "1.0.0", #""conflicts":{"here":"*"}"#, in: harness)
            }
            for id in ["one", "two", "three"] { try await harness.status(id, .failed) }
            #expect(try await harness.host.call("here")["build"] == "1.0.0")
            // At a start nothing serves yet: three are more than one.
            try await harness.restart()
            for id in ["one", "two", "three"] { try await harness.status(id, .enabled) }
            #expect(await harness.info("here")?.reasonCode == "conflict")
        }
    }

    @Test func `a name that another plugin provides is as good as the plugin`() async throws {
        try await HostHarness.run { harness in
            try drop("reader", "1.0.0", needs("codec", "^2"), in: harness)
            try await harness.status("reader", .waiting)
            try drop("fast", "1.0.0", #""provides":{"codec":"2.1"}"#, in: harness)
            try await harness.status("reader", .enabled)
            harness.removeFile("fast")
            try await harness.eventually("it is held") {
                await harness.info("fast")?.pendingChange?.contains("reader") == true
            }
            // Another provider sets it free.
            try drop("slow", "1.0.0", #""provides":{"codec":"2.0"}"#, in: harness)
            try await harness.eventually("it is gone") { await harness.info("fast") == nil }
            #expect(await harness.info("reader")?.status == .enabled)
        }
    }
}
