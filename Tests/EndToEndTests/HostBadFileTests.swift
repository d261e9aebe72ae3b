// HostBadFileTests.swift — whatever is dropped: a reason that says what and what to do, nothing lost, others served.
// What is wrong inside ELF files is tried one by one in ELFImageTests.swift; here it goes through the running host.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostBadFileTests {
    /// One thing that is no plugin: how it comes into being at a path, and what is said of it.
    private struct Bad: Sendable {
        let name: String
        let code: String
        let words: [String]
        let make: @Sendable (_ path: String) throws -> Void

        func path(in folder: String) -> String { "\(folder)/\(name).so" }
    }

    private static func changed(
        _ id: String, _ change: @escaping @Sendable (inout [UInt8]) -> Void
    ) -> @Sendable (String) throws -> Void {
        { path in
            var bytes = try Fixtures.simpleBytes(id)
            change(&bytes)
            try writeFile(bytes, to: path)
        }
    }

    private static let bad: [Bad] = [
        Bad(name: "text", code: "notELF", words: ["not an ELF file", "7f 45 4c 46", "cc -shared"]) {
            try writeFile(Array("#!/bin/sh\necho a plugin\n".utf8), to: $0)
        },
        Bad(
            name: "half", code: "incomplete", words: ["incomplete", "copy it again"],
            make: changed("half") { $0.removeLast($0.count / 2) }),
        Bad(
            name: "head-only", code: "incomplete", words: ["incomplete", "copy it again"],
            make: changed("head") { $0.removeLast($0.count - 40) }),
        // e_ident[EI_CLASS] and e_machine of elf(5): 32 bits; 183 is AArch64.
        Bad(
            name: "class", code: "architecture", words: ["32-bit", "rebuild"],
            make: changed("class") { $0[4] = 1 }),
        Bad(
            name: "machine", code: "architecture", words: ["aarch64", "rebuild"],
            make: changed("machine") { $0[18] = 183 }),
        Bad(
            name: "type", code: "notSharedObject", words: ["shared object", "cc -shared"],
            make: changed("type") { $0[16] = 1 }),
        Bad(
            name: "no-headers", code: "malformed", words: ["damaged", "copy the plugin again"],
            make: changed("no-headers") { $0.replaceSubrange(54..<56, with: [1, 0]) }),
        Bad(name: "empty", code: "empty", words: ["empty", "copy the plugin again"]) {
            try writeFile([], to: $0)
        },
        Bad(name: "folder", code: "notRegular", words: ["directory", "regular file"]) {
            mkdir($0, 0o755)
        },
        Bad(name: "pipe", code: "notRegular", words: ["regular file"]) { mkfifo($0, 0o644) },
        Bad(name: "dangling", code: "danglingLink", words: ["symbolic link to nothing"]) {
            symlink("\($0).nowhere", $0)
        },
        Bad(name: "loop", code: "unreadable", words: ["leads back to itself"]) {
            symlink($0, $0)
        },
        Bad(name: "sparse", code: "tooLarge", words: ["4294967296 bytes", "strip"]) {
            try writeFile(Array("\u{7f}ELF".utf8), to: $0)
            truncate($0, 4 << 30)
        },
        Bad(name: "wrong-type", code: "manifest", words: ["limits", "concurrency"]) {
            try Fixtures.simple(
                "wrong-type", manifest: #""limits":{"concurrency":"many"}"#, to: $0)
        },
        Bad(name: "unknown-field", code: "manifest", words: ["colour"]) {
            try Fixtures.simple("unknown-field", manifest: #""colour":"red""#, to: $0)
        },
        Bad(name: "bad-version", code: "manifest", words: ["version", "one"]) {
            try Fixtures.simple("bad-version", version: "one", to: $0)
        },
        Bad(name: "bad-id", code: "manifest", words: ["id"]) {
            try Fixtures.simple("Bad Id", to: $0)
        },
        Bad(name: "bad-schema", code: "schema", words: ["configuration"]) {
            try Fixtures.simple(
                "bad-schema", manifest: #""configuration":{"type":"strin"}"#, to: $0)
        },
        Bad(name: "newer-host", code: "host", words: [">=99", HostVersion.string]) {
            try Fixtures.simple("newer-host", manifest: #""host":">=99""#, to: $0)
        },
    ]

    private func found(_ path: String, _ host: PluginManager) async -> PluginInfo? {
        await host.plugins().first { $0.file == path || $0.files.contains { $0.path == path } }
    }

    @Test func `each bad file gets its own reason, is tried again, and disturbs nobody`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            let folder = harness.plugins
            for bad in Self.bad { try bad.make(bad.path(in: folder)) }
            for bad in Self.bad {
                try await harness.eventually("\(bad.name) is \(bad.code)") {
                    _ = try await host.call("counter")
                    return await found(bad.path(in: folder), host)?.reasonCode == bad.code
                }
                let info = try #require(await found(bad.path(in: folder), host))
                let reason = info.reason ?? ""
                #expect(info.status == .failed && info.pid == nil)
                #expect(bad.words.allSatisfy(reason.contains), "\(bad.name): \(reason)")
                #expect(
                    reason.contains(bad.path(in: folder)) || info.id != nil,
                    "\(bad.name): \(reason)")
            }
            // Each is told of once; the incomplete ones after two seconds, because a writer may still be at it.
            for bad in Self.bad {
                try await harness.eventually("\(bad.name) is told") {
                    await harness.events("plugin:refused").count {
                        $0.payload["file"]?.string == bad.path(in: folder)
                    } == 1
                }
            }
            // By command the same words are the error.
            for bad in Self.bad {
                await #expect {
                    try await host.load(from: bad.path(in: folder))
                } throws: { error in
                    let error = error as? PluginError
                    return error?.code == bad.code
                        && bad.words.allSatisfy { error?.description.contains($0) == true }
                }
            }
            for bad in Self.bad {
                HostHarness.remove(bad.path(in: folder))
                try Fixtures.simple("good-\(bad.name)", to: bad.path(in: folder))
            }
            for bad in Self.bad { try await harness.status("good-\(bad.name)", .enabled) }
            #expect(await harness.info("counter")?.generation == 1)
            #expect(await harness.info("counter")?.errors == 0)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root reads everything"))
    func `a file that the host may not read is refused, and served when it may`() async throws {
        try await HostHarness.run(["counter"]) { harness in
            let path = "\(harness.plugins)/secret.so"
            try Fixtures.simple("secret", to: "\(harness.root)/staging/secret")
            chmod("\(harness.root)/staging/secret", 0)
            rename("\(harness.root)/staging/secret", path)
            try await harness.eventually("it is refused") {
                await found(path, harness.host)?.reasonCode == "unreadable"
            }
            let reason = try #require(await found(path, harness.host)?.reason)
            #expect(reason.contains(path) && reason.contains("read permission"))
            chmod(path, 0o644)
            // A change of permissions is no change of content, so nothing needs to notice it by itself.
            await harness.host.rescan()
            try await harness.status("secret", .enabled)
        }
    }

    @Test func `bits flipped anywhere in a file harm that plugin at most`() async throws {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            var random = Seeded(state: 4)
            let count = 60
            for index in 0..<count {
                var bytes = try Fixtures.simpleBytes("flip-\(index)")
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    // Half of the flips in the headers and tables of the first page, where most is decided.
                    let limit = Bool.random(using: &random) ? 4_096 : bytes.count
                    let at = Int.random(in: 4..<limit, using: &random)
                    bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                let staged = "\(harness.root)/staging/flip"
                try writeFile(bytes, to: staged)
                rename(staged, "\(harness.plugins)/flip-\(index).so")
            }
            await host.rescan()
            let infos = await host.plugins().filter { $0.file?.contains("/flip-") == true }
            #expect(infos.count > count / 2)
            for info in infos where info.status != .enabled {
                #expect(info.status == .failed || info.status == .waiting, "\(info)")
                #expect(info.reason?.isEmpty == false, "\(info)")
            }
            #expect(infos.contains { $0.status == .failed })
            for tool in host.tools where tool.name.hasPrefix("flip") {
                _ = try? await host.call(tool.name, [:], options: .init(deadlineMilliseconds: 500))
            }
            #expect(try await host.call("counter")["value"] == 1)
            #expect(await harness.info("counter")?.generation == 1)
        }
    }

    @Test func `the same version with other bytes at a second path is refused with both paths`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let first = "\(harness.plugins)/z-first.so", second = "\(harness.plugins)/a-second.so"
            try Fixtures.simple("twice", build: "first", to: first)
            try await harness.status("twice", .enabled)
            try Fixtures.simple("twice", build: "second", to: second)
            try await harness.eventually("the other is refused") {
                await harness.info("twice")?.files.contains {
                    $0.path == second && $0.reason?.contains(first) == true
                        && $0.reason?.contains("1.0.0") == true
                } == true
            }
            #expect(try await host.call("twice")["build"] == "first")
            await #expect {
                try await host.load(from: second)
            } throws: { ($0 as? PluginError)?.code == "duplicate" }

            // Equal bytes at two paths are one plugin, unloaded when the last path goes.
            try Fixtures.simple("twice", build: "first", to: second)
            await host.rescan()
            unlink(first)
            await host.rescan()
            #expect(try await host.call("twice")["build"] == "first")
            #expect(await harness.info("twice")?.generation == 1)
            unlink(second)
            await host.rescan()
            #expect(try await harness.failure("twice").code == "unknownTool")
        }
    }

    @Test func `a bad copy over a plugin that serves breaks nobody`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            let path = "\(harness.plugins)/serves.so"
            try Fixtures.simple("serves", build: "good", to: path)
            try await harness.status("serves", .enabled)
            for bad in [
                [UInt8]("no plugin".utf8), [],
                Array(try Fixtures.simpleBytes("serves").dropLast(900)),
            ] {
                try writeFile(bad, to: path)
                await host.rescan()
                #expect(try await host.call("serves")["build"] == "good")
                let info = try #require(await harness.info("serves"))
                #expect(info.status == .enabled && info.generation == 1)
                #expect(info.files.first?.reason?.isEmpty == false)
            }
            try Fixtures.simple("serves", build: "better", to: path)
            try await harness.eventually("the next good one serves") {
                try await host.call("serves")["build"] == "better"
            }
        }
    }

    @Test func `load of another id, of nothing and of an unknown plugin say so`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            let path = try Fixtures.path("counter")
            func code(_ body: () async throws -> Void) async -> String? {
                do { try await body() } catch { return (error as? PluginError)?.code }
                return nil
            }
            #expect(await code { try await host.load("other", from: path) } == "otherID")
            #expect(host.tools.isEmpty)
            #expect(await code { try await host.load(from: "/nowhere/a.so") } == "vanished")
            for body: () async throws -> Void in [
                { try await host.unload("nobody") }, { try await host.enable("nobody") },
                { try await host.disable("nobody") }, { try await host.reload("nobody") },
                { try await host.rollback("nobody") }, { try await host.configure("nobody", [:]) },
            ] {
                #expect(await code(body) == "unknownPlugin")
            }
        }
    }
}
