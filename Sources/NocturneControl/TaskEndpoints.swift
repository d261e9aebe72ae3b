// TaskEndpoints.swift — the routes that add tasks, show them and change them. Next: ScheduleEndpoints.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneTasks

extension Endpoint {
    /// Tasks of a list unless a caller asks for another number, and at most.
    static let defaultTasks: Int64 = 100, mostTasks: Int64 = 10_000
    /// Tasks that one request may add.
    static let mostAdded = 100_000

    /// Routes about tasks.
    static let tasks: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/tasks", name: "listTasks",
            summary: "Tasks, the newest first, without their inputs and results.",
            query: filterParameters + [
                QueryParameter(
                    name: "limit", kind: .number(minimum: 1),
                    meaning:
                        "So many at most; \(defaultTasks) unless told, never over \(mostTasks)."),
                QueryParameter(
                    name: "before", kind: .number(minimum: 1),
                    meaning: "Only those added before this one: the last of the page before."),
            ],
            output: .json(schema: Schema.list(of: Schema.taskSummary)), answer: list),
        Endpoint(
            method: .post, path: "/v1/tasks", name: "addTask",
            summary:
                "Adds a task, or an array of tasks together: all of them or none. One whose name has no handler yet "
                + "waits for it (`waitsForHandler`).",
            input: .anything(
                meaning:
                    "A task, or an array of tasks. Keys: \(NewTask.fields.joined(separator: ", "))."
            ),
            success: .created, output: .json(schema: Schema.addedTask), answer: add),
        Endpoint(
            method: .get, path: "/v1/tasks/statistics", name: "getTaskStatistics",
            summary: "How many tasks are in each state, and what happened since the host started.",
            output: .json(schema: Schema.object("Counts of all, then rows by queue and name."))
        ) { exchange in
            .json(.object(try await exchange.tasks.statistics().json))
        },
        Endpoint(
            method: .get, path: "/v1/tasks/{task}", name: "getTask", summary: "All of one task.",
            output: .json(schema: Schema.task)
        ) { exchange in
            .json(task(try await found(exchange), exchange))
        },
        Endpoint(
            method: .get, path: "/v1/tasks/{task}/events", name: "followTask",
            summary: "What happens to one task, as server-sent events that end when it has ended.",
            output: .events(schema: Schema.event), answer: follow),
        command("cancel", "Ends a task, or asks its handler to stop.") {
            tasks, id throws(TaskError) in try await tasks.cancel(id)
        },
        command("pause", "Holds a task; one that runs, at its next pause point.") {
            tasks, id throws(TaskError) in try await tasks.pause(id)
        },
        command("resume", "Lets a held task go on.") { tasks, id throws(TaskError) in
            try await tasks.resume(id)
        },
        command("retry", "Tries a task again that failed, was cancelled or skipped.") {
            tasks, id throws(TaskError) in try await tasks.retry(id)
        },
        bulk("clear", "Removes finished tasks; completed ones unless `states` says otherwise.") {
            tasks, filter throws(TaskError) in
            var filter = filter
            filter.states = filter.states ?? [.completed]
            return try await tasks.clear(filter)
        },
        bulk("retry", "Tries all failed tasks again that are meant.") {
            tasks, filter throws(TaskError) in try await tasks.retryFailed(where: filter)
        },
        bulk("cancel", "Cancels all unfinished tasks that are meant.") {
            tasks, filter throws(TaskError) in try await tasks.cancelAll(where: filter)
        },
        Endpoint(
            method: .post, path: "/v1/graphs", name: "addGraph",
            summary: "Adds tasks that wait for each other, together.",
            input: .object(
                schema: Schema.object(
                    "`tasks`: tasks with `reference`, `after` (references) and `rule`; `onFailure`."
                )),
            success: .created, output: .json(schema: Schema.graphAdded), answer: addGraph),
        Endpoint(
            method: .get, path: "/v1/graphs/{task}", name: "getTaskGraph",
            summary: "How far a graph is: how many of its tasks are in each state.",
            output: .json(schema: Schema.graphProgress), answer: showGraph),
    ]

    // MARK: - Showing

    private static let filterParameters = [
        QueryParameter(
            name: "state", kind: .text,
            meaning: "Only in one of these states, with commas between them."),
        QueryParameter(name: "queue", kind: .text, meaning: "Only of this queue."),
        QueryParameter(name: "name", kind: .text, meaning: "Only of this name."),
        QueryParameter(name: "schedule", kind: .text, meaning: "Only runs of this schedule."),
        QueryParameter(
            name: "graph", kind: .number(minimum: 1), meaning: "Only of this graph."),
    ]

    @Sendable
    private static func list(_ exchange: Exchange) async throws -> Reply {
        var filter = TaskFilter(queue: exchange.text("queue"), name: exchange.text("name"))
        filter.schedule = exchange.text("schedule")
        filter.graph = try exchange.number("graph", minimum: 1).map { TaskID($0) }
        if let text = exchange.text("state") {
            filter.states = []
            for name in text.split(separator: ",") {
                guard let state = TaskState(name: String(name)) else {
                    throw RequestError.invalidParameter(
                        name: "state", found: String(name),
                        expected: TaskState.allCases.map(\.description).joined(separator: ", "))
                }
                filter.states?.insert(state)
            }
        }
        let limit = min(try exchange.number("limit", minimum: 1) ?? defaultTasks, mostTasks)
        let before = try exchange.number("before", minimum: 1).map { TaskID($0) }
        let found = try await exchange.tasks.tasks(
            where: filter, limit: Int(limit), before: before)
        return .json(
            .array(found.map { .object(noting(exchange, $0, in: $0.summaryJSON)) }))
    }

    private static func found(_ exchange: Exchange) async throws -> TaskRecord {
        let id = try exchange.taskID
        guard let record = try await exchange.tasks.task(id) else { throw TaskError.notFound(id) }
        return record
    }

    private static func task(_ record: TaskRecord, _ exchange: Exchange) -> JSONValue {
        .object(noting(exchange, record, in: record.json))
    }

    /// Whether it can only wait, because nobody here runs tasks of its name.
    private static func noting(
        _ exchange: Exchange, _ record: TaskRecord, in json: JSONObject
    ) -> JSONObject {
        var json = json
        json["waitsForHandler"] = .bool(
            !record.state.isFinished && record.state != .running
                && !exchange.tasks.hasHandler(record.name))
        return json
    }

    @Sendable
    private static func follow(_ exchange: Exchange) async throws -> Reply {
        let id = try await found(exchange).id
        let (tasks, bus) = (exchange.tasks, exchange.host.events)
        let events = bus.events(matching: "tasks/*", since: bus.latestID)
        let text = JSONValue.string(id.description)
        let own = AsyncStream<EventDelivery>(
            bufferingPolicy: .bufferingOldest(EventBus.bufferLimit)
        ) {
            continuation in
            let telling = Task {
                for await delivery in events {
                    if case .event(let event) = delivery, event.payload["taskId"] != text {
                        continue
                    }
                    continuation.yield(delivery)
                }
            }
            let waiting = Task {
                // However it ends, there is nothing more to tell: the task, or this host.
                _ = try? await tasks.end(of: id)
                continuation.finish()
            }
            continuation.onTermination = { _ in
                telling.cancel()
                waiting.cancel()
            }
        }
        return .events(opening: [], own) {
            { delivery in
                switch delivery {
                case .event(let event): serverSentEvent(event.json, id: event.id)
                case .gap(let missed): gapEvent(missed)
                }
            }
        }
    }

    // MARK: - Adding

    @Sendable
    private static func add(_ exchange: Exchange) async throws -> Reply {
        let retries = exchange.tasks.configuration.defaultRetries
        let json = try exchange.json(empty: nil)
        switch json {
        case .object(let object):
            let fields = try TaskFields(object, knowing: NewTask.fields)
            let task = try NewTask(fields, defaultRetries: retries)
            return .json(added(try await exchange.tasks.add(task), task, exchange))
        case .array(let array):
            guard array.count <= mostAdded else {
                throw TaskError.tooLarge("the request, in tasks,", array.count, mostAdded)
            }
            var tasks: [NewTask] = []
            for (index, item) in array.enumerated() {
                guard let object = item.object else {
                    throw RequestError.wrongBody(
                        expected: "an array of objects", found: "one with \(item.typeName)")
                }
                let fields = try TaskFields(object, in: "[\(index)].", knowing: NewTask.fields)
                tasks.append(try NewTask(fields, defaultRetries: retries))
            }
            let answers = try await exchange.tasks.add(tasks)
            return .json(.array(zip(answers, tasks).map { added($0, $1, exchange) }))
        default:
            throw RequestError.wrongBody(
                expected: "an object or an array of objects", found: "\(json.typeName)")
        }
    }

    static func added(_ added: AddedTask, _ task: NewTask, _ exchange: Exchange) -> JSONValue {
        var json = added.json
        json["waitsForHandler"] = .bool(!exchange.tasks.hasHandler(task.name))
        return .object(json)
    }

    @Sendable
    private static func addGraph(_ exchange: Exchange) async throws -> Reply {
        let fields = try TaskFields(try exchange.object(), knowing: NewGraph.fields)
        let graph = try NewGraph(
            fields, defaultRetries: exchange.tasks.configuration.defaultRetries)
        let answers = try await exchange.tasks.add(graph)
        let tasks = zip(answers, graph.nodes).map { answer, node -> JSONValue in
            var json = added(answer, node.task, exchange).object ?? [:]
            json["reference"] = .string(node.reference)
            return .object(json)
        }
        let id: JSONValue = answers.first.map { .string($0.id.description) } ?? .null
        return .json(["graph": id, "tasks": .array(tasks)])
    }

    @Sendable
    private static func showGraph(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.taskID
        let counts = try await exchange.tasks.graphProgress(id)
        let total = counts.values.reduce(0, +)
        guard total > 0 else { throw TaskError.notFound(id) }
        let finished = counts.filter(\.key.isFinished).values.reduce(0, +)
        return .json([
            "graph": .string(id.description), "tasks": JSONValue(total),
            "finished": JSONValue(finished),
            "percent": JSONValue(100 * Double(finished) / Double(total)) ?? .null,
            "counts": TaskStatistics.json(counts),
        ])
    }

    // MARK: - Changing

    private static func command(
        _ verb: String, _ summary: String,
        _ action:
            @escaping @Sendable (BackgroundTaskManager, TaskID) async throws(TaskError) ->
            TaskRecord
    ) -> Endpoint {
        Endpoint(
            method: .post, path: "/v1/tasks/{task}/\(verb)", name: "\(verb)Task",
            summary: summary, output: .json(schema: Schema.task)
        ) { exchange in
            .json(task(try await action(exchange.tasks, try exchange.taskID), exchange))
        }
    }

    private static func bulk(
        _ verb: String, _ summary: String,
        _ action:
            @escaping @Sendable (BackgroundTaskManager, TaskFilter) async throws(TaskError) -> Int
    ) -> Endpoint {
        Endpoint(
            method: .post, path: "/v1/tasks/\(verb)", name: "\(verb)Tasks", summary: summary,
            input: .object(
                schema: Schema.object("Which: states, queue, name, schedule, graph. All if empty.")),
            output: .json(schema: Schema.object("`count`: how many it were."))
        ) { exchange in
            // Never an absent one: that must not mean all tasks.
            let fields = try TaskFields(
                try exchange.object(), knowing: ["states", "queue", "name", "schedule", "graph"])
            var filter = TaskFilter(
                states: try fields.states("states"), queue: try fields.text("queue"),
                name: try fields.text("name"))
            filter.schedule = try fields.text("schedule")
            if let text = try fields.text("graph") {
                guard let id = TaskID(text) else {
                    throw RequestError.wrongField(
                        "graph", found: quoted(text), expected: "the id of its first task")
                }
                filter.graph = id
            }
            return .json(["count": JSONValue(try await action(exchange.tasks, filter))])
        }
    }
}

extension Exchange {
    /// The task that the path names.
    var taskID: TaskID {
        get throws(RequestError) {
            let text = parameter("task")
            guard let id = TaskID(text) else {
                throw .invalidParameter(
                    name: "task", found: text, expected: "the id of a task: a positive number")
            }
            return id
        }
    }
}
