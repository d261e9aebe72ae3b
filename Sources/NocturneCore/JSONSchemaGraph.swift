// JSONSchemaGraph.swift — a compiled schema: its subschemas by number, so that references may form
// cycles. Next: JSONSchemaCompiler.swift.

/// Everything that validation needs. Schemas refer to each other by their index in ``nodes``.
struct JSONSchemaGraph: Sendable {
    var nodes: [JSONSchemaNode] = []
    /// The target of each `$ref`, by the number in ``JSONSchemaKeyword/reference(_:)``.
    var references: [Int] = []
    var locations = JSONSchemaLocations()
    /// The completed default of each node that has one.
    var defaults: [Int: JSONValue] = [:]

    static let root = 0
}

/// One schema.
struct JSONSchemaNode: Sendable {
    let location: Int
    /// In the order they are tried: cheap ones first, `unevaluated…` last.
    let keywords: [JSONSchemaKeyword]
    /// Whether a keyword needs to know which elements or properties the others have evaluated.
    let needsEvaluated: Bool
    /// The value of `default`, as written.
    let defaultValue: JSONValue?

    /// Whether this is the schema `false`.
    var isNever: Bool {
        if case .never? = keywords.first { true } else { false }
    }
}

/// What a keyword, or some that work together, asserts. Numbers without a type are indices of
/// nodes.
enum JSONSchemaKeyword: Sendable {
    case never
    case type(JSONSchemaTypes)
    case constant(JSONValue)
    case enumeration(Set<JSONValue>, shown: JSONValue)
    case multipleOf(JSONNumber)
    case bound(JSONSchemaBound, JSONNumber)
    case size(JSONSchemaSize, Int)
    case pattern(LinearPattern)
    case uniqueItems
    case required([String])
    case dependentRequired([(name: String, required: [String])])
    case items(prefix: [Int], rest: Int?)
    case contains(Int, minimum: Int, maximum: Int?)
    case members(JSONSchemaMembers)
    case propertyNames(Int)
    case reference(Int)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case condition(if: Int, then: Int?, else: Int?)
    case dependentSchemas([(name: String, schema: Int)])
    case unevaluatedItems(Int)
    case unevaluatedProperties(Int)
}

/// `properties`, `patternProperties` and `additionalProperties`, which share one walk over an
/// object.
struct JSONSchemaMembers: Sendable {
    var named: [ExactString: Int] = [:]
    /// The names in the order of the schema, for messages and defaults.
    var names: [String] = []
    var patterns: [(pattern: LinearPattern, schema: Int)] = []
    var additional: Int?
}

/// The values of `type`.
struct JSONSchemaTypes: OptionSet, Sendable {
    let rawValue: UInt8

    static let null = Self(rawValue: 1)
    static let boolean = Self(rawValue: 2)
    static let integer = Self(rawValue: 4)
    static let number = Self(rawValue: 8)
    static let string = Self(rawValue: 16)
    static let array = Self(rawValue: 32)
    static let object = Self(rawValue: 64)

    static let names: [(name: String, type: Self)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number),
        ("string", .string), ("array", .array), ("object", .object),
    ]

    /// The names as words that follow "expected".
    var shown: String {
        Self.names.filter { contains($0.type) }.map(\.name).joined(separator: " or ")
    }
}

/// The keywords that compare numbers.
enum JSONSchemaBound: String, CaseIterable, Sendable {
    case minimum, maximum, exclusiveMinimum, exclusiveMaximum

    func allows(_ value: JSONNumber, against limit: JSONNumber) -> Bool {
        switch self {
        case .minimum: limit <= value
        case .maximum: value <= limit
        case .exclusiveMinimum: limit < value
        case .exclusiveMaximum: value < limit
        }
    }

    /// Words that follow "expected" and go before the limit.
    var shown: String {
        switch self {
        case .minimum: "at least"
        case .maximum: "at most"
        case .exclusiveMinimum: "more than"
        case .exclusiveMaximum: "less than"
        }
    }
}

/// The keywords that count.
enum JSONSchemaSize: String, CaseIterable, Sendable {
    case minLength, maxLength, minItems, maxItems, minProperties, maxProperties

    var isMinimum: Bool {
        switch self {
        case .minLength, .minItems, .minProperties: true
        case .maxLength, .maxItems, .maxProperties: false
        }
    }

    /// What is counted.
    var unit: String {
        switch self {
        case .minLength, .maxLength: "characters"
        case .minItems, .maxItems: "elements"
        case .minProperties, .maxProperties: "properties"
        }
    }
}

/// JSON pointers into the schema, kept as a tree: their texts together can be far larger than it.
struct JSONSchemaLocations: Sendable {
    private struct Step: Hashable, Sendable {
        let parent: Int
        let token: ExactString
    }

    private var steps: [Step] = []
    private var numbers: [Step: Int] = [:]

    /// The number of the whole schema.
    static let root = -1

    /// The number of the place `token` within `parent`.
    mutating func number(of token: String, in parent: Int) -> Int {
        let step = Step(parent: parent, token: ExactString(token))
        if let number = numbers[step] {
            return number
        }
        numbers[step] = steps.count
        steps.append(step)
        return steps.count - 1
    }

    /// Drops what only the compiler needs.
    mutating func seal() {
        numbers = [:]
    }

    func pointer(to location: Int) -> String {
        var tokens: [String] = []
        var place = location
        while place != Self.root {
            tokens.append(steps[place].token.text)
            place = steps[place].parent
        }
        return jsonPointer(tokens.reversed())
    }
}

/// A JSON pointer (RFC 6901 §3) from its unescaped tokens.
func jsonPointer(_ tokens: some Sequence<String>) -> String {
    var result = ""
    for token in tokens {
        result += "/"
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}
