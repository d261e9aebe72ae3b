// OpenAPI.swift — the control API described by its own table of routes, as an OpenAPI 3.1 document.
// Next: TaskSchemas.swift, ControlServer.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneHost

/// An OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.1) of `endpoints`.
func openAPIDocument(of endpoints: [Endpoint]) -> JSONValue {
    var paths = JSONObject()
    for endpoint in endpoints {
        var item = paths[endpoint.path]?.object ?? [:]
        item[endpoint.method.rawValue.lowercased()] = .object(operation(endpoint))
        paths[endpoint.path] = .object(item)
    }
    return [
        "openapi": "3.1.0",
        "info": [
            "title": "Nocturne control API",
            "version": .string(HostVersion.string),
            "summary":
                "Shows and changes the plugins, tasks, sessions, metrics and alerts of a host, and calls plugins.",
            "description":
                "HTTP/1.1 over a Unix socket that only the host's user and root may use.",
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ],
        "servers": [["url": "http://localhost", "description": "Through the host's Unix socket."]],
        "paths": .object(paths),
        "components": ["schemas": .object(Schema.components)],
    ]
}

private func operation(_ endpoint: Endpoint) -> JSONObject {
    var operation: JSONObject = [
        "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
    ]
    let parameters = endpoint.pathParameters.map(pathParameter) + endpoint.query.map(queryParameter)
    if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
    switch endpoint.input {
    case .nothing: break
    case .object(let schema):
        operation["requestBody"] = [
            "required": true, "content": ["application/json": ["schema": schema]],
        ]
    case .anything(let meaning):
        operation["requestBody"] = [
            "required": false, "description": .string(meaning),
            "content": ["application/json": ["schema": Schema.anything]],
        ]
    }
    var success: JSONObject = ["description": .string(endpoint.success.reasonPhrase)]
    switch endpoint.output {
    case .nothing: break
    case .json(let schema):
        success["content"] = jsonOrEvents(
            schema, canFollow: endpoint.query.contains { $0.name == "follow" })
    case .bytes(let contentTypes):
        let content = (contentTypes.isEmpty ? ["*/*"] : contentTypes).map { type in
            (type, ["schema": ["type": "string"]] as JSONValue)
        }
        success["content"] = .object(JSONObject(content))
    case .events(let schema):
        success["content"] = ["text/event-stream": ["schema": schema]]
    }
    operation["responses"] = [
        "\(endpoint.success.code)": .object(success),
        "default": [
            "description": .string(
                "What went wrong. 404 unknown, 400 and 422 not acceptable, 409 in conflict, "
                    + "413 too large, 429 and 503 try again, 504 over its deadline, "
                    + "403 denied, 500 failed."
            ),
            "content": ["application/json": ["schema": Schema.error]],
        ],
    ]
    return operation
}

private func jsonOrEvents(_ schema: JSONValue, canFollow: Bool) -> JSONValue {
    var content: JSONObject = ["application/json": ["schema": schema]]
    if canFollow { content["text/event-stream"] = ["schema": schema["items"] ?? schema] }
    return .object(content)
}

private func pathParameter(_ name: String) -> JSONValue {
    let schema: JSONValue =
        name == "id"
        ? ["type": "string", "pattern": "^[a-z][a-z0-9-]{0,63}$"] : ["type": "string"]
    return ["name": .string(name), "in": "path", "required": true, "schema": schema]
}

private func queryParameter(_ parameter: Endpoint.QueryParameter) -> JSONValue {
    let schema: JSONValue =
        switch parameter.kind {
        case .text: ["type": "string"]
        case .texts: ["type": "array", "items": ["type": "string"]]
        case .oneOf(let choices): ["type": "string", "enum": .array(choices.map { .string($0) })]
        case .number(let minimum): ["type": "integer", "minimum": JSONValue(minimum)]
        case .flag: ["type": "string", "enum": ["0", "1", "false", "true"]]
        }
    return [
        "name": .string(parameter.name), "in": "query", "required": false,
        "description": .string(parameter.meaning), "schema": schema,
    ]
}

/// The JSON Schemas (2020-12) of what the API takes and gives.
enum Schema {
    static let anything: JSONValue = .bool(true)
    static let pluginSummary = reference("PluginSummary")
    static let plugin = reference("Plugin")
    static let graph = reference("Graph")
    static let plan = reference("Plan")
    static let contribution = reference("Contribution")

    static let event = reference("Event")
    static let logRecord = reference("LogRecord")
    static let error = reference("Error")
    static let settings = object("Settings by name, as the plugin's manifest allows them.")
    static let loadRequest: JSONValue = [
        "type": "object", "required": ["path"], "additionalProperties": false,
        "properties": [
            "path": ["type": "string", "description": "An absolute path to a plugin's file."],
            "id": [
                "type": ["string", "null"],
                "description": "The id that the file must have; another one is an error.",
            ],
        ],
    ]

    static func list(of schema: JSONValue) -> JSONValue { ["type": "array", "items": schema] }

    static func object(_ description: String) -> JSONValue {
        ["type": "object", "description": .string(description)]
    }

    static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    static let text: JSONValue = ["type": "string"]
    static let optionalText: JSONValue = ["type": ["string", "null"]]
    static let count: JSONValue = ["type": "integer", "minimum": 0]
    static let texts: JSONValue = ["type": "array", "items": text]

    private static let status: JSONValue = [
        "type": "string", "enum": .array(PluginStatus.allCases.map { .string($0.rawValue) }),
    ]

    private static let summaryProperties: JSONObject = [
        "id": optionalText, "version": optionalText,
        "status": status,
        "reason": optionalText, "reasonCode": optionalText, "generation": count,
        "pid": ["type": ["integer", "null"]], "runtime": optionalText, "hash": optionalText,
        "file": optionalText, "pendingChange": optionalText, "crashes": count, "calls": count,
        "errors": count,
    ]

    static let components = JSONObject(
        [pluginComponents, taskComponents, metricComponents, sessionComponents].flatMap {
            $0.map { ($0.key, $0.value) }
        })

    private static let pluginComponents: JSONObject = [
        "PluginSummary": record(
            summaryProperties, required: ["id", "version", "status", "generation", "pid"]),
        "Plugin": [
            "allOf": [
                pluginSummary,
                record(
                    [
                        "name": text, "previousHash": optionalText,
                        "files": ["type": "array", "items": ["type": "object"]], "tools": texts,
                        "commands": texts, "tasks": texts,
                        "exporters": texts, "strategies": texts, "agents": texts,
                        "listens": texts, "inactive": texts, "layers": texts,
                        "degradations": texts, "settings": ["type": "object"], "manifest": anything,
                    ], required: ["name", "settings"]),
            ]
        ],
        "Graph": record(
            [
                "nodes": list(
                    of: record(
                        ["id": text, "version": optionalText, "status": status],
                        required: ["id", "version", "status"])),
                "edges": list(of: reference("GraphEdge")),
            ], required: ["nodes", "edges"]),
        "GraphEdge": record(
            [
                "from": text, "to": text,
                "kind": [
                    "type": "string",
                    "enum": .array(PluginGraph.Kind.allCases.map { .string($0.rawValue) }),
                ], "range": text, "answeredBy": optionalText, "answeredVersion": optionalText,
                "satisfied": ["type": "boolean"],
            ],
            required: [
                "from", "to", "kind", "range", "answeredBy", "answeredVersion", "satisfied",
            ]),
        "Plan": record(
            [
                "steps": list(
                    of: record(
                        [
                            "plugin": text, "action": actions, "from": optionalText,
                            "to": optionalText, "reason": optionalText,
                        ], required: ["plugin", "action"])),
                "objections": texts,
            ], required: ["steps", "objections"]),
        "Contribution": record(
            ["kind": text, "name": text, "plugin": text, "description": text],
            required: ["name", "plugin"]),
        "Event": record(
            [
                "id": ["type": "integer", "minimum": 1], "time": milliseconds, "source": text,
                "name": text, "payload": ["type": "object"],
            ], required: ["id", "time", "source", "name", "payload"]),
        "LogRecord": record(
            [
                "time": milliseconds, "level": text, "message": text,
                "fields": ["type": "object"], "stream": text,
            ], required: ["time", "level", "message"]),
        "Error": record(
            [
                "error": record(
                    [
                        "code": text, "message": text, "plugin": optionalText,
                        "retryable": ["type": "boolean"],
                        "exitStatus": ["type": "integer", "description": "As in sysexits(3)."],
                    ], required: ["code", "message", "plugin", "retryable", "exitStatus"])
            ], required: ["error"]),
    ]

    private static let actions: JSONValue = [
        "type": "string",
        "enum": .array(ChangePlan.Action.allCases.map { .string($0.rawValue) }),
    ]

    static let milliseconds: JSONValue = [
        "type": "integer", "description": "Milliseconds since 1970-01-01 UTC.",
    ]

    static func record(_ properties: JSONObject, required: [String]) -> JSONValue {
        [
            "type": "object", "required": .array(required.map { .string($0) }),
            "properties": .object(properties),
        ]
    }
}
