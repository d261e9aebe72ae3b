// FamilyLimits.swift — what becomes of labels that have too many values: only the label that exploded loses its values.
// Next: Registry.swift.

/// How many values the labels of one metric have.
struct Cardinality {
    /// By the hash of a label's name: the hashes of its values, and how many series have each.
    private var values: [UInt64: [UInt64: Int]] = [:]
    /// By label: how often a value of it was not taken; of labels after the first ``foldedNameLimit`` together, under
    /// ``MetricName/overflow``.
    private(set) var folded: [String: UInt64] = [:]

    /// Labels that are told apart in ``folded``: more are names made of data, of which there is no end.
    private static let foldedNameLimit = 100

    /// Series beyond a metric's limit, for label sets that were folded; then all are one.
    static func foldedSeries(_ limit: Int) -> Int { max(limit / 10, 1) }
    /// Where everything goes that is left.
    static let lastResort: Labels = ["overflow": MetricName.overflow]

    mutating func add(_ labels: Labels) {
        for (name, value) in labels.elements {
            values[name.contentHash, default: [:]][value.contentHash, default: 0] += 1
        }
    }

    mutating func remove(_ labels: Labels) {
        for (name, value) in labels.elements {
            let (name, value) = (name.contentHash, value.contentHash)
            guard let count = values[name]?[value] else { continue }
            values[name]?[value] = count > 1 ? count - 1 : nil
            if values[name]?.isEmpty == true { values[name] = nil }
        }
    }

    /// Whether a series has a label of this name.
    func isKnown(_ name: String) -> Bool { values[name.contentHash] != nil }

    private func valueCount(_ name: String) -> Int { values[name.contentHash]?.count ?? 0 }

    /// Whether a label has room for a value, or has it already.
    private func hasRoom(_ element: (String, String), _ limit: Int) -> Bool {
        guard let known = values[element.0.contentHash], known.count >= limit else { return true }
        return known[element.1.contentHash] != nil
    }

    /// The labels under which something is recorded that has no series yet.
    ///
    /// - Parameters:
    ///   - isThere: whether labels have a series.
    ///   - count: how many series there are.
    mutating func admit(
        _ labels: Labels, count: Int, series limit: Int, valuesPerLabel: Int,
        isThere: (Labels) -> Bool
    ) -> Labels {
        let isFull = count >= limit
        guard isFull || !labels.elements.allSatisfy({ hasRoom($0, valuesPerLabel) }) else {
            return labels
        }
        var pairs = labels.pairs, isFolded = false
        for index in pairs.indices
        where !hasRoom((pairs[index].name, pairs[index].value), valuesPerLabel) {
            fold(&pairs[index])
            isFolded = true
        }
        if isFolded, isThere(Labels(unique: pairs)) { return Labels(unique: pairs) }
        // No label has too many values, but all together make too many series: those with most values go first.
        while count - max(limit, 0) >= (isFolded ? Self.foldedSeries(limit) : 0) {
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
        let isNamed = folded[pair.name] != nil || folded.count < Self.foldedNameLimit
        folded[isNamed ? pair.name : MetricName.overflow, default: 0] &+= 1
    }

    private func lastResort(_ labels: Labels) -> Labels {
        labels.isEmpty ? labels : Self.lastResort
    }
}
