// Labels.swift — the dimensions of a series: names and values, in no order. Next: MetricName.swift.

internal import CMetrics

/// The labels of a series: names with values, in no order.
///
/// Two are equal if they have the same names with the same values, byte by byte: `"\u{E9}"` and `"e\u{301}"` are two
/// values. Which names are allowed is checked where a series is made, not here: ``MetricName/checkLabel(_:)``.
public struct Labels: Sendable, ExpressibleByDictionaryLiteral {
    /// A name and its value.
    public typealias Pair = (name: String, value: String)

    /// As they were given, except that of a name that was given twice only the last is there.
    let pairs: [Pair]

    /// None.
    public init() { pairs = [] }

    /// Labels of a literal. Of a name that stands there twice, the last value counts.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }

    /// Labels of pairs. Of a name that is there twice, the last value counts.
    public init(_ elements: [(String, String)]) {
        guard Self.hasRepetition(elements) else {
            pairs = elements
            return
        }
        var kept: [Pair] = []
        for element in elements {
            kept.removeAll { Self.isSame($0.name, element.0) }
            kept.append(element)
        }
        pairs = kept
    }

    private static func hasRepetition(_ elements: [(String, String)]) -> Bool {
        for index in elements.indices.dropFirst() {
            for other in 0..<index where isSame(elements[other].0, elements[index].0) {
                return true
            }
        }
        return false
    }

    /// Labels of pairs that are known to have different names.
    init(unique pairs: [Pair]) { self.pairs = pairs }

    /// Labels of a dictionary.
    public init(_ dictionary: [String: String]) {
        pairs = dictionary.map { ($0.key, $0.value) }
    }

    /// The value of a name.
    public subscript(name: String) -> String? {
        pairs.first { Self.isSame($0.name, name) }?.value
    }

    /// How many there are.
    public var count: Int { pairs.count }

    /// Whether there are none.
    public var isEmpty: Bool { pairs.isEmpty }

    /// All of them, in the order of the names' bytes.
    public var sorted: [Pair] {
        pairs.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Whether each of `subset` is here, with the same value.
    public func contains(_ subset: Labels) -> Bool {
        subset.pairs.allSatisfy { pair in
            self[pair.name].map { Self.isSame($0, pair.value) } ?? false
        }
    }

    /// Whether the same names with the same values were given in the same order.
    func isSameInOrder(_ other: Labels) -> Bool {
        guard pairs.count == other.pairs.count else { return false }
        for index in pairs.indices {
            guard Self.isSame(pairs[index].name, other.pairs[index].name),
                Self.isSame(pairs[index].value, other.pairs[index].value)
            else { return false }
        }
        return true
    }

    /// These without those of some names, or only those.
    func filtered(_ isKept: (String) -> Bool) -> Labels {
        Labels(pairs.filter { isKept($0.name) }.map { ($0.name, $0.value) })
    }

    /// `String`'s own `==` holds different bytes for equal.
    static func isSame(_ left: String, _ right: String) -> Bool {
        // Strings that are the same words in memory are the same: short ones are their own words, literals have one place.
        let words = unsafeBitCast(left, to: (UInt64, UInt64).self)
        let others = unsafeBitCast(right, to: (UInt64, UInt64).self)
        if words.0 == others.0, words.1 == others.1 { return true }
        return left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
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
        for pair in pairs {
            sum &+= cmetrics_mix(pair.name.contentHash, ~pair.value.contentHash | 1)
        }
        return sum
    }
}

extension String {
    /// A new one in each process, so that nobody can prepare texts with the same hash.
    private static let seed = UInt64.random(in: .min ... .max)

    /// A hash of the bytes.
    var contentHash: UInt64 {
        let hash = utf8.withContiguousStorageIfAvailable {
            cmetrics_hash($0.baseAddress, $0.count, Self.seed)
        }
        return hash
            ?? Array(utf8).withUnsafeBufferPointer {
                cmetrics_hash($0.baseAddress, $0.count, Self.seed)
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
