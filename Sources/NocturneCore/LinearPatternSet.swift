// LinearPatternSet.swift — sets of Unicode scalars, as `[a-z\d]` and `\p{Lu}` describe them.
// Next: LinearPatternProgram.swift.

/// A set of code points: ranges and whole general categories, complemented or not.
///
/// General categories divide all code points among them, so the complement of some categories is
/// the other categories, and `\P{L}` within a class needs no other representation.
struct LinearPatternSet: Sendable, Equatable {
    static let highestCodePoint: UInt32 = 0x10FFFF

    /// Sorted, disjoint and not adjacent, once ``sealed(negated:)`` has been called.
    private(set) var ranges: [ClosedRange<UInt32>]
    /// One bit for each general category, at ``bit(of:)``.
    private(set) var categories: UInt32
    private var isNegated = false
    /// The answers for the first 128 code points, negation included.
    private var asciiLow: UInt64 = 0, asciiHigh: UInt64 = 0

    init(ranges: [ClosedRange<UInt32>] = [], categories: UInt32 = 0) {
        (self.ranges, self.categories) = (ranges, categories)
    }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        ranges.append(range)
    }

    mutating func formUnion(_ other: LinearPatternSet) {
        ranges += other.ranges
        categories |= other.categories
    }

    /// The set made ready for ``contains(_:)``, complemented if `negated`.
    func sealed(negated: Bool = false) -> LinearPatternSet {
        var result = LinearPatternSet(ranges: Self.merged(ranges), categories: categories)
        result.isNegated = negated
        for value in UInt32(0)..<128 where result.search(value) != negated {
            if value < 64 {
                result.asciiLow |= 1 << UInt64(value)
            } else {
                result.asciiHigh |= 1 << UInt64(value - 64)
            }
        }
        return result
    }

    /// Only right after ``sealed(negated:)``.
    func contains(_ value: UInt32) -> Bool {
        if value < 64 {
            return asciiLow >> UInt64(value) & 1 == 1
        }
        if value < 128 {
            return asciiHigh >> UInt64(value - 64) & 1 == 1
        }
        return search(value) != isNegated
    }

    private func search(_ value: UInt32) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value {
                low = middle + 1
            } else if ranges[middle].lowerBound > value {
                high = middle
            } else {
                return true
            }
        }
        guard categories != 0, let scalar = Unicode.Scalar(value) else {
            return false
        }
        return categories >> Self.bit(of: scalar.properties.generalCategory) & 1 == 1
    }

    private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            // Code points end at 0x10FFFF, so the sum cannot overflow.
            if let last = result.last, range.lowerBound <= last.upperBound + 1 {
                let upper = max(last.upperBound, range.upperBound)
                result[result.count - 1] = last.lowerBound...upper
            } else {
                result.append(range)
            }
        }
        return result
    }

    private static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in merged(ranges) {
            if range.lowerBound > next {
                result.append(next...(range.lowerBound - 1))
            }
            next = range.upperBound + 1
        }
        if next <= highestCodePoint {
            result.append(next...highestCodePoint)
        }
        return result
    }
}

/// The sets that have a letter of their own, from ECMA-262 §22.2.2.9 (CharacterClassEscape).
extension LinearPatternSet {
    static let digits = LinearPatternSet(ranges: [0x30...0x39])
    static let words = LinearPatternSet(
        ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// WhiteSpace and LineTerminator of ECMA-262 §12.2 and §12.3. The former has all of category
    /// Zs, written out as of Unicode 16.0, so that ``complemented`` is exact.
    static let spaces = LinearPatternSet(
        ranges: [
            0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A,
            0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
        ])
    static let lineTerminators = LinearPatternSet(
        ranges: [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])

    /// The complement, as ranges or categories, so that it can be part of a larger class.
    ///
    /// For a set that has only ranges or only categories, as every set with a letter of its own
    /// has.
    var complemented: LinearPatternSet {
        categories == 0
            ? LinearPatternSet(ranges: Self.complement(ranges))
            : LinearPatternSet(categories: ~categories)
    }
}

/// General categories, by the names of UAX #44, "General Category Values".
extension LinearPatternSet {
    private static let categoryNames: [(short: String, long: String)] = [
        ("Lu", "Uppercase_Letter"), ("Ll", "Lowercase_Letter"), ("Lt", "Titlecase_Letter"),
        ("Lm", "Modifier_Letter"), ("Lo", "Other_Letter"),
        ("Mn", "Nonspacing_Mark"), ("Mc", "Spacing_Mark"), ("Me", "Enclosing_Mark"),
        ("Nd", "Decimal_Number"), ("Nl", "Letter_Number"), ("No", "Other_Number"),
        ("Pc", "Connector_Punctuation"), ("Pd", "Dash_Punctuation"), ("Ps", "Open_Punctuation"),
        ("Pe", "Close_Punctuation"), ("Pi", "Initial_Punctuation"), ("Pf", "Final_Punctuation"),
        ("Po", "Other_Punctuation"),
        ("Sm", "Math_Symbol"), ("Sc", "Currency_Symbol"), ("Sk", "Modifier_Symbol"),
        ("So", "Other_Symbol"),
        ("Zs", "Space_Separator"), ("Zl", "Line_Separator"), ("Zp", "Paragraph_Separator"),
        ("Cc", "Control"), ("Cf", "Format"), ("Cs", "Surrogate"), ("Co", "Private_Use"),
        ("Cn", "Unassigned"),
    ]

    private static let groupNames: [(short: String, long: String)] = [
        ("L", "Letter"), ("M", "Mark"), ("N", "Number"), ("P", "Punctuation"), ("S", "Symbol"),
        ("Z", "Separator"), ("C", "Other"),
    ]

    /// The set that `\p{name}` means, not sealed, or `nil` for a property this dialect lacks.
    init?(property name: String) {
        switch name {
        case "Any":
            self.init(ranges: [0...Self.highestCodePoint])
            return
        case "ASCII":
            self.init(ranges: [0...0x7F])
            return
        default:
            break
        }
        let value =
            ["General_Category=", "gc="].first(where: name.hasPrefix)
            .map { String(name.dropFirst($0.count)) } ?? name
        var mask: UInt32 = 0
        for (index, category) in Self.categoryNames.enumerated() {
            let group = Self.groupNames.first { category.short.hasPrefix($0.short) }
            let isNamed = [category.short, category.long].contains(value)
            if isNamed || group.map({ [$0.short, $0.long].contains(value) }) == true {
                mask |= 1 << UInt32(index)
            }
        }
        if value == "LC" || value == "Cased_Letter" {
            mask = 0b111
        }
        guard mask != 0 else {
            return nil
        }
        self.init(categories: mask)
    }

    /// The place of a category in ``categoryNames``.
    static func bit(of category: Unicode.GeneralCategory) -> UInt32 {
        switch category {
        case .uppercaseLetter: 0
        case .lowercaseLetter: 1
        case .titlecaseLetter: 2
        case .modifierLetter: 3
        case .otherLetter: 4
        case .nonspacingMark: 5
        case .spacingMark: 6
        case .enclosingMark: 7
        case .decimalNumber: 8
        case .letterNumber: 9
        case .otherNumber: 10
        case .connectorPunctuation: 11
        case .dashPunctuation: 12
        case .openPunctuation: 13
        case .closePunctuation: 14
        case .initialPunctuation: 15
        case .finalPunctuation: 16
        case .otherPunctuation: 17
        case .mathSymbol: 18
        case .currencySymbol: 19
        case .modifierSymbol: 20
        case .otherSymbol: 21
        case .spaceSeparator: 22
        case .lineSeparator: 23
        case .paragraphSeparator: 24
        case .control: 25
        case .format: 26
        case .surrogate: 27
        case .privateUse: 28
        case .unassigned: 29
        @unknown default: 31
        }
    }
}
