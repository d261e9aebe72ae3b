// JSONSchema.swift — JSON Schema 2020-12 for schemas that strangers wrote: compiled once, run under
// a budget. Next: JSONSchemaCompiler.swift, JSONSchemaRun.swift.

/// A compiled JSON Schema, dialect 2020-12. A plain value: any thread may validate with it.
///
/// All keywords of the core, applicator, unevaluated and validation vocabularies work, except:
/// `$dynamicRef`, `$dynamicAnchor` and an `$id` below the root are refused; `$ref` reaches only
/// this document (`#`, a JSON pointer, an `$anchor`, with or without the root's `$id` before it);
/// the `pattern` dialect is that of linear-time matching, without back-references and lookaround;
/// and a `$schema` other than 2020-12 is refused. `format`, the `content…` keywords and unknown
/// keywords are annotations, as the specification has it, and do nothing.
///
/// Hostile schemas are expected. What cannot be bounded is refused when compiling, and the rest
/// runs under a budget of steps: two for each schema and keyword applied, one or more for each
/// element and property looked at, one for each instruction of a pattern, digit of a number and 16
/// bytes of text compared or hashed.
public struct JSONSchema: Sendable {
    /// Steps of one validation. Measured, a step is some 5 to 40 ns, so at worst a call spends 0.4
    /// s here; a small object takes about 100 steps and 1 µs.
    public static let defaultBudget = 10_000_000
    /// Serialized size of a schema in bytes (strings counted without their escapes): 64 KiB.
    public static let maximumBytes = 64 << 10
    /// Nesting of the schema's JSON text, and schemas that apply to one and the same value in a
    /// chain.
    public static let maximumDepth = 64
    /// Subschemas in one schema.
    public static let maximumSubschemas = 10_000
    /// Instructions of all patterns of one schema together; each takes some 24 bytes.
    public static let maximumPatternInstructions = 50_000
    /// Schemas within schemas that one validation may be in, from the top of the value to its
    /// leaves. Measured, they take 192 KiB of stack, and 1.5 MiB in a build without optimization.
    public static let maximumValidationDepth = 256

    let graph: JSONSchemaGraph

    /// Compiles a schema, an object or a boolean.
    ///
    /// - Throws: ``JSONSchemaError`` with the JSON pointer of what is wrong in the schema.
    public init(compiling schema: JSONValue) throws(JSONSchemaError) {
        var compiler = JSONSchemaCompiler(schema)
        graph = try compiler.compile()
    }

    /// Checks `value` and returns if it is valid.
    ///
    /// - Parameter budget: Steps this validation may take.
    /// - Throws: ``JSONSchemaViolation``: the first mismatch found, or that a limit ended the
    ///   search.
    public func validate(
        _ value: JSONValue, budget: Int = JSONSchema.defaultBudget
    ) throws(JSONSchemaViolation) {
        var run = JSONSchemaRun(graph, budget: budget)
        let isValid: Bool
        do {
            isValid = try run.accepts(value)
        } catch {
            switch error {
            case .budget: throw .budgetExhausted(budget: budget)
            case .depth: throw .tooDeep(limit: Self.maximumValidationDepth)
            }
        }
        if !isValid {
            throw .mismatch(run.mismatch())
        }
    }
}
