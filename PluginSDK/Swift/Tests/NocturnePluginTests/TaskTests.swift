// TaskTests.swift — tasks as the host starts them, run by an author's closures. Next: FakeTasks.swift.

import CNocturne
import NocturnePlugin
import Testing

extension `Everything that goes through the one plugin of a process`.`Calls` {
    struct Job: Codable, Sendable { let to: Int }

    /// Runs the task of a plugin that has only this one.
    private func run(
        _ handler: TaskHandler, _ input: String = "{}", info: String = #"{"id":"7","attempt":2}"#
    ) throws -> [FakeCall.Answer] {
        FakeTasks.begin(info: info)
        let plugin = try EnteredPlugin(Plugin(tasks: ["t": handler]))
        return try plugin.call("t", input, in: NOCTURNE_TASKS)
    }

    @Test func `a task knows what it is, and where it was`() throws {
        let info =
            #"{"id":"12","name":"t","queue":"q","attempt":3,"crashes":1,"checkpoint":{"at":5}}"#
        let answers = try run(
            TaskHandler { _, context in
                [
                    "id": JSON(context.id), "name": JSON(context.name),
                    "queue": JSON(context.queue), "attempt": JSON(context.attempt),
                    "crashes": JSON(context.crashes), "at": context.checkpoint?["at"] ?? nil,
                    "left": JSON(context.timeLeft == .seconds(2)),
                    "cancelled": JSON(context.isCancelled),
                ]
            }, info: info)
        #expect(
            answers.first?.json == [
                "id": "12", "name": "t", "queue": "q", "attempt": 3, "crashes": 1, "at": 5,
                "left": true, "cancelled": false,
            ])
    }

    @Test func `types, progress, lines and checkpoints go through`() throws {
        let answers = try run(
            TaskHandler { (job: Job, context) in
                #expect(context.checkpoint == nil)
                for step in 1...job.to {
                    context.updateProgress(Double(step) / Double(job.to) * 100, "step \(step)")
                    try context.checkpoint(JSON(step))
                }
                context.updateProgress(100)
                context.log("done")
                #expect(context.checkpoint == 2)
                return Job(to: job.to * 2)
            }, #"{"to":2}"#)
        #expect(answers.first?.json == ["to": 4])
        #expect(
            FakeTasks.said == [
                "50.0 step 1", "checkpoint 1", "100.0 step 2", "checkpoint 2", "100.0 -",
                "log done",
            ])
    }

    @Test func `a pause point leaves only if the task is to pause, and saves first`() throws {
        let handler = TaskHandler { (_: JSON, context) throws -> JSON in
            try context.pausePoint(["at": 3])
            return "went on"
        }
        #expect(try run(handler).first?.json == "went on")
        #expect(FakeTasks.said.isEmpty)
        FakeTasks.pauseOnce()
        #expect(try run(handler).isEmpty)
        #expect(FakeTasks.said == [#"checkpoint {"at":3}"#, "paused"])
    }

    @Test func `errors say when to come back`() throws {
        #expect(
            try run(
                TaskHandler { (_: JSON, _) throws -> JSON in
                    throw RetryLater(after: .milliseconds(1_500), "busy")
                }
            ).isEmpty)
        #expect(FakeTasks.said == ["retry after 1500 busy"])
        #expect(
            try run(
                TaskHandler { (_: JSON, _) async throws -> JSON in
                    await Task.yield()
                    throw Snooze(for: .seconds(60))
                }
            ).isEmpty)
        #expect(FakeTasks.said == ["snooze 60000"])
        let failed = try run(TaskHandler { (_: JSON, _) throws -> JSON in throw PluginError("no") })
        #expect(failed == [.init(status: NOCTURNE_FAILED, text: "no")])
    }

    @Test func `a tool that throws what only tasks may throw fails, and answers`() throws {
        let plugin = try EnteredPlugin(
            Plugin(tools: [
                "t": Tool { (_: JSON, _) throws -> JSON in throw Snooze(for: .seconds(1)) }
            ]))
        #expect(try plugin.call("t").first?.status == NOCTURNE_FAILED)
    }

    @Test func `an input that does not fit, a checkpoint that is refused, a host without tasks`()
        throws
    {
        let typed = TaskHandler { (job: Job, _) in job }
        #expect(try run(typed, #"{"to":"x"}"#).first?.status == NOCTURNE_INVALID_INPUT)
        let saving = TaskHandler { (_: JSON, context) throws -> JSON in
            try context.checkpoint("refuse")
            return nil
        }
        #expect(try run(saving).first?.text.contains("checkpoint") == true)
        let plugin = try EnteredPlugin(Plugin(tasks: ["t": typed]), services: false)
        let answer = try #require(try plugin.call("t", #"{"to":1}"#, in: NOCTURNE_TASKS).first)
        #expect(answer.status == NOCTURNE_FAILED && answer.text.contains("host.tasks"))
    }
}
