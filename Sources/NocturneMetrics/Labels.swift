// Labels.swift — the dimensions of a series: names and values, in no order. Next: MetricName.swift.

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
        var isRepeated = false
        for (index, element) in elements.enumerated() {
            for other in elements[..<index] where Self.isSame(other.0, element.0) {
                isRepeated = true
            }
        }
        guard isRepeated else {
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

    /// These without those of some names, or only those.
    func filtered(_ isKept: (String) -> Bool) -> Labels {
        Labels(pairs.filter { isKept($0.name) }.map { ($0.name, $0.value) })
    }

    /// `String`'s own `==` holds different bytes for equal.
    static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8)
    }
}

extension Labels: Hashable {
    /// Whether the same names have the same values.
    public static func == (left: Labels, right: Labels) -> Bool {
        left.count == right.count && left.contains(right)
    }

    /// Hashes without regard to order.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for pair in pairs {
            var hasher = Hasher()
            for byte in pair.name.utf8 { hasher.combine(byte) }
            hasher.combine(UInt8(0xFF))
            for byte in pair.value.utf8 { hasher.combine(byte) }
            sum &+= hasher.finalize()
        }
        hasher.combine(sum)
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
