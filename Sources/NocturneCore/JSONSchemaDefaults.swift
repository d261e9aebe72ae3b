// JSONSchemaDefaults.swift — fills what settings leave out with the `default`s of their schema.
// Next: JSONSchema.swift.

extension JSONSchema {
    /// Bytes that a default may grow to when completed with the defaults of its own properties.
    static let maximumDefaultBytes = maximumBytes
    /// Properties looked at while completing the defaults of one schema, some 100 ns each.
    static let maximumDefaultProperties = 100_000

    /// `value` with every absent property that has a `default` set to it, in the schema's order
    /// after what is there; objects that are there, or that are defaults, are completed likewise.
    ///
    /// Follows `properties` and `$ref`, and no alternatives: which of those apply may depend on
    /// what is filled in. An object that is absent and has no default of its own stays absent. Does
    /// not validate, neither before nor after. At most ``maximumDepth`` levels are completed.
    public func defaults(applyingTo value: JSONValue) -> JSONValue {
        graph.filled(value, by: JSONSchemaGraph.root, depth: 0)
    }
}

extension JSONSchemaGraph {
    fileprivate func filled(_ value: JSONValue, by node: Int, depth: Int) -> JSONValue {
        guard case .object(var object) = value, depth < JSONSchema.maximumDepth else {
            return value
        }
        for (name, schema) in properties(of: node) {
            if let present = object[name] {
                if case .object = present {
                    object[name] = filled(present, by: schema, depth: depth + 1)
                }
            } else if let value = defaults[defaultHolder(of: schema)] {
                object[name] = value
            }
        }
        return .object(object)
    }

    /// The schema itself if it has a default, or the next along its `$ref`s that has one. Chains
    /// end, as ``JSONSchemaCompiler/checkChains()`` has made sure.
    func defaultHolder(of node: Int) -> Int {
        guard nodes[node].defaultValue == nil, let target = target(of: node) else {
            return node
        }
        return defaultHolder(of: target)
    }

    /// The properties of a schema, and those of what it refers to.
    func properties(of node: Int) -> [(name: String, schema: Int)] {
        var result: [(name: String, schema: Int)] = []
        for case .members(let members) in nodes[node].keywords {
            for name in members.names {
                if let schema = members.named[ExactString(name)] {
                    result.append((name, schema))
                }
            }
        }
        return result + (target(of: node).map { properties(of: $0) } ?? [])
    }

    private func target(of node: Int) -> Int? {
        for case .reference(let number) in nodes[node].keywords {
            return references[number]
        }
        return nil
    }
}

extension JSONSchemaCompiler {
    /// A default together with the defaults of its properties.
    private struct Completion {
        var value: JSONValue
        var bytes = 0
        /// Nesting of the value: 0 for what is neither array nor object.
        var levels = 0
    }

    /// What has been completed, and how much more may be.
    private struct Completions {
        var finished: [Int: Completion] = [:]
        /// Schemas whose completion is under way. A default within itself goes in as written, since
        /// completing it would never end.
        var open: Set<Int> = []
        var propertiesLeft = JSONSchema.maximumDefaultProperties
    }

    /// Completes every default once, here, so that ``JSONSchema/defaults(applyingTo:)`` only
    /// inserts.
    mutating func completeDefaults() throws(JSONSchemaError) {
        var completions = Completions()
        for node in graph.nodes.indices where graph.nodes[node].defaultValue != nil {
            _ = try complete(node, depth: 0, &completions)
        }
        graph.defaults = completions.finished.mapValues(\.value)
    }

    private func complete(
        _ node: Int, depth: Int, _ completions: inout Completions
    ) throws(JSONSchemaError) -> Completion? {
        if let completion = completions.finished[node] {
            return completion
        }
        guard let written = graph.nodes[node].defaultValue else {
            return nil
        }
        var room = JSONSchema.maximumBytes
        try Self.measure(written, room: &room, depth: 0)
        var completion = Completion(
            value: written, bytes: JSONSchema.maximumBytes - room, levels: Self.levels(of: written))
        guard completions.open.insert(node).inserted else {
            return completion
        }
        try fill(&completion, by: node, depth: depth, &completions)
        completions.open.remove(node)
        completions.finished[node] = completion
        return completion
    }

    private func fill(
        _ completion: inout Completion, by node: Int, depth: Int, _ completions: inout Completions
    ) throws(JSONSchemaError) {
        guard case .object(var object) = completion.value else {
            return
        }
        for (name, schema) in graph.properties(of: node) {
            completions.propertiesLeft -= 1
            guard completions.propertiesLeft >= 0 else {
                throw .tooLarge(.defaultProperties, limit: JSONSchema.maximumDefaultProperties)
            }
            var member: Completion
            if let present = object[name] {
                member = Completion(value: present)
                try fill(&member, by: schema, depth: depth + 1, &completions)
            } else {
                let holder = graph.defaultHolder(of: schema)
                guard let inserted = try complete(holder, depth: depth + 1, &completions) else {
                    continue
                }
                member = inserted
                member.bytes += name.utf8.count + 4
            }
            object[name] = member.value
            completion.bytes += member.bytes
            completion.levels = max(completion.levels, member.levels + 1)
            guard completion.bytes <= JSONSchema.maximumDefaultBytes else {
                throw .tooLarge(.defaultBytes, limit: JSONSchema.maximumDefaultBytes)
            }
            // `depth` bounds this recursion, `levels` that of whoever walks the result.
            guard max(depth, completion.levels) < JSONSchema.maximumDepth else {
                throw .tooLarge(.depth, limit: JSONSchema.maximumDepth)
            }
        }
        completion.value = .object(object)
    }

    private static func levels(of value: JSONValue) -> Int {
        switch value {
        case .array(let elements): 1 + (elements.map { levels(of: $0) }.max() ?? 0)
        case .object(let object): 1 + (object.map { levels(of: $0.value) }.max() ?? 0)
        default: 0
        }
    }
}
