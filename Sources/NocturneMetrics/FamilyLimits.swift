// FamilyLimits.swift — what becomes of labels that have too many values: only the label that exploded loses its values.
// Next: Registry.swift.

/// How many values the labels of one metric have.
struct Cardinality {
    /// By label: hashes of its values, and how many series have each.
    private var values: [String: [UInt64: Int]] = [:]
    /// By label: how often a value of it was not taken.
    private(set) var folded: [String: UInt64] = [:]

    /// Series beyond a metric's limit, for label sets that were folded; then all are one.
    static func foldedSeries(_ limit: Int) -> Int { max(limit / 10, 1) }
    /// Where everything goes that is left.
    static let lastResort: Labels = ["overflow": MetricName.overflow]

    mutating func add(_ labels: Labels) {
        for pair in labels.pairs {
            values[pair.name, default: [:]][pair.value.contentHash, default: 0] += 1
        }
    }

    mutating func remove(_ labels: Labels) {
        for pair in labels.pairs {
            let hash = pair.value.contentHash
            guard let count = values[pair.name]?[hash] else { continue }
            values[pair.name]?[hash] = count > 1 ? count - 1 : nil
            if values[pair.name]?.isEmpty == true { values[pair.name] = nil }
        }
    }

    private func isKnown(_ pair: Labels.Pair) -> Bool {
        values[pair.name]?[pair.value.contentHash] != nil
    }

    private func valueCount(_ name: String) -> Int { values[name]?.count ?? 0 }

    /// The labels under which something is recorded that has no series yet.
    ///
    /// - Parameters:
    ///   - isThere: whether labels have a series.
    ///   - count: how many series there are.
    mutating func admit(
        _ labels: Labels, count: Int, series limit: Int, valuesPerLabel: Int,
        isThere: (Labels) -> Bool
    ) -> Labels {
        var pairs = labels.pairs, isFolded = false
        for index in pairs.indices
        where valueCount(pairs[index].name) >= valuesPerLabel && !isKnown(pairs[index]) {
            fold(&pairs[index])
            isFolded = true
        }
        if isFolded, isThere(Labels(unique: pairs)) { return Labels(unique: pairs) }
        // No label has too many values, but all together make too many series: those with most values go first.
        while count >= limit + (isFolded ? Self.foldedSeries(limit) : 0) {
            let candidates = pairs.indices.filter { pairs[$0].value != MetricName.overflow }
            guard
                let most = candidates.max(by: {
                    valueCount(pairs[$0].name) < valueCount(pairs[$1].name)
                })
            else { return lastResort(labels) }
            fold(&pairs[most])
            isFolded = true
            if isThere(Labels(unique: pairs)) { break }
        }
        return Labels(unique: pairs)
    }

    private mutating func fold(_ pair: inout Labels.Pair) {
        pair.value = MetricName.overflow
        folded[pair.name, default: 0] &+= 1
    }

    private func lastResort(_ labels: Labels) -> Labels {
        labels.isEmpty ? labels : Self.lastResort
    }
}
