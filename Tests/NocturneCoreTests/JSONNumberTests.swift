// JSONNumberTests.swift — numbers survive digit for digit and compare by value, however they are
// written. Next: SemanticVersionTests.swift.

import Testing

@testable import NocturneCore

/// A number from a literal that the test knows to be valid.
private func number(_ literal: String) throws -> JSONNumber {
    try #require(JSONNumber(literal: literal), "\(literal)")
}

@Suite struct JSONNumberTests {
    @Test(arguments: [
        "0", "-0", "9007199254740993", "-9223372036854775808", "18446744073709551616",
        "123456789012345678901234567890", "1.10", "1E400", "-0.0e-0", "1e999999999999999999",
    ])
    func `a literal is printed as it was read`(literal: String) throws {
        #expect(try JSONParser.parse("[\(literal)]").description == "[\(literal)]")
    }

    @Test func `integers are exact to the ends of Int64 and nothing beyond is one`() throws {
        let cases: [(String, Int64?)] = [
            ("9223372036854775807", .max), ("9223372036854775808", nil),
            ("-9223372036854775808", .min), ("-9223372036854775809", nil),
            ("922337203685477580.7e1", .max), ("9.223372036854775808e18", nil),
            ("9007199254740993", 9_007_199_254_740_993), ("1.0", 1), ("1e2", 100), ("-0", 0),
            ("100e-2", 1), ("1.5", nil), ("1e-1", nil), ("0e999999999999999999", 0),
            ("1e19", nil), ("1e999999999999999999", nil), ("1e-999999999999999999", nil),
        ]
        for (literal, expected) in cases {
            #expect(try number(literal).int64 == expected, "\(literal)")
        }
    }

    @Test func `equality, order and hash agree with integer arithmetic on scaled values`() throws {
        var generator = SeededGenerator(seed: 1)
        // Each number is mantissa × 10^exponent with |exponent| ≤ 6; × 10^6 makes all of them
        // integers.
        func draw() throws -> (JSONNumber, Int) {
            let mantissa = Int.random(in: -120...120, using: &generator)
            let exponent = Int.random(in: -6...6, using: &generator)
            let scaled = mantissa * (0..<(exponent + 6)).reduce(1) { power, _ in power * 10 }
            let shift = mantissa == 0 ? 0 : Int.random(in: 0...3, using: &generator)
            let zeros = String(repeating: "0", count: shift)
            let literal =
                switch Int.random(in: 0...2, using: &generator) {
                case 0: "\(mantissa)e\(exponent)"
                case 1: "\(mantissa)\(zeros)E\(exponent - shift)"
                default: "\(mantissa).\(zeros)0e+\(max(exponent, 0))"
                }
            return literal.contains("+") && exponent < 0
                ? (try number("\(mantissa)e\(exponent)"), scaled) : (try number(literal), scaled)
        }
        for _ in 0..<5000 {
            let ((left, leftScaled), (right, rightScaled)) = (try draw(), try draw())
            #expect((left == right) == (leftScaled == rightScaled), "\(left) == \(right)")
            #expect((left < right) == (leftScaled < rightScaled), "\(left) < \(right)")
            if left == right { #expect(left.hashValue == right.hashValue, "\(left), \(right)") }
            #expect(left.isInteger == (leftScaled % 1_000_000 == 0), "\(left)")
            if rightScaled != 0 {
                #expect(
                    left.decimal.isMultiple(of: right.decimal) == (leftScaled % rightScaled == 0),
                    "\(left) multiple of \(right)")
            }
        }
    }

    @Test func `huge exponents cost nothing and are compared exactly`() throws {
        #expect(try number("1e999999999999999999") == number("10e999999999999999998"))
        #expect(try number("1e999999999999999999") != number("1e999999999999999998"))
        #expect(try number("-1e999999999999999999") < number("-1e999999999999999998"))
        #expect(try number("1e-999999999999999999") > number("0"))
        #expect(
            try number("1e999999999999999999").decimal.isMultiple(of: number("7").decimal) == false)
        #expect(
            try number("7e999999999999999999").decimal.isMultiple(of: number("7").decimal) == true)
        #expect(
            jsonFailure("1e1000000000000000000")
                == .exponentTooLarge(
                    at: .init(line: 1, column: 1, offset: 0), digits: 19, limit: 18))
        #expect(jsonFailure("1e000000000000000000000000000001") == nil)
    }

    @Test func `a divisor is refused when it is zero or longer than 64 bits`() throws {
        let one = try number("1").decimal
        #expect(one.isMultiple(of: try number("0").decimal) == nil)
        #expect(one.isMultiple(of: try number("18446744073709551616").decimal) == nil)
        #expect(one.isMultiple(of: try number("18446744073709551615").decimal) == false)
    }

    @Test func `doubles go in and out, and what JSON cannot say is refused`() throws {
        for double in [
            0.1, -2.5, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e16, 123456.789,
        ] {
            let json = try #require(JSONNumber(double))
            #expect(json.double == double)
            #expect(jsonFailure(json.literal) == nil)
        }
        #expect(JSONNumber(Double.nan) == nil && JSONNumber(Double.infinity) == nil)
        #expect(try number("1e400").double == .infinity && number("-1e400").double == -.infinity)
        #expect(JSONNumber(UInt64.max).literal == "18446744073709551615")
    }

    @Test(arguments: [
        "", " 1", "1 ", "+1", "01", "1.", "a", "[1]", "\"1\"", "1e1000000000000000000",
    ])
    func `a literal that is no number makes none`(literal: String) {
        #expect(JSONNumber(literal: literal) == nil)
    }
}
