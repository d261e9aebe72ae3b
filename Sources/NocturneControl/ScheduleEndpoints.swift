// ScheduleEndpoints.swift — the routes about recurring tasks and queues. Next: StreamEndpoints.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneTasks

extension Endpoint {
    /// Routes about schedules and queues.
    static let schedules: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/schedules", name: "listSchedules",
            summary: "All recurring tasks, by name.",
            output: .json(schema: Schema.list(of: Schema.schedule))
        ) { exchange in
            .json(.array(try await exchange.tasks.schedules().map { .object($0.json) }))
        },
        Endpoint(
            method: .put, path: "/v1/schedules/{name}", name: "putSchedule",
            summary: "Adds a recurring task, or replaces the one of this name in place.",
            input: .object(
                schema: Schema.object(
                    "Keys: \(ScheduleRecord.fields.joined(separator: ", ")); `schedule` and `task` must be there."
                )),
            output: .json(schema: Schema.schedule), answer: putSchedule),
        Endpoint(
            method: .delete, path: "/v1/schedules/{name}", name: "removeSchedule",
            summary: "Removes a recurring task. Its runs remain.", success: .noContent,
            output: .nothing
        ) { exchange in
            try await exchange.tasks.removeSchedule(exchange.parameter("name"))
            return .nothing
        },
        Endpoint(
            method: .post, path: "/v1/schedules/{name}/run", name: "runSchedule",
            summary:
                "Adds a run at once and returns it; null if the policy for overlaps skips it.",
            output: .json(schema: Schema.task)
        ) { exchange in
            let run = try await exchange.tasks.runNow(schedule: exchange.parameter("name"))
            return .json(run.map { .object($0.json) } ?? .null)
        },
        pause(
            "schedules", "Stops a recurring task; what it misses meanwhile does not happen.", true),
        pause("schedules", "Lets a recurring task go on.", false),
        Endpoint(
            method: .get, path: "/v1/queues", name: "listQueues",
            summary: "All queues that were set up or have had tasks, by name.",
            output: .json(schema: Schema.list(of: Schema.queue))
        ) { exchange in
            .json(.array(try await exchange.tasks.queues().map { .object($0.json) }))
        },
        Endpoint(
            method: .put, path: "/v1/queues/{name}", name: "putQueue",
            summary:
                "Sets a queue up, or up anew: what is not said has no limit. Whether it is paused stays as it was.",
            input: .object(
                schema: Schema.object(
                    "`limit`: how many of its tasks run at once; `rate`: {\"count\", \"per\", \"burst\"}; `paused`."
                )
            ), output: .json(schema: Schema.queue)
        ) { exchange in
            let fields = try TaskFields(try exchange.object(), knowing: QueueSettings.fields)
            var queue = try QueueSettings(exchange.parameter("name"), fields)
            if try fields.flag("paused") == nil {
                let before = try await exchange.tasks.queues().first { $0.name == queue.name }
                queue.isPaused = before?.isPaused ?? false
            }
            try await exchange.tasks.put(queue)
            return .json(.object(queue.json))
        },
        pause("queues", "Starts no more tasks of a queue. What runs goes on.", true),
        pause("queues", "Starts tasks of a queue again.", false),
    ]

    @Sendable
    private static func putSchedule(_ exchange: Exchange) async throws -> Reply {
        let tasks = exchange.tasks
        let name = exchange.parameter("name")
        let fields = try TaskFields(try exchange.object(), knowing: ScheduleRecord.fields)
        let schedule = try ScheduleRecord(
            name, fields, defaultRetries: tasks.configuration.defaultRetries, now: .now())
        try await tasks.add(schedule)
        if let isPaused = try fields.flag("paused") {
            try await tasks.setPaused(isPaused, schedule: name)
        }
        let stored = try await tasks.schedules().first { $0.name == name } ?? schedule
        var json = stored.json
        json["waitsForHandler"] = .bool(!tasks.hasHandler(stored.task.name))
        return .json(.object(json))
    }

    private static func pause(_ kind: String, _ summary: String, _ isPaused: Bool) -> Endpoint {
        let verb = isPaused ? "pause" : "resume"
        let isQueue = kind == "queues"
        return Endpoint(
            method: .post, path: "/v1/\(kind)/{name}/\(verb)",
            name: verb + (isQueue ? "Queue" : "Schedule"), summary: summary, success: .noContent,
            output: .nothing
        ) { exchange in
            let name = exchange.parameter("name")
            if isQueue {
                try await exchange.tasks.setPaused(isPaused, queue: name)
            } else {
                try await exchange.tasks.setPaused(isPaused, schedule: name)
            }
            return .nothing
        }
    }
}
