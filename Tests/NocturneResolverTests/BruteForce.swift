// BruteForce.swift — the best selection by trying all, for directories of a few ids. Written from the rules
// alone, with bits for candidates. Next: RandomInstances.swift.

import NocturneCore
import NocturneResolver

/// Every rule of a directory as masks over its candidates.
struct BruteForce {
    private struct Rules {
        /// One of each must be chosen, and start before.
        var needs: [UInt64] = []
        /// If one of the first is chosen, one of the second must be.
        var wishes: [(there: UInt64, fitting: UInt64)] = []
        var conflicts: UInt64 = 0
        var isRefused = false
    }

    private let ids: [PluginID]
    /// For each id its candidates, best first.
    private var options: [[Int]] = []
    private var rules: [Rules] = []
    private let isRunning: [Bool]
    private let isKept: [Bool]
    private let isWanted: [Bool]

    init(_ request: ResolveRequest) {
        let candidates = request.candidates
        ids = Set(candidates.map(\.id)).sorted()
        isRunning = ids.map { request.running[$0] != nil }
        isKept = ids.map(request.kept.contains)
        isWanted = ids.map { request.wanted?.contains($0) ?? true }
        for id in ids {
            options.append(
                candidates.indices.filter { candidates[$0].id == id }.sorted {
                    let (a, b) = (candidates[$0].version, candidates[$1].version)
                    return a.isPrerelease != b.isPrerelease ? b.isPrerelease : a > b
                })
        }
        func mask(_ isIn: (Candidate) -> Bool) -> UInt64 {
            candidates.indices.reduce(0) { isIn(candidates[$1]) ? $0 | 1 << UInt64($1) : $0 }
        }
        func fits(_ one: Candidate, _ name: PluginID, _ range: VersionRange) -> Bool {
            (one.id == name && range.contains(one.version))
                || one.provides[name].map(range.contains) == true
        }
        for one in candidates {
            var rule = Rules()
            for (name, range) in one.dependencies {
                let own = fits(one, name, range)
                if !own { rule.needs.append(mask { $0.id != one.id && fits($0, name, range) }) }
            }
            for (name, range) in one.optionalDependencies where !fits(one, name, range) {
                rule.wishes.append(
                    (
                        mask { $0.id != one.id && ($0.id == name || $0.provides[name] != nil) },
                        mask { $0.id != one.id && fits($0, name, range) }
                    ))
            }
            for (name, range) in one.conflicts {
                rule.conflicts |= mask { $0.id != one.id && fits($0, name, range) }
            }
            rule.isRefused = one.abi.map { $0.major != request.environment.abi.major } ?? false
            rules.append(rule)
        }
    }

    /// The best selection: most ids to keep, most ids, most that run, first ids, best versions. Indices of
    /// candidates that are wanted.
    func best() -> [Int] {
        var best: (key: [Int], choice: [Int])?
        visit(0, 0, [], &best)
        return best?.choice ?? []
    }

    private func visit(
        _ place: Int, _ chosen: UInt64, _ ranks: [Int], _ best: inout (key: [Int], choice: [Int])?
    ) {
        guard place == ids.count else {
            for (rank, candidate) in options[place].enumerated()
            where !rules[candidate].isRefused && rules[candidate].conflicts & chosen == 0 {
                visit(place + 1, chosen | 1 << UInt64(candidate), ranks + [rank], &best)
            }
            visit(place + 1, chosen, ranks + [options[place].count], &best)
            return
        }
        // What is not wanted may come along, and counts for nothing.
        let isIn = ranks.indices.map { ranks[$0] < options[$0].count && isWanted[$0] }
        let count = isIn.count { $0 }
        // Smaller is better: first by number, then by what stays, then by which are out, then by versions.
        let versions = ranks.indices.map { isWanted[$0] ? ranks[$0] : 0 }
        let key =
            [-isIn.indices.count { isIn[$0] && isKept[$0] }, -count]
            + [-isIn.indices.count { isIn[$0] && isRunning[$0] }]
            + isIn.map { $0 ? 0 : 1 } + versions
        if let best, !key.lexicographicallyPrecedes(best.key) { return }
        guard isConsistent(chosen), canStart(chosen) else { return }
        best = (key, ranks.indices.filter { isIn[$0] }.map { options[$0][ranks[$0]] })
    }

    private func isConsistent(_ chosen: UInt64) -> Bool {
        rules.indices.allSatisfy { index in
            guard chosen >> UInt64(index) & 1 == 1 else { return true }
            let rule = rules[index]
            return rule.conflicts & chosen == 0 && rule.needs.allSatisfy { $0 & chosen != 0 }
                && rule.wishes.allSatisfy { $0.there & chosen == 0 || $0.fitting & chosen != 0 }
        }
    }

    /// Whether all can start one after the other, each after one provider of each need.
    private func canStart(_ chosen: UInt64) -> Bool {
        var started: UInt64 = 0
        while started != chosen {
            let before = started
            for index in rules.indices where (chosen & ~started) >> UInt64(index) & 1 == 1 {
                if rules[index].needs.allSatisfy({ $0 & started != 0 }) {
                    started |= 1 << UInt64(index)
                }
            }
            if started == before { return false }
        }
        return true
    }
}
