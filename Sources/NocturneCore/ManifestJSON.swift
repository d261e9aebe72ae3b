// ManifestJSON.swift — a manifest as `info` and `inspect` show it: normalized, in one order, with
// all defaults filled in. Parsing it gives an equal manifest but for `original`.
// Next: JSONSchema.swift.

extension Manifest {
    /// The manifest with every default written out and every quantity, range and path in its
    /// canonical form. Fields whose absence means something (`host`, `arch`, `limits.threads`,
    /// schemas) stay absent; of the author's own keys only those of the top level are shown.
    public var json: JSONValue {
        var object = JSONObject([
            ("id", .string(id.description)),
            ("name", .string(name)),
            ("version", .string(version.description)),
        ])
        object["description"] = description.map(JSONValue.string)
        object["author"] = author.map(JSONValue.string)
        object["license"] = license.map(JSONValue.string)
        object["abi"] = .string(abi.description)
        object["host"] = host.map { .string($0.description) }
        object["runtime"] = .string(runtime.description)
        object["arch"] = architecture.map { .string($0.rawValue) }
        object["dependencies"] = relations(dependencies)
        object["optionalDependencies"] = relations(optionalDependencies)
        object["conflicts"] = relations(conflicts)
        object["provides"] = relations(provides)
        object["permissions"] = permissions.json
        object["limits"] = limits.json
        object["contributes"] = contributes.json
        object["configuration"] = configuration
        object["reload"] = reload.json
        for (key, value) in extensions { object[key] = value }
        return .object(object)
    }

    /// Sorted by identity, since a dictionary has no order of its own.
    private func relations(_ list: [PluginID: some CustomStringConvertible]) -> JSONValue {
        .object(
            JSONObject(
                list.sorted { $0.key < $1.key }.map { id, value in
                    (id.description, .string(value.description))
                }))
    }
}

extension Manifest.Permissions {
    fileprivate var json: JSONValue {
        [
            "read": .array(read.map(JSONValue.string)),
            "write": .array(write.map(JSONValue.string)),
            "connect": .array(connect.map { .string($0.description) }),
            "environment": .array(environment.map(JSONValue.string)),
        ]
    }
}

extension Manifest.Limits {
    fileprivate var json: JSONValue {
        var object: JSONObject = ["memory": .string(memory.description)]
        object["threads"] = threads.map { JSONValue($0) }
        object["deadline"] = .string(DurationText.describe(deadline))
        object["concurrency"] = JSONValue(concurrency)
        object["queue"] = JSONValue(queue)
        return .object(object)
    }
}

extension Manifest.Reload {
    fileprivate var json: JSONValue {
        [
            "state": .bool(state),
            "drain": .string(DurationText.describe(drain)),
            "onDependencyChange": .string(onDependencyChange.rawValue),
        ]
    }
}

extension Manifest.Contributions {
    fileprivate var json: JSONValue {
        [
            "tools": .array(tools.map(\.json)),
            "commands": .array(commands.map(\.json)),
            "tasks": .array(tasks.map(\.json)),
            "strategies": .array(strategies.map { .object(named($0.name, $0.description)) }),
            "exporters": .array(exporters.map(\.json)),
            "agents": .array(agents.map(\.json)),
            "listens": .array(listens.map { .string($0.description) }),
            "functions": .array(functions.map(\.json)),
        ]
    }
}

private func named(_ name: String, _ description: String?) -> JSONObject {
    var object: JSONObject = ["name": .string(name)]
    object["description"] = description.map(JSONValue.string)
    return object
}

extension Manifest.Callable {
    fileprivate var json: JSONValue {
        var object = named(name, description)
        object["input"] = input
        object["output"] = output
        object["idempotent"] = .bool(isIdempotent)
        return .object(object)
    }
}

extension Manifest.Exporter {
    fileprivate var json: JSONValue {
        var object = named(name, description)
        object["contentType"] = contentType.map(JSONValue.string)
        object["push"] = .bool(isPush)
        return .object(object)
    }
}

extension Manifest.Agent {
    fileprivate var json: JSONValue {
        var object = named(name, description)
        object["capabilities"] = .array(capabilities.map(JSONValue.string))
        return .object(object)
    }
}

extension Manifest.Function {
    fileprivate var json: JSONValue {
        var object = named(name, description)
        object["symbol"] = .string(symbol)
        object["signature"] = .string(signature)
        object["idempotent"] = .bool(isIdempotent)
        return .object(object)
    }
}
