// LinearPattern.swift — regular expressions of strangers, matched in linear time under a step
// budget. Next: LinearPatternParser.swift, LinearPatternProgram.swift.

/// A compiled regular expression whose match time is at most proportional to the length of the text
/// times the size of the program, whatever the expression is.
///
/// The dialect is the part of ECMA-262 (with the `u` flag) that JSON Schema 2020-12 recommends for
/// `pattern` in its section 6.4, and the rest of that edition that is still a regular language:
/// `.`, classes, `\d \D \w \W \s \S \b \B`, the escapes of characters (`\n`, `\x41`, `\u0041`,
/// `\u{1F600}`, surrogate pairs), general categories (`\p{Lu}`, `\P{Letter}`, `\p{gc=Nd}`),
/// `\p{ASCII}`, `\p{Any}`, groups, alternation, and greedy and lazy repetition. Back-references,
/// lookaround and inline flags are refused, with their position. `\d`, `\w` and `\b` mean ASCII,
/// `^` and `$` the ends of the whole text, as ECMA-262 says.
///
/// The match is K. Thompson's ("Regular Expression Search Algorithm", CACM 11:6, 1968): all paths
/// at once, one scalar at a time, so there is nothing to go back to. A value type without mutable
/// state: any thread may use it.
package struct LinearPattern: Sendable {
    /// The largest program, in instructions. Repetition is expanded, so `(a{100}){101}` is too
    /// large.
    package static let maximumInstructions = 10_000

    /// The deepest nesting of groups. The parser recurses once for each.
    package static let maximumGroupDepth = 64

    /// The expression as it was written.
    package let source: String

    let program: LinearPatternProgram

    /// The size of the compiled program in instructions, at most ``maximumInstructions``.
    package var instructionCount: Int { program.instructions.count }

    /// Compiles an expression.
    ///
    /// - Throws: ``LinearPatternError`` with the position, in Unicode scalars from 0, of what is
    ///   malformed, not supported or too large.
    package init(_ source: String) throws(LinearPatternError) {
        var parser = LinearPatternParser(source)
        let tree = try parser.parse()
        self.source = source
        program = LinearPatternProgram(of: tree, sets: parser.sets)
    }

    /// Whether some part of `text` matches. An expression that must match all of it has `^` and
    /// `$`.
    ///
    /// - Parameter budget: The steps left, one for each instruction looked at; reduced by those
    ///   taken.
    /// - Throws: ``LinearPatternError/budgetExhausted`` when the budget ends before the answer.
    package func matches(
        _ text: String, budget: inout Int
    ) throws(LinearPatternError) -> Bool {
        var scratch = LinearPatternScratch()
        return try matches(text, scratch: &scratch, budget: &budget)
    }

    /// As ``matches(_:budget:)``, with memory that is kept from one match to the next.
    func matches(
        _ text: String, scratch: inout LinearPatternScratch, budget: inout Int
    ) throws(LinearPatternError) -> Bool {
        try scratch.search(text, with: program, budget: &budget)
    }
}

/// Why an expression was refused, or a match given up. Positions count Unicode scalars from 0.
package enum LinearPatternError: Error, Equatable, CustomStringConvertible {
    /// The expression breaks the grammar.
    case malformed(position: Int, reason: String)
    /// The expression uses something that has no linear-time match, or that this dialect lacks.
    case unsupported(position: Int, construct: String)
    /// The repetition or sequence that ends at `position` makes the program larger than `limit`.
    case tooLarge(position: Int, limit: Int)
    /// The step budget ended before the match did.
    case budgetExhausted

    /// What is wrong, where, and what to write instead.
    package var description: String {
        switch self {
        case .malformed(let position, let reason):
            "at character \(position): \(reason)"
        case .unsupported(let position, let construct):
            "at character \(position): \(construct) is not supported; patterns here are matched in "
                + "linear time, so write it without"
        case .tooLarge(let position, let limit):
            "at character \(position): repetitions are expanded, and here the program passes "
                + "\(limit) instructions; use smaller bounds, or * and +"
        case .budgetExhausted:
            "the match took more steps than its budget; shorten the text or simplify the pattern"
        }
    }
}
