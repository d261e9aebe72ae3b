// LinearPatternHostileTests.swift — patterns written to stop the host: they cost what they may, or
// are refused. Next: JSONSchemaVectorTests.swift.

import Testing

@testable import NocturneCore

@Suite struct LinearPatternHostileTests {
    /// Each makes a backtracking matcher take exponential or quadratic time on a run of one letter.
    @Test(arguments: [
        "(a+)+$", "(a*)*b", "^(a|a)*$", "(a|aa)+$", "(.*a){8}b", "^(([a-z])+.)+[A-Z]$",
    ])
    func `a catastrophic pattern takes steps in proportion to the text`(source: String) throws {
        let pattern = try LinearPattern(source)
        func steps(_ length: Int) throws -> Int {
            var budget = 10_000_000
            let text = String(repeating: "a", count: length) + "!"
            #expect(try !pattern.matches(text, budget: &budget))
            return 10_000_000 - budget
        }
        let (short, long) = (try steps(2_000), try steps(20_000))
        #expect(long <= short * 10 + 5_000)
        #expect(long <= 20_001 * pattern.instructionCount * 3)
    }

    @Test func `a match ends with its budget`() throws {
        let pattern = try LinearPattern("(a+)+$")
        var budget = 1_000
        let text = String(repeating: "a", count: 50_000)
        let error = failure { () throws(LinearPatternError) in
            _ = try pattern.matches(text, budget: &budget)
        }
        #expect(error == .budgetExhausted)
        #expect(budget > -100, "it stopped soon after")
    }

    /// A repetition that is too large is refused where it ends, a bound at the digit that makes it
    /// so.
    @Test(arguments: [
        ("(a{100}){100}", 13), ("a{10000}", 6), ("a{99999999999999999999}", 6),
        ("(((a{50}){50}){50}){50}", 18), ("((((){1000}){1000}){1000}){1000}", 18),
        ("[ab]{0,9999}", 12), ("(?:|){9000}", 11),
    ])
    func `repetition is refused by the size it expands to, before it is expanded`(
        source: String, position: Int
    ) {
        let error = failure { () throws(LinearPatternError) in _ = try LinearPattern(source) }
        #expect(error == .tooLarge(position: position, limit: 10_000))
    }

    @Test func `the largest program compiles, and one instruction more does not`() throws {
        #expect(try LinearPattern("a{9999}").instructionCount == 10_000)
        #expect(
            failure { () throws(LinearPatternError) in _ = try LinearPattern("a{9999}b") } != nil)
        // Without repetition, too.
        let long = String(repeating: "a", count: 10_000)
        #expect(failure { () throws(LinearPatternError) in _ = try LinearPattern(long) } != nil)
    }

    @Test func `groups nest as deep as the limit and no deeper`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
        }
        let limit = LinearPattern.maximumGroupDepth
        _ = try LinearPattern(nested(limit))
        #expect(
            failure { () throws(LinearPatternError) in _ = try LinearPattern(nested(limit + 1)) }
                == .unsupported(position: limit, construct: "nesting deeper than 64 groups"))
        #expect(
            failure { () throws(LinearPatternError) in _ = try LinearPattern(nested(30_000)) }
                != nil)
    }

    @Test func `random bytes never trap the parser`() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array(#"ab(|)[]{}^$*+?.\-,:<>=!dDwpuxkcb01é😀"#.unicodeScalars)
        var compiled = 0
        for _ in 0..<5_000 {
            var source = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                source.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            guard let pattern = try? LinearPattern(String(source)) else { continue }
            compiled += 1
            var budget = 100_000
            _ = try? pattern.matches("ab1 é", budget: &budget)
        }
        #expect(compiled > 100)
    }
}
