// TaskSchemas.swift — what the routes about tasks give, as JSON Schemas. Next: MetricSchemas.swift.

internal import NocturneCore
internal import NocturneTasks

extension Schema {
    static let taskSummary = reference("TaskSummary")
    static let task = reference("Task")
    static let addedTask = reference("AddedTask")
    static let graphAdded = reference("GraphAdded")
    static let graphProgress = reference("GraphProgress")
    static let schedule = reference("Schedule")
    static let queue = reference("Queue")

    private static let time = milliseconds
    private static let optionalTime: JSONValue = [
        "type": ["integer", "null"], "description": "Milliseconds since 1970-01-01 UTC.",
    ]
    private static let optionalDuration: JSONValue = [
        "type": ["integer", "null"], "description": "Milliseconds.",
    ]
    private static let flag: JSONValue = ["type": "boolean"]
    private static let number: JSONValue = ["type": "number"]
    private static let optionalObject: JSONValue = ["type": ["object", "null"]]

    private static func oneOf(_ names: [String]) -> JSONValue {
        ["type": "string", "enum": .array(names.map { .string($0) })]
    }
    private static let state = oneOf(TaskState.allCases.map(\.description))
    private static let priority = oneOf(PriorityClass.allCases.map(\.description))
    private static let counts = record(
        JSONObject(TaskState.allCases.map { ($0.description, count) }), required: [])

    private static let summaryProperties: JSONObject = [
        "id": text, "name": text, "queue": text, "state": state, "priority": priority,
        "attempt": count, "retries": count, "crashes": count, "created": time, "due": time,
        "started": optionalTime, "finished": optionalTime, "progress": optionalObject,
        "error": optionalObject, "cancelRequested": flag, "pauseRequested": flag,
        "schedule": optionalText, "graph": optionalText, "reference": optionalText,
        "waitsForHandler": flag,
    ]

    static let taskComponents: JSONObject = [
        "TaskSummary": record(
            summaryProperties, required: ["id", "name", "queue", "state", "priority", "attempt"]),
        "Task": [
            "allOf": [
                taskSummary,
                record(
                    [
                        "input": anything, "result": anything, "checkpoint": anything,
                        "attempts": [
                            "type": "array",
                            "items": record(
                                [
                                    "number": count, "started": time, "ended": time,
                                    "outcome": oneOf(TaskAttempt.Outcome.allCases.map(\.rawValue)),
                                    "worker": optionalText, "error": optionalObject, "log": texts,
                                ], required: ["number", "outcome", "started", "ended"]),
                        ],
                        "timeout": optionalDuration, "deadline": optionalTime,
                        "key": optionalObject, "uniqueKey": optionalText,
                        "idempotencyKey": optionalText, "worker": optionalText,
                        "moment": optionalTime, "rule": optionalText, "parents": texts,
                    ], required: ["input", "result", "attempts"]),
            ]
        ],
        "AddedTask": record(
            [
                "id": text, "state": state, "duplicate": optionalText, "waitsForHandler": flag,
                "reference": text,
            ], required: ["id", "state", "duplicate", "waitsForHandler"]),
        "GraphAdded": record(
            ["graph": optionalText, "tasks": list(of: addedTask)], required: ["graph", "tasks"]),
        "GraphProgress": record(
            [
                "graph": text, "tasks": count, "finished": count, "percent": number,
                "counts": counts,
            ], required: ["graph", "tasks", "finished", "percent", "counts"]),
        "Schedule": record(
            [
                "name": text, "task": text, "queue": text, "priority": priority, "input": anything,
                "schedule": text, "meaning": text, "zone": text,
                "gap": oneOf(ClockGap.allCases.map(\.rawValue)),
                "clockOverlap": oneOf(ClockOverlap.allCases.map(\.rawValue)),
                "catchUp": record(
                    ["runs": count, "within": ["type": "integer"]], required: ["runs", "within"]),
                "overlap": oneOf(RunOverlap.allCases.map(\.rawValue)), "last": time,
                "next": optionalTime, "paused": flag, "waitsForHandler": flag,
            ], required: ["name", "task", "schedule", "meaning", "next", "paused"]),
        "Queue": record(
            [
                "name": text, "limit": ["type": ["integer", "null"]], "rate": optionalObject,
                "paused": flag,
            ], required: ["name", "limit", "rate", "paused"]),
    ]
}
