// CallEndpoints.swift — the routes that call tools and commands, and those about the host itself.
// Next: StreamEndpoints.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneHost

extension Endpoint {
    /// Routes that call plugins. The body is the input itself and the reply the result itself,
    /// nothing around them.
    static let calls: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/tools", name: "listTools",
            summary: "The tools of enabled plugins.",
            output: .json(schema: Schema.list(of: Schema.contribution))
        ) { exchange in
            .json(.array(exchange.host.toolList))
        },
        Endpoint(
            method: .get, path: "/v1/commands", name: "listCommands",
            summary: "The commands of enabled plugins.",
            output: .json(schema: Schema.list(of: Schema.contribution))
        ) { exchange in
            .json(.array(exchange.host.commandList))
        },
        Endpoint(
            method: .post, path: "/v1/tools/{name}/call", name: "callTool",
            summary: "Calls a tool. Going away cancels the call.",
            query: [deadline],
            input: .anything(meaning: "The tool's input; an empty body means {}."),
            output: .json(schema: Schema.anything)
        ) { exchange in
            .json(
                try await exchange.host.call(
                    exchange.parameter("name"), try exchange.json(empty: [:]),
                    options: try callOptions(exchange)))
        },
        Endpoint(
            method: .post, path: "/v1/commands/{name}", name: "runCommand",
            summary: "Runs a command. Going away cancels it.",
            query: [deadline],
            input: .anything(meaning: "The command's input; an empty body means null."),
            output: .json(schema: Schema.anything)
        ) { exchange in
            .json(
                try await exchange.host.command(
                    exchange.parameter("name"), try exchange.json(empty: .null),
                    options: try callOptions(exchange)))
        },
    ]

    /// Routes about the host as a whole.
    static let host: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/host", name: "getHost", summary: "The host itself.",
            output: .json(schema: Schema.object("The host's version, process and directories."))
        ) { exchange in
            .json(exchange.host.status)
        },
        Endpoint(
            method: .post, path: "/v1/rescan", name: "rescan",
            summary:
                "Looks at the plugins directory again and returns when that has been carried out.",
            success: .noContent, output: .nothing
        ) { exchange in
            await exchange.host.rescan()
            return .nothing
        },
        Endpoint(
            method: .get, path: "/healthz", name: "getHealth", summary: "Whether the host answers.",
            output: .json(schema: Schema.object("Always {\"status\": \"ok\"}."))
        ) { _ in
            .json(["status": "ok"])
        },
        Endpoint(
            method: .get, path: "/openapi.json", name: "getOpenAPI", summary: "This document.",
            output: .json(schema: Schema.object("An OpenAPI 3.1 document."))
        ) { _ in
            .json(openAPIDocument(of: Endpoint.all))
        },
    ]

    /// Every route.
    static let all: [Endpoint] =
        host + plugins + calls + tasks + schedules + sessions + metrics + alerts + streams

    private static let deadline = QueryParameter(
        name: "deadline", kind: .number(minimum: 1),
        meaning:
            "Milliseconds after which the call fails, if the plugin's own deadline is later."
    )

    private static func callOptions(_ exchange: Exchange) throws(RequestError) -> CallOptions {
        var options = CallOptions()
        options.deadlineMilliseconds = try exchange.number("deadline", minimum: 1).map { Int($0) }
        return options
    }
}
