// LinearPatternTests.swift — what patterns match, by ECMA-262 and by brute force over small
// expressions. Next: LinearPatternHostileTests.swift.

import Testing

@testable import NocturneCore

@Suite struct LinearPatternTests {
    /// Expected answers are read off ECMA-262 §22.2, section by section.
    @Test(arguments: [
        // CharacterEscape.
        (#"^\x41\u0042\u{43}$"#, ["ABC"], ["abc", "ABCD"]),
        (#"^\uD83D\uDE00$"#, ["😀"], ["\u{1F601}"]),
        (#"^\cJ\t\v\f\r\0$"#, ["\n\t\u{B}\u{C}\r\0"], ["Jtvfr0"]),
        (#"^\.\*\/\-\"$"#, [#".*/-""#], ["a*/-\""]),
        // CharacterClass; `-` first or last is itself, `]` needs an escape, `^` inside is itself.
        (#"^[-a\]^]+$"#, ["-a]^"], ["b", ""]),
        (#"^[^a-c]$"#, ["d", "\n", "😀"], ["a", "c", ""]),
        (#"^[]$"#, [], ["", "a"]),
        (#"^[^]$"#, ["a", "\n"], [""]),
        (#"^[\b]$"#, ["\u{8}"], ["b"]),
        (#"^[\d\-x]+$"#, ["1-x"], ["y"]),
        (#"^[^\D5]$"#, ["4"], ["5", "a"]),
        (#"^[+--]+$"#, ["+,-"], ["."]),
        // CharacterClassEscape: digits and words are ASCII, spaces are not.
        (#"^\d+$"#, ["059"], ["٣", "a"]),
        (#"^\w+$"#, ["aZ_9"], ["é", "-"]),
        (#"^\s+$"#, [" \t\n\u{A0}\u{FEFF}\u{2028}\u{3000}\u{1680}"], ["\u{200B}", "a"]),
        (#"^\S\W\D$"#, ["a-b"], [" -b", "aab", "a-1"]),
        (#"^\p{Lu}\P{L}\p{gc=Nd}$"#, ["É-٣"], ["é-٣", "Éa٣", "É-x"]),
        (#"^[\p{Letter}\p{Sc}]+$"#, ["aß€字"], ["1", "!"]),
        (#"^\p{ASCII}\P{ASCII}\p{Any}$"#, ["aé\n"], ["éé\n", "aaa"]),
        // The dot excludes line terminators only.
        (#"^.$"#, ["a", "😀", "\u{85}"], ["\n", "\r", "\u{2028}", "\u{2029}", ""]),
        // Assertions: ends of the text, not of lines.
        (#"^b$"#, ["b"], ["a\nb", "b\n", "b\nc"]),
        (#"\bb\B"#, ["bc", "a bc"], ["b", "ab", "éb "]),
        (#"\Bé"#, ["é", " é"], ["aé"]),
        (#"a$|^b"#, ["ba", "bx", "xa"], ["ab "]),
        ("^$", [""], ["a", "\n"]),
        // Quantifiers.
        ("^a{2}b{1,}c{0,2}$", ["aab", "aabbbcc"], ["ab", "aac", "aabccc"]),
        ("^a{0}b$", ["b"], ["ab"]),
        ("^(?:a|bc)*?d+?$", ["d", "abcad", "bcdd"], ["abd", "a"]),
        ("^(a*)*$", ["", "aaa"], ["b"]),
        ("^(|a)+$", ["", "aa"], ["b"]),
        ("^(?:(?:){3})+a$", ["a"], [""]),
        ("^(?<year>[0-9]{4})-(?<m_1>..)$", ["2024-05"], ["2024-5"]),
        ("", ["", "a"], []),
        ("a||b", ["", "x"], []),
        ("é", ["é", "cé"], ["e\u{301}", "e"]),
    ])
    func `a pattern matches what ECMA-262 says and nothing else`(
        source: String, matching: [String], others: [String]
    ) throws {
        let pattern = try LinearPattern(source)
        for text in matching {
            #expect(try pattern.matches(text), "\(source) on \(text.debugDescription)")
        }
        for text in others {
            #expect(try !pattern.matches(text), "\(source) on \(text.debugDescription)")
        }
    }

    @Test(arguments: [
        ("a(", LinearPatternError.malformed(position: 1, reason: "this group has no closing )")),
        (
            "ab)",
            .malformed(
                position: 2, reason: "this ) closes no group; write \\) for the character")
        ),
        (
            "é*+",
            .malformed(
                position: 2, reason: "nothing before + to repeat; write \\+ for the character")
        ),
        (
            "^*",
            .malformed(
                position: 1, reason: "nothing before * to repeat; write \\* for the character")
        ),
        ("a{2,1}", .malformed(position: 1, reason: "the bounds {2,1} are out of order")),
        (
            "a{x}",
            .malformed(
                position: 1, reason: "expected {m}, {m,} or {m,n}; write \\{ for the character")
        ),
        ("a{2", .malformed(position: 1, reason: "this { of a repetition has no closing }")),
        ("x[ab", .malformed(position: 1, reason: "this class has no closing ]")),
        ("[z-a]", .malformed(position: 1, reason: "the ends of this range are out of order")),
        ("[\\d-z]", .malformed(position: 1, reason: "a set like \\d cannot begin or end a range")),
        ("]", .malformed(position: 0, reason: "write \\] for the character ]")),
        (
            "a\\",
            .malformed(
                position: 1, reason: "the pattern ends in a backslash; write \\\\ for the character"
            )
        ),
        ("\\xG1", .malformed(position: 0, reason: "expected 2 hexadecimal digits")),
        ("\\u{110000}", .malformed(position: 0, reason: "expected \\u{H…} with H… at most 10FFFF")),
        ("\\q", .malformed(position: 0, reason: "this escape means nothing here")),
        ("\\01", .malformed(position: 0, reason: "octal escapes do not exist; write \\xHH")),
        (
            "(?<>a)",
            .malformed(position: 3, reason: "the name of a group is letters, digits and _, then >")
        ),
        ("(a)\\1", .unsupported(position: 3, construct: "a back-reference")),
        ("(?<n>a)\\k<n>", .unsupported(position: 7, construct: "a back-reference")),
        ("a(?=b)", .unsupported(position: 1, construct: "lookahead")),
        ("(?!b)", .unsupported(position: 0, construct: "lookahead")),
        ("(?<=b)", .unsupported(position: 0, construct: "lookbehind")),
        ("(?<!b)", .unsupported(position: 0, construct: "lookbehind")),
        ("(?i:b)", .unsupported(position: 0, construct: "a group with flags")),
        (
            "\\p{Script=Greek}",
            .unsupported(
                position: 0, construct: "any property but general categories, Any and ASCII")
        ),
    ])
    func `what is malformed or has no linear match is refused with its position`(
        source: String, expected: LinearPatternError
    ) {
        #expect(
            failure { () throws(LinearPatternError) in _ = try LinearPattern(source) } == expected)
    }

    @Test func `random expressions agree with a matcher that tries every way`() throws {
        var generator = SeededGenerator(seed: 0x6E6F_6374)
        var matches = 0
        for _ in 0..<1_500 {
            let expression = Expression.random(depth: 3, &generator)
            let pattern = try LinearPattern(expression.source)
            for _ in 0..<6 {
                let count = Int.random(in: 0...7, using: &generator)
                let text = (0..<count).map { _ in
                    "ab1 ".unicodeScalars.randomElement(using: &generator) ?? "a"
                }
                let expected = (0...text.count).contains { start in
                    !expression.ends(in: text, from: start).isEmpty
                }
                matches += expected ? 1 : 0
                let string = String(String.UnicodeScalarView(text))
                #expect(
                    try pattern.matches(string) == expected, "\(expression.source) on \(string)")
            }
        }
        #expect((2_000...8_000).contains(matches), "the sample decides nothing: \(matches)")
    }
}

extension LinearPattern {
    /// With a budget that none of these tests exhausts.
    fileprivate func matches(_ text: String) throws(LinearPatternError) -> Bool {
        var budget = 1_000_000
        return try matches(text, budget: &budget)
    }
}

/// A second implementation: the set of all ends of a match, by the definition of each operator.
private indirect enum Expression {
    case scalar(Unicode.Scalar), letters, start, end, boundary
    case sequence(Expression, Expression), choice(Expression, Expression)
    case repetition(Expression, Int, Int?)

    static func random(depth: Int, _ generator: inout SeededGenerator) -> Expression {
        let next = { (generator: inout SeededGenerator) in random(depth: depth - 1, &generator) }
        switch Int.random(in: depth > 0 ? 0...13 : 7...13, using: &generator) {
        case 0...2: return .sequence(next(&generator), next(&generator))
        case 3, 4: return .choice(next(&generator), next(&generator))
        case 5, 6:
            let least = Int.random(in: 0...2, using: &generator)
            let most =
                Bool.random(using: &generator)
                ? least + Int.random(in: 0...2, using: &generator) : nil
            return .repetition(next(&generator), least, most)
        case 7: return .start
        case 8: return .end
        case 9: return .boundary
        case 10: return .letters
        default: return .scalar("ab1".unicodeScalars.randomElement(using: &generator) ?? "a")
        }
    }

    var source: String {
        switch self {
        case .scalar(let scalar): String(scalar)
        case .letters: "[a-b]"
        case .start: "^"
        case .end: "$"
        case .boundary: "\\b"
        case .sequence(let first, let second): first.source + second.source
        case .choice(let first, let second): "(\(first.source)|\(second.source))"
        case .repetition(let body, let least, let most):
            "(?:\(body.source)){\(least),\(most.map { String($0) } ?? "")}"
        }
    }

    func ends(in text: [Unicode.Scalar], from place: Int) -> Set<Int> {
        switch self {
        case .scalar(let scalar):
            return place < text.count && text[place] == scalar ? [place + 1] : []
        case .letters:
            return place < text.count && "ab".unicodeScalars.contains(text[place])
                ? [place + 1] : []
        case .start: return place == 0 ? [place] : []
        case .end: return place == text.count ? [place] : []
        case .boundary:
            let before = place > 0 && text[place - 1] != " "
            let after = place < text.count && text[place] != " "
            return before != after ? [place] : []
        case .sequence(let first, let second):
            return first.ends(in: text, from: place).reduce(into: []) { result, middle in
                result.formUnion(second.ends(in: text, from: middle))
            }
        case .choice(let first, let second):
            return first.ends(in: text, from: place).union(second.ends(in: text, from: place))
        case .repetition(let body, let least, let most):
            var (reached, result) = (Set([place]), Set<Int>())
            // Beyond one pass for each scalar, a repetition without end reaches nothing new.
            for count in 0...(most ?? least + text.count) {
                if count >= least { result.formUnion(reached) }
                reached = reached.reduce(into: []) { next, middle in
                    next.formUnion(body.ends(in: text, from: middle))
                }
            }
            return result
        }
    }
}
