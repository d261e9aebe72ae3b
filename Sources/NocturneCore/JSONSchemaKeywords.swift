// JSONSchemaKeywords.swift — the part of the compiler that reads the keywords of one schema object.
// Names and meanings: JSON Schema 2020-12, Core §§8–11 and Validation §6. Next:
// JSONSchemaReferences.swift.

extension JSONSchemaCompiler {
    /// All keywords of a schema, in the order in which they are tried.
    mutating func keywords(
        of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> [JSONSchemaKeyword] {
        try readIdentity(of: schema)
        try checkAnnotations(of: schema)
        var result: [JSONSchemaKeyword] = []
        try readGenericAssertions(of: schema, into: &result)
        try readNumberAssertions(of: schema, into: &result)
        try readSizes(of: schema, into: &result)
        try readNames(of: schema, into: &result)
        try readArrayApplicators(of: schema, into: &result)
        try readObjectApplicators(of: schema, into: &result)
        try readInPlaceApplicators(of: schema, into: &result)
        if let node = try subschema("unevaluatedItems", of: schema) {
            result.append(.unevaluatedItems(node))
        }
        if let node = try subschema("unevaluatedProperties", of: schema) {
            result.append(.unevaluatedProperties(node))
        }
        return result
    }

    /// Annotations assert nothing, but one of the wrong type is a mistake worth telling.
    private mutating func checkAnnotations(
        of schema: JSONSchemaObject
    ) throws(JSONSchemaError) {
        for keyword in [
            "$comment", "title", "description", "format", "contentEncoding", "contentMediaType",
        ] {
            if let value = schema.object[keyword], value.string == nil {
                throw wrong(value, keyword, of: schema, expected: "a string")
            }
        }
        for keyword in ["deprecated", "readOnly", "writeOnly"] {
            if let value = schema.object[keyword], value.bool == nil {
                throw wrong(value, keyword, of: schema, expected: "a boolean")
            }
        }
        if let value = schema.object["examples"], value.array == nil {
            throw wrong(value, "examples", of: schema, expected: "an array")
        }
        _ = try subschema("contentSchema", of: schema)
    }

    private mutating func readGenericAssertions(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        if let value = schema.object["type"] {
            let location = place("type", of: schema)
            result.append(.type(try types(value, at: location)))
        }
        if let value = schema.object["const"] {
            result.append(.constant(value))
        }
        if let value = schema.object["enum"] {
            guard case .array(let elements) = value else {
                throw wrong(value, "enum", of: schema, expected: "an array of values")
            }
            result.append(.enumeration(Set(elements), shown: value))
        }
    }

    private func types(
        _ value: JSONValue, at location: Int
    ) throws(JSONSchemaError) -> JSONSchemaTypes {
        var result: JSONSchemaTypes = []
        let names = value.array ?? [value]
        for name in names {
            guard let text = name.string,
                let found = JSONSchemaTypes.names.first(where: { $0.name == text })
            else {
                let known = JSONSchemaTypes.names.map(\.name).joined(separator: ", ")
                throw wrong(value, at: location, expected: "one or an array of \(known)")
            }
            result.insert(found.type)
        }
        guard !names.isEmpty else {
            throw wrong(value, at: location, expected: "at least one type")
        }
        return result
    }

    private mutating func readNumberAssertions(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        for bound in JSONSchemaBound.allCases {
            guard let value = schema.object[bound.rawValue] else {
                continue
            }
            guard let number = value.number else {
                throw wrong(value, bound.rawValue, of: schema, expected: "a number")
            }
            result.append(.bound(bound, number))
        }
        guard let value = schema.object["multipleOf"] else {
            return
        }
        guard let number = value.number, JSONNumber(0) < number,
            JSONNumber(0).decimal.isMultiple(of: number.decimal) != nil
        else {
            throw wrong(
                value, "multipleOf", of: schema,
                expected: "a number above 0 of at most 19 digits")
        }
        result.append(.multipleOf(number))
    }

    private mutating func readSizes(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        for size in JSONSchemaSize.allCases {
            if let limit = try count(size.rawValue, of: schema) {
                result.append(.size(size, limit))
            }
        }
        if let value = schema.object["pattern"] {
            let location = place("pattern", of: schema)
            guard let source = value.string else {
                throw wrong(value, at: location, expected: "a regular expression in a string")
            }
            result.append(.pattern(try pattern(source, at: location)))
        }
        if let value = schema.object["uniqueItems"] {
            guard let isUnique = value.bool else {
                throw wrong(value, "uniqueItems", of: schema, expected: "a boolean")
            }
            if isUnique {
                result.append(.uniqueItems)
            }
        }
    }

    private mutating func readNames(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        if let value = schema.object["required"] {
            let location = place("required", of: schema)
            result.append(.required(try names(value, at: location)))
        }
        guard let value = schema.object["dependentRequired"] else {
            return
        }
        let location = place("dependentRequired", of: schema)
        guard case .object(let object) = value else {
            throw wrong(value, at: location, expected: "an object of arrays of names")
        }
        var rules: [(name: String, required: [String])] = []
        for (name, value) in object {
            let here = graph.locations.number(of: name, in: location)
            rules.append((name, try names(value, at: here)))
        }
        result.append(.dependentRequired(rules))
    }

    private mutating func readArrayApplicators(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        let prefix = try subschemas("prefixItems", of: schema)
        let rest = try subschema("items", of: schema)
        if prefix != nil || rest != nil {
            result.append(.items(prefix: prefix ?? [], rest: rest))
        }
        let minimum = try count("minContains", of: schema)
        let maximum = try count("maxContains", of: schema)
        if let node = try subschema("contains", of: schema) {
            result.append(.contains(node, minimum: minimum ?? 1, maximum: maximum))
        }
    }

    private mutating func readObjectApplicators(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        let named = try namedSubschemas("properties", of: schema)
        let patterned = try namedSubschemas("patternProperties", of: schema)
        let additional = try subschema("additionalProperties", of: schema)
        if named != nil || patterned != nil || additional != nil {
            var members = JSONSchemaMembers(additional: additional)
            for (name, node) in named ?? [] {
                members.named[ExactString(name)] = node
                members.names.append(name)
            }
            let location = place("patternProperties", of: schema)
            for (source, node) in patterned ?? [] {
                let here = graph.locations.number(of: source, in: location)
                members.patterns.append((try pattern(source, at: here), node))
            }
            result.append(.members(members))
        }
        if let node = try subschema("propertyNames", of: schema) {
            result.append(.propertyNames(node))
        }
    }

    private mutating func readInPlaceApplicators(
        of schema: JSONSchemaObject, into result: inout [JSONSchemaKeyword]
    ) throws(JSONSchemaError) {
        if let reference = try readReference(of: schema) {
            result.append(.reference(reference))
        }
        if let nodes = try nonEmptySubschemas("allOf", of: schema) { result.append(.all(nodes)) }
        if let nodes = try nonEmptySubschemas("anyOf", of: schema) { result.append(.any(nodes)) }
        if let nodes = try nonEmptySubschemas("oneOf", of: schema) { result.append(.one(nodes)) }
        if let node = try subschema("not", of: schema) { result.append(.not(node)) }
        let then = try subschema("then", of: schema)
        let otherwise = try subschema("else", of: schema)
        if let node = try subschema("if", of: schema) {
            result.append(.condition(if: node, then: then, else: otherwise))
        }
        if let rules = try namedSubschemas("dependentSchemas", of: schema) {
            result.append(.dependentSchemas(rules))
        }
        // Compiled only for their anchors and errors; nothing applies them but references.
        _ = try namedSubschemas("$defs", of: schema)
    }
}

/// Reading one value of a keyword.
extension JSONSchemaCompiler {
    /// Never to be called within the arguments of another method of the same value, which would not
    /// see the place it makes.
    mutating func place(_ keyword: String, of schema: JSONSchemaObject) -> Int {
        graph.locations.number(of: keyword, in: schema.location)
    }

    private mutating func subschema(
        _ keyword: String, of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> Int? {
        guard let value = schema.object[keyword] else {
            return nil
        }
        let location = place(keyword, of: schema)
        return try self.schema(value, at: location)
    }

    private mutating func subschemas(
        _ keyword: String, of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> [Int]? {
        guard let value = schema.object[keyword] else {
            return nil
        }
        let location = place(keyword, of: schema)
        guard case .array(let elements) = value else {
            throw wrong(value, at: location, expected: "an array of schemas")
        }
        var nodes: [Int] = []
        for (index, element) in elements.enumerated() {
            let here = graph.locations.number(of: String(index), in: location)
            nodes.append(try self.schema(element, at: here))
        }
        return nodes
    }

    private mutating func nonEmptySubschemas(
        _ keyword: String, of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> [Int]? {
        let nodes = try subschemas(keyword, of: schema)
        guard nodes?.isEmpty != true else {
            throw wrong([], keyword, of: schema, expected: "at least one schema")
        }
        return nodes
    }

    private mutating func namedSubschemas(
        _ keyword: String, of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> [(name: String, schema: Int)]? {
        guard let value = schema.object[keyword] else {
            return nil
        }
        let location = place(keyword, of: schema)
        guard case .object(let object) = value else {
            throw wrong(value, at: location, expected: "an object of schemas")
        }
        var nodes: [(name: String, schema: Int)] = []
        for (name, value) in object {
            let here = graph.locations.number(of: name, in: location)
            nodes.append((name, try self.schema(value, at: here)))
        }
        return nodes
    }

    /// A count, `Int.max` for any larger integer: no value has that many of anything.
    private mutating func count(
        _ keyword: String, of schema: JSONSchemaObject
    ) throws(JSONSchemaError) -> Int? {
        guard let value = schema.object[keyword] else {
            return nil
        }
        guard let number = value.number, number.isInteger, JSONNumber(0) <= number else {
            throw wrong(
                value, keyword, of: schema, expected: "an integer of at least 0")
        }
        return number.int64.map { Int($0) } ?? Int.max
    }

    private func names(
        _ value: JSONValue, at location: Int
    ) throws(JSONSchemaError) -> [String] {
        var names: [String] = []
        var seen: Set<ExactString> = []
        for element in value.array ?? [.null] {
            guard let name = element.string, seen.insert(ExactString(name)).inserted else {
                throw wrong(value, at: location, expected: "an array of different names")
            }
            names.append(name)
        }
        return names
    }
}
