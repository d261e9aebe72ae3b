// JSONSchemaContainers.swift — the part of a validation that walks arrays and objects.
// JSON Schema 2020-12 Core §§10.3 and 11, Validation §§6.4–6.5. Next: JSONSchemaEvaluated.swift.

// MARK: - Arrays

extension JSONSchemaRun {
    mutating func accepts(
        _ elements: [JSONValue], _ keyword: JSONSchemaKeyword, of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        switch keyword {
        case .uniqueItems:
            return try areUnique(elements, of: node)
        case .items(let prefix, let rest):
            return try accepts(elements, prefix: prefix, rest: rest, noting: &evaluated)
        case .contains(let schema, let minimum, let maximum):
            var count = 0
            for (index, element) in elements.enumerated() {
                var ignored = JSONSchemaEvaluated()
                if try wouldAccept(element, schema, noting: &ignored) {
                    count += 1
                    evaluated.insert(index)
                }
            }
            return accepts(
                containing: count, in: elements, minimum: minimum, maximum: maximum, of: node)
        case .unevaluatedItems(let schema):
            for (index, element) in elements.enumerated() {
                try charge(1)
                guard !evaluated.contains(index) else { continue }
                guard try accepts(child: element, String(index), schema) else { return false }
            }
            evaluated.insertAll()
            return true
        default:
            preconditionFailure("\(keyword) is not applied to arrays")
        }
    }

    private mutating func accepts(
        _ elements: [JSONValue], prefix: [Int], rest: Int?,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        for (index, element) in elements.enumerated() {
            guard let schema = index < prefix.count ? prefix[index] : rest else {
                break
            }
            guard try accepts(child: element, String(index), schema) else { return false }
            evaluated.insert(index)
        }
        if rest != nil {
            evaluated.insertAll()
        }
        return true
    }

    private mutating func accepts(
        containing count: Int, in elements: [JSONValue], minimum: Int, maximum: Int?,
        of node: JSONSchemaNode
    ) -> Bool {
        if count < minimum {
            // Without `minContains` in the schema, it is `contains` that asks for one.
            return fail(
                minimum == 1 ? "contains" : "minContains", of: node, .array(elements),
                expected: "at least \(minimum) elements that the schema of contains accepts, "
                    + "not \(count)")
        }
        if let maximum, count > maximum {
            return fail(
                "maxContains", of: node, .array(elements),
                expected: "at most \(maximum) elements that the schema of contains accepts, "
                    + "not \(count)")
        }
        return true
    }

    /// Hashing makes this linear; the hash is seeded per process, so nobody can aim for collisions.
    private mutating func areUnique(
        _ elements: [JSONValue], of node: JSONSchemaNode
    ) throws(JSONSchemaInterruption) -> Bool {
        guard elements.count > 1 else {
            return true
        }
        var seen = Set<JSONValue>(minimumCapacity: elements.count)
        for (index, element) in elements.enumerated() {
            // Storing an element costs more than reading it: memory, and a copy of its reference.
            try charge(8)
            try charge(reading: element)
            guard seen.insert(element).inserted else {
                return fail(
                    "uniqueItems", of: node, element,
                    expected: "an element unlike all before it", token: String(index))
            }
        }
        return true
    }
}

// MARK: - Objects

extension JSONSchemaRun {
    mutating func accepts(
        _ object: JSONObject, _ keyword: JSONSchemaKeyword, of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        switch keyword {
        case .required(let names):
            return try accepts(object, required: names, by: "required", of: node)
        case .dependentRequired(let rules):
            for rule in rules {
                try charge(reading: rule.name)
                guard object[rule.name] != nil else { continue }
                guard
                    try accepts(object, required: rule.required, by: "dependentRequired", of: node)
                else { return false }
            }
            return true
        case .members(let members):
            return try accepts(object, members, of: node, noting: &evaluated)
        case .propertyNames(let schema):
            for (key, _) in object {
                guard try accepts(child: .string(key), key, schema) else { return false }
            }
            return true
        case .dependentSchemas(let rules):
            for rule in rules {
                try charge(reading: rule.name)
                guard object[rule.name] != nil else { continue }
                guard try accepts(.object(object), rule.schema, noting: &evaluated) else {
                    return false
                }
            }
            return true
        case .unevaluatedProperties(let schema):
            for (index, member) in object.enumerated() {
                try charge(1)
                guard !evaluated.contains(index) else { continue }
                guard try accepts(child: member.value, member.key, schema) else { return false }
            }
            evaluated.insertAll()
            return true
        default:
            preconditionFailure("\(keyword) is not applied to objects")
        }
    }

    private mutating func accepts(
        _ object: JSONObject, required names: [String], by keyword: String,
        of node: JSONSchemaNode
    ) throws(JSONSchemaInterruption) -> Bool {
        for name in names {
            try charge(reading: name)
            guard object[name] != nil else {
                return fail(
                    keyword, of: node, .object(object), expected: "a property \(quoted(name))")
            }
        }
        return true
    }

    /// One walk over the object for `properties`, `patternProperties` and `additionalProperties`.
    private mutating func accepts(
        _ object: JSONObject, _ members: JSONSchemaMembers, of node: JSONSchemaNode,
        noting evaluated: inout JSONSchemaEvaluated
    ) throws(JSONSchemaInterruption) -> Bool {
        for (index, member) in object.enumerated() {
            try charge(reading: member.key)
            var isKnown = false
            if let schema = members.named[ExactString(member.key)] {
                isKnown = true
                guard try accepts(child: member.value, member.key, schema) else { return false }
            }
            for (pattern, schema) in members.patterns {
                guard try matches(member.key, pattern) else { continue }
                isKnown = true
                guard try accepts(child: member.value, member.key, schema) else { return false }
            }
            if !isKnown, let additional = members.additional {
                isKnown = true
                guard !graph.nodes[additional].isNever else {
                    return fail(
                        "additionalProperties", of: node, member.value,
                        expected: Self.expectedNames(members), token: member.key)
                }
                guard try accepts(child: member.value, member.key, additional) else {
                    return false
                }
            }
            if isKnown {
                evaluated.insert(index)
            }
        }
        return true
    }

    /// Words for what `additionalProperties: false` leaves.
    private static func expectedNames(_ members: JSONSchemaMembers) -> String {
        let shown = 8
        var known = members.names.prefix(shown).map { quoted($0) }
        if members.names.count > shown {
            known.append("…")
        }
        known += members.patterns.prefix(shown).map { "names like \(quoted($0.pattern.source))" }
        return known.isEmpty
            ? "no properties" : "no other properties than " + known.joined(separator: ", ")
    }
}
