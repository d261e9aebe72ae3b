// JSONTests.swift — the SDK's JSON against RFC 8259 and the cases of its parsing test suites. Next: HandlerTests.swift.

import NocturneJSON
import Testing

@Suite struct `JSON of the SDK` {
    static let valid: [(String, JSON)] = [
        ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-0", -0.0),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", 9223372036854775808.0), ("1.5e3", 1500.0), ("1E+2", 100.0),
        ("\"\"", ""), (#""\u0041\n\/\"\\""#, "A\n/\"\\"), (#""\ud83d\ude00""#, "😀"),
        ("\"\u{7f}\"", "\u{7f}"), ("[]", []), ("[1,[2]]", [1, [2]]), ("{}", [:]),
        ("{\"a\":{\"b\":null}}", ["a": ["b": nil]]), ("\t[\r\n1 , 2 ]", [1, 2]),
    ]

    @Test(arguments: valid)
    func `valid text is read as RFC 8259 says`(text: String, expected: JSON) throws {
        #expect(try JSON(parsing: text) == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "-01", "1.", ".5", "1e", "1e+", "+1", "0x1",
        "1 2",
        "[1,]", "[,1]", "[1", "[1}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{\"a\":1,\"a\":2}",
        "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
        "\"\t\"", "'a'", "NaN", "1e999", "[1]]", "\u{feff}1", "//\n1", "\"\\u00e\u{e9}\"",
    ])
    func `invalid text is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: text) }
    }

    static let notUTF8: [[UInt8]] = [
        [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]

    @Test(arguments: notUTF8)
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON(parsing: bytes) }
    }

    @Test func `a fault is told by line and column`() {
        let error = #expect(throws: JSONError.self) { try JSON(parsing: "{\n  \"a\": x\n}") }
        #expect(error?.line == 2)
        #expect(error?.column == 8)
    }

    @Test func `64 levels are read and 65 are not`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try JSON(parsing: nested(64))
        #expect(throws: JSONError.self) { try JSON(parsing: nested(65)) }
        #expect(throws: JSONError.self) {
            try JSON(parsing: String(repeating: "[", count: 1 << 20))
        }
    }

    @Test func `a key that stands twice among many is found`() throws {
        let keys = (0..<100).map { "\"k\($0)\":\($0)" }
        let object = try JSON(parsing: "{" + keys.joined(separator: ",") + "}")
        #expect(object.object?.count == 100)
        #expect(object["k57"] == 57)
        #expect(throws: JSONError.self) {
            try JSON(parsing: "{" + (keys + ["\"k3\":0"]).joined(separator: ",") + "}")
        }
    }

    @Test func `keys that Unicode calls equal are different keys`() throws {
        let object = try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        #expect(object["\u{e9}"] == 1)
        #expect(object["e\u{301}"] == 2)
    }

    @Test func `text is written on one line with its members in order`() {
        let value: JSON = [
            "z": [1, -2.5, true, nil], "a": "quote \" slash \\ tab \t bell \u{7} é 😀",
            "infinite": JSON(Double.infinity),
        ]
        #expect(
            value.description
                == #"{"z":[1,-2.5,true,null],"a":"quote \" slash \\ tab \t bell \u0007 é 😀","infinite":null}"#
        )
    }

    @Test(arguments: [0.1, 1e300, .leastNonzeroMagnitude, -123456.789, 1e21, 4503599627370497.5])
    func `a number comes back as it went`(number: Double) throws {
        #expect(try JSON(parsing: JSON(number).bytes).number == number)
    }

    @Test func `subscripts read and write, and never trap`() {
        var value: JSON = nil
        value["a"] = ["b"]
        value["c"] = 1
        value["c"] = nil
        #expect(value == ["a": ["b"]])
        #expect(value["a"]?[0] == "b")
        #expect(value["a"]?[-1] == nil)
        #expect(value["a"]?[1] == nil)
        #expect(value[0] == nil)
        var number: JSON = 1
        number["a"] = 2
        #expect(number == 1)
        #expect(JSON(3.0).integer == 3)
        #expect(JSON(1e300).integer == nil)
    }
}

@Suite struct `Codable without Foundation` {
    struct Order: Codable, Equatable {
        enum Kind: String, Codable { case small, large }
        struct Line: Codable, Equatable {
            let text: String
            let amount: UInt8
        }
        let kind: Kind
        let lines: [Line]
        let notes: [String: Double?]
        let discount: Float?
        let extra: JSON
    }

    static let text =
        #"{"kind":"large","lines":[{"text":"a","amount":255}],"notes":{"x":0.5},"extra":[1,null]}"#

    @Test func `a type of the author's own is read and written`() throws {
        let order = try JSON(parsing: Self.text).decode(Order.self)
        #expect(
            order
                == Order(
                    kind: .large, lines: [.init(text: "a", amount: 255)], notes: ["x": 0.5],
                    discount: nil, extra: [1, nil]))
        #expect(try JSON(encoding: order) == JSON(parsing: Self.text))
    }

    @Test(arguments: [
        (#"{"amount":1}"#, "text"), (#"{"text":1,"amount":1}"#, "text"),
        (#"{"text":"a","amount":256}"#, "amount"), (#"{"text":"a","amount":-1}"#, "amount"),
        (#"{"text":"a","amount":1.5}"#, "amount"), (#"{"text":"a","amount":null}"#, "amount"),
    ])
    func `what does not fit is refused by name`(text: String, field: String) throws {
        let json = try JSON(parsing: text)
        let error = #expect(throws: DecodingError.self) { try json.decode(Order.Line.self) }
        #expect(String(describing: error).contains(field))
    }

    @Test func `empty arrays and objects and single values are written as such`() throws {
        #expect(try JSON(encoding: [Int]()) == [])
        #expect(try JSON(encoding: [String: Int]()) == [:])
        #expect(try JSON(encoding: "a") == "a")
        #expect(try JSON(encoding: [[1], []]) == [[1], []])
        #expect(throws: EncodingError.self) { try JSON(encoding: [Double.nan]) }
    }
}
