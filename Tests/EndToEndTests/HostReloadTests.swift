// HostReloadTests.swift — replacing what serves while it is called: nobody notices, or the old one serves on.

import CLinux
import Glibc
import NocturneCore
import Synchronization
import Testing

@testable import NocturneHost

@Suite struct HostReloadTests {
    /// Loops over a tool until told to stop; gives what each call answered, in order.
    private func callers(
        _ count: Int, of tool: String, _ host: PluginManager, until isDone: Flag
    ) -> [Task<[JSONValue], any Error>] {
        (0..<count).map { _ in
            Task {
                var answers: [JSONValue] = []
                while !isDone.isSet { answers.append(try await host.call(tool)) }
                return answers
            }
        }
    }

    final class Flag: Sendable {
        private let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
        func set() { value.withLock { $0 = true } }
    }

    @Test
    func `twenty replacements under four callers lose no call and no count, and never go back`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            let isDone = Flag()
            let tasks = callers(4, of: "counter", host, until: isDone)
            for round in 1...20 {
                try harness.drop(round % 2 == 1 ? "counter-b" : "counter", as: "counter")
                try await harness.eventually("reload \(round)") {
                    await harness.events("plugin:reloaded", of: "counter").count == round
                }
            }
            isDone.set()
            var all: [Int64] = []
            for task in tasks {
                let values = try await task.value.map { try #require($0["value"]?.int) }
                #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
                all += values
            }
            // Every call counted exactly once, over all generations.
            #expect(all.sorted() == Array(1...Int64(all.count)))
            #expect(await harness.info("counter")?.generation == 21)
            let info = try #require(await harness.info("counter"))
            #expect(info.errors == 0 && info.crashes == 0)
            // New calls waited for a part of each reload.
            for event in await harness.events("plugin:reloaded", of: "counter") {
                let times = try ["parked", "duration"].map {
                    try #require(event.payload[$0]?.number?.double)
                }
                #expect(0 < times[0] && times[0] < times[1])
            }
        }
    }

    @Test func `a stateless replacement switches at once: who saw the new never sees the old`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let builds = (0...20).map { "\(harness.root)/staging/build-\($0).so" }
            for (index, path) in builds.enumerated() {
                try Fixtures.simple("swift-change", build: String(index), to: path)
            }
            try harness.drop(file: builds[0], as: "swift-change")
            try await harness.status("swift-change", .enabled)
            let isDone = Flag()
            let tasks = callers(4, of: "swift-change", host, until: isDone)
            for index in 1...20 {
                try harness.drop(file: builds[index], as: "swift-change")
                try await harness.eventually("build \(index) serves") {
                    try await host.call("swift-change")["build"] == .string(String(index))
                }
            }
            isDone.set()
            for task in tasks {
                let seen = try await task.value.map { try #require(Int($0["build"]?.string ?? "")) }
                #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 <= $1 })
            }
            #expect(await harness.info("swift-change")?.errors == 0)
            for event in await harness.events("plugin:reloaded", of: "swift-change") {
                #expect(event.payload["parked"]?.number?.double == 0)
            }
        }
    }

    @Test(arguments: [
        ("stateful-cannot-restore", "state", "unknown layout"),
        ("stateful-restore-crashes", "crashed", "SIGSEGV"),
        ("stateful-restore-hangs", "tooSlow", "taking over the state"),
    ])
    func `a new build that cannot take the state over is refused; the old one serves on with it`(
        _ fixture: String, _ code: String, _ words: String
    ) async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            try harness.drop("stateful-good", as: "stateful")
            try await harness.status("stateful", .enabled)
            #expect(try await host.call("stateful", ["n": 7])["value"] == 7)
            let isDone = Flag()
            let tasks = callers(2, of: "stateful", host, until: isDone)

            try harness.drop(fixture, as: "stateful")
            try await harness.eventually("the reason is told") {
                await harness.events("plugin:error", of: "stateful").contains {
                    $0.payload["code"]?.string == code
                }
            }
            isDone.set()
            var calls: Int64 = 0
            for task in tasks { calls += Int64(try await task.value.count) }
            let answer = try await host.call("stateful", ["n": 0])
            #expect(answer == ["value": JSONValue(7 + calls), "build": "good"])
            let info = try #require(await harness.info("stateful"))
            #expect(info.status == .enabled && info.generation == 1)
            #expect(info.pendingChange?.contains(words) == true, "\(info.pendingChange ?? "-")")
        }
    }

    @Test(arguments: [
        ("stateful-cannot-save", "state", "not now"),
        ("stateful-save-lies", "contract", "capacity"),
    ])
    func `an old build that cannot save its state serves on, and says why`(
        _ fixture: String, _ code: String, _ words: String
    ) async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            try harness.drop(fixture, as: "stateful")
            try await harness.status("stateful", .enabled)
            #expect(try await host.call("stateful", ["n": 5])["value"] == 5)
            try harness.drop("stateful-good", as: "stateful")
            try await harness.eventually("the reason is told") {
                await harness.info("stateful")?.pendingChange?.contains(words) == true
            }
            #expect(try await host.call("stateful", ["n": 1])["value"] == 6)
            let told = await harness.events("plugin:error", of: "stateful")
            #expect(told.count == 1 && told[0].payload["code"]?.string == code)
        }
    }

    @Test func `a build that hangs in save is killed and started again, and the reason is told`()
        async throws
    {
        try await HostHarness.run(configure: { $0.limits.hook = .milliseconds(400) }) { harness in
            let host = harness.host
            try harness.drop("stateful-save-hangs", as: "stateful")
            try await harness.status("stateful", .enabled)
            try harness.drop("stateful-good", as: "stateful")
            try await harness.eventually("it is back") {
                await harness.info("stateful")?.crashes == 1
            }
            // Its state is lost with it; callers wait, none fails.
            #expect(
                try await host.call("stateful", ["n": 1]) == ["value": 1, "build": "save-hangs"])
            #expect(
                await harness.info("stateful")?.pendingChange?.contains("saving its state") == true)
        }
    }

    @Test func `a build that fails to start does not take the place of the one that serves`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            #expect(try await host.call("counter")["value"] == 1)
            let bad = "\(harness.root)/staging/bad.so"
            try Fixtures.compile(
                """
                #include "fixture.h"
                NOCTURNE_MANIFEST({ "id": "counter", "name": "x", "version": "2.0.0", "abi": "1.0" })
                static int32_t activate(nocturne_error_t *error) { (void)error; abort(); }
                ENTRY_WITH(NULL, activate)
                """, to: bad)
            try harness.drop(file: bad, as: "counter")
            try await harness.eventually("it is refused") {
                await harness.info("counter")?.pendingChange?.contains("SIGABRT") == true
            }
            #expect(try await host.call("counter")["value"] == 2)
            await #expect { try await host.reload("counter") } throws: {
                ($0 as? PluginError)?.code == "crashed"
            }
            #expect(try await host.call("counter")["value"] == 3)
            // Another file is tried at once.
            try harness.drop("counter-b", as: "counter")
            try await harness.eventually("b serves") {
                try await host.call("counter")["build"] == "b"
            }
            #expect(await harness.info("counter")?.pendingChange == nil)
        }
    }

    @Test func `a build that crashes within 100 ms of serving is taken back`() async throws {
        try await HostHarness.run { harness in
            let host = harness.host
            let good = "\(harness.root)/staging/good.so", bad = "\(harness.root)/staging/bad.so"
            try Fixtures.simple("fragile", build: "good", to: good)
            try Fixtures.compile(
                """
                #include "fixture.h"
                FIXTURE("fragile", TOOL("fragile"))
                HANDLER(tell) { abort(); }
                NOCTURNE_PLUGIN(NOCTURNE_TOOL("fragile", tell))
                """, to: bad)
            try harness.drop(file: good, as: "fragile")
            try await harness.status("fragile", .enabled)
            let pid = await harness.info("fragile")?.pid
            let isDone = Flag()
            let caller = Task {
                while !isDone.isSet { _ = try? await host.call("fragile") }
            }
            try harness.drop(file: bad, as: "fragile")
            try await harness.eventually("it is taken back") {
                await harness.info("fragile")?.pendingChange?.contains("first 100 ms") == true
            }
            isDone.set()
            await caller.value
            #expect(try await host.call("fragile")["build"] == "good")
            #expect(await harness.info("fragile")?.pid == pid)
        }
    }

    @Test func `calls longer than the drain end with the old generation, with a reason`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let paths = ["a", "b"].map { "\(harness.root)/staging/lasting-\($0).so" }
            for (path, build) in zip(paths, ["a", "b"]) {
                try Fixtures.compile(
                    """
                    #include "fixture.h"
                    FIXTURE("lasting", "reload": { "drain": "200ms" }, "limits": { "concurrency": 2 }, TOOL("lasting"))
                    HANDLER(last) { sleep_ms(number(input, size, "n", 0)); answer(call, "\\"\(build)\\""); }
                    NOCTURNE_PLUGIN(NOCTURNE_TOOL("lasting", last))
                    """, to: path)
            }
            try harness.drop(file: paths[0], as: "lasting")
            try await harness.status("lasting", .enabled)
            let gate = await host.supervisor(of: "lasting").gate
            let long = Task { try await harness.failure("lasting", ["n": 4_500]) }
            let short = Task { try await host.call("lasting", ["n": 250]) }
            try await harness.eventually("both run") { gate.load.running == 2 }
            try harness.drop(file: paths[1], as: "lasting")
            try await harness.eventually("b serves", within: .seconds(3)) {
                try await host.call("lasting") == "b"
            }
            #expect(try await short.value == "a")
            guard case .killedBecause("lasting", "lasting", let why, false) = try await long.value
            else {
                throw HostHarness.Missed(what: "killedBecause")
            }
            #expect(why.contains("stopped"))
        }
    }

    @Test func `a crash while its replacement starts leaves the replacement, not the past`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let old = "\(harness.root)/staging/old.so", new = "\(harness.root)/staging/new.so"
            try Fixtures.simple("succeeded", build: "old", to: old)
            try Fixtures.compile(
                """
                #include "fixture.h"
                FIXTURE("succeeded", TOOL("succeeded"))
                HANDLER(tell) { answer(call, "{\\"build\\":\\"new\\"}"); }
                static int32_t activate(nocturne_error_t *error) { (void)error; sleep_ms(400); return 0; }
                static const void *get_extension(const char *id) {
                    static const nocturne_contribution_t items[] = { { "succeeded", tell, NULL } };
                    static const nocturne_contributions_t tools = { sizeof tools, 1, items };
                    return strcmp(id, NOCTURNE_TOOLS) == 0 ? &tools : NULL;
                }
                ENTRY_WITH(get_extension, activate)
                """, to: new)
            try harness.drop(file: old, as: "succeeded")
            try await harness.status("succeeded", .enabled)
            let pid = try #require(await harness.info("succeeded")?.pid)
            try harness.drop(file: new, as: "succeeded")
            try await harness.eventually("the new one starts") {
                await host.supervisor(of: "succeeded").lastNumber == 2
            }
            #expect(kill(pid, SIGKILL) == 0)
            try await harness.eventually("the crash is noticed") {
                await harness.info("succeeded")?.crashes == 1
            }
            // Callers wait for what comes.
            #expect(try await host.call("succeeded")["build"] == "new")
            try await harness.eventually("all is settled") {
                await harness.events("plugin:reloaded", of: "succeeded").count == 1
            }
            #expect(try await host.call("succeeded")["build"] == "new")
            #expect(await harness.info("succeeded")?.generation == 2)
        }
    }

    @Test func `rollback serves the build before, and forth again; the rest is pruned`()
        async throws
    {
        try await HostHarness.run { harness in
            let host = harness.host
            let builds = (0...3).map { "\(harness.root)/staging/r\($0).so" }
            for (index, path) in builds.enumerated() {
                try Fixtures.simple("rolled", build: "\(index)", to: path)
            }
            try harness.drop(file: builds[0], as: "rolled")
            try await harness.status("rolled", .enabled)
            await #expect { try await host.rollback("rolled") } throws: {
                ($0 as? PluginError)?.code == "noPrevious"
            }
            for index in 1...3 {
                try harness.drop(file: builds[index], as: "rolled")
                try await harness.eventually("\(index) serves") {
                    try await host.call("rolled")["build"] == .string("\(index)")
                }
            }
            try await harness.eventually("exactly two objects are kept") {
                harness.objects.count == 2
            }
            let serving = try #require(await harness.info("rolled"))
            #expect(
                Set(harness.objects)
                    == Set(["\(serving.hash ?? "").so", "\(serving.previousHash ?? "").so"]))

            _ = try await host.rollback("rolled")
            #expect(try await host.call("rolled")["build"] == "2")
            await host.rescan()
            #expect(try await host.call("rolled")["build"] == "2")
            _ = try await host.rollback("rolled")
            #expect(try await host.call("rolled")["build"] == "3")
            _ = try await host.rollback("rolled")
            try await harness.restart()
            #expect(try await harness.host.call("rolled")["build"] == "2")
            _ = try await harness.host.reload("rolled")
            #expect(try await harness.host.call("rolled")["build"] == "3")
        }
    }

    @Test func `a reload of a file that is half there is refused by name; what serves serves on`()
        async throws
    {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            let path = "\(harness.plugins)/counter.so"
            let half = try Array(readFile(path).prefix(3_000))
            try writeFile(half, to: "\(harness.root)/staging/half")
            rename("\(harness.root)/staging/half", path)
            await #expect {
                try await host.reload("counter")
            } throws: { error in
                let error = error as? PluginError
                return error?.code == "incomplete" && error?.isRetryable == true
                    && error?.description.contains("counter: not reloaded: \(path)") == true
            }
            #expect(try await host.call("counter")["value"]?.int ?? 0 > 0)
            let info = await harness.info("counter")
            #expect(info?.generation == 1 && info?.status == .enabled)
            #expect(info?.pendingChange?.contains("\(path): incomplete") == true)
            try harness.drop("counter")
            try await harness.eventually("nothing is pending") {
                await harness.info("counter")?.pendingChange == nil
            }
        }
    }

    @Test func `a file from elsewhere that was not taken is not kept for later`() async throws {
        try await HostHarness.run(["counter"]) { harness in
            let host = harness.host
            let path = "\(harness.root)/staging/other.so"
            try writeFile(readFile(try Fixtures.path("counter")) + [0], to: path)
            await #expect(throws: PluginError.self) { try await host.load(from: path) }
            #expect(await harness.info("counter")?.files.count == 1)
            harness.removeFile("counter")
            try await harness.eventually("the counter is gone") {
                await harness.info("counter") == nil
            }
        }
    }
}
