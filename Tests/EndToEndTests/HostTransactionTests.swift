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

    @Test func `a command that brings a build that cannot run leaves what serves`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            for id in ["a", "b"] { try await harness.status(id, .enabled) }
            try drop("b", "2.0.0", #""a": "^2""#, in: harness)
            try await harness.eventually("it is held") {
                await harness.info("b")?.pendingChange?.contains("^2") == true
            }
            await #expect { try await host.reload("b") } throws: { error in
                let error = error as? PluginError
                return error?.code == "dependents" && error?.description.contains("a ^2") == true
            }
            let plan = try await host.planReload("b")
            #expect(plan.steps.map(\.action) == [.stop] && plan.objections.count == 1)
            #expect(try await version("b", in: harness) == "1.0.0")
            #expect(await harness.info("b")?.pendingChange != nil)
        }
    }

    @Test func `a change that is taken back loses no call`() async throws {
        try await HostHarness.run { harness in
            let ids = ["a", "b", "c"]
            func change(_ major: Int, _ last: Activation) throws {
                try drop("a", "\(major).0.0", in: harness)
                try drop("c", "\(major).0.0", #""b": "^\#(major)""#, last, in: harness)
                try drop("b", "\(major).0.0", #""a": "^\#(major)""#, in: harness)
            }
            try change(1, .works)
            for id in ids { try await harness.status(id, .enabled) }
            let callers = ids.map { id in
                Task {
                    var failures: [String] = [], count = 0
                    while !Task.isCancelled {
                        do throws(CallError) {
                            _ = try await harness.host.call(id)
                            count += 1
                        } catch  where error.code != "cancelled" {
                            failures.append("\(error)")
                        } catch {}
                        await Task.yield()
                    }
                    return (failures, count)
                }
            }
            for (major, last) in [(2, Activation.aborts), (3, .isSlowAndFails), (4, .hangs)] {
                try change(major, last)
                try await harness.eventually("\(last) is taken back") {
                    let pending = await harness.info("a")?.pendingChange
                    let isOver = await harness.host.changes.isEmpty
                    return isOver && pending?.contains("c, which") == true
                }
            }
            for caller in callers {
                caller.cancel()
                let (failures, count) = await caller.value
                #expect(failures.isEmpty && count > 0)
            }
            for id in ids { #expect(try await version(id, in: harness) == "1.0.0") }
            #expect(await harness.events("plugin:reloaded").isEmpty)
        }
    }

    @Test func `what ends while its replacement is tried comes back if that is taken back`()
        async throws
    {
        try await HostHarness.run { harness in
            try drop("a", "1.0.0", in: harness)
            try drop("b", "1.0.0", #""a": "^1""#, in: harness)
            for id in ["a", "b"] { try await harness.status(id, .enabled) }
            let pid = try #require(await harness.info("a")?.pid)
            try drop("b", "2.0.0", #""a": "^2""#, .isSlowAndFails, in: harness)
            try drop("a", "2.0.0", in: harness)
            try await harness.eventually("a has switched") {
                await harness.info("a")?.version == "2.0.0"
            }
            kill(pid, SIGKILL)
            try await harness.eventually("the failure is told of both") {
                let (a, b) = (await harness.info("a"), await harness.info("b"))
                return a?.pendingChange != nil && b?.pendingChange != nil
            }
            await harness.host.rescan()
            for id in ["a", "b"] {
                #expect(await harness.info(id)?.status == .enabled)
                #expect(try await version(id, in: harness) == "1.0.0")
            }
        }
    }

    /// What a made plugin of the random test asks for, by the name of its build.
    private struct Wishes {
        var version = 1
        var required: [String: Int] = [:], optional: [String: Int] = [:]
        var conflicts: Set<String> = []

        var manifest: String {
            func members(_ ranges: [String: Int]) -> String {
                ranges.sorted { $0.key < $1.key }.map { "\"\($0)\":\"^\($1)\"" }
                    .joined(separator: ",")
            }
            let against = conflicts.sorted().map { "\"\($0)\":\"*\"" }.joined(separator: ",")
            return """
                "dependencies":{\(members(required))},"optionalDependencies":{\(members(optional))},\
                "conflicts":{\(against)}
                """
        }
    }

    @Test func `after a thousand random operations what serves is consistent and told truly`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let ids = (0..<7).map { "p\($0)" }
            var wishes: [String: Wishes] = [:]
            var random = Seeded(state: 20_260_103)
            func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
            let callers = (0..<2).map { first in
                Task {
                    var codes: Set<String> = [], number = first
                    while !Task.isCancelled {
                        do throws(CallError) {
                            _ = try await host.call(ids[number % ids.count])
                        } catch {
                            codes.insert("\(error.code)")
                        }
                        number += 1
                        try? await Task.sleep(for: .milliseconds(2))
                    }
                    return codes
                }
            }
            for operation in 0..<1_000 {
                let index = pick(ids.count), id = ids[index]
                if pick(8) == 0 {
                    harness.removeFile(id)
                } else {
                    var wish = Wishes(version: 1 + pick(2))
                    for other in ids[..<index] where pick(3) == 0 {
                        if pick(4) == 0 {
                            wish.optional[other] = 1 + pick(2)
                        } else {
                            wish.required[other] = 1 + pick(2)
                        }
                    }
                    if pick(12) == 0 { wish.conflicts = [ids[(index + 1 + pick(6)) % 7]] }
                    let policy = ["rebind", "rebind", "restart", "refuse"][pick(4)]
                    let build = "b\(operation)", staged = "\(harness.root)/staging/next"
                    wishes[build] = wish
                    try Fixtures.simple(
                        id, version: "\(wish.version).0.\(operation)", build: build,
                        manifest: wish.manifest
                            + #","reload":{"onDependencyChange":"\#(policy)"}"#, to: staged)
                    try harness.drop(file: staged, as: id)
                }
                if pick(20) == 0 { try await Task.sleep(for: .milliseconds(pick(60))) }
            }
            await host.rescan()
            await host.rescan()
            for caller in callers { caller.cancel() }
            for caller in callers {
                let codes = await caller.value
                // "cancelled" is this test's own end.
                #expect(codes.isSubset(of: ["unknownTool", "gone", "cancelled"]), "\(codes)")
            }
            try await check(ids, wishes, in: harness)
        }
    }

    private func check(
        _ ids: [String], _ wishes: [String: Wishes], in harness: HostHarness
    ) async throws {
        var serving: [String: Wishes] = [:]
        for id in ids {
            guard let info = await harness.info(id), info.status == .enabled else { continue }
            let build = try #require(try await harness.host.call(id)["build"]?.string)
            let wish = try #require(wishes[build])
            #expect(info.version == "\(wish.version).0.\(build.dropFirst())", "\(id)")
            serving[id] = wish
        }
        let told = await harness.host.plugins().filter { $0.status == .enabled }
        #expect(Set(told.compactMap { $0.id?.description }) == Set(serving.keys))
        #expect(Set(harness.host.tools.map(\.name)) == Set(serving.keys))
        for (id, wish) in serving {
            for (other, version) in wish.required {
                #expect(serving[other]?.version == version, "\(id) needs \(other) ^\(version)")
            }
            for (other, version) in wish.optional {
                #expect(serving[other].map { $0.version == version } != false, "\(id), \(other)")
            }
            for other in wish.conflicts { #expect(serving[other] == nil, "\(id), \(other)") }
        }
        for info in await harness.host.plugins() where info.status != .enabled {
            #expect(info.reason?.isEmpty == false, "\(info.id?.description ?? "?") is explained")
        }
        #expect(await harness.host.changes.isEmpty)
        #expect(await !harness.host.isPostponed)
    }
}
