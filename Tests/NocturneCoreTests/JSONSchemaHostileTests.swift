// JSONSchemaHostileTests.swift — schemas and values made to exhaust the host's time, memory or
// stack. Next: CoreRandomizedTests.swift.

import Glibc
import Testing

@testable import NocturneCore

@Suite struct JSONSchemaHostileTests {
    @Test func `alternatives that double at every level end with the budget`() throws {
        var definitions: [String] = []
        for level in 0..<30 {
            let next = ##"{"$ref":"#/$defs/d\##(level + 1)"}"##
            definitions.append(#""d\#(level)":{"allOf":[\#(next),\#(next)]}"#)
        }
        let links = definitions.joined(separator: ",")
        let schema = try JSONSchema(
            compiling: JSONParser.parse(##"{"$ref":"#/$defs/d0","$defs":{\##(links),"d30":{}}}"##))
        #expect(schema.violation(of: 1, budget: 100_000) == .budgetExhausted(budget: 100_000))
    }

    @Test func `a pattern spends the validation's budget`() throws {
        let schema = try JSONSchema(compiling: ["pattern": "(a+)+$"])
        let text = JSONValue.string(String(repeating: "a", count: 50_000) + "!")
        #expect(schema.violation(of: text, budget: 10_000) == .budgetExhausted(budget: 10_000))
        guard case .mismatch? = schema.violation(of: text) else {
            Issue.record("50,000 characters should be within the default budget")
            return
        }
    }

    private static let integers = JSONValue.array((0..<20_000).map { JSONValue($0) })
    private static let longText = String(repeating: "x", count: 200_000)
    private static let countedWork: [(text: String, value: JSONValue)] = [
        (#"{"uniqueItems":true}"#, integers), (#"{"const":1}"#, integers),
        (#"{"enum":[1]}"#, integers), (#"{"items":true}"#, integers),
        (#"{"maxLength":1000000}"#, .string(longText)),
        (#"{"patternProperties":{"a":true}}"#, .object([longText: 1])),
        (#"{"properties":{"a":true}}"#, .object([longText: 1])),
    ]

    @Test(arguments: countedWork)
    func `every kind of work on a large value is counted`(text: String, value: JSONValue) throws {
        let schema = try JSONSchema(compiling: JSONParser.parse(text))
        #expect(schema.violation(of: value, budget: 10_000) == .budgetExhausted(budget: 10_000))
    }

    @Test func `digits of numbers are counted`() throws {
        let literal = String(repeating: "7", count: 50_000)
        let value = try JSONParser.parse(literal)
        for text in [
            #"{"multipleOf":3}"#, #"{"minimum":1}"#, #"{"enum":[1]}"#, #"{"type":"integer"}"#,
        ] {
            let schema = try JSONSchema(compiling: JSONParser.parse(text))
            #expect(
                schema.violation(of: value, budget: 10_000) == .budgetExhausted(budget: 10_000),
                "\(text)")
        }
    }

    @Test func `uniqueItems is not quadratic`() throws {
        let schema = try JSONSchema(compiling: ["uniqueItems": true])
        // Their pairs would be 10^8 comparisons, minutes here; and the last is the first again.
        var values = (0..<15_000).map { JSONValue.object(["id": JSONValue($0), "tags": [1, 2]]) }
        #expect(schema.violation(of: .array(values)) == nil)
        values.append(["tags": [1, 2.0], "id": 0])
        guard case .mismatch(let mismatch)? = schema.violation(of: .array(values)) else {
            Issue.record("a repeated element was accepted")
            return
        }
        #expect(mismatch.instancePointer == "/15000")
    }

    @Test func `a schema over a limit is refused, one at the limit is not`() throws {
        func schemas(_ count: Int) -> String {
            #"{"anyOf":[\#(Array(repeating: "{}", count: count - 1).joined(separator: ","))]}"#
        }
        #expect(try refusal(of: schemas(10_000)) == nil)
        #expect(try refusal(of: schemas(10_001)) == .tooLarge(.subschemas, limit: 10_000))

        // {"title":""} has 12 bytes besides the text.
        let title = String(repeating: "t", count: (64 << 10) - 12)
        #expect(try refusal(of: #"{"title":"\#(title)"}"#) == nil)
        #expect(
            try refusal(of: #"{"title":"\#(title)tt"}"#) == .tooLarge(.bytes, limit: 64 << 10))

        var deep = JSONValue.object([:])
        for _ in 0..<64 { deep = ["not": deep] }
        #expect(
            failure { () throws(JSONSchemaError) in _ = try JSONSchema(compiling: deep) }
                == .tooLarge(.depth, limit: 64))

        let patterns = (0..<6).map { #"{"pattern":"\#($0).{9990}"}"# }.joined(separator: ",")
        #expect(
            try refusal(of: #"{"anyOf":[\#(patterns)]}"#)
                == .tooLarge(.patternInstructions, limit: 50_000))
    }

    @Test func `a chain of references for one value is as long as the limit and no longer`() throws
    {
        func chain(_ count: Int) -> String {
            let links = (1..<count).map { ##""d\##($0)":{"$ref":"#/$defs/d\##($0 + 1)"}"## }
            return #"{"$defs":{\#((links + [#""d\#(count)":{}"#]).joined(separator: ","))}}"#
        }
        #expect(try refusal(of: chain(64)) == nil)
        #expect(try refusal(of: chain(65)) == .tooLarge(.depth, limit: 64))
        #expect(try refusal(of: chain(1_500)) == .tooLarge(.depth, limit: 64))
    }

    @Test func `defaults that multiply are refused`() throws {
        let bomb = (0..<40).map { level in
            let next = ##"{"$ref":"#/$defs/d\##(level + 1)"}"##
            return #""d\#(level)":{"default":{},"properties":{"a":\#(next),"b":\#(next)}}"#
        }
        #expect(
            try refusal(of: #"{"$defs":{\#(bomb.joined(separator: ",")),"d40":{"default":1}}}"#)
                == .tooLarge(.defaultBytes, limit: 64 << 10))
        let tower = (0..<80).map { level in
            ##""d\##(level)":{"default":{},"properties":{"a":{"$ref":"#/$defs/d\##(level + 1)"}}}"##
        }
        for links in [tower, tower.reversed()] {
            #expect(
                try refusal(
                    of: #"{"$defs":{\#(links.joined(separator: ",")),"d80":{"default":1}}}"#)
                    == .tooLarge(.depth, limit: 64))
        }
    }

    #if DEBUG
        private static let stackBytes = 2 << 20
    #else
        private static let stackBytes = 512 << 10
    #endif

    @Test func `the deepest validation fits a small stack`() throws {
        // Four schemas for each level of the value, through the widest frames.
        let schema = try JSONSchema(
            compiling: JSONParser.parse(
                ##"""
                {"properties": {"a": {"type": "object",
                 "dependentSchemas": {"a": {"oneOf": [{"$ref": "#"}]}}}}}
                """##))
        var value: JSONValue = [:]
        for _ in 0..<60 { value = ["a": value] }
        let nested = value
        #expect(schema.violation(of: nested) == nil)
        for _ in 0..<20 { value = ["a": value] }
        let deepest = value
        var violation: JSONSchemaViolation?
        #expect(onThread(stackBytes: Self.stackBytes) { violation = schema.violation(of: deepest) })
        #expect(violation == .tooDeep(limit: 256))
    }

    @Test func `values deeper than any parser reads are refused where they must be hashed`() throws
    {
        var value: JSONValue = []
        for _ in 0..<200 { value = [value] }
        let schema = try JSONSchema(compiling: ["uniqueItems": true])
        #expect(schema.violation(of: [value, value]) == .tooDeep(limit: 256))
    }
}

/// Runs `body` on a thread with a stack of that size; false if there was no thread.
private func onThread(stackBytes: Int, _ body: () -> Void) -> Bool {
    withoutActuallyEscaping(body) { body in
        final class Box {
            let body: () -> Void
            init(_ body: @escaping () -> Void) { self.body = body }
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
            if let box = $0 {
                Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
            }
            return nil
        }
        guard pthread_create(&thread, &attributes, start, box.toOpaque()) == 0 else {
            box.release()
            return false
        }
        return pthread_join(thread, nil) == 0
    }
}
