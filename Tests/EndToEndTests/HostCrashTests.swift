// HostCrashTests.swift — plugins that crash, hang or lie in a call: one typed error for the caller, and they are back.

import CLinux
import CWire
import Glibc
import NocturneCore
import Testing

@testable import NocturneHost

@Suite struct HostCrashTests {
    @Test(arguments: [
        ("crash-call", "SIGSEGV"), ("abort-call", "SIGABRT"), ("exit-call", "exited with status 0"),
        ("stack-overflow", "SIGSEGV"),
    ])
    func `a process that ends in a call is one error for its caller, and the plugin is back`(
        _ plugin: String, _ how: String
    ) async throws {
        try await HostHarness.run([plugin, "counter"]) { harness in
            let error = try await harness.failure(plugin)
            guard case .crashed(let id, plugin, let text, false) = error else {
                throw HostHarness.Missed(what: "crashed, but \(error)")
            }
            #expect(id.description == plugin && text.contains(how))
            try await harness.eventually("it is back") {
                let info = await harness.info(plugin)
                return info?.status == .enabled && info?.generation == 2
            }
            let crashes = await harness.events("plugin:crashed", of: plugin)
            #expect(crashes.count == 1 && crashes[0].payload["restartIn"] == 0)
            #expect(crashes[0].payload["message"]?.string?.contains(how) == true)
            #expect(await harness.info(plugin)?.crashes == 1)
            #expect(await harness.info("counter")?.generation == 1)
        }
    }

    @Test(arguments: ["hang-call", "never-answers"])
    func `a call without an answer is killed at its deadline, and the plugin is back`(
        _ plugin: String
    ) async throws {
        try await HostHarness.run([plugin]) { harness in
            let begun = ContinuousClock.now
            let error = try await harness.failure(plugin)
            let took = ContinuousClock.now - begun
            #expect(
                error
                    == .deadlineExceeded(
                        PluginID(stringLiteral: plugin), name: plugin, milliseconds: 300))
            #expect(took >= .milliseconds(300) && took < .milliseconds(1_500), "\(took)")
            // Its next call has 300 ms as well, which a start may take on a busy machine.
            try await harness.eventually("it is back") {
                let info = await harness.info(plugin)
                return info?.status == .enabled && info?.generation == 2
            }
            #expect(try await harness.host.call(plugin, ["n": 0]) == ["alive": true])
        }
    }

    @Test func `a kill for one call fails the others typed, and says for which`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            // With a second instead of 200 ms, so that on a busy machine the two calls' times are not over together.
            var bytes = try readFile(Fixtures.path("answers-late"))
            let deadline = try #require(bytes.firstRange(of: Array(#""200ms""#.utf8)))
            bytes.replaceSubrange(deadline, with: Array(#"   "1s""#.utf8))
            try writeFile(bytes, to: "\(harness.plugins)/answers-late.so")
            try await harness.status("answers-late", .enabled)

            let gate = await host.supervisor(of: "answers-late").gate
            let late = Task { try await harness.failure("answers-late", ["n": 5_000]) }
            try await harness.eventually("it runs") { gate.load.running == 1 }
            // So that the next call is well after the first.
            _ = try await host.call("answers-late", ["n": 500])
            let other = try await harness.failure("answers-late", ["n": 5_000])
            #expect(
                other
                    == .killedBecause(
                        "answers-late", name: "answers-late",
                        because: "answers-late did not answer within 1000 ms", retryable: false))
            #expect(
                try await late.value
                    == .deadlineExceeded("answers-late", name: "answers-late", milliseconds: 1_000))
            #expect(try await host.call("answers-late", ["n": 10]) == ["after": 10])
        }
    }

    @Test func `a second answer and answers to others are refused inside the worker`() async throws
    {
        try await HostHarness.run(["answers-twice", "answers-others"]) { harness in
            let first = try await harness.host.call("answers-twice")
            #expect(first == ["second": 0])
            // EALREADY is 114, EINVAL 22: asm-generic/errno.h.
            #expect(try await harness.host.call("answers-twice") == ["second": -114])
            #expect(try await harness.host.call("answers-others") == ["stale": 0, "status": -22])
            #expect(
                try await harness.host.call("answers-others") == ["stale": -114, "status": -22])
            #expect(await harness.info("answers-others")?.generation == 1)
        }
    }

    @Test func `a worker killed from outside is back, its calls fail typed`() async throws {
        try await HostHarness.run(["slow", "counter"]) { harness in
            let host = harness.host
            let call = Task { try await harness.failure("slow", ["n": 9_000]) }
            let gate = await host.supervisor(of: "slow").gate
            try await harness.eventually("it runs") { gate.load.running == 1 }
            let pid = try #require(await harness.info("slow")?.pid)
            #expect(kill(pid, SIGKILL) == 0)

            guard case .crashed("slow", "slow", let how, false) = try await call.value else {
                throw HostHarness.Missed(what: "crashed")
            }
            #expect(how.contains("SIGKILL"))
            #expect(try await host.call("slow", ["n": 1])["slept"] == 1)
            #expect(await harness.info("slow")?.pid != pid)
            #expect(await harness.info("counter")?.generation == 1)
        }
    }

    @Test
    func `a zygote killed from outside: every plugin is back within a second, calls fail typed`()
        async throws
    {
        try await HostHarness.run(["slow", "counter"]) { harness in
            let host = harness.host
            let call = Task { try await harness.failure("slow", ["n": 9_000]) }
            let gate = await host.supervisor(of: "slow").gate
            try await harness.eventually("it runs") { gate.load.running == 1 }
            let zygote = try #require(await host.state.pool.running["c"])
            let killed = ContinuousClock.now
            #expect(kill(zygote, SIGKILL) == 0)

            guard case .crashed("slow", "slow", let how, false) = try await call.value else {
                throw HostHarness.Missed(what: "crashed")
            }
            #expect(how.contains("zygote"))
            // A call that is sent before the death is noticed would fail, too.
            try await harness.eventually("the other one is back") {
                await harness.info("counter")?.generation == 2
            }
            #expect(try await host.call("counter")["value"] == 1)
            #expect(try await host.call("slow", ["n": 1])["slept"] == 1)
            let took = ContinuousClock.now - killed
            #expect(took < .seconds(1), "\(took)")
            #expect(await host.state.pool.running["c"] != zygote)
        }
    }

    @Test func `a zygote that hangs is replaced, and a host with one still shuts down`()
        async throws
    {
        try await HostHarness.run(["counter"], configure: { $0.limits.load = .milliseconds(600) }) {
            harness in
            let zygote = try #require(await harness.host.state.pool.running["c"])
            #expect(kill(zygote, SIGSTOP) == 0)
            try harness.drop("slow")
            try await harness.status("slow", .enabled)
            #expect(await harness.host.state.pool.running["c"] != zygote)
            #expect(try await harness.host.call("counter")["value"] == 1)

            let next = try #require(await harness.host.state.pool.running["c"])
            #expect(kill(next, SIGSTOP) == 0)
            let begun = ContinuousClock.now
            await harness.host.shutdown()
            #expect(ContinuousClock.now - begun < .seconds(5))
            #expect(kill(next, 0) != 0)
        }
    }

    @Test func `restarts wait longer each time; callers wait, or are told how long`() async throws {
        try await HostHarness.run(["crash-call"]) { harness in
            let host = harness.host
            for crash in 1...3 {
                _ = try await harness.failure("crash-call")
                try await harness.eventually("crash \(crash) is told") {
                    await harness.events("plugin:crashed", of: "crash-call").count == crash
                }
                let told = await harness.events("plugin:crashed", of: "crash-call")
                // Back-off: at once, then 100 ms, doubling (Backoff).
                #expect(told.last?.payload["restartIn"]?.int == [0, 100, 200][crash - 1])
                if crash > 1 {
                    let error = try await harness.failure("crash-call", ["n": 0])
                    guard case .restarting("crash-call", let left) = error else {
                        throw HostHarness.Missed(what: "restarting, but \(error)")
                    }
                    #expect(left <= [0, 100, 200][crash - 1])
                }
                try await harness.eventually("it is back") {
                    await harness.info("crash-call")?.generation == crash + 1
                }
            }
            #expect(try await host.call("crash-call", ["n": 0])["alive"] == true)
        }
    }

    @Test func `an orderly shutdown lets calls finish; one at once does not wait`() async throws {
        try await HostHarness.run(["slow"]) { harness in
            let host = harness.host
            let gate = await host.supervisor(of: "slow").gate
            let short = Task { try await host.call("slow", ["n": 300]) }
            try await harness.eventually("it runs") { gate.load.running == 1 }
            await host.shutdown()
            #expect(try await short.value["slept"] == 300)
            try await harness.restart()

            let next = harness.host
            let nextGate = await next.supervisor(of: "slow").gate
            let long = Task { try await harness.failure("slow", ["n": 9_000]) }
            try await harness.eventually("it runs") { nextGate.load.running == 1 }
            let begun = ContinuousClock.now
            async let orderly: Void = next.shutdown()
            await next.shutdown(immediately: true)
            await orderly
            #expect(ContinuousClock.now - begun < .seconds(1))
            let error = try await long.value
            #expect(["crashed", "killedBecause"].contains(error.code), "\(error)")
        }
    }
}

/// What a plugin cannot be started for, by fixture: the code, and words of the reason.
@Suite struct HostStartFailureTests {
    private static let broken: [(fixture: String, code: String, words: String)] = [
        ("entry-fails-silently", "entry", "nocturne_plugin_entry"), ("entry-fails", "entry", ""),
        ("executable-stack", "executableStack", "stack"),
        ("handler-not-declared", "contract", "handler-not-declared"),
        ("identity-build", "identity", "says \"1.0.0\", the code \"1.0.0+build.7\""),
        ("identity-control-characters", "identity", "\"1.0.0\\u{1B}[2J\\u{A}error: forged\""),
        ("identity-forged", "identity", "the code \"\(String(repeating: "\u{FFFD}", count: 65))\""),
        ("identity-id", "identity", "says \"identity-id\", the code \"somebody-else\""),
        ("identity-null", "contract", "`version` is NULL"),
        ("identity-overlong", "contract", "`version` has no end within the 256 bytes"),
        ("identity-size", "contract", "struct_size 16, but 24"),
        ("identity-unterminated", "crashed", "SIGSEGV"),
        ("identity-version", "identity", "rebuild it with both from one source"),
        ("manifest-abi-new", "abi", "ABI"),
        ("manifest-missing-field", "manifest", ""), ("manifest-not-json", "manifest", "JSON"),
        ("manifest-unknown-field", "manifest", ""),
        ("missing-library", "load", "libnocturne-nowhere"),
        ("no-entry", "noEntry", "nocturne_plugin_entry"), ("no-manifest", "noManifest", "manifest"),
        ("state-without-restore", "contract", "restore"), ("table-abi", "entry", ""),
        ("table-size", "entry", ""), ("table-wild", "crashed", ""),
        ("tool-without-handler", "contract", "handler"), ("tools-without-items", "contract", ""),
        ("undefined-symbol", "load", "symbol"), ("activate-fails", "activate", "does not want to"),
        ("crash-activate", "crashed", "SIGSEGV"), ("crash-constructor", "crashed", "SIGSEGV"),
        ("unhealthy", "unhealthy", "never well"), ("hang-activate", "tooSlow", "activate"),
        ("hang-constructor", "tooSlow", "loading"), ("hang-entry", "tooSlow", "loading"),
    ]

    @Test func `each broken plugin fails with its own reason, and others are served meanwhile`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            for entry in Self.broken { try harness.drop(entry.fixture) }
            var answered = 0
            for entry in Self.broken {
                let path = "\(harness.plugins)/\(entry.fixture).so"
                try await harness.eventually("\(entry.fixture) is refused") {
                    _ = try await host.call("counter")
                    answered += 1
                    let found = await host.plugins().first {
                        $0.file == path || $0.files.contains { $0.path == path }
                    }
                    return found?.status == .failed && found?.reasonCode == entry.code
                }
                let info = await host.plugins().first { $0.file == path }
                #expect(
                    info?.reason?.contains(entry.words) == true,
                    "\(entry.fixture): \(info?.reason ?? "-")")
                #expect(info?.pid == nil)
            }
            #expect(answered >= Self.broken.count)
            #expect(await harness.info("counter")?.generation == 1)
        }
    }

    @Test
    func `code of another version is refused by file, field and values, and the old serves on`()
        async throws
    {
        func build(_ version: String, stating stated: String, to path: String) throws {
            try Fixtures.compile(
                """
                #include "fixture.h"
                FIXTURE_OF("dated", "\(version)", TOOL("dated"))
                NOCTURNE_IDENTIFY("dated", "\(stated)")
                HANDLER(tell) { answer(call, "{\\"version\\":\\"\(stated)\\"}"); }
                NOCTURNE_PLUGIN(NOCTURNE_TOOL("dated", tell))
                """, to: path)
        }
        try await HostHarness.run { harness in
            let host = harness.host
            let path = "\(harness.root)/staging/dated.so"
            try build("1.0.0", stating: "1.0.0", to: path)
            #expect(try await host.load(from: path).status == .enabled)
            try build("1.1.0", stating: "1.0.0", to: path)
            await #expect {
                try await host.load(from: path)
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "identity" && error?.plugin == "dated"
                    && error?.description.contains(
                        "the manifest and the code of \(path) disagree about `version`: "
                            + "the manifest says \"1.1.0\", the code \"1.0.0\"; ") == true
            }
            #expect(try await host.call("dated")["version"] == "1.0.0")
            #expect(await harness.info("dated")?.generation == 1)
            try build("1.1.0", stating: "1.1.0", to: path)
            #expect(try await host.load(from: path).version == "1.1.0")
            #expect(try await host.call("dated")["version"] == "1.1.0")
        }
    }

    @Test func `what failed to start is told by load, and a fixed file is tried at once`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let path = "\(harness.root)/staging/late.so"
            try Fixtures.compile(
                """
                #include "fixture.h"
                FIXTURE("late", "x-why": "activate says no")
                static int32_t activate(nocturne_error_t *error) {
                    snprintf(error->message, sizeof error->message, "not yet");
                    return -1;
                }
                ENTRY_WITH(NULL, activate)
                """, to: path)
            await #expect {
                try await host.load(from: path)
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "activate" && error?.plugin == "late"
                    && error?.description.contains("not yet") == true
            }
            try Fixtures.simple("late", to: path)
            #expect(try await host.load(from: path).status == .enabled)
            #expect(try await host.call("late")["build"] == "a")
        }
    }
}
