// JSONSchemaVectorTests.swift — verdicts of JSON Schema 2020-12, from
// `Fixtures/schema-vectors.json`. Each was confirmed with another implementation (python-jsonschema
// 4.26). Next: JSONSchemaTests.swift.

import Glibc
import Testing

@testable import NocturneCore

@Suite struct JSONSchemaVectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let about: String, schema: JSONValue, valid: [JSONValue], invalid: [JSONValue]
        var testDescription: String { about }
    }

    static let vectors: [Vector] = {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        var bytes: [UInt8] = []
        if let file = fopen("/\(folder)/Fixtures/schema-vectors.json", "rb") {
            defer { fclose(file) }
            while case let byte = getc(file), byte != EOF {
                bytes.append(UInt8(truncatingIfNeeded: byte))
            }
        }
        let parsed = try? JSONParser.parse(bytes)
        return (parsed?.array ?? []).map { vector in
            Vector(
                about: vector["about"]?.string ?? "", schema: vector["schema"] ?? .null,
                valid: vector["valid"]?.array ?? [], invalid: vector["invalid"]?.array ?? [])
        }
    }()

    @Test func `the vectors are there`() {
        #expect(Self.vectors.count == 71)
        #expect(Self.vectors.reduce(0) { $0 + $1.valid.count + $1.invalid.count } == 323)
    }

    @Test(arguments: vectors)
    func `verdicts are those of the specification`(vector: Vector) throws {
        let schema = try JSONSchema(compiling: vector.schema)
        for value in vector.valid {
            #expect(throws: Never.self, "\(value)") { try schema.validate(value) }
        }
        for value in vector.invalid {
            guard case .mismatch? = schema.violation(of: value) else {
                Issue.record("accepted \(value)")
                continue
            }
        }
    }

    /// Facts of decimal arithmetic; an implementation on `Double` gets the first four wrong.
    @Test(arguments: [
        ("0.3", "0.1", true), ("1.1", "0.01", true), ("4.35", "0.01", true),
        ("9007199254740993", "2", false), ("0.3", "0.2", false), ("1e300", "7e-300", false),
        ("1e300", "2e-300", true), ("0", "0.7", true), ("-0.6", "0.2", true),
        ("123456789012345678901234567890", "10", true), ("1e-300", "1e300", false),
    ])
    func `multipleOf is exact in decimal`(value: String, divisor: String, expected: Bool) throws {
        let schema = try JSONSchema(compiling: JSONParser.parse(#"{"multipleOf": \#(divisor)}"#))
        #expect((schema.violation(of: try JSONParser.parse(value)) == nil) == expected)
    }
}

extension JSONSchema {
    /// What ``validate(_:budget:)`` throws, or `nil`.
    func violation(
        of value: JSONValue, budget: Int = JSONSchema.defaultBudget
    ) -> JSONSchemaViolation? {
        failure { () throws(JSONSchemaViolation) in try validate(value, budget: budget) }
    }
}
