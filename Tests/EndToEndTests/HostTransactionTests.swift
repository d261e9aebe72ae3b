// HostTransactionTests.swift — claims about changes of several plugins that fail, are overtaken or meet commands while
// they are carried out: all or nothing, and nobody who serves is broken by it.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostTransactionTests {
    /// How a made plugin behaves when it is activated.
    private enum Activation: String {
        case works = "return 0;"
        case aborts = "abort();"
        /// Longer than a change needs to be noticed, shorter than the limit for a hook.
        case isSlow = "usleep(600000); return 0;"
        case isSlowAndFails = "usleep(600000); return -1;"
        case hangs = "for (;;) pause();"
    }

    /// Drops a plugin with a tool of its own name that answers `{"v": VERSION}`; `uses` are the members of its
    /// dependencies.
    private func drop(
        _ id: String, _ version: String, _ uses: String = "", _ activation: Activation = .works,
        _ more: String = "", in harness: HostHarness
    ) throws {
        let file = "\(harness.root)/staging/\(id)-made"
        try Fixtures.compile(
            """
            #include "fixture.h"
            NOCTURNE_MANIFEST({ "id": "\(id)", "name": "x", "version": "\(version)", "abi": "1.0",
                "dependencies": { \(uses) }, \(more) "contributes": { "tools": [ { "name": "\(id)" } ] } })
            HANDLER(tell) { answer(call, "{\\"v\\":\\"\(version)\\"}"); }
            static const void *get_extension(const char *id) {
                static const nocturne_contribution_t items[] = { { "\(id)", tell, NULL } };
                static const nocturne_contributions_t tools = { sizeof tools, 1, items };
                return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
            }
            static int32_t activate(nocturne_error_t *error) { (void)error; \(activation.rawValue) }
            ENTRY_WITH(get_extension, activate)
            """, to: file)
        try harness.drop(file: file, as: id)
    }

    private func version(_ tool: String, in harness: HostHarness) async throws -> String? {
        try await harness.host.call(tool)["v"]?.string
    }

    @Test func `a chain of three in which the middle fails stays as it was`() async throws {
        try await HostHarness.run { harness in
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            try drop("c", "1.0.0", #""b": "^1""#, in: harness)
            for id in ["a", "b", "c"] { try await harness.status(id, .enabled) }
            let pids = await harness.host.plugins().map(\.pid)
            try drop("a", "2.0.0", in: harness)
            try drop("c", "2.0.0", #""b": "^2""#, in: harness)
            try drop("b", "2.0.0", #""a": "^2""#, .aborts, in: harness)
            try await harness.eventually("the failure is told") {
                await harness.info("b")?.pendingChange?.contains("SIGABRT") == true
            }
            await harness.host.rescan()
            for id in ["a", "b", "c"] {
                #expect(await harness.info(id)?.status == .enabled)
                #expect(await harness.info(id)?.version == "1.0.0")
                #expect(await harness.info(id)?.pendingChange != nil, "\(id)")
            }
            #expect(await harness.host.plugins().map(\.pid) == pids)
            #expect(await harness.events("plugin:reloaded").isEmpty)
            #expect(await harness.events("plugin:enabled").count == 3)
        }
    }

    @Test func `a drop in the middle of a change leaves nobody without what it depends on`()
        async throws
    {
        try await HostHarness.run { harness in
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            try drop("c", "1.0.0", #""b": "^1""#, in: harness)
            for id in ["a", "b", "c"] { try await harness.status(id, .enabled) }
            try drop("a", "2.0.0", "", .isSlow, in: harness)
            try drop("c", "2.0.0", #""b": "^2""#, in: harness)
            try drop("b", "2.0.0", #""a": "^2""#, in: harness)
            try await harness.eventually("it has begun") {
                await !harness.host.changes.isEmpty
            }
            // Takes the place of one that is planned but has not begun, and does not start.
            try drop("c", "2.0.1", #""b": "^2""#, .aborts, in: harness)
            try await harness.eventually("it is over") {
                await harness.host.rescan()
                return await harness.host.changes.isEmpty
            }
            try await harness.eventually("all serve, as one set") {
                let all = await harness.host.plugins()
                return all.count == 3 && all.allSatisfy { $0.status == .enabled }
            }
            let versions = await harness.host.plugins().map { $0.version ?? "" }
            #expect(Set(versions.map(\.first)).count == 1, "\(versions)")
        }
    }

    @Test func `a build that came to need a new one that then fails is held`() async throws {
        try await HostHarness.run { harness in
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            for id in ["a", "b"] { try await harness.status(id, .enabled) }
            try drop("a", "1.1.0", "", .isSlowAndFails, in: harness)
            try await harness.eventually("it is being tried") {
                await harness.host.goals["a"]?.refusal.current == nil
            }
            try drop("b", "1.1.0", #""a": "^1.1""#, in: harness)
            try await harness.eventually("the failure is told") {
                await harness.info("a")?.pendingChange != nil
            }
            await harness.host.rescan()
            #expect(await harness.info("b")?.status == .enabled)
            #expect(try await version("a", in: harness) == "1.0.0")
            #expect(try await version("b", in: harness) == "1.0.0")
            #expect(await harness.info("b")?.pendingChange?.contains("1.1") == true)
        }
    }

    @Test func `a command about a member of a change waits for its end and tells the truth`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            for id in ["a", "b"] { try await harness.status(id, .enabled) }
            func change(_ activation: Activation, _ minor: Int) async throws {
                try drop("a", "\(minor).0.0", "", .isSlow, in: harness)
                try drop("b", "\(minor).0.0", #""a": "^\#(minor)""#, activation, in: harness)
                try await harness.eventually("it has begun") { await !host.changes.isEmpty }
            }
            try await change(.works, 2)
            #expect(try await host.reload("b").version == "2.0.0")
            #expect(await harness.info("a")?.version == "2.0.0")

            try await change(.works, 3)
            await #expect { try await host.unload("a") } throws: {
                ($0 as? PluginError)?.code == "dependents"
            }
            try await host.unload("b")
            #expect(await harness.info("a")?.version == "3.0.0")
            #expect(await harness.info("b")?.status != .enabled)
            try await host.load(from: "\(harness.plugins)/b.so")

            try await change(.aborts, 4)
            #expect(try await host.disable("b").status == .disabled)
            #expect(await harness.info("a")?.status == .enabled)
        }
    }
}
