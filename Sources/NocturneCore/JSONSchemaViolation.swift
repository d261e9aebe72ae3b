// JSONSchemaViolation.swift — why a value was rejected, in words a caller can act upon.
// Next: JSONSchemaError.swift.

/// Why a value was not accepted by a schema.
public enum JSONSchemaViolation: Error, Hashable, CustomStringConvertible {
    /// The first disagreement between value and schema.
    public struct Mismatch: Sendable, Hashable {
        /// The JSON pointer (RFC 6901) into the value; empty for the whole of it.
        public let instancePointer: String
        /// The JSON pointer of the keyword in the schema, after following every `$ref`.
        public let schemaPointer: String
        /// The keyword that failed, or `false` for a schema that is `false`.
        public let keyword: String
        /// What the keyword expects, as words that follow "expected".
        public let expected: String
        /// What the value has there: its text, cut and with control characters escaped.
        public let found: String
    }

    /// The value does not match.
    case mismatch(Mismatch)
    /// Undecided: the search took more steps than the budget.
    case budgetExhausted(budget: Int)
    /// Undecided: the value, or the schema's recursion into it, is deeper than the limit.
    case tooDeep(limit: Int)

    /// What failed, where, and by how much.
    public var description: String {
        switch self {
        case .mismatch(let mismatch):
            "\(placed(mismatch.instancePointer)): expected \(mismatch.expected), found "
                + "\(mismatch.found) (schema keyword \(quoted(mismatch.schemaPointer)))"
        case .budgetExhausted(let budget):
            "the schema took more than \(budget) steps to check this value; send a smaller value, "
                + "or simplify the schema's patterns and alternatives"
        case .tooDeep(let limit):
            "the value nests deeper than the \(limit) levels a schema may follow; flatten it"
        }
    }
}

/// The beginning of a value's text, at the cost of its beginning only.
struct JSONSchemaExcerpt {
    /// Characters after which nothing is begun.
    private static let limit = 80
    private(set) var text = ""
    private var room = limit

    init(of value: JSONValue) {
        append(value)
    }

    private var isFull: Bool { room <= 0 }

    private mutating func append(_ piece: String) {
        text += piece
        room -= piece.unicodeScalars.count
    }

    /// Each call takes room before it recurses, so neither depth nor length is unbounded.
    private mutating func append(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .number(let number): append(Self.cut(number.literal))
        case .string(let string): append(quoted(string))
        case .array(let elements):
            append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { append(", ") }
                guard !isFull else {
                    append("…")
                    break
                }
                append(element)
            }
            append("]")
        case .object(let object):
            append("{")
            for (index, member) in object.enumerated() {
                if index > 0 { append(", ") }
                guard !isFull else {
                    append("…")
                    break
                }
                append(quoted(member.key) + ": ")
                append(member.value)
            }
            append("}")
        }
    }

    private static func cut(_ literal: String) -> String {
        let shown = literal.prefix(limit / 2)
        return shown.utf8.count == literal.utf8.count ? literal : shown + "…"
    }
}
