// JSONSchemaTests.swift — what a violation says, and what defaults fill in.
// Next: JSONSchemaCompilerTests.swift.

import Testing

@testable import NocturneCore

@Suite struct JSONSchemaTests {
    /// The pointers follow from RFC 6901 and the text of the schema.
    @Test(arguments: [
        (#"{"type":"integer"}"#, #""x""#, "", "/type", "type", "integer", #""x""#),
        (
            #"{"properties":{"a/b":{"items":{"minimum":3}}}}"#, #"{"a/b":[5,1]}"#, "/a~1b/1",
            "/properties/a~1b/items/minimum", "minimum", "at least 3", "1"
        ),
        (
            ##"{"$defs":{"n":{"maxLength":1}},"allOf":[true,{"$ref":"#/$defs/n"}]}"##, #""é😀""#, "",
            "/$defs/n/maxLength", "maxLength", "at most 1 characters but not 2", #""é😀""#
        ),
        (
            #"{"required":["a","b"]}"#, #"{"a":null}"#, "", "/required", "required",
            #"a property "b""#, #"{"a": null}"#
        ),
        (
            #"{"properties":{"a":{}},"patternProperties":{"^x":{}},"additionalProperties":false}"#,
            #"{"a":1,"~":[2]}"#, "/~0", "/additionalProperties", "additionalProperties",
            #"no other properties than "a", names like "^x""#, "[2]"
        ),
        (
            #"{"properties":{"a":false}}"#, #"{"a":1}"#, "/a", "/properties/a", "false",
            "nothing at all", "1"
        ),
        (
            #"{"oneOf":[{"type":"string"},{"maxLength":3},true]}"#, #""ab""#, "", "/oneOf", "oneOf",
            "a value that exactly one of its 3 schemas accepts (0 and 1 do)", #""ab""#
        ),
        (
            #"{"items":{"anyOf":[{"type":"string"},{"type":"null"}]}}"#, "[null,1]", "/1",
            "/items/anyOf", "anyOf", "a value that at least one of its 2 schemas accepts", "1"
        ),
        (
            #"{"items":{"uniqueItems":true}}"#, "[[1,2,1.0]]", "/0/2", "/items/uniqueItems",
            "uniqueItems", "an element unlike all before it", "1.0"
        ),
        (
            #"{"propertyNames":{"pattern":"^a"}}"#, #"{"ab":1,"b":1}"#, "/b",
            "/propertyNames/pattern", "pattern", #"a string that matches "^a""#, #""b""#
        ),
        (
            #"{"if":{"type":"string"},"then":{"enum":["a",1]}}"#, #""b""#, "", "/then/enum", "enum",
            #"one of ["a", 1]"#, #""b""#
        ),
    ])
    func `a mismatch names both places, the keyword, what was expected and what was found`(
        schema: String, value: String, instancePointer: String, schemaPointer: String,
        keyword: String, expected: String, found: String
    ) throws {
        let compiled = try JSONSchema(compiling: JSONParser.parse(schema))
        guard case .mismatch(let mismatch)? = compiled.violation(of: try JSONParser.parse(value))
        else {
            Issue.record("no mismatch")
            return
        }
        #expect(mismatch.instancePointer == instancePointer)
        #expect(mismatch.schemaPointer == schemaPointer)
        #expect(mismatch.keyword == keyword)
        #expect(mismatch.expected == expected)
        #expect(mismatch.found == found)
    }

    @Test func `a mismatch shows little of a large value, and no control characters`() throws {
        let schema = try JSONSchema(compiling: ["type": "null"])
        let large = JSONValue.array(Array(repeating: "a\u{1B}[2J\u{202E}", count: 100_000))
        let text = schema.violation(of: large)?.description ?? ""
        #expect((50...400).contains(text.utf8.count))
        #expect(!text.unicodeScalars.contains { $0.isUnsafeToShow })
        let name = schema.violation(of: ["\u{1B}": 1])?.description ?? ""
        #expect(name.contains(#"\u{1B}"#) && !name.unicodeScalars.contains("\u{1B}"))
    }

    @Test func `a violation reads as a sentence`() throws {
        let schema = try JSONSchema(compiling: ["properties": ["n": ["type": "integer"]]])
        #expect(
            schema.violation(of: ["n": "x"])?.description
                == #"at "/n": expected integer, found "x" (schema keyword "/properties/n/type")"#)
    }
}

@Suite struct JSONSchemaDefaultsTests {
    private func filled(_ schema: String, _ value: String) throws -> String {
        let compiled = try JSONSchema(compiling: JSONParser.parse(schema))
        return compiled.defaults(applyingTo: try JSONParser.parse(value)).description
    }

    @Test func `absent properties get their default, after those that are there`() throws {
        let schema = #"{"properties":{"a":{"default":1},"b":{"default":[2]},"c":{}}}"#
        #expect(try filled(schema, #"{"z":0,"b":null}"#) == #"{"z":0,"b":null,"a":1}"#)
        #expect(try filled(schema, "[]") == "[]")
    }

    @Test func `nested objects are completed where they are, through references too`() throws {
        let schema = ##"""
            {"$defs":{"net":{"properties":{"port":{"$ref":"#/$defs/port"},"tls":{"default":true}}},
             "port":{"default":80}},"properties":{"net":{"$ref":"#/$defs/net"}}}
            """##
        #expect(
            try filled(schema, #"{"net":{"tls":false}}"#) == #"{"net":{"tls":false,"port":80}}"#)
        #expect(try filled(schema, "{}") == "{}")
    }

    @Test func `a default that is an object is completed with the defaults of its properties`()
        throws
    {
        let schema = ##"""
            {"properties":{"net":{"default":{"host":"h"},"properties":{"port":{"default":80},
             "more":{"default":{},"properties":{"x":{"default":null}}}}}}}
            """##
        #expect(try filled(schema, "{}") == #"{"net":{"host":"h","port":80,"more":{"x":null}}}"#)
    }

    @Test func `a default within itself goes in once`() throws {
        let schema = ##"""
            {"properties":{"child":{"$ref":"#/$defs/node"}},
             "$defs":{"node":{"default":{},"properties":{"child":{"$ref":"#/$defs/node"}}}}}
            """##
        #expect(try filled(schema, "{}") == #"{"child":{"child":{}}}"#)
    }
}
