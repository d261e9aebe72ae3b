// SessionSchemas.swift — what the routes about sessions take and give, as JSON Schemas. Next: MetricSchemas.swift.

internal import NocturneCore

extension Schema {
    static let session = reference("Session")
    static let sessionDescription = reference("SessionDescription")
    static let sessionMember = reference("SessionMember")
    static let sessionMoment = reference("SessionMoment")
    static let goal = reference("Goal")

    private static let number: JSONValue = ["type": "number", "minimum": 0]
    private static let flag: JSONValue = ["type": "boolean"]

    /// An object with these fields and no others.
    static func fields(_ properties: JSONObject, _ required: [String]) -> JSONValue {
        [
            "type": "object", "properties": .object(properties),
            "required": .array(required.map { .string($0) }), "additionalProperties": false,
        ]
    }

    private static func described(_ schema: JSONValue, _ description: String) -> JSONValue {
        var object = schema.object ?? [:]
        object["description"] = .string(description)
        return .object(object)
    }

    /// What the routes about sessions share.
    static let sessionComponents: JSONObject = [
        "SessionDescription": fields(
            [
                "id": described(text, "Its name: letters, digits, `.`, `_`, `-`."),
                "goal": described(text, "What it is for, in words."),
                "strategy": described(text, "Else the configuration's."),
                "parameters": ["description": "What the strategy reads."],
                "fallback": described(text, "The built-in strategy if that one fails."),
                "policy": object("What deviates from the configuration; times in milliseconds."),
                "agents": list(of: sessionMember), "execute": goal,
            ], ["id"]),
        "SessionMember": fields(
            [
                "agent": described(text, "The name of a plugin's agent; or `command`."),
                "command": described(text, "The name of a program that the operator listed."),
                "id": described(text, "Its name in the session, if another one."),
                "role": described(text, "leader, worker (unless told), reviewer, observer, …"),
                "capabilities": ["type": "array", "items": anything], "cost": number,
                "concurrency": count, "heartbeat": described(count, "Milliseconds."), "plans": flag,
            ], []),
        "Goal": record(
            [
                "description": text, "payload": anything, "decompose": flag, "requires": texts,
                "planner": optionalText, "budget": ["type": "object"],
            ], required: ["description"]),
        "Session": record(
            [
                "id": text, "goal": text, "strategy": text,
                "state": [
                    "type": "string", "enum": ["idle", "executing", "paused", "ended", "failed"],
                ],
                "agents": list(of: ["type": "object"]), "leader": optionalText,
                "progress": ["type": ["object", "null"]], "questions": list(of: ["type": "object"]),
                "outcome": ["type": ["object", "null"]],
            ], required: ["id", "state"]),
        "SessionMoment": record(
            ["input": count, "time": milliseconds, "name": text, "payload": ["type": "object"]],
            required: ["input", "time", "name", "payload"]),
    ]
}
