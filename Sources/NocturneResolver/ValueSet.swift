// ValueSet.swift — a set of small numbers as bits: which versions of an id are meant.
// Up to 63 versions it is one word, without an allocation. Next: Term.swift.

/// A set of values of one variable. All sets of a variable have the same number of words.
package struct ValueSet: Sendable, Hashable {
    private var low: UInt64
    /// The words after the first; `nil` if the variable needs none.
    private var high: [UInt64]?

    private init(low: UInt64, high: [UInt64]?) {
        (self.low, self.high) = (low, high)
    }

    /// No value of `count`.
    init(emptyOf count: Int) {
        low = 0
        high = count <= 64 ? nil : Array(repeating: 0, count: (count - 1) / 64)
    }

    /// All values below `count`.
    init(allOf count: Int) {
        self.init(emptyOf: count)
        low = count >= 64 ? ~0 : (1 << UInt64(count)) - 1
        guard var words = high else { return }
        for word in words.indices {
            let rest = count - 64 * (word + 1)
            words[word] = rest >= 64 ? ~0 : (1 << UInt64(rest)) - 1
        }
        high = words
    }

    mutating func insert(_ value: Int) {
        if value < 64 {
            low |= 1 << UInt64(value)
        } else {
            high?[value / 64 - 1] |= 1 << UInt64(value % 64)
        }
    }

    package func contains(_ value: Int) -> Bool {
        let word = value < 64 ? low : high?[value / 64 - 1] ?? 0
        return word >> UInt64(value % 64) & 1 == 1
    }

    package var isEmpty: Bool {
        low == 0 && (high?.allSatisfy { $0 == 0 } ?? true)
    }

    package var count: Int {
        low.nonzeroBitCount + (high?.reduce(0) { $0 + $1.nonzeroBitCount } ?? 0)
    }

    /// Whether there is exactly one value.
    var isSingle: Bool {
        high == nil ? low != 0 && low & (low - 1) == 0 : count == 1
    }

    /// The values in ascending order.
    package var values: [Int] {
        var found: [Int] = []
        found.reserveCapacity(count)
        var rest = self
        while let value = rest.popFirst() { found.append(value) }
        return found
    }

    /// Takes out the least value.
    mutating func popFirst() -> Int? {
        if low != 0 {
            defer { low &= low - 1 }
            return low.trailingZeroBitCount
        }
        guard let index = high?.firstIndex(where: { $0 != 0 }), let word = high?[index] else {
            return nil
        }
        high?[index] &= word - 1
        return 64 * (index + 1) + word.trailingZeroBitCount
    }

    /// The least value; there must be one.
    var first: Int {
        if low != 0 { return low.trailingZeroBitCount }
        for (index, word) in (high ?? []).enumerated() where word != 0 {
            return 64 * (index + 1) + word.trailingZeroBitCount
        }
        preconditionFailure("an empty set has no first value")
    }

    /// The least value that is not in `other`, but "absent" only if it is the only one; `nil` if there is none.
    func best(outside other: ValueSet) -> Int? {
        let rest = low & ~other.low
        let versions = rest & ~1
        if versions != 0 { return versions.trailingZeroBitCount }
        if let high, let others = other.high {
            for index in high.indices {
                let rest = high[index] & ~others[index]
                if rest != 0 { return 64 * (index + 1) + rest.trailingZeroBitCount }
            }
        }
        return rest == 0 ? nil : Term.absent
    }

    func isSubset(of other: ValueSet) -> Bool {
        low & ~other.low == 0 && (high == nil || highWords(with: other) { $0 & ~$1 == 0 })
    }

    func isDisjoint(with other: ValueSet) -> Bool {
        low & other.low == 0 && (high == nil || highWords(with: other) { $0 & $1 == 0 })
    }

    private func highWords(with other: ValueSet, are holds: (UInt64, UInt64) -> Bool) -> Bool {
        guard let high, let others = other.high else { return true }
        return high.indices.allSatisfy { holds(high[$0], others[$0]) }
    }

    func union(_ other: ValueSet) -> ValueSet { combined(with: other, |) }
    func intersection(_ other: ValueSet) -> ValueSet { combined(with: other, &) }
    func subtracting(_ other: ValueSet) -> ValueSet { combined(with: other) { $0 & ~$1 } }

    @inline(__always)
    private func combined(
        with other: ValueSet, _ operation: (UInt64, UInt64) -> UInt64
    ) -> ValueSet {
        guard var words = high, let others = other.high else {
            return ValueSet(low: operation(low, other.low), high: nil)
        }
        for index in words.indices { words[index] = operation(words[index], others[index]) }
        return ValueSet(low: operation(low, other.low), high: words)
    }
}
