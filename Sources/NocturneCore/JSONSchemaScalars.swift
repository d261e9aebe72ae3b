// JSONSchemaScalars.swift — the part of a validation that asserts types, equality, numbers, lengths
// and patterns. JSON Schema 2020-12 Validation §§6.1–6.5. Next: JSONSchemaContainers.swift.

extension JSONSchemaRun {
    mutating func accepts(
        _ value: JSONValue, types: JSONSchemaTypes, of node: JSONSchemaNode
    ) throws(JSONSchemaInterruption) -> Bool {
        let isAccepted: Bool
        switch value {
        case .null: isAccepted = types.contains(.null)
        case .bool: isAccepted = types.contains(.boolean)
        case .string: isAccepted = types.contains(.string)
        case .array: isAccepted = types.contains(.array)
        case .object: isAccepted = types.contains(.object)
        case .number(let number):
            if types.contains(.integer), !types.contains(.number) {
                isAccepted = try isInteger(number)
            } else {
                isAccepted = types.contains(.number)
            }
        }
        return isAccepted || fail("type", of: node, value, expected: types.shown)
    }

    private mutating func isInteger(_ number: JSONNumber) throws(JSONSchemaInterruption) -> Bool {
        try charge(reading: number)
        return number.int64 != nil || number.isInteger
    }

    /// The keywords that look at a value as a whole, or that ignore all but numbers or strings.
    mutating func acceptsAsScalar(
        _ value: JSONValue, _ keyword: JSONSchemaKeyword, of node: JSONSchemaNode
    ) throws(JSONSchemaInterruption) -> Bool {
        switch keyword {
        case .constant(let constant):
            try charge(reading: value)
            return value == constant
                || fail("const", of: node, value, expected: JSONSchemaExcerpt(of: constant).text)
        case .enumeration(let values, let shown):
            try charge(reading: value)
            return values.contains(value)
                || fail(
                    "enum", of: node, value,
                    expected: "one of " + JSONSchemaExcerpt(of: shown).text)
        case .multipleOf(let divisor):
            guard case .number(let number) = value else { return true }
            try charge(reading: number)
            return number.decimal.isMultiple(of: divisor.decimal) == true
                || fail(
                    "multipleOf", of: node, value, expected: "a multiple of \(divisor.literal)")
        case .bound(let bound, let limit):
            guard case .number(let number) = value else { return true }
            try charge(reading: number)
            return bound.allows(number, against: limit)
                || fail(
                    bound.rawValue, of: node, value, expected: "\(bound.shown) \(limit.literal)")
        case .size(let size, let limit):
            return try accepts(value, size, limit: limit, of: node)
        case .pattern(let pattern):
            guard case .string(let string) = value else { return true }
            return try matches(string, pattern)
                || fail(
                    "pattern", of: node, value,
                    expected: "a string that matches \(quoted(pattern.source))")
        default:
            preconditionFailure("\(keyword) is not applied here")
        }
    }

    private mutating func accepts(
        _ value: JSONValue, _ size: JSONSchemaSize, limit: Int, of node: JSONSchemaNode
    ) throws(JSONSchemaInterruption) -> Bool {
        let count: Int
        switch (size, value) {
        case (.minLength, .string(let string)), (.maxLength, .string(let string)):
            try charge(reading: string)
            count = string.unicodeScalars.count
        case (.minItems, .array(let elements)), (.maxItems, .array(let elements)):
            count = elements.count
        case (.minProperties, .object(let object)), (.maxProperties, .object(let object)):
            count = object.count
        default:
            return true
        }
        if size.isMinimum ? count >= limit : count <= limit {
            return true
        }
        let comparison = size.isMinimum ? "at least" : "at most"
        return fail(
            size.rawValue, of: node, value,
            expected: "\(comparison) \(limit) \(size.unit) but not \(count)")
    }
}
