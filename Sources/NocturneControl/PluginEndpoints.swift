// PluginEndpoints.swift — the routes that show plugins and change them. Next: CallEndpoints.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneHost

extension Endpoint {
    /// Routes about plugins.
    static let plugins: [Endpoint] = [
        Endpoint(
            method: .get, path: "/v1/plugins", name: "listPlugins",
            summary: "All plugins, sorted by id; refused files without an id come last.",
            query: [
                QueryParameter(
                    name: "status", kind: .oneOf(PluginStatus.allCases.map(\.rawValue)),
                    meaning: "Only plugins with this status.")
            ],
            output: .json(schema: Schema.list(of: Schema.pluginSummary))
        ) { exchange in
            var filter = PluginFilter.all
            if let text = exchange.text("status") {
                guard let status = PluginStatus(rawValue: text) else {
                    throw RequestError.invalidParameter(
                        name: "status", found: text,
                        expected: PluginStatus.allCases.map(\.rawValue).joined(separator: ", "))
                }
                filter.status = status
            }
            return .json(.array(await exchange.host.plugins(where: filter).map(\.summaryJSON)))
        },
        Endpoint(
            method: .get, path: "/v1/plugins/{id}", name: "getPlugin",
            summary: "Everything about one plugin.", output: .json(schema: Schema.plugin)
        ) { exchange in
            let id = try exchange.pluginID
            guard let info = await exchange.host.plugin(id) else {
                throw PluginError(
                    "unknownPlugin", id, "\(id): no such plugin; `list` shows what there is")
            }
            return .json(info.json)
        },
        Endpoint(
            method: .get, path: "/v1/graph", name: "getGraph",
            summary:
                "Who needs whom: what manifests say of other plugins, and which plugin answers.",
            output: .json(schema: Schema.graph)
        ) { exchange in
            .json(await exchange.host.graph().json)
        },
        Endpoint(
            method: .post, path: "/v1/plugins", name: "loadPlugin",
            summary: "Loads a plugin from any path, until the host stops.", query: [cascade],
            input: .object(schema: Schema.loadRequest), success: .created,
            output: .json(schema: Schema.plugin), answer: load),
        Endpoint(
            method: .delete, path: "/v1/plugins/{id}", name: "unloadPlugin",
            summary: "Unloads a plugin. Its file, settings and stored data stay.", query: [cascade],
            success: .noContent, output: .nothing
        ) { exchange in
            try await exchange.host.unload(
                try exchange.pluginID, cascade: try exchange.flag(cascade.name))
            return .nothing
        },
        Endpoint(
            method: .get, path: "/v1/plugins/{id}/plan", name: "planChange",
            summary: "What a change of one plugin would lead to. Changes nothing.",
            query: [
                QueryParameter(
                    name: "change", kind: .oneOf(["reload", "unload"]),
                    meaning: "Which change; `reload` if absent.")
            ], output: .json(schema: Schema.plan), answer: plan),
        Endpoint(
            method: .post, path: "/v1/plugins/{id}/enable", name: "enablePlugin",
            summary: "Lets a plugin serve, now and after restarts.",
            output: .json(schema: Schema.plugin)
        ) { exchange in
            .json(try await exchange.host.enable(try exchange.pluginID).json)
        },
        change("disable", "Stops a plugin from serving, now and after restarts.") {
            host, id, cascade throws(PluginError) in
            try await host.disable(id, cascade: cascade)
        },
        change("reload", "Replaces what serves by what the file holds now.") {
            host, id, cascade throws(PluginError) in
            try await host.reload(id, cascade: cascade)
        },
        change("rollback", "Serves the previous build again.") {
            host, id, cascade throws(PluginError) in
            try await host.rollback(id, cascade: cascade)
        },
        configure(
            .patch, name: "configurePlugin", "Merges these settings into a plugin's.",
            replacing: false),
        configure(
            .put, name: "replaceConfiguration", "Replaces all settings of a plugin.",
            replacing: true),
    ]

    /// Without it a change that would stop others is refused.
    private static let cascade = QueryParameter(
        name: "cascade", kind: .flag,
        meaning: "Carries the change out also if plugins that depend on it have to stop.")

    @Sendable
    private static func plan(_ exchange: Exchange) async throws -> Reply {
        let id = try exchange.pluginID
        switch exchange.text("change") {
        case nil, "reload": return .json(try await exchange.host.planReload(id).json)
        case "unload": return .json(try await exchange.host.planUnload(id).json)
        case let text?:
            throw RequestError.invalidParameter(
                name: "change", found: text, expected: "reload or unload")
        }
    }

    @Sendable
    private static func load(_ exchange: Exchange) async throws -> Reply {
        let request = try exchange.object()
        for (key, _) in request where key != "path" && key != "id" {
            throw RequestError.wrongBody(
                expected: "the keys \"path\" and \"id\"",
                found: "an object with the key \(quoted(key))")
        }
        guard let path = request["path"]?.string, path.hasPrefix("/") else {
            throw RequestError.wrongBody(
                expected: "an object whose \"path\" is an absolute path",
                found:
                    "one whose \"path\" is "
                    + (request["path"].map { Printable.line("\($0)") } ?? "absent")
            )
        }
        var id: PluginID?
        switch request["id"] {
        case nil, .null?: break
        case let value?:
            guard let text = value.string, let parsed = try? PluginID(text) else {
                throw RequestError.wrongBody(
                    expected: "\"id\" to be \(PluginIDError.allowedText)",
                    found: "an object whose \"id\" is \(Printable.line("\(value)"))")
            }
            id = parsed
        }
        let loaded = try await exchange.host.load(
            id, from: path, cascade: try exchange.flag(cascade.name))
        return .json(loaded.json)
    }

    private static func change(
        _ verb: String, _ summary: String,
        _ action:
            @escaping @Sendable (any ControlledHost, PluginID, Bool) async throws(PluginError) ->
            PluginInfo
    ) -> Endpoint {
        Endpoint(
            method: .post, path: "/v1/plugins/{id}/\(verb)", name: "\(verb)Plugin",
            summary: summary, query: [cascade], output: .json(schema: Schema.plugin)
        ) { exchange in
            let (id, cascade) = (try exchange.pluginID, try exchange.flag(cascade.name))
            return .json(try await action(exchange.host, id, cascade).json)
        }
    }

    private static func configure(
        _ method: HTTPRequest.Method, name: String, _ summary: String, replacing: Bool
    ) -> Endpoint {
        Endpoint(
            method: method, path: "/v1/plugins/{id}/configuration", name: name, summary: summary,
            input: .object(schema: Schema.settings), output: .json(schema: Schema.plugin)
        ) { exchange in
            let id = try exchange.pluginID
            let settings = try exchange.object()
            return .json(
                try await exchange.host.configure(id, settings, replacing: replacing).json)
        }
    }
}
