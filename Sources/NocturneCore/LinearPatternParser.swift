// LinearPatternParser.swift — reads an expression of ECMA-262 into a tree, and sizes its program on
// the way. Next: LinearPatternEscapes.swift, LinearPatternSet.swift.

/// What an expression says, before it is a program.
indirect enum LinearPatternTree: Sendable {
    case empty
    case scalar(UInt32)
    /// An index into ``LinearPatternParser/sets``.
    case set(Int)
    case assertion(LinearPatternAssertion)
    case sequence([LinearPatternTree])
    case choice([LinearPatternTree])
    case repetition(LinearPatternTree, minimum: Int, maximum: Int?)
}

/// A condition on the place between two scalars.
enum LinearPatternAssertion: Sendable {
    case start, end, wordBoundary, noWordBoundary
}

/// A recursive-descent parser; the names in comments are the productions of ECMA-262 §22.2.1.
struct LinearPatternParser {
    /// A tree and the instructions it takes, at least one, so that repeating nothing costs too.
    typealias Sized = (tree: LinearPatternTree, size: Int)

    private let scalars: [Unicode.Scalar]
    private(set) var position = 0
    /// The sets of the tree, each stored once however often repetition copies its instruction.
    private(set) var sets: [LinearPatternSet] = []
    private var depth = 0

    init(_ source: String) {
        scalars = Array(source.unicodeScalars)
    }

    mutating func parse() throws(LinearPatternError) -> LinearPatternTree {
        let result = try parseChoice()
        if position < scalars.count {
            throw malformed("this ) closes no group; write \\) for the character")
        }
        return result.tree
    }

    /// Disjunction.
    private mutating func parseChoice() throws(LinearPatternError) -> Sized {
        var branches = [try parseSequence()]
        var size = branches[0].size
        while take("|") {
            let branch = try parseSequence()
            // A split before the branch and a jump after the one before it.
            size = try checked(size + branch.size + 2)
            branches.append(branch)
        }
        return branches.count == 1 ? branches[0] : (.choice(branches.map(\.tree)), size)
    }

    /// Alternative.
    private mutating func parseSequence() throws(LinearPatternError) -> Sized {
        var parts: [LinearPatternTree] = []
        var size = 0
        while let next = peek(), next != "|", next != ")" {
            let part = try parseTerm(next)
            size = try checked(size + part.size)
            parts.append(part.tree)
        }
        switch parts.count {
        case 0: return (.empty, 1)
        case 1: return (parts[0], size)
        default: return (.sequence(parts), size)
        }
    }

    /// Term: an assertion, or an atom and its quantifier.
    private mutating func parseTerm(
        _ first: Unicode.Scalar
    ) throws(LinearPatternError) -> Sized {
        switch first {
        case "^":
            position += 1
            return (.assertion(.start), 1)
        case "$":
            position += 1
            return (.assertion(.end), 1)
        case "\\" where peek(1) == "b":
            position += 2
            return (.assertion(.wordBoundary), 1)
        case "\\" where peek(1) == "B":
            position += 2
            return (.assertion(.noWordBoundary), 1)
        default:
            return try parseQuantifier(of: parseAtom(first))
        }
    }

    /// Atom.
    private mutating func parseAtom(
        _ first: Unicode.Scalar
    ) throws(LinearPatternError) -> Sized {
        switch first {
        case "(":
            return try parseGroup()
        case "[":
            return add(try parseClass())
        case ".":
            position += 1
            return add(LinearPatternSet.lineTerminators.sealed(negated: true))
        case "\\":
            switch try parseEscape(inClass: false) {
            case .scalar(let value): return (.scalar(value), 1)
            case .set(let set): return add(set.sealed())
            }
        case "*", "+", "?":
            throw malformed("nothing before \(first) to repeat; write \\\(first) for the character")
        case "{", "}", "]":
            throw malformed("write \\\(first) for the character \(first)")
        default:
            position += 1
            return (.scalar(first.value), 1)
        }
    }

    private mutating func add(_ set: LinearPatternSet) -> Sized {
        sets.append(set)
        return (.set(sets.count - 1), 1)
    }

    private mutating func parseGroup() throws(LinearPatternError) -> Sized {
        let start = position
        position += 1
        if take("?") {
            try parseGroupKind(start: start)
        }
        depth += 1
        guard depth <= LinearPattern.maximumGroupDepth else {
            throw .unsupported(
                position: start,
                construct: "nesting deeper than \(LinearPattern.maximumGroupDepth) groups")
        }
        let result = try parseChoice()
        depth -= 1
        guard take(")") else {
            throw .malformed(position: start, reason: "this group has no closing )")
        }
        return result
    }

    /// What follows `(?`. Names are read and dropped, since nothing can refer to them.
    private mutating func parseGroupKind(start: Int) throws(LinearPatternError) {
        if take(":") {
            return
        }
        if peek() == "=" || peek() == "!" {
            throw .unsupported(position: start, construct: "lookahead")
        }
        guard take("<") else {
            throw .unsupported(position: start, construct: "a group with flags")
        }
        if peek() == "=" || peek() == "!" {
            throw .unsupported(position: start, construct: "lookbehind")
        }
        var length = 0
        while let next = peek(), next != ">" {
            guard next == "_" || next == "$" || next.properties.isIDContinue else {
                break
            }
            position += 1
            length += 1
        }
        guard length > 0, take(">") else {
            throw malformed("the name of a group is letters, digits and _, then >")
        }
    }

    /// Quantifier. Lazy ones match the same texts as greedy ones, so `?` after one is dropped.
    private mutating func parseQuantifier(of atom: Sized) throws(LinearPatternError) -> Sized {
        let minimum: Int, maximum: Int?
        switch peek() {
        case "*": (minimum, maximum) = (0, nil)
        case "+": (minimum, maximum) = (1, nil)
        case "?": (minimum, maximum) = (0, 1)
        case "{": (minimum, maximum) = try parseBounds()
        default: return atom
        }
        position += 1
        _ = take("?")
        // Each optional copy has a split; an endless tail has a split and a jump.
        let copies = minimum * atom.size
        let tail = maximum.map { ($0 - minimum) * (atom.size + 1) } ?? atom.size + 2
        return (
            .repetition(atom.tree, minimum: minimum, maximum: maximum),
            try checked(max(copies + tail, 1))
        )
    }

    /// `{m}`, `{m,}` or `{m,n}`, up to its `}`.
    private mutating func parseBounds() throws(LinearPatternError) -> (Int, Int?) {
        let start = position
        position += 1
        guard let minimum = try parseBound() else {
            throw .malformed(
                position: start, reason: "expected {m}, {m,} or {m,n}; write \\{ for the character")
        }
        var maximum: Int? = minimum
        if take(",") {
            maximum = try parseBound()
        }
        guard peek() == "}" else {
            throw .malformed(position: start, reason: "this { of a repetition has no closing }")
        }
        if let maximum, maximum < minimum {
            throw .malformed(
                position: start, reason: "the bounds {\(minimum),\(maximum)} are out of order")
        }
        return (minimum, maximum)
    }

    private mutating func parseBound() throws(LinearPatternError) -> Int? {
        var result: Int?
        while let digit = peek(), ("0"..."9").contains(digit) {
            // Refusing here keeps every product of sizes far from overflow.
            result = try checked((result ?? 0) * 10 + Int(digit.value - 0x30))
            position += 1
        }
        return result
    }
}

/// What ``LinearPatternEscapes.swift`` needs too.
extension LinearPatternParser {
    func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        position + offset < scalars.count ? scalars[position + offset] : nil
    }

    mutating func take(_ expected: Unicode.Scalar) -> Bool {
        guard peek() == expected else {
            return false
        }
        position += 1
        return true
    }

    mutating func advance(_ count: Int = 1) {
        position += count
    }

    func malformed(_ reason: String) -> LinearPatternError {
        .malformed(position: position, reason: reason)
    }

    /// `size` if a program may be that large (one more is the final match).
    private func checked(_ size: Int) throws(LinearPatternError) -> Int {
        guard size < LinearPattern.maximumInstructions else {
            throw .tooLarge(position: position, limit: LinearPattern.maximumInstructions)
        }
        return size
    }
}
