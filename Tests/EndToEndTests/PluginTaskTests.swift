// PluginTaskTests.swift — tasks that plugins run: how they begin, what they say, how they end of themselves.
// Next: PluginTaskStopTests.swift.

import Glibc
import NocturneCore
import NocturneTasks
import Testing

@testable import Nocturne
@testable import NocturneHost

@Suite struct PluginTaskTests {
    @Test func `a plugin runs a task, says how far it is, and returns a result`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let record = try await tasks.end("count", ["to": 5])
            #expect(record.state == .completed)
            #expect(record.resultValue == ["from": 0, "to": 5, "attempt": 1, "version": "1.0.0"])
            #expect(record.attempts.map(\.log) == [["1", "2", "3", "4", "5"]])
            let info = try #require(await tasks.harness.info("counting"))
            #expect(info.tasks == ["count", "end"] && info.inactive.isEmpty)
            #expect(tasks.host.tasks.map(\.name) == ["count", "end"])
            let last = await tasks.harness.events("task:progress").last?.payload
            #expect(last?["progress"] == 100 && last?["message"] == "5")
        }
    }

    @Test func `an input that does not match the manifest's schema fails the task for good`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            for input in [["to": 0], ["to": "ten"], [:]] as [JSONValue] {
                let record = try await tasks.end("count", input)
                #expect((record.state, record.attempt) == (.failed, 1))
                #expect(record.failure?.kind == .input)
                #expect(record.failure?.message.contains("count") == true)
            }
        }
    }

    @Test(arguments: [
        ("fail", TaskFailure.Kind.permanent, "it cannot be"),
        ("invalid", .input, "no such thing"),
        ("wrong result", .permanent, "object"),
        ("no json", .permanent, "JSON"),
    ])
    func `what would fail again is not tried again`(
        how: String, kind: TaskFailure.Kind, says: String
    ) async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let record = try await tasks.end("end", ["how": .string(how)])
            #expect((record.state, record.attempt) == (.failed, 1))
            #expect(record.failure?.kind == kind)
            #expect(record.failure?.message.contains(says) == true)
            #expect(record.failure?.message.contains("counting") == true, "it names the plugin")
        }
    }

    @Test func `a plugin may ask for another try, for one later, or for one that does not count`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let ends = try await [
                tasks.add("end", ["how": "retry"]) {
                    $0.retry = RetryPolicy(retries: 1, backoff: .fixed(.milliseconds(1)))
                },
                tasks.add("end", ["how": "retry after"]),
                tasks.add("end", ["how": "snooze"]) { $0.retry = RetryPolicy(retries: 0) },
            ]
            let retried = try await tasks.manager.end(of: ends[0])
            #expect(retried.attempts.map(\.outcome) == [.failed, .completed])
            #expect(retried.attempts.first?.failure?.message.contains("not now") == true)
            #expect(retried.resultValue == ["attempt": 2])

            let later = try await tasks.manager.end(of: ends[1])
            #expect(later.resultValue == ["attempt": 2])
            let failed = try #require(later.attempts.first)
            #expect(failed.failure?.message.contains("come back later") == true)
            let waited = try #require(later.started).since(failed.ended)
            #expect(waited >= .milliseconds(1_500) && waited < .seconds(5))

            let snoozed = try await tasks.manager.end(of: ends[2])
            #expect(snoozed.resultValue == ["attempt": 1])
            #expect(snoozed.attempts.first?.outcome == .snoozed)
            let slept = try #require(snoozed.started).since(
                try #require(snoozed.attempts.first).ended)
            #expect(slept >= .seconds(1), "what does not count is bounded")
        }
    }

    @Test func `a plugin that holds its task itself goes on when somebody resumes it`()
        async throws
    {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("end", ["how": "pause"])
            try await tasks.state(id, .paused)
            #expect(try await tasks.record(id).checkpoint == "1")
            try await tasks.manager.resume(id)
            #expect(try await tasks.manager.result(of: id) == ["attempt": 1])
        }
    }

    @Test func `only the first end of an attempt counts, and the plugin is told so`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let record = try await tasks.end("end", ["how": "twice"])
            #expect(record.resultValue == ["first": true])
            // -EALREADY is 114; what is said of a task that is over is a misuse: -EPERM.
            try await tasks.harness.eventually("it logs the codes") {
                try await tasks.host.logs(of: "counting").contains {
                    $0.message == "-114 -114 -114 -114 -1"
                }
            }
            #expect(try await tasks.record(record.id).attempts.count <= 1)
        }
    }

    @Test func `the service of tasks is of no use to a tool`() async throws {
        try await TaskHarness.run(["counting"]) { tasks in
            let id = try await tasks.add("count", ["to": 300, "ms": 10])
            try await tasks.progress(id, atLeast: 1)
            #expect(try await tasks.host.call("counting") == [-1, -1, -1, -1, 0, -1, -1, -1])
            #expect(try await tasks.record(id).state == .running)
        }
    }

    @Test func `a flood of progress and lines is bounded, and the last of each comes through`()
        async throws
    {
        try await TaskHarness.run(["task-floods"]) { tasks in
            let record = try await tasks.end("flood", ["n": 20_000])
            #expect(record.state == .completed)
            let log = try #require(record.attempts.last?.log)
            #expect(log.count == TaskAttempt.mostLines && log.last == "the last line")
            #expect(log.allSatisfy { $0.utf8.count <= TaskAttempt.longestLine })
            let events = await tasks.harness.events("task:progress").map(\.payload)
            let percents = events.compactMap { $0["progress"]?.number?.double }
            #expect(zip(percents, percents.dropFirst()).allSatisfy { $0 <= $1 }, "it never falls")
            #expect(percents.last == 100 && events.last?["message"] == "the last")
            // At most 5/s, and the last.
            let seconds = Double(record.runDuration.components.seconds + 1)
            #expect(Double(percents.count) <= 5 * seconds + 2)
        }
    }

    @Test func `a checkpoint that is none is refused, and the one before it stays`() async throws {
        try await TaskHarness.run(["task-floods"]) { tasks in
            let record = try await tasks.end("lie")
            // 0, then -EINVAL (22) three times, -EMSGSIZE (90), 0.
            #expect(record.resultValue == [0, -22, -22, -22, -90, 0])
        }
    }

    @Test func `a plugin cannot speak of tasks that it does not run`() async throws {
        try await TaskHarness.run(["task-forges", "counting"]) { tasks in
            let other = try await tasks.add("count", ["to": 2_000, "ms": 10])
            try await tasks.harness.eventually("it runs") {
                try await tasks.record(other).checkpoint != nil
            }
            _ = try await tasks.host.call("task-forges", ["n": 500])
            try await tasks.manager.cancel(other)
            let record = try await tasks.manager.end(of: other)
            #expect(record.progress?.percent ?? 0 < 99)
            #expect(record.checkpoint != "7")
            #expect(try #require(await tasks.harness.info("task-forges")).crashes == 0)
        }
    }
}

/// The samples' tasks, as `Scripts/build-samples` has built them.
@Suite(.enabled(if: getenv("NOCTURNE_SAMPLES") != nil)) struct PluginTaskSampleTests {
    private func drop(_ sample: String, into tasks: TaskHarness) throws {
        let folder = String(cString: try #require(getenv("NOCTURNE_SAMPLES")))
        try tasks.harness.drop(file: "\(folder)/\(sample).so", as: sample)
    }

    @Test func `primes are counted as tables have them, also with a pause in between`() async throws
    {
        try await TaskHarness.run([]) { tasks in
            try drop("primes", into: tasks)
            // The number of primes below a power of ten: OEIS A006880; the largest: A003618.
            let record = try await tasks.end("count-primes", ["limit": 10_000_000])
            #expect(record.resultValue == ["count": 664_579, "largest": 9_999_991])
            let id = try await tasks.add("count-primes", ["limit": 1_000_000_000])
            try await tasks.state(id, .running)
            try await tasks.manager.pause(id)
            try await tasks.state(id, .paused)
            #expect(try await tasks.record(id).checkpoint != nil)
            try await tasks.manager.resume(id)
            #expect(
                try await tasks.manager.result(of: id)
                    == ["count": 50_847_534, "largest": 999_999_937])
        }
    }

    @Test func `a task in Swift greets all, and says how far it is`() async throws {
        try await TaskHarness.run([]) { tasks in
            try drop("greeter", into: tasks)
            let record = try await tasks.end("greet-all", ["names": ["Ada", "Alan"]])
            #expect(record.resultValue == ["Hello, Ada!", "Hello, Alan!"])
            #expect(record.progress?.percent == 100 && record.progress?.message == "Alan")
            let wrong = try await tasks.end("greet-all", ["names": [1]])
            #expect(wrong.failure?.kind == .input)
        }
    }
}

@Suite struct PluginTaskNameTests {
    @Test func `tasks wait for their plugin, and begin when it comes`() async throws {
        try await TaskHarness.run([]) { tasks in
            let id = try await tasks.add("count", ["to": 2])
            #expect(!tasks.manager.hasHandler("count"))
            #expect(try await tasks.record(id).state == .available)
            try tasks.harness.drop("counting")
            #expect(try await tasks.manager.result(of: id)["to"] == 2)
            #expect(tasks.manager.hasHandler("count"))
            tasks.harness.removeFile("counting")
            try await tasks.harness.eventually("it is gone") { !tasks.manager.hasHandler("count") }
            let late = try await tasks.add("count", ["to": 3])
            #expect(try await tasks.record(late).state == .available)
            try tasks.harness.drop("counting")
            #expect(try await tasks.manager.result(of: late)["to"] == 3)
        }
    }

    @Test func `a task of the program goes before one of a plugin, and that is said`() async throws
    {
        try await TaskHarness.run([]) { tasks in
            tasks.manager.handle("end") { _, _ in "the program" }
            try tasks.harness.drop("counting")
            try await tasks.harness.status("counting", .enabled)
            #expect(try await tasks.end("end").resultValue == "the program")
            let warnings = await tasks.harness.events("host:warning").compactMap {
                $0.payload["message"]?.string
            }
            #expect(warnings.contains { $0.contains("counting") && $0.contains("\"end\"") })
            tasks.manager.removeHandler("end")
            #expect(try await tasks.end("end").resultValue == ["attempt": 1])
        }
    }

    @Test func `a plugin's tasks share its places, in the order of all tasks`() async throws {
        try await TaskHarness.run(["task-hangs"]) { tasks in
            // Three places; a tool has one of them.
            let tool = Task { try await tasks.host.call("task-hangs", ["n": 600]) }
            try await tasks.harness.eventually("the tool runs") {
                tasks.host.router.gate(of: "task-hangs")?.load.running == 1
            }
            var ids: [TaskID] = []
            for _ in 0..<6 { ids.append(try await tasks.add("take", ["n": 150])) }
            let urgent = try await tasks.add("take", ["n": 1]) { $0.priority = .critical }
            var most = 0
            try await tasks.harness.eventually("all have ended") {
                most = max(most, try await tasks.manager.statistics().count(.running))
                return try await tasks.manager.statistics().count(.completed) == 7
            }
            #expect(most <= 3)
            _ = try await tool.value
            let started = try await tasks.record(urgent).started
            let last = try await tasks.record(try #require(ids.last)).started
            #expect(try #require(started) <= #require(last))
            // No claim was given back: each attempt was the one that ended it.
            for id in ids {
                let record = try await tasks.record(id)
                #expect(record.attempt == 1 && record.attempts.isEmpty)
            }
        }
    }
}
