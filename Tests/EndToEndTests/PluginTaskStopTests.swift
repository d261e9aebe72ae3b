// PluginTaskStopTests.swift — tasks of plugins that are stopped from outside: held, cancelled, killed at their timeout,
// crashed, or run by a plugin that is replaced. Next: Tests/Fixtures/Tasks.

import NocturneCore
import NocturneTasks
import Testing

@testable import NocturneHost

@Suite struct PluginTaskStopTests {
    @Test func `a task that is paused gives its place back, and goes on from its checkpoint`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 100, "ms": 2])
            try await tasks.progress(id, atLeast: 1)
            try await tasks.manager.pause(id)
            try await tasks.state(id, .paused)
            let checkpoint = try #require(
                try await tasks.record(id).checkpoint.flatMap { Int64($0) })
            #expect(checkpoint > 0 && checkpoint < 100)
            #expect(tasks.host.router.gate(of: "counting")?.load.running == 0)
            try await tasks.manager.resume(id)
            let result = try await tasks.manager.result(of: id)
            #expect(result["from"]?.int == checkpoint)
            #expect(result["attempt"] == 1, "a pause is no attempt")
        }
    }

    @Test func `a pause that is taken back in time does not happen`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 40, "ms": 25])
            try await tasks.progress(id, atLeast: 1)
            try await tasks.manager.pause(id)
            try await tasks.manager.resume(id)
            let record = try await tasks.manager.end(of: id)
            #expect(record.state == .completed)
            #expect(!record.attempts.contains { $0.outcome == .paused })
        }
    }

    @Test func `a task that is cancelled stops, and its plugin serves on`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 100_000, "ms": 2])
            try await tasks.progress(id, atLeast: 0.001)
            try await tasks.manager.cancel(id)
            #expect(try await tasks.manager.end(of: id).state == .cancelled)
            #expect(try #require(await tasks.harness.info("counting")).crashes == 0)
        }
    }

    @Test func `a task that does not stop when it is cancelled is killed after a grace`()
        async throws
    {
        try await TaskHarness.run(["task-hangs"]) { tasks in
            let id = try await tasks.add("hang")
            try await tasks.state(id, .running)
            let start = ContinuousClock.now
            try await tasks.manager.cancel(id)
            #expect(try await tasks.manager.end(of: id).state == .cancelled)
            let waited = ContinuousClock.now - start
            #expect(waited >= tasks.manager.configuration.stopGrace)
            // The plugin is started again.
            #expect(try await tasks.end("take", ["n": 1]).state == .completed)
            #expect(try #require(await tasks.harness.info("task-hangs")).crashes == 1)
        }
    }

    @Test
    func `a task that never returns is killed at its timeout, and those beside it may try again`()
        async throws
    {
        try await TaskHarness.run(["task-hangs"]) { tasks in
            let beside = try await tasks.add("take", ["n": 3_000]) {
                $0.retry = RetryPolicy(retries: 0)
            }
            try await tasks.state(beside, .running)
            let id = try await tasks.add("hang") {
                $0.timeout = .milliseconds(700)
                $0.retry = RetryPolicy(retries: 0)
            }
            let call = Task { try await tasks.harness.failure("task-hangs", ["n": 10_000]) }
            let record = try await tasks.manager.end(of: id)
            #expect((record.state, record.attempt) == (.failed, 1))
            #expect(record.failure?.kind == .timeout)
            let ran = try #require(record.attempts.first.map { $0.ended.since($0.started) })
            // The two ends are moments of the wall clock, cut to milliseconds.
            #expect(ran >= .milliseconds(699) && ran < .seconds(3), "\(ran)")
            let failure = try await call.value
            #expect(failure.isRetryable && failure.code == "killedBecause")
            #expect(failure.description.contains("hang"), "it says because of which task")
            // It lost no attempt, though it may have no second one.
            let other = try await tasks.manager.end(of: beside)
            #expect((other.state, other.attempt) == (.completed, 1))
            #expect(other.attempts.first?.outcome == .returned)
            #expect(other.attempts.first?.log.last?.contains("hang") == true)
        }
    }

    @Test func `a crash counts apart from attempts, and three make a task poison`() async throws {
        try await TaskHarness.run(["task-crashes"]) { tasks in
            let survivor = try await tasks.end("crash", ["times": 1]) {
                $0.retry = RetryPolicy(retries: 0)
            }
            #expect((survivor.state, survivor.crashes) == (.completed, 1))
            #expect(survivor.resultValue == ["attempt": 1])
            let crash = try #require(survivor.attempts.first)
            #expect(crash.outcome == .crashed)
            #expect(crash.failure?.message.contains("SIGABRT") == true)
            #expect(crash.log.first == "about to crash", "what was said before the end is kept")

            let poison = try await tasks.end("crash", ["times": 99])
            #expect((poison.state, poison.crashes) == (.failed, 3))
            #expect(poison.failure?.kind == .poison)
            #expect(await tasks.harness.events("task:failed").count == 1)
        }
    }

    @Test func `a plugin that is replaced: its task pauses and goes on in the new build`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 100, "ms": 20]) {
                $0.retry = RetryPolicy(retries: 0)
            }
            try await tasks.progress(id, atLeast: 5)
            try tasks.harness.drop("counting-b", as: "counting")
            let record = try await tasks.manager.end(of: id)
            #expect(record.state == .completed)
            #expect(record.resultValue["version"] == "1.1.0")
            #expect(record.resultValue["attempt"] == 1, "what is not its fault does not count")
            #expect(try #require(record.resultValue["from"]?.int) > 0)
            let first = try #require(record.attempts.first)
            #expect(first.outcome == .returned)
            #expect(first.log.last?.contains("1.0.0") == true)
            #expect(first.log.last?.contains("1.1.0") == true, "it says by what")
        }
    }

    @Test func `a task that ends in time is not disturbed when its plugin is replaced`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 20, "ms": 10, "polite": 0])
            try await tasks.progress(id, atLeast: 5)
            let reload = Task {
                _ = try tasks.harness.drop("counting-b", as: "counting")
            }
            let record = try await tasks.manager.end(of: id)
            try await reload.value
            #expect(record.resultValue["version"] == "1.0.0" && record.attempt == 1)
        }
    }

    @Test(arguments: [0, 2])
    func `a task that does not pause ends with its old build, and begins anew in the new one`(
        polite: Int
    ) async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add(
                "count", ["to": 150, "ms": 20, "polite": JSONValue(polite)])
            try await tasks.progress(id, atLeast: 5)
            try tasks.harness.drop("counting-b", as: "counting")
            let record = try await tasks.manager.end(of: id)
            #expect((record.state, record.attempt) == (.completed, 1))
            #expect(record.resultValue["version"] == "1.1.0")
            #expect(record.attempts.first?.outcome == .returned)
            #expect(record.attempts.first?.log.last?.contains("1.1.0") == true)
            try await tasks.harness.eventually("one process serves") {
                await tasks.harness.events("plugin:reloaded", of: "counting").count == 1
            }
        }
    }

    @Test func `a plugin that is disabled in the middle leaves its task waiting`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 100, "ms": 10])
            try await tasks.progress(id, atLeast: 1)
            try await tasks.host.disable("counting")
            let waiting = try await tasks.record(id)
            #expect(waiting.state == .available && waiting.checkpoint != nil)
            #expect(!tasks.manager.hasHandler("count"))
            try await tasks.host.enable("counting")
            let record = try await tasks.manager.end(of: id)
            #expect((record.state, record.attempt) == (.completed, 1))
            #expect(try #require(record.resultValue["from"]?.int) > 0)
        }
    }

    @Test func `shutting the manager down gives a plugin's task back with its checkpoint`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 1_000, "ms": 10])
            try await tasks.progress(id, atLeast: 1)
            await tasks.manager.shutdown()
            let record = try await tasks.record(id)
            #expect((record.state, record.attempt) == (.available, 0))
            #expect(record.checkpoint != nil)
            #expect(tasks.host.router.gate(of: "counting")?.load.running == 0)
        }
    }
}
