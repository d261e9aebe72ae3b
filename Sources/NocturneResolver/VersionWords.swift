// VersionWords.swift — versions of one id in words, by the bounds between those that are there.
// Next: Explanation.swift.

import NocturneCore

/// Versions of one id in words, by the bounds between those that are there.
struct VersionWords {
    private let id: PluginID
    /// Ascending; each with its value.
    private let versions: [(value: Int, version: Proof.Version)]
    /// Whether another file offers the very same version: then it takes its label to tell them apart.
    private let isShared: [Bool]

    /// Runs of neighbors that are named; of more, the ends and the number of versions.
    private static let namedRuns = 4

    init(_ id: PluginID, _ versions: [Proof.Version]) {
        self.id = id
        let counts = Dictionary(grouping: versions) { $0.version.description }.mapValues(\.count)
        let ascending = versions.enumerated().map { (value: $0.offset + 1, version: $0.element) }
            .sorted {
                ($0.version.version, $1.value) < ($1.version.version, $0.value)
            }
        self.versions = ascending
        isShared = ascending.map { counts[$0.version.version.description] != 1 }
    }

    /// One name for each run of neighbors: `foo <1.1.0 or foo >=2.0.0`.
    func phrase(_ set: ValueSet) -> String {
        let texts = runs(in: set)
        let named = versions.map(\.value).filter(set.contains)
        guard texts.count > Self.namedRuns,
            let first = versions.first(where: { $0.value == named.first }),
            let last = versions.first(where: { $0.value == named.last })
        else { return texts.map { "\(id) \($0)" }.joined(separator: " or ") }
        return "\(id) \(first.version.version) to \(last.version.version) (\(named.count) versions)"
    }

    private func runs(in set: ValueSet) -> [String] {
        var texts: [String] = []
        var start = 0
        while start < versions.count {
            guard set.contains(versions[start].value) else {
                start += 1
                continue
            }
            var end = start + 1
            while end < versions.count, set.contains(versions[end].value) { end += 1 }
            texts += run(start..<end)
            start = end
        }
        return texts
    }

    private func run(_ range: Range<Int>) -> [String] {
        // A bound cannot stand between versions of equal precedence.
        if isTie(range.lowerBound) || isTie(range.upperBound) { return range.map(exact) }
        let lower = versions[range.lowerBound].version.version.withoutBuild
        if range.upperBound == versions.count { return [">=\(lower)"] }
        let upper = versions[range.upperBound].version.version.withoutBuild
        if range.lowerBound == 0 { return ["<\(upper)"] }
        return range.count == 1 ? [exact(range.lowerBound)] : [">=\(lower) <\(upper)"]
    }

    private func isTie(_ index: Int) -> Bool {
        index > 0 && index < versions.count
            && versions[index - 1].version.version == versions[index].version.version
    }

    private func exact(_ index: Int) -> String {
        let one = versions[index].version
        return isShared[index] ? "\(one.version) (\(one.label))" : "\(one.version)"
    }
}
