// JSONSchemaReferences.swift — the part of the compiler for `$id`, `$anchor`, `$ref` and chains of
// them. JSON Schema 2020-12 Core §§8–9; JSON pointers in URI fragments are RFC 6901 §6. Next:
// JSONSchemaRun.swift.

extension JSONSchemaCompiler {
    /// The keywords that say what a schema is called, and those that are refused by name.
    mutating func readIdentity(of schema: JSONSchemaObject) throws(JSONSchemaError) {
        for keyword in ["$dynamicRef", "$dynamicAnchor"] where schema.object[keyword] != nil {
            throw .unsupported(
                pointer: pointer(keyword, of: schema),
                keyword: keyword, reason: "its target is known only while validating; use $ref")
        }
        try readDialect(of: schema)
        try readID(of: schema)
        guard let value = schema.object["$anchor"] else {
            return
        }
        let location = place("$anchor", of: schema)
        guard let anchor = value.string, Self.isAnchor(anchor) else {
            throw wrong(
                value, at: location,
                expected: "a name of letters, digits, -, _ and . that begins with a letter or _")
        }
        guard anchors.updateValue(schema.location, forKey: ExactString(anchor)) == nil else {
            throw .duplicateAnchor(
                pointer: graph.locations.pointer(to: location), anchor: anchor)
        }
    }

    private mutating func readDialect(of schema: JSONSchemaObject) throws(JSONSchemaError) {
        guard let value = schema.object["$schema"] else {
            return
        }
        let dialect = "https://json-schema.org/draft/2020-12/schema"
        guard let text = value.string, text == dialect || text == dialect + "#" else {
            throw wrong(
                value, "$schema", of: schema,
                expected: "\"\(dialect)\" or no $schema at all")
        }
    }

    private mutating func readID(of schema: JSONSchemaObject) throws(JSONSchemaError) {
        guard let value = schema.object["$id"] else {
            return
        }
        let location = place("$id", of: schema)
        guard schema.location == JSONSchemaLocations.root else {
            throw .unsupported(
                pointer: graph.locations.pointer(to: location), keyword: "$id",
                reason: "only the whole schema may have one; name this part with $anchor")
        }
        let parts = value.string?.split(
            separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts, parts.count == 1 || parts[1].isEmpty else {
            throw wrong(value, at: location, expected: "a URI without a fragment")
        }
        rootID = String(parts[0])
    }

    /// Core §8.2.2: `^[A-Za-z_][-A-Za-z0-9._]*$`.
    private static func isAnchor(_ name: String) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || byte == UInt8(ascii: "_")
        }
        guard let first = name.utf8.first, isLetter(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
    }

    /// The number of this schema's `$ref`, whose target is resolved later.
    mutating func readReference(of schema: JSONSchemaObject) throws(JSONSchemaError) -> Int? {
        guard let value = schema.object["$ref"] else {
            return nil
        }
        let location = place("$ref", of: schema)
        guard let text = value.string else {
            throw wrong(value, at: location, expected: "a reference in a string")
        }
        pending.append(
            PendingReference(number: graph.references.count, text: text, location: location))
        graph.references.append(JSONSchemaGraph.root)
        return graph.references.count - 1
    }

    /// Finds the target of every `$ref`. Pointers may lead to schemas that nothing else has
    /// reached, which may have references and anchors of their own, so anchors come last.
    mutating func resolveReferences() throws(JSONSchemaError) {
        var named: [(reference: PendingReference, anchor: String)] = []
        while let reference = pending.popLast() {
            guard let fragment = localFragment(of: reference.text) else {
                throw unresolved(reference)
            }
            if fragment.isEmpty || fragment.hasPrefix("/") {
                graph.references[reference.number] = try target(of: fragment, for: reference)
            } else {
                named.append((reference, fragment))
            }
        }
        for (reference, anchor) in named {
            guard let location = anchors[ExactString(anchor)] else {
                throw unresolved(reference)
            }
            // The schema that has the anchor is compiled already; its location finds it.
            graph.references[reference.number] = try schema(document, at: location)
        }
    }

    private func unresolved(_ reference: PendingReference) -> JSONSchemaError {
        .unresolvedReference(
            pointer: graph.locations.pointer(to: reference.location), reference: reference.text)
    }

    /// The decoded fragment of a reference into this document, or `nil` for any other document.
    private func localFragment(of reference: String) -> String? {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first, base.isEmpty || String(base) == rootID else {
            return nil
        }
        return parts.count == 1 ? "" : Self.percentDecoded(parts[1])
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var source = text.utf8.makeIterator()
        func digit(_ byte: UInt8?) -> UInt8? {
            byte.flatMap { Character(Unicode.Scalar($0)).hexDigitValue }.map { UInt8($0) }
        }
        while let byte = source.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = digit(source.next()), let low = digit(source.next()) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private mutating func target(
        of pointer: String, for reference: PendingReference
    ) throws(JSONSchemaError) -> Int {
        var value = document
        var location = JSONSchemaLocations.root
        let tokens = pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for token in tokens {
            guard let name = Self.unescaped(token), let next = Self.child(name, of: value) else {
                throw unresolved(reference)
            }
            value = next
            location = graph.locations.number(of: name, in: location)
        }
        return try schema(value, at: location)
    }

    private static func unescaped(_ token: Substring) -> String? {
        var result = ""
        var source = token.unicodeScalars.makeIterator()
        while let scalar = source.next() {
            guard scalar == "~" else {
                result.unicodeScalars.append(scalar)
                continue
            }
            switch source.next() {
            case "0": result += "~"
            case "1": result += "/"
            default: return nil
            }
        }
        return result
    }

    private static func child(_ token: String, of value: JSONValue) -> JSONValue? {
        switch value {
        case .object(let object):
            return object[token]
        case .array(let elements):
            // RFC 6901 §4: digits without leading zeros, so exactly what `String(index)` writes.
            guard let index = Int(token), String(index) == token,
                elements.indices.contains(index)
            else {
                return nil
            }
            return elements[index]
        default:
            return nil
        }
    }
}

/// Chains of schemas that apply to the same value.
extension JSONSchemaCompiler {
    private enum Visit {
        case new, open
        /// Finished; the longest chain that begins here.
        case done(length: Int)
    }

    /// Refuses cycles, which would never end (Core §9.4.1 forbids them), and chains so long that
    /// validation would run out of its depth. The walk keeps its own stack, since chains may be
    /// long.
    func checkChains() throws(JSONSchemaError) {
        let next = graph.nodes.map { node in
            node.keywords.flatMap { keyword in graph.inPlaceSchemas(of: keyword) }
        }
        var visits = [Visit](repeating: .new, count: graph.nodes.count)
        for start in graph.nodes.indices {
            var stack = [start]
            while let node = stack.last {
                switch visits[node] {
                case .new:
                    visits[node] = .open
                    for follower in next[node] {
                        if case .open = visits[follower] {
                            throw .endlessReference(pointer: pointer(to: follower))
                        }
                        if case .new = visits[follower] {
                            stack.append(follower)
                        }
                    }
                case .open:
                    stack.removeLast()
                    var length = 0
                    for case .done(let other) in next[node].map({ visits[$0] }) {
                        length = max(length, other + 1)
                    }
                    guard length < JSONSchema.maximumDepth else {
                        throw .tooLarge(.depth, limit: JSONSchema.maximumDepth)
                    }
                    visits[node] = .done(length: length)
                case .done:
                    stack.removeLast()
                }
            }
        }
    }

    private func pointer(to node: Int) -> String {
        graph.locations.pointer(to: graph.nodes[node].location)
    }
}

extension JSONSchemaGraph {
    /// The schemas that a keyword applies to the very value it is applied to.
    fileprivate func inPlaceSchemas(of keyword: JSONSchemaKeyword) -> [Int] {
        switch keyword {
        case .reference(let number): [references[number]]
        case .all(let nodes), .any(let nodes), .one(let nodes): nodes
        case .not(let node): [node]
        case .condition(let condition, let then, let otherwise):
            [condition] + [then, otherwise].compactMap(\.self)
        case .dependentSchemas(let rules): rules.map(\.schema)
        default: []
        }
    }
}
