// SolverDirectories.swift — directories to measure the resolver by, the same in every run. Next: PubGrubCase.swift.

import NocturneCore
import NocturneResolver

/// Candidates that were never files.
enum SolverDirectories {
    /// Each needs two others.
    static func tree(of count: Int) throws -> [Candidate] {
        try plugins(count) { number in
            [2 * number + 1, 2 * number + 2].filter { $0 < count }.map { ($0, "^1.0.0") }
        }
    }

    /// Nobody needs anybody.
    static func alone(_ count: Int) throws -> [Candidate] { try plugins(count) { _ in [] } }

    /// Each needs the next one; `isBroken`: the last one too, which is not there.
    static func chain(of count: Int, isBroken: Bool = false) throws -> [Candidate] {
        try plugins(count) { $0 + 1 < count || isBroken ? [($0 + 1, "^1.0.0")] : [] }
    }

    /// Each needs the next one, the last one the first.
    static func ring(of count: Int) throws -> [Candidate] {
        try plugins(count) { [(($0 + 1) % count, "^1.0.0")] }
    }

    /// Many versions of one id.
    static func versions(_ count: Int) throws -> [Candidate] {
        let id = try id(0)
        return (1...count).map { Candidate(id, version($0), label: "\($0)") }
    }

    enum Bounds { case oneBound, twoBounds }

    /// Every version of every id has three dependencies on later ids, each with random bounds.
    static func random(_ ids: Int, _ versions: Int, _ bounds: Bounds) throws -> [Candidate] {
        var random = SplitMix(state: 1)
        // Texts repeat; the time to read them is not measured here.
        var ranges: [String: VersionRange] = [:]
        func range(_ text: String) throws -> VersionRange {
            if let known = ranges[text] { return known }
            let range = try VersionRange(text)
            ranges[text] = range
            return range
        }
        var candidates: [Candidate] = []
        for number in 0..<ids {
            for release in 1...versions {
                var one = Candidate(
                    try id(number), version(release), label: "\(number)-\(release)")
                for _ in 0..<3 where number + 1 < ids {
                    let other = number + 1 + random.below(ids - number - 1)
                    let low = 1 + random.below(versions)
                    let high = low + 1 + random.below(versions + 1 - low)
                    let (from, to) = (">=\(low).0.0", "<\(high).0.0")
                    one.dependencies[try id(other)] =
                        switch bounds {
                        case .twoBounds: try range("\(from), \(to)")
                        case .oneBound: try range(random.below(2) == 0 ? from : to)
                        }
                }
                candidates.append(one)
            }
        }
        return candidates
    }

    private static func plugins(
        _ count: Int, _ dependencies: (Int) -> [(Int, String)]
    ) throws -> [Candidate] {
        try (0..<count).map { number in
            var one = Candidate(try id(number), version(1), label: "\(number)")
            for (other, range) in dependencies(number) {
                one.dependencies[try id(other)] = try VersionRange(range)
            }
            return one
        }
    }

    private static func id(_ number: Int) throws -> PluginID { try PluginID("plugin-\(number)") }

    private static func version(_ number: Int) -> SemanticVersion {
        SemanticVersion(VersionNumber(UInt64(number)), 0, 0)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers in every run.
private struct SplitMix {
    var state: UInt64

    /// A number below `bound`; the bias of the remainder does not matter here.
    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
