// Labels.swift — the dimensions of a series: names and values, in no order. Next: MetricName.swift.

internal import CMetrics

/// The labels of a series: names with values, in no order.
///
/// Two are equal if they have the same names with the same values, byte by byte: `"\u{E9}"` and `"e\u{301}"` are two
/// values. Which names are allowed is checked where a series is made, not here: ``MetricName/checkLabel(_:)``.
public struct Labels: Sendable, ExpressibleByDictionaryLiteral {
    /// A name and its value.
    public typealias Pair = (name: String, value: String)

    /// As they were given, except that of a name that was given twice only the last is there. Of the type that literals
    /// have: giving names to a tuple's parts in an array takes longer than all else here.
    let elements: [(String, String)]

    /// None.
    public init() { elements = [] }

    /// Labels of a literal. Of a name that stands there twice, the last value counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }

    /// Labels of pairs. Of a name that is there twice, the last value counts.
    public init(_ elements: [(String, String)]) {
        guard Self.hasRepetition(elements) else {
            self.elements = elements
            return
        }
        var kept: [(String, String)] = []
        for element in elements {
            kept.removeAll { Self.isSame($0.0, element.0) }
            kept.append(element)
        }
        self.elements = kept
    }

    private static func hasRepetition(_ elements: [(String, String)]) -> Bool {
        elements.withUnsafeBytes { bytes in
            // Two words for each name and two for its value. To take the names themselves out of the array would count
            // references.
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            for index in elements.indices.dropFirst() {
                for other in 0..<index {
                    let known = isSame(
                        (words[4 * other], words[4 * other + 1]),
                        (words[4 * index], words[4 * index + 1]))
                    if known ?? isSame(elements[other].0, elements[index].0) { return true }
                }
            }
            return false
        }
    }

    /// Labels of pairs that are known to have different names.
    init(unique pairs: [Pair]) { elements = pairs.map { ($0.name, $0.value) } }

    /// As they were given.
    var pairs: [Pair] { elements.map { (name: $0.0, value: $0.1) } }

    /// Labels of a dictionary.
    public init(_ dictionary: [String: String]) {
        elements = dictionary.map { ($0.key, $0.value) }
    }

    /// The value of a name.
    public subscript(name: String) -> String? {
        elements.first { Self.isSame($0.0, name) }?.1
    }

    /// How many there are.
    public var count: Int { elements.count }

    /// Whether there are none.
    public var isEmpty: Bool { elements.isEmpty }

    /// All of them, in the order of the names' bytes.
    public var sorted: [Pair] { ordered.map { (name: $0.0, value: $0.1) } }

    /// The same as ``sorted``. Most were given in this order, and then nothing is made for it.
    var ordered: [(String, String)] {
        for index in elements.indices.dropFirst()
        where !Self.isBefore(elements[index - 1].0, elements[index].0) {
            return elements.sorted { Self.isBefore($0.0, $1.0) }
        }
        return elements
    }

    /// Whether one name's bytes come before another's.
    private static func isBefore(_ left: String, _ right: String) -> Bool {
        let isBefore = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                let order = cmetrics_order(
                    left.baseAddress, right.baseAddress, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
        return (isBefore ?? nil) ?? left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// Bytes that they take when they are written out, if nothing needs to be escaped.
    var textSize: Int {
        elements.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 }
    }

    /// Whether each of `subset` is here, with the same value.
    public func contains(_ subset: Labels) -> Bool {
        subset.elements.allSatisfy { name, value in
            self[name].map { Self.isSame($0, value) } ?? false
        }
    }

    /// Whether the same names with the same values were given in the same order.
    func isSameInOrder(_ other: Labels) -> Bool {
        guard elements.count == other.elements.count else { return false }
        // The same words in memory are the same strings (`isSame`), and comparing them counts no references.
        let hasSameWords = elements.withUnsafeBytes { words in
            other.elements.withUnsafeBytes { others in
                cmetrics_is_same(words.baseAddress, others.baseAddress, words.count)
            }
        }
        if hasSameWords { return true }
        for index in elements.indices {
            guard Self.isSame(elements[index].0, other.elements[index].0),
                Self.isSame(elements[index].1, other.elements[index].1)
            else { return false }
        }
        return true
    }

    /// These without those of some names, or only those.
    func filtered(_ isKept: (String) -> Bool) -> Labels {
        Labels(elements.filter { isKept($0.0) })
    }

    /// Of a string's second word: it is short, so that the words are its bytes and nothing else (`isSmall` in Swift's
    /// StringObject.swift).
    private static let isShort: UInt64 = 1 << 61

    /// Whether strings are the same, if their words tell: the same words are the same string, since literals have one
    /// place each; and other words of two short strings are two strings.
    @inline(__always)
    private static func isSame(_ left: (UInt64, UInt64), _ right: (UInt64, UInt64)) -> Bool? {
        if left == right { return true }
        return left.1 & right.1 & isShort != 0 ? false : nil
    }

    /// `String`'s own `==` holds different bytes for equal.
    static func isSame(_ left: String, _ right: String) -> Bool {
        let known = isSame(
            unsafeBitCast(left, to: (UInt64, UInt64).self),
            unsafeBitCast(right, to: (UInt64, UInt64).self))
        if let known { return known }
        guard left.utf8.count == right.utf8.count else { return false }
        let isSame = left.utf8.withContiguousStorageIfAvailable { left in
            right.utf8.withContiguousStorageIfAvailable { right in
                cmetrics_is_same(left.baseAddress, right.baseAddress, left.count)
            }
        }
        return (isSame ?? nil) ?? left.utf8.elementsEqual(right.utf8)
    }
}

extension Labels: Hashable {
    /// Whether the same names have the same values.
    public static func == (left: Labels, right: Labels) -> Bool {
        left.count == right.count && left.contains(right)
    }

    /// Hashes without regard to order.
    public func hash(into hasher: inout Hasher) { hasher.combine(contentHash) }

    /// A hash without regard to order.
    var contentHash: UInt64 {
        var sum: UInt64 = 0
        for (name, value) in elements {
            sum &+= cmetrics_mix(name.contentHash, ~value.contentHash | 1)
        }
        return sum
    }
}

extension String {
    /// A hash of the bytes.
    var contentHash: UInt64 {
        let hash = utf8.withContiguousStorageIfAvailable {
            cmetrics_hash($0.baseAddress, $0.count)
        }
        return hash
            ?? Array(utf8).withUnsafeBufferPointer {
                cmetrics_hash($0.baseAddress, $0.count)
            }
    }
}

extension Labels: CustomStringConvertible {
    /// `{method="GET", path="/users"}`; nothing if there are none.
    public var description: String {
        guard !isEmpty else { return "" }
        let texts = sorted.map { "\($0.name)=\"\($0.value)\"" }
        return "{" + texts.joined(separator: ", ") + "}"
    }
}
