// JSONSchemaRun.swift — one validation: walks schema and value together, counts steps, remembers
// the mismatch. Next: JSONSchemaScalars.swift, JSONSchemaContainers.swift.

/// Why a validation ended without an answer.
enum JSONSchemaInterruption: Error {
    case budget, depth
}

/// The state of one validation.
struct JSONSchemaRun {
    /// A failed keyword, before its texts are made.
    struct Failure {
        let location: Int
        let keyword: String
        let expected: String
        let found: String
    }

    let graph: JSONSchemaGraph
    private var budget: Int
    private var depth = 0
    private var scratch = LinearPatternScratch()
    /// Above 0 while a mismatch is one answer among others, as below `anyOf`, and not the result.
    private var speculations = 0
    private var failure: Failure?
    /// The way to the failed value, innermost token first.
    private var failedPath: [String] = []

    init(_ graph: JSONSchemaGraph, budget: Int) {
        (self.graph, self.budget) = (graph, budget)
    }

    mutating func accepts(_ value: JSONValue) throws(JSONSchemaInterruption) -> Bool {
        try accepts(value, JSONSchemaGraph.root)
    }

    /// What failed, after ``accepts(_:)`` has returned `false`.
    func mismatch() -> JSONSchemaViolation.Mismatch {
        guard let failure else {
            preconditionFailure("a run that failed outside of speculation has recorded a failure")
        }
        let schema = graph.locations.pointer(to: failure.location)
        // A schema `false` fails itself, not by a keyword.
        let isWholeSchema = failure.keyword == "false"
        return JSONSchemaViolation.Mismatch(
            instancePointer: jsonPointer(failedPath.reversed()),
            schemaPointer: isWholeSchema ? schema : schema + jsonPointer([failure.keyword]),
            keyword: failure.keyword, expected: failure.expected, found: failure.found)
    }
}

// MARK: - Schemas

extension JSONSchemaRun {
    /// Applies a schema to a value that is not the one around it.
    mutating func accepts(
        _ value: JSONValue, _ node: Int
    ) throws(JSONSchemaInterruption) -> Bool {
        var ignored = JSONSchemaEvaluated()
        return try accepts(value, node, noting: &ignored)
    }

    /// Applies a schema, and adds what it evaluated if it accepts the value.
    mutating func accepts(
        _ value: JSONValue, _ number: Int, noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        try charge(2)
        guard depth < JSONSchema.maximumValidationDepth else {
            throw .depth
        }
        depth += 1
        defer { depth -= 1 }
        let node = graph.nodes[number]
        // What is beside or above a schema is not evaluated for it, so it starts with nothing.
        var own = JSONSchemaEvaluated(isWanted: evaluated.isWanted || node.needsEvaluated)
        for keyword in node.keywords {
            try charge(2)
            guard try accepts(value, keyword, of: node, noting: &own) else {
                return false
            }
        }
        if evaluated.isWanted {
            try charge(own.cost)
            evaluated.formUnion(own)
        }
        return true
    }

    /// Applies a schema whose mismatch is not the result.
    mutating func wouldAccept(
        _ value: JSONValue, _ node: Int, noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        speculations += 1
        defer { speculations -= 1 }
        return try accepts(value, node, noting: &evaluated)
    }

    /// Applies a schema to the child `token` of a value.
    mutating func accepts(
        child: JSONValue, _ token: @autoclosure () -> String, _ node: Int
    ) throws(JSONSchemaInterruption) -> Bool {
        guard try accepts(child, node) else {
            if speculations == 0 {
                failedPath.append(token())
            }
            return false
        }
        return true
    }

    private mutating func accepts(
        _ value: JSONValue, _ keyword: JSONSchemaKeyword, of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        switch keyword {
        case .never:
            return fail("false", of: node, value, expected: "nothing at all")
        case .type(let types):
            return try accepts(value, types: types, of: node)
        case .constant, .enumeration, .multipleOf, .bound, .size, .pattern:
            return try acceptsAsScalar(value, keyword, of: node)
        case .uniqueItems, .items, .contains, .unevaluatedItems:
            guard case .array(let elements) = value else { return true }
            return try accepts(elements, keyword, of: node, noting: &evaluated)
        case .required, .dependentRequired, .members, .propertyNames, .dependentSchemas,
            .unevaluatedProperties:
            guard case .object(let object) = value else { return true }
            return try accepts(object, keyword, of: node, noting: &evaluated)
        case .reference(let number):
            return try accepts(value, graph.references[number], noting: &evaluated)
        case .all(let nodes):
            for node in nodes {
                guard try accepts(value, node, noting: &evaluated) else { return false }
            }
            return true
        case .any(let nodes):
            return try accepts(value, any: nodes, of: node, noting: &evaluated)
        case .one(let nodes):
            return try accepts(value, one: nodes, of: node, noting: &evaluated)
        case .not(let negated):
            var ignored = JSONSchemaEvaluated()
            return try !wouldAccept(value, negated, noting: &ignored)
                || fail("not", of: node, value, expected: "a value that its schema rejects")
        case .condition(let condition, let then, let otherwise):
            let next = try wouldAccept(value, condition, noting: &evaluated) ? then : otherwise
            guard let next else { return true }
            return try accepts(value, next, noting: &evaluated)
        }
    }

    private mutating func accepts(
        _ value: JSONValue, any nodes: [Int], of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        var isAccepted = false
        // Every alternative that accepts counts as evaluating, so all are tried if that is wanted.
        for alternative in nodes where !isAccepted || evaluated.isWanted {
            if try wouldAccept(value, alternative, noting: &evaluated) {
                isAccepted = true
            }
        }
        return isAccepted
            || fail(
                "anyOf", of: node, value,
                expected: "a value that at least one of its \(nodes.count) schemas accepts")
    }

    private mutating func accepts(
        _ value: JSONValue, one nodes: [Int], of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        var accepting: [Int] = []
        for (index, alternative) in nodes.enumerated() where accepting.count < 2 {
            if try wouldAccept(value, alternative, noting: &evaluated) {
                accepting.append(index)
            }
        }
        guard accepting.count == 1 else {
            let reason = accepting.isEmpty ? "none does" : "\(accepting[0]) and \(accepting[1]) do"
            return fail(
                "oneOf", of: node, value,
                expected: "a value that exactly one of its \(nodes.count) schemas accepts "
                    + "(\(reason))")
        }
        return true
    }
}

// MARK: - Bookkeeping

extension JSONSchemaRun {
    mutating func charge(_ steps: Int) throws(JSONSchemaInterruption) {
        budget -= steps
        guard budget >= 0 else {
            throw .budget
        }
    }

    /// Charges for reading `text` once.
    mutating func charge(reading text: String) throws(JSONSchemaInterruption) {
        try charge(2 + text.utf8.count / 16)
    }

    /// Charges for looking at a number once: its digits are taken one by one.
    mutating func charge(reading number: JSONNumber) throws(JSONSchemaInterruption) {
        try charge(4 + number.literal.utf8.count)
    }

    /// Charges for reading a whole value once, and refuses one too deep to recurse into.
    mutating func charge(
        reading value: JSONValue, depth: Int = 0
    ) throws(JSONSchemaInterruption) {
        guard depth <= JSONParser.Options.maximumDepth else {
            throw .depth
        }
        switch value {
        case .null, .bool:
            try charge(2)
        case .number(let number):
            try charge(reading: number)
        case .string(let string):
            try charge(reading: string)
        case .array(let elements):
            try charge(2)
            for element in elements {
                try charge(reading: element, depth: depth + 1)
            }
        case .object(let object):
            try charge(2)
            for (key, value) in object {
                try charge(reading: key)
                try charge(reading: value, depth: depth + 1)
            }
        }
    }

    mutating func matches(
        _ text: String, _ pattern: LinearPattern
    ) throws(JSONSchemaInterruption) -> Bool {
        do {
            return try pattern.matches(text, scratch: &scratch, budget: &budget)
        } catch {
            // A compiled pattern has no other error.
            throw .budget
        }
    }

    /// Records what failed, unless it is one answer among others. Always `false`.
    mutating func fail(
        _ keyword: String, of node: JSONSchemaNode, _ value: @autoclosure () -> JSONValue,
        expected: @autoclosure () -> String, token: String? = nil
    ) -> Bool {
        if speculations == 0 {
            failure = Failure(
                location: node.location, keyword: keyword, expected: expected(),
                found: JSONSchemaExcerpt(of: value()).text)
            failedPath = token.map { [$0] } ?? []
        }
        return false
    }
}
