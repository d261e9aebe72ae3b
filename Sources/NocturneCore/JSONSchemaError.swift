// JSONSchemaError.swift — why a schema was refused, with the place in the schema.
// Next: JSONSchemaViolation.swift.

/// Why a schema did not compile. Pointers are JSON pointers (RFC 6901) into the schema.
public enum JSONSchemaError: Error, Hashable, CustomStringConvertible {
    /// What a limit counts.
    public enum Limited: String, Sendable {
        /// Serialized size; ``JSONSchema/maximumBytes``.
        case bytes = "bytes"
        /// Nesting, or schemas applied to one value; ``JSONSchema/maximumDepth``.
        case depth = "levels of nesting"
        /// ``JSONSchema/maximumSubschemas``.
        case subschemas = "subschemas"
        /// ``JSONSchema/maximumPatternInstructions``.
        case patternInstructions = "instructions in all patterns together"
        /// Bytes of a default completed with the defaults of its properties.
        case defaultBytes = "bytes in one default completed with those of its properties"
        /// Properties looked at for such completions.
        case defaultProperties = "properties to complete defaults with"
    }

    /// A keyword, or the schema itself, has a value of the wrong kind.
    case wrongValue(pointer: String, found: String, expected: String)
    /// A keyword that this validator refuses to ignore.
    case unsupported(pointer: String, keyword: String, reason: String)
    /// A `$ref` whose target is not in this document.
    case unresolvedReference(pointer: String, reference: String)
    /// Two subschemas have the same `$anchor`; `pointer` is the second.
    case duplicateAnchor(pointer: String, anchor: String)
    /// A `pattern`, or a key of `patternProperties`, that is malformed, unsupported or too large.
    case badPattern(pointer: String, reason: String)
    /// A schema that applies itself to the same value again, without end.
    case endlessReference(pointer: String)
    /// The schema is larger than allowed.
    case tooLarge(Limited, limit: Int)

    /// What is wrong, where in the schema, and what to write instead.
    public var description: String {
        switch self {
        case .wrongValue(let pointer, let found, let expected):
            "schema \(placed(pointer)): expected \(expected), found \(found)"
        case .unsupported(let pointer, let keyword, let reason):
            "schema \(placed(pointer)): \(quoted(keyword)) is not supported: \(reason)"
        case .unresolvedReference(let pointer, let reference):
            "schema \(placed(pointer)): nothing in this schema is called \(quoted(reference)); "
                + "references reach only their own document: #, #/$defs/name or an $anchor"
        case .duplicateAnchor(let pointer, let anchor):
            "schema \(placed(pointer)): the $anchor \(quoted(anchor)) is taken; rename one"
        case .badPattern(let pointer, let reason):
            "schema \(placed(pointer)): bad pattern, \(reason)"
        case .endlessReference(let pointer):
            "schema \(placed(pointer)): this schema refers back to itself for the same value, so "
                + "checking it would never end; put the reference below properties or items"
        case .tooLarge(let limited, let limit):
            "schema too large: more than \(limit) \(limited.rawValue)"
        }
    }
}

/// A JSON pointer as an error shows it.
func placed(_ pointer: String) -> String {
    pointer.isEmpty ? "at the top level" : "at \(quoted(pointer))"
}
