// JSONParserTests.swift — RFC 8259 from both sides: what must be read, what must be refused and
// where. Next: JSONNumberTests.swift.

import Testing

@testable import NocturneCore

@Suite struct JSONParserTests {
    @Test func `a value tells how deep it nests, by the count that the parser goes by`() throws {
        let limit = JSONParser.Options.maximumDepth
        func nested(_ count: Int) -> JSONValue {
            (0..<count).reduce(1) { $1 % 2 == 0 ? .array([0, $0]) : ["a": 0, "b": $0] }
        }
        #expect(!nested(0).nests(deeperThan: 0))
        #expect(nested(1).nests(deeperThan: 0))
        for count in [limit, limit + 1] {
            let isTooDeep = nested(count).nests(deeperThan: limit)
            #expect(isTooDeep == (count > limit))
            let parsed = try? JSONParser.parse(nested(count).serialized())
            #expect((parsed == nil) == isTooDeep)
        }
    }

    @Test func `every kind of value is read as what it is`() throws {
        let value = try JSONParser.parse(
            #" { "a" : [ 1 , -2.5e3 , true , false , null , "x" , { } , [ ] ] } "# + "\r\n\t")

        #expect(value == ["a": [1, -2500, true, false, nil, "x", [:], []]])
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[1]?.double == -2500)
        #expect(value["a"]?[2]?.bool == true)
        #expect(value["a"]?[4]?.isNull == true)
        #expect(value["a"]?[5]?.string == "x")
        #expect(value["a"]?[6]?.object?.isEmpty == true)
        #expect(value["a"]?[8] == nil && value["b"] == nil && value[0] == nil)
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\uD83E\uDD89x""#, "🦉x"), (#""🦉é""#, "🦉é"), (#""\u0000""#, "\0"), (#""""#, ""),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
    ])
    func `escapes and raw characters give the same text`(text: String, expected: String) throws {
        #expect(try JSONParser.parse(text) == .string(expected))
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "+1", "01", "-", "-01", "1.", ".5", "1.e1", "1e", "1e+",
        "0x10", "NaN", "Infinity", "-Infinity", "1_000", "--1", "1 2", "[", "]", "[1", "[1,",
        "[1,]",
        "[,1]", "[1 2]", "{", "}", "{]", "[}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
        "{\"a\":1,}",
        "{,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "\"", "\"a", "'a'",
        "\"\\",
        "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\t\"", "\"\n\"", "\"\u{1F}\"", "\"\0\"", "1/*c*/",
        "//c\n1", "[1]x", "\u{FEFF}1", "\u{A0}1", "1\u{B}", "\u{2028}1", "１", "\0", "[1]\0", "1\0",
    ])
    func `what RFC 8259 does not allow is refused`(text: String) {
        #expect(jsonFailure(text) != nil)
    }

    @Test(arguments: [
        #""\uD800""#, #""\uDC00""#, #""\uD800\uD800""#, #""\uD800A""#, #""\uD800\u0041""#,
    ])
    func `half of a surrogate pair is refused`(text: String) {
        guard case .invalidText(let position, _) = jsonFailure(text) else {
            Issue.record("\(text) was not refused as text")
            return
        }
        #expect(position.offset == 1)
    }

    @Test func `the UTF-8 that is accepted is exactly what the standard library calls valid`()
        throws
    {
        for lead in UInt8(0xBF)...0xFF {
            for second in stride(from: 0x40, through: 0xFF, by: 1) where second != 0x5C {
                for tail in [[], [0x80], [0x80, 0xBF]] as [[UInt8]] {
                    let bytes = [lead, UInt8(second)] + tail
                    let expected = String(validating: bytes, as: UTF8.self)
                    let found = try? JSONParser.parse([0x22] + bytes + [0x22])
                    guard found?.string == expected else {
                        Issue.record("\(bytes): found \(String(describing: found))")
                        return
                    }
                }
            }
        }
    }

    @Test func `an error says line, column, offset, what was found and what was expected`() {
        #expect(
            jsonFailure("{\n  \"a\": 1,\n  b\n}")
                == .syntax(
                    at: .init(line: 3, column: 3, offset: 14), found: "\"b\"",
                    expected: "a key in quotes"))
        #expect(
            jsonFailure("[1,").map { "\($0)" }
                == "not JSON at line 1, column 4 (byte 3): found the end of the text, "
                + "expected a value"
        )
        #expect(
            jsonFailure("\"a\u{1}\"").map { "\($0)" }
                == "not JSON at line 1, column 3 (byte 2): found byte 0x01 in a string, "
                + "expected an escape such as \\n or \\u0001")
    }

    @Test func `what was found is shown without driving the terminal`() {
        let error = jsonFailure("{\"\u{1B}[31m\": 1}")
        #expect(error?.description.unicodeScalars.contains("\u{1B}") == false)
        #expect(quoted("a\u{1B}[2J\u{202E}\"") == #""a\u{1B}[2J\u{202E}\"""#)
    }

    @Test func `sixty-four levels are read and the sixty-fifth is refused where it opens`() {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(jsonFailure(deepest) == nil)
        #expect(
            jsonFailure("[" + deepest + "]")
                == .tooDeep(at: .init(line: 1, column: 65, offset: 64), limit: 64))
        let objects = String(repeating: #"{"a":"#, count: 100_000)
        #expect(
            jsonFailure(objects)
                == .tooDeep(at: .init(line: 1, column: 321, offset: 320), limit: 64))
        #expect(JSONParser.Options(depthLimit: 1000).depthLimit == 64)
    }

    @Test func `bytes and values have limits of their own`() {
        #expect(jsonFailure("[1,2]", .init(byteLimit: 5)) == nil)
        #expect(jsonFailure("[1,2]", .init(byteLimit: 4)) == .tooLarge(bytes: 5, limit: 4))
        #expect(jsonFailure("[1,2]", .init(valueLimit: 3)) == nil)
        #expect(
            jsonFailure("[1,2]", .init(valueLimit: 2))
                == .tooManyValues(at: .init(line: 1, column: 4, offset: 3), limit: 2))
    }

    @Test
    func `a duplicate key is refused with its place, or the last one wins at the first place`()
        throws
    {
        let text = #"{"a":1,"b":2,"\u0061":3}"#

        #expect(
            jsonFailure(text) == .duplicateKey("a", at: .init(line: 1, column: 14, offset: 13)))
        let value = try JSONParser.parse(text, options: .init(duplicateKeys: .lastWins))
        #expect(value.description == #"{"a":3,"b":2}"#)
    }

    @Test func `keys and strings are equal by code points, not by canonical equivalence`() throws {
        let value = try JSONParser.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")

        #expect(value.object?.count == 2)
        #expect(value["\u{E9}"] == 1 && value["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
        #expect(JSONValue.string("\u{E9}").hashValue != JSONValue.string("e\u{301}").hashValue)
    }
}

@Suite struct JSONObjectTests {
    @Test func `an object of any size finds, replaces and removes keys and keeps their order`() {
        for count in [1, 2, 16, 17, 18, 500] {
            var object = JSONObject((0..<count).map { ("key\($0)", JSONValue($0)) })
            object["key0"] = "replaced"
            object["new"] = nil
            #expect(object.count == count)
            #expect(object.keys == (0..<count).map { "key\($0)" })
            #expect(object["key0"] == "replaced" && object["key\(count)"] == nil)
            object["key0"] = nil
            #expect(object.keys == (1..<count).map { "key\($0)" })
            #expect((1..<count).allSatisfy { object["key\($0)"] == JSONValue($0) })
            object["last"] = true
            #expect(object.map(\.key).last == "last" && object["last"] == true)
        }
    }

    @Test func `equality and hash ignore the order of keys`() {
        let left: JSONValue = ["a": 1, "b": ["c": nil]]
        let right: JSONValue = ["b": ["c": nil], "a": 1.0]

        #expect(left == right && left.hashValue == right.hashValue)
        #expect(left != ["a": 1] && left != ["a": 1, "b": nil])
    }
}

@Suite struct JSONSerializerTests {
    static let value: JSONValue = [
        "b": [1, [], [:], ["x": "\"\\\n\u{1}é/"]], "a": nil, "é": true, "Z": 1.5,
    ]

    @Test func `compact text has no spaces and escapes only what it must`() {
        #expect(
            Self.value.description
                == #"{"b":[1,[],{},{"x":"\"\\\n\u0001é/"}],"a":null,"é":true,"Z":1.5}"#)
    }

    @Test func `sorted keys stand in the order of their bytes`() {
        let text = String(decoding: Self.value.serialized(sortedKeys: true), as: UTF8.self)
        #expect(text == #"{"Z":1.5,"a":null,"b":[1,[],{},{"x":"\"\\\n\u0001é/"}],"é":true}"#)
    }

    @Test func `pretty text is indented by two spaces and leaves empty containers on their line`() {
        let value: JSONValue = ["a": [1, [:]], "b": [], "c": ["d": nil]]
        #expect(
            String(decoding: value.serialized(pretty: true), as: UTF8.self) == """
                {
                  "a": [
                    1,
                    {}
                  ],
                  "b": [],
                  "c": {
                    "d": null
                  }
                }
                """)
    }

    @Test
    func `a value that a program nested deeper than the parser allows is written all the same`() {
        var value: JSONValue = 1
        for _ in 0..<1000 { value = [value] }
        let brackets = (String(repeating: "[", count: 1000), String(repeating: "]", count: 1000))
        #expect(value.description == brackets.0 + "1" + brackets.1)
    }
}
