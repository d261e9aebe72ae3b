// JSONSchemaCompilerTests.swift — schemas that are refused when loaded, and where each error
// points. Next: JSONSchemaHostileTests.swift.

import Testing

@testable import NocturneCore

@Suite struct JSONSchemaCompilerTests {
    /// The types are those of the 2020-12 meta-schema.
    @Test(arguments: [
        ("5", ""), ("[]", ""), (#"{"type":"int"}"#, "/type"), (#"{"type":[]}"#, "/type"),
        (#"{"type":["string",1]}"#, "/type"), (#"{"enum":1}"#, "/enum"),
        (#"{"minimum":"1"}"#, "/minimum"), (#"{"multipleOf":0}"#, "/multipleOf"),
        (#"{"multipleOf":-1}"#, "/multipleOf"),
        (#"{"multipleOf":1.00000000000000000001}"#, "/multipleOf"),
        (#"{"minLength":-1}"#, "/minLength"), (#"{"maxItems":1.5}"#, "/maxItems"),
        (#"{"pattern":1}"#, "/pattern"), (#"{"uniqueItems":1}"#, "/uniqueItems"),
        (#"{"required":"a"}"#, "/required"), (#"{"required":["a","a"]}"#, "/required"),
        (#"{"required":[1]}"#, "/required"), (#"{"dependentRequired":[]}"#, "/dependentRequired"),
        (#"{"dependentRequired":{"a/b":1}}"#, "/dependentRequired/a~1b"),
        (#"{"items":[true]}"#, "/items"), (#"{"prefixItems":{}}"#, "/prefixItems"),
        (#"{"prefixItems":[true,1]}"#, "/prefixItems/1"), (#"{"properties":[]}"#, "/properties"),
        (#"{"properties":{"a":{"items":null}}}"#, "/properties/a/items"),
        (#"{"allOf":[]}"#, "/allOf"), (#"{"anyOf":{}}"#, "/anyOf"), (#"{"not":"x"}"#, "/not"),
        (#"{"then":1}"#, "/then"), (#"{"minContains":"1"}"#, "/minContains"),
        (#"{"$defs":{"a":1}}"#, "/$defs/a"), (#"{"$ref":1}"#, "/$ref"),
        (#"{"$anchor":"1a"}"#, "/$anchor"), (#"{"$anchor":"a/b"}"#, "/$anchor"),
        (#"{"$id":"a#b"}"#, "/$id"), (#"{"$comment":1}"#, "/$comment"), (#"{"title":1}"#, "/title"),
        (#"{"deprecated":"no"}"#, "/deprecated"), (#"{"examples":1}"#, "/examples"),
        (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "/$schema"),
    ])
    func `a value of the wrong kind is refused where it stands`(
        text: String, expected: String
    ) throws {
        guard case .wrongValue(let pointer, _, _)? = try refusal(of: text) else {
            Issue.record("not refused")
            return
        }
        #expect(pointer == expected)
    }

    @Test(arguments: [
        ("#/$defs/missing", "#/$defs/b"), ("#nowhere", "#a"), ("other.json", "#"),
        ("https://example.com/b", "https://example.com/a"), ("#/allOf/1", "#/allOf/0"),
        ("#/allOf/00", "#/allOf/0"), ("#/allOf/-1", "#/allOf/0"), ("#/~2", "#/~0"),
        ("#/%zz", "#/%7E0"), ("#/$defs/b/", "#/$defs/b"), ("#%FF", "#a"),
    ])
    func `a reference to nothing in this document is refused, its neighbor resolves`(
        missing: String, present: String
    ) throws {
        func schema(_ reference: String) -> String {
            #"""
            {"$id": "https://example.com/a", "$defs": {"b": {"$anchor": "a"}}, "allOf": [true],
             "~": {}, "properties": {"x": {"$ref": "\#(reference)"}}}
            """#
        }
        #expect(
            try refusal(of: schema(missing))
                == .unresolvedReference(pointer: "/properties/x/$ref", reference: missing))
        #expect(try refusal(of: schema(present)) == nil)
    }

    @Test(arguments: [
        (##"{"items":{"$dynamicRef":"#a"}}"##, "/items/$dynamicRef", "$dynamicRef"),
        (#"{"$dynamicAnchor":"a"}"#, "/$dynamicAnchor", "$dynamicAnchor"),
        (#"{"$defs":{"a":{"$id":"b"}}}"#, "/$defs/a/$id", "$id"),
    ])
    func `keywords that must not be ignored are refused by name`(
        text: String, expectedPointer: String, expectedKeyword: String
    ) throws {
        guard case .unsupported(let pointer, let keyword, _)? = try refusal(of: text) else {
            Issue.record("not refused")
            return
        }
        #expect(pointer == expectedPointer)
        #expect(keyword == expectedKeyword)
    }

    @Test(arguments: [
        (#"{"properties":{"a":{"pattern":"(?=x)"}}}"#, "/properties/a/pattern"),
        (#"{"patternProperties":{"a/(":true}}"#, "/patternProperties/a~1("),
        (#"{"pattern":"(a{100}){100}"}"#, "/pattern"),
    ])
    func `a bad pattern is refused where it stands`(text: String, expected: String) throws {
        guard case .badPattern(let pointer, let reason)? = try refusal(of: text) else {
            Issue.record("not refused")
            return
        }
        #expect(pointer == expected)
        #expect(reason.hasPrefix("at character "))
    }

    /// Core §9.4.1: a schema must not be run into an infinite loop.
    @Test(arguments: [
        ##"{"$ref":"#"}"##,
        ##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}"##,
        ##"{"anyOf":[{"type":"null"},{"not":{"$ref":"#"}}]}"##,
        ##"{"dependentSchemas":{"a":{"if":true,"then":{"$ref":"#"}}}}"##,
    ])
    func `a schema that applies itself to the same value is refused`(text: String) throws {
        guard case .endlessReference? = try refusal(of: text) else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `two anchors of one name are refused`() throws {
        #expect(
            try refusal(of: #"{"$anchor":"a","items":{"$anchor":"a"}}"#)
                == .duplicateAnchor(pointer: "/items/$anchor", anchor: "a"))
    }
}

/// Why a schema does not compile, or `nil` if it does.
func refusal(of text: String) throws -> JSONSchemaError? {
    let value = try JSONParser.parse(text)
    return failure { () throws(JSONSchemaError) in _ = try JSONSchema(compiling: value) }
}
