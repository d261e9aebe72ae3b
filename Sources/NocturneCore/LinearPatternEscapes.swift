// LinearPatternEscapes.swift — the part of the parser that reads `\…` and `[…]`.
// Next: LinearPatternSet.swift.

/// What a `\…` or one member of a class means.
enum LinearPatternAtom {
    case scalar(UInt32)
    /// Not sealed: it may become part of a class.
    case set(LinearPatternSet)
}

extension LinearPatternParser {
    /// AtomEscape, or ClassEscape if `inClass`. The position is at the backslash.
    mutating func parseEscape(inClass: Bool) throws(LinearPatternError) -> LinearPatternAtom {
        let start = position
        guard let letter = peek(1) else {
            throw malformed("the pattern ends in a backslash; write \\\\ for the character")
        }
        advance(2)
        switch letter {
        case "d": return .set(.digits)
        case "D": return .set(LinearPatternSet.digits.complemented)
        case "w": return .set(.words)
        case "W": return .set(LinearPatternSet.words.complemented)
        case "s": return .set(.spaces)
        case "S": return .set(LinearPatternSet.spaces.complemented)
        case "p": return .set(try parseProperty(start: start))
        case "P": return .set(try parseProperty(start: start).complemented)
        case "n": return .scalar(0x0A)
        case "r": return .scalar(0x0D)
        case "t": return .scalar(0x09)
        case "v": return .scalar(0x0B)
        case "f": return .scalar(0x0C)
        case "b" where inClass: return .scalar(0x08)
        case "x": return .scalar(try parseHex(digits: 2, start: start))
        case "u": return .scalar(try parseUnicodeEscape(start: start))
        case "c": return .scalar(try parseControl(start: start))
        case "0":
            if let next = peek(), ("0"..."9").contains(next) {
                throw .malformed(position: start, reason: "octal escapes do not exist; write \\xHH")
            }
            return .scalar(0)
        case "1"..."9", "k":
            throw .unsupported(position: start, construct: "a back-reference")
        default:
            // Stricter than nothing, laxer than the `u` flag: `\"`, `\@` or `\_` can mean one thing
            // only.
            guard letter.isASCII, letter.value > 0x20, letter.value != 0x7F,
                !("a"..."z").contains(letter), !("A"..."Z").contains(letter)
            else {
                throw .malformed(position: start, reason: "this escape means nothing here")
            }
            return .scalar(letter.value)
        }
    }

    private mutating func parseHex(
        digits: Int, start: Int
    ) throws(LinearPatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = peek(), digit.isASCII, let number = Character(digit).hexDigitValue
            else {
                throw .malformed(position: start, reason: "expected \(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(number)
            advance()
        }
        return value
    }

    /// `\uHHHH`, a pair of surrogates so written, or `\u{H…}`.
    private mutating func parseUnicodeEscape(start: Int) throws(LinearPatternError) -> UInt32 {
        guard take("{") else {
            let first = try parseHex(digits: 4, start: start)
            guard (0xD800...0xDBFF).contains(first), peek() == "\\", peek(1) == "u",
                let nibble = peek(2), "dD".unicodeScalars.contains(nibble),
                let kind = peek(3), "cdefCDEF".unicodeScalars.contains(kind)
            else {
                return first
            }
            advance(2)
            let second = try parseHex(digits: 4, start: start)
            return 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        var value: UInt32 = 0
        var count = 0
        while let digit = peek(), digit.isASCII, let number = Character(digit).hexDigitValue,
            value <= LinearPatternSet.highestCodePoint
        {
            value = value << 4 | UInt32(number)
            count += 1
            advance()
        }
        guard count > 0, value <= LinearPatternSet.highestCodePoint, take("}") else {
            throw .malformed(position: start, reason: "expected \\u{H…} with H… at most 10FFFF")
        }
        return value
    }

    private mutating func parseControl(start: Int) throws(LinearPatternError) -> UInt32 {
        guard let letter = peek(), ("a"..."z").contains(letter) || ("A"..."Z").contains(letter)
        else {
            throw .malformed(position: start, reason: "expected a letter after \\c")
        }
        advance()
        return letter.value & 0x1F
    }

    private mutating func parseProperty(
        start: Int
    ) throws(LinearPatternError) -> LinearPatternSet {
        guard take("{") else {
            throw .malformed(position: start, reason: "expected a category in braces, as in \\p{L}")
        }
        var name = ""
        while let next = peek(), next != "}" {
            name.unicodeScalars.append(next)
            advance()
        }
        guard take("}") else {
            throw .malformed(position: start, reason: "this { of a category has no closing }")
        }
        guard let set = LinearPatternSet(property: name) else {
            throw .unsupported(
                position: start, construct: "any property but general categories, Any and ASCII")
        }
        return set
    }

    /// CharacterClass, ready to use. The position is at the `[`.
    mutating func parseClass() throws(LinearPatternError) -> LinearPatternSet {
        let start = position
        advance()
        let isNegated = take("^")
        var result = LinearPatternSet()
        while true {
            guard let next = peek() else {
                throw .malformed(position: start, reason: "this class has no closing ]")
            }
            if next == "]" {
                advance()
                return result.sealed(negated: isNegated)
            }
            let memberStart = position
            let lower = try parseClassMember(next)
            guard peek() == "-", let afterDash = peek(1), afterDash != "]" else {
                result.formUnion(lower)
                continue
            }
            advance()
            let upper = try parseClassMember(afterDash)
            guard case .scalar(let first) = lower, case .scalar(let last) = upper else {
                throw .malformed(
                    position: memberStart, reason: "a set like \\d cannot begin or end a range")
            }
            guard first <= last else {
                throw .malformed(
                    position: memberStart, reason: "the ends of this range are out of order")
            }
            result.insert(first...last)
        }
    }

    private mutating func parseClassMember(
        _ first: Unicode.Scalar
    ) throws(LinearPatternError) -> LinearPatternAtom {
        if first == "\\" {
            return try parseEscape(inClass: true)
        }
        advance()
        return .scalar(first.value)
    }
}

extension LinearPatternSet {
    fileprivate mutating func formUnion(_ atom: LinearPatternAtom) {
        switch atom {
        case .scalar(let value): insert(value...value)
        case .set(let set): formUnion(set)
        }
    }
}
