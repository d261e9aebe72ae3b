// HostTests.swift — the host on real processes: plugins dropped in, called, crashed, replaced.

import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

/// A host on temporary directories, with the fixtures built once by `Tests/Fixtures/build.sh`.
private final class TestHost: Sendable {
    static let fixtures: String = {
        let root = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        if let given = getenv("NOCTURNE_FIXTURES") { return String(cString: given) }
        let output = "/tmp/nocturne-fixtures-\(getuid())"
        precondition(system("sh '/\(root)/Fixtures/build.sh' '\(output)'") == 0, "fixtures")
        return output
    }()

    let root: String
    let manager: PluginManager

    init(_ change: (inout PluginManagerConfiguration) -> Void = { _ in }) async throws {
        var template = Array("/tmp/nocturne-host-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        mkdir("\(root)/plugins", 0o755)
        var configuration = PluginManagerConfiguration(
            pluginsPath: "\(root)/plugins", statePath: "\(root)/state")
        change(&configuration)
        manager = try PluginManager(configuration: configuration)
        try await manager.start()
    }

    /// Renames a copy of a fixture into the directory and waits until the host has acted on it.
    func drop(_ fixture: String, as name: String? = nil) async throws {
        let target = "\(root)/plugins/\(name ?? fixture).so"
        try #require(
            system(
                "cp '\(Self.fixtures)/\(fixture).so' '\(root)/copy' && mv '\(root)/copy' '\(target)'"
            ) == 0)
        await manager.rescan()
    }

    func end() async {
        await manager.shutdown()
        _ = system("rm -rf '\(root)'")
    }

    /// Waits until `condition` holds, at most ten seconds.
    func until(_ what: String, _ condition: () async -> Bool) async throws {
        for _ in 0..<1_000 {
            if await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("timed out: \(what)")
    }
}

@Suite(.serialized) struct HostTests {
    @Test func `a dropped plugin serves, and vanishes with its file`() async throws {
        let host = try await TestHost()
        try await host.drop("counter")
        #expect(await host.manager.plugin("counter")?.status == .enabled)
        #expect(try await host.manager.call("counter", [:])["value"] == 1)
        unlink("\(host.root)/plugins/counter.so")
        await host.manager.rescan()
        await #expect(throws: CallError.unknownTool(name: "counter", kind: "tool")) {
            try await host.manager.call("counter", [:])
        }
        await host.end()
    }

    @Test func `a crash is one typed error, and the plugin is back`() async throws {
        let host = try await TestHost()
        try await host.drop("crash-call")
        do {
            _ = try await host.manager.call("crash-call", [:])
            Issue.record("it should have crashed")
        } catch {
            #expect(error.code == "crashed")
            #expect("\(error)".contains("signal 11"))
        }
        try await host.until("restart") {
            let info = await host.manager.plugin("crash-call")
            return info?.generation == 2 && info?.status == .enabled
        }
        await host.end()
    }

    @Test func `exit(0) in a call is no success`() async throws {
        let host = try await TestHost()
        try await host.drop("exit-call")
        do {
            _ = try await host.manager.call("exit-call", [:])
            Issue.record("it should have failed")
        } catch {
            #expect(error.code == "crashed")
        }
        await host.end()
    }

    @Test func `a hang is killed at its deadline, and the plugin is back`() async throws {
        let host = try await TestHost()
        try await host.drop("hang-call")
        await #expect(
            throws: CallError.deadlineExceeded("hang-call", name: "hang-call", milliseconds: 300)
        ) {
            try await host.manager.call("hang-call", [:])
        }
        try await host.until("restart") {
            let info = await host.manager.plugin("hang-call")
            return info?.generation == 2 && info?.status == .enabled
        }
        #expect(try await host.manager.call("hang-call", ["n": 0])["alive"] == true)
        await host.end()
    }

    @Test(arguments: [
        "crash-constructor", "crash-activate", "activate-fails", "unhealthy", "entry-fails",
        "tool-without-handler", "handler-not-declared", "undefined-symbol", "table-size",
    ])
    func `a plugin that cannot start is failed with a reason`(_ fixture: String) async throws {
        let host = try await TestHost()
        try await host.drop("counter")
        try await host.drop(fixture)
        let info = await host.manager.plugins().first {
            $0.file?.hasSuffix("\(fixture).so") == true
        }
        #expect(info?.status == .failed)
        #expect(info?.reason?.isEmpty == false)
        #expect(try await host.manager.call("counter", [:])["value"] == 1)
        await host.end()
    }

    @Test(arguments: [
        "no-manifest", "manifest-not-json", "manifest-unknown-field", "no-entry",
        "executable-stack",
    ])
    func `a bad file is refused with a reason, and others are served`(_ fixture: String)
        async throws
    {
        let host = try await TestHost()
        try await host.drop("counter")
        try await host.drop(fixture)
        let info = await host.manager.plugins().first {
            $0.file?.hasSuffix("\(fixture).so") == true
        }
        #expect(info?.status == .failed)
        #expect(try await host.manager.call("counter", [:])["value"] == 1)
        await host.end()
    }

    @Test func `files, sockets and processes are denied`() async throws {
        let host = try await TestHost()
        for fixture in ["read-file", "open-sockets", "fork-exec", "kill-others", "write-files"] {
            try await host.drop(fixture)
        }
        #expect(try await host.manager.call("read-file", [:])["opened"] == false)
        #expect(try await host.manager.call("open-sockets", [:])["opened"] == 0)
        #expect(try await host.manager.call("fork-exec", [:])["forked"] == false)
        #expect(try await host.manager.call("kill-others", [:])["reached"] == 0)
        #expect(try await host.manager.call("write-files", [:])["done"] == 0)
        await host.end()
    }

    @Test func `a replacement under load loses no call and keeps the state`() async throws {
        let host = try await TestHost()
        try await host.drop("counter")
        let callers = (0..<4).map { _ in
            Task { () -> Int in
                var calls = 0
                while !Task.isCancelled {
                    _ = try await host.manager.call("counter", [:])
                    calls += 1
                    await Task.yield()
                }
                return calls
            }
        }
        for round in 0..<6 {
            try await host.drop(round % 2 == 0 ? "counter-b" : "counter", as: "counter")
        }
        var total: Int64 = 0
        for caller in callers { caller.cancel() }
        for caller in callers {
            switch await caller.result {
            case .success(let calls): total += Int64(calls)
            // The last call of a cancelled caller may end as cancelled; it counted or not.
            case .failure(let error): #expect((error as? CallError)?.code == "cancelled")
            }
        }
        let value = try await host.manager.call("counter", [:])["value"]?.int ?? 0
        #expect(value > total)
        #expect(await host.manager.plugin("counter")?.generation == 7)
        await host.end()
    }

    @Test func `an earlier build can be rolled back to, and forth`() async throws {
        let host = try await TestHost()
        try await host.drop("counter")
        try await host.drop("counter-b", as: "counter")
        try await host.until("the new build is remembered") {
            await host.manager.plugin("counter")?.previousHash != nil
        }
        let new = await host.manager.plugin("counter")?.hash
        try await host.manager.rollback("counter")
        #expect(await host.manager.plugin("counter")?.hash != new)
        await host.end()
    }

    @Test func `unload, disable and settings are remembered`() async throws {
        let host = try await TestHost()
        try await host.drop("counter")
        try await host.drop("settings")
        try await host.manager.configure("settings", ["level": 7])
        try await host.manager.unload("counter")
        await host.manager.rescan()
        #expect(await host.manager.plugin("counter")?.status == .unloaded)
        await host.manager.shutdown()
        let again = try PluginManager(
            configuration: PluginManagerConfiguration(
                pluginsPath: "\(host.root)/plugins", statePath: "\(host.root)/state"))
        try await again.start()
        #expect(await again.plugin("counter")?.status == .unloaded)
        #expect(try await again.call("settings", [:])["level"] == 7)
        await again.shutdown()
        await host.end()
    }

    @Test func `a second host on the same state directory is refused with the owner's pid`()
        async throws
    {
        let host = try await TestHost()
        do {
            _ = try PluginManager(
                configuration: PluginManagerConfiguration(
                    pluginsPath: "\(host.root)/plugins", statePath: "\(host.root)/state"))
            Issue.record("two hosts have one state directory")
        } catch {
            #expect(error.code == "stateLocked")
            #expect("\(error)".contains("\(getpid())"))
        }
        await host.end()
    }
}
