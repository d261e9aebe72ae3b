// ResolverBench.swift — what the resolver's smallest steps cost: versions and ranges read, compared
// and tested, over texts as manifests hold them. No host and no plugin takes part. Next: SolverBench.swift.

import CLinux
import NocturneCore

struct ResolverBench {
    let isQuick: Bool

    func run() throws {
        let texts = Self.versionTexts
        let versions = try texts.map { try SemanticVersion($0) }
        let rangeTexts = Self.rangeTexts
        let ranges = try rangeTexts.map { try VersionRange($0) }
        // Another of them in no order, without a division that would be measured too.
        let other = { (place: Int) in (place &* 7 &+ 1) & (Self.count - 1) }

        report("resolver.version.parse") { place in
            (try? SemanticVersion(texts[place]))?.isPrerelease == true
        }
        report("resolver.version.compare") { place in
            versions[place] < versions[other(place)]
        }
        report("resolver.range.test") { place in
            ranges[place].contains(versions[other(place)])
        }
        report("resolver.range.parse") { place in
            (try? VersionRange(rangeTexts[place])) != nil
        }
    }

    /// How many texts of either kind; a power of two.
    private static let count = 1024

    /// Prints the best round's mean over all texts, in nanoseconds, beside the same loop around
    /// nothing: steps this small differ between rounds only by what else the machine does.
    private func report(_ name: String, _ operation: (Int) -> Bool) {
        let floor = nanoseconds { $0 % 2 == 0 }
        Bench.report(name, nanoseconds(operation), "ns", floor: floor)
    }

    private func nanoseconds(_ operation: (Int) -> Bool) -> Double {
        // Rounds of a few milliseconds, so that the clock's own cost vanishes.
        let (rounds, repeats) = (isQuick ? 5 : 50, 10)
        var best = Double.infinity
        var hits = 0
        for _ in 0..<rounds {
            let start = clinux_now()
            for _ in 0..<repeats {
                for place in 0..<Self.count where operation(place) { hits += 1 }
            }
            best = min(best, Double(clinux_now() - start) / Double(repeats * Self.count))
        }
        // Printed nowhere, but the loop must not be left out.
        if hits < 0 { complain("\(hits)") }
        return best
    }

    /// One in four is a prerelease, one in eight has build metadata.
    private static let versionTexts: [String] = (0..<count).map { place in
        let core = "\(place % 5).\(place * 7 % 23).\(place * 13 % 101)"
        let tag = place % 4 == 0 ? "-\(["alpha", "beta", "rc"][place % 3]).\(place % 9)" : ""
        return core + tag + (place % 8 == 1 ? "+build.\(place)" : "")
    }

    /// Mostly carets and pairs of bounds, as registries hold them; some of every other kind.
    private static let rangeTexts: [String] = (0..<count).map { place in
        let (major, minor) = (place % 5, place * 7 % 23)
        return switch place % 10 {
        case 0, 1, 2: "^\(major).\(minor).\(place % 7)"
        case 3: "\(major).\(minor)"
        case 4: ">=\(major).\(minor), <\(major + 2)"
        case 5: "~\(major).\(minor).1"
        case 6: "=\(major).\(minor).0"
        case 7: "\(major).x || \(major + 2).\(minor).*"
        case 8: "\(major).\(minor) - \(major + 1).2.3"
        default: "^\(major).\(minor).0-rc.1"
        }
    }
}
