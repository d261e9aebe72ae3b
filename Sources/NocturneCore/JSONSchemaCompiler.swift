// JSONSchemaCompiler.swift — turns a schema document into a graph, and refuses what could not be
// bounded. Next: JSONSchemaKeywords.swift, JSONSchemaReferences.swift, JSONSchemaDefaults.swift.

/// The state of one compilation. Recursion follows the document's nesting, which is checked first.
struct JSONSchemaCompiler {
    /// A `$ref` that waits until the schemas reachable by nesting are known.
    struct PendingReference {
        let number: Int
        let text: String
        let location: Int
    }

    let document: JSONValue
    var graph = JSONSchemaGraph()
    /// The root's `$id`, without an empty fragment.
    var rootID: String?
    var anchors: [ExactString: Int] = [:]
    var pending: [PendingReference] = []
    private var compiled: [Int: Int] = [:]
    private var patterns: [ExactString: LinearPattern] = [:]
    private var patternInstructions = 0

    init(_ document: JSONValue) {
        self.document = document
    }

    mutating func compile() throws(JSONSchemaError) -> JSONSchemaGraph {
        var room = JSONSchema.maximumBytes
        try Self.measure(document, room: &room, depth: 0)
        _ = try schema(document, at: JSONSchemaLocations.root)
        try resolveReferences()
        try checkChains()
        try completeDefaults()
        graph.locations.seal()
        return graph
    }

    /// Takes the serialized size of `value` from `room`.
    static func measure(
        _ value: JSONValue, room: inout Int, depth: Int
    ) throws(JSONSchemaError) {
        guard depth <= JSONSchema.maximumDepth else {
            throw .tooLarge(.depth, limit: JSONSchema.maximumDepth)
        }
        switch value {
        case .null, .bool: room -= 4
        case .number(let number): room -= number.literal.utf8.count
        case .string(let string): room -= string.utf8.count + 2
        case .array(let elements):
            room -= elements.count + 1
            for element in elements {
                try measure(element, room: &room, depth: depth + 1)
            }
        case .object(let object):
            room -= 1
            for (key, value) in object {
                room -= key.utf8.count + 4
                try measure(value, room: &room, depth: depth + 1)
            }
        }
        guard room >= 0 else {
            throw .tooLarge(.bytes, limit: JSONSchema.maximumBytes)
        }
    }

    /// The node of the schema at `location`, compiled on first use.
    mutating func schema(
        _ value: JSONValue, at location: Int
    ) throws(JSONSchemaError) -> Int {
        if let node = compiled[location] {
            return node
        }
        let number = graph.nodes.count
        guard number < JSONSchema.maximumSubschemas else {
            throw .tooLarge(.subschemas, limit: JSONSchema.maximumSubschemas)
        }
        compiled[location] = number
        // Holds the place: subschemas take the numbers after it.
        graph.nodes.append(
            JSONSchemaNode(
                location: location, keywords: [], needsEvaluated: false, defaultValue: nil))
        switch value {
        case .bool(let isAccepting):
            graph.nodes[number] = JSONSchemaNode(
                location: location, keywords: isAccepting ? [] : [.never],
                needsEvaluated: false, defaultValue: nil)
        case .object(let object):
            let reader = JSONSchemaObject(object: object, location: location)
            let keywords = try keywords(of: reader)
            graph.nodes[number] = JSONSchemaNode(
                location: location, keywords: keywords,
                needsEvaluated: reader.object["unevaluatedItems"] != nil
                    || reader.object["unevaluatedProperties"] != nil,
                defaultValue: object["default"])
        default:
            throw wrong(value, at: location, expected: "a schema, which is an object or a boolean")
        }
        return number
    }

    /// A pattern, compiled once for all its uses.
    mutating func pattern(
        _ source: String, at location: Int
    ) throws(JSONSchemaError) -> LinearPattern {
        if let pattern = patterns[ExactString(source)] {
            return pattern
        }
        let pattern: LinearPattern
        do {
            pattern = try LinearPattern(source)
        } catch {
            throw .badPattern(
                pointer: graph.locations.pointer(to: location), reason: error.description)
        }
        patternInstructions += pattern.instructionCount
        guard patternInstructions <= JSONSchema.maximumPatternInstructions else {
            throw .tooLarge(.patternInstructions, limit: JSONSchema.maximumPatternInstructions)
        }
        patterns[ExactString(source)] = pattern
        return pattern
    }

    func wrong(
        _ value: JSONValue, at location: Int, expected: String
    ) -> JSONSchemaError {
        .wrongValue(
            pointer: graph.locations.pointer(to: location),
            found: JSONSchemaExcerpt(of: value).text, expected: expected)
    }

    func wrong(
        _ value: JSONValue, _ keyword: String, of schema: JSONSchemaObject, expected: String
    ) -> JSONSchemaError {
        .wrongValue(
            pointer: pointer(keyword, of: schema),
            found: JSONSchemaExcerpt(of: value).text, expected: expected)
    }

    func pointer(_ keyword: String, of schema: JSONSchemaObject) -> String {
        graph.locations.pointer(to: schema.location) + jsonPointer([keyword])
    }
}

/// A schema that is an object, and where it stands.
struct JSONSchemaObject {
    let object: JSONObject
    let location: Int
}
