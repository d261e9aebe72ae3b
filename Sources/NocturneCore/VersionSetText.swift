// VersionSetText.swift — the canonical text of a set: as a range that reads back as the same set if
// there is one, else in words. Next: VersionRange.swift.

extension VersionSet: CustomStringConvertible {
    /// The canonical text. Equal sets print the same, different ones differently. If ``rangeText``
    /// is `nil`, as for "every prerelease", it is no range.
    package var description: String {
        if let rangeText { return rangeText }
        let kept = VersionSet(releases: releases, prereleases: .empty)
        var parts: [String] = []
        if !kept.isEmpty { parts.append(Self.text(of: Self.alternatives(of: kept) ?? [])) }
        if prereleases == .full {
            parts.append("every prerelease")
        } else if !prereleases.isEmpty {
            let intervals = prereleases.intervals.map { lower, upper in
                upper.map { "from \(lower) to before \($0)" } ?? "from \(lower)"
            }
            parts.append("the prereleases " + intervals.joined(separator: " and "))
        }
        return parts.joined(separator: ", and ")
    }

    /// The canonical text as a range, or `nil` if no range within its limits means this set: one
    /// admits the prereleases of only those numbers that it names.
    package var rangeText: String? {
        guard !isEmpty else { return "<0.0.0-0" }
        guard let alternatives = Self.alternatives(of: self),
            alternatives.count <= VersionRange.maximumAlternatives,
            alternatives.allSatisfy({ $0.allSatisfy(\.isReadable) })
        else { return nil }
        let text = Self.text(of: alternatives)
        return text.utf8.count <= VersionRange.maximumLength ? text : nil
    }

    private static func text(of alternatives: [[Condition]]) -> String {
        alternatives.map { conditions in
            conditions.map { $0.symbol + $0.text }.joined(separator: ", ")
        }.joined(separator: " || ")
    }

    /// One comparator to be printed.
    private struct Condition {
        let symbol: String
        let text: String

        init(_ symbol: String, _ version: SemanticVersion) {
            self.symbol = symbol
            text = version.description
        }

        /// One that stands alone.
        init(_ symbol: String) {
            (self.symbol, text) = (symbol, "")
        }

        static func atLeast(_ version: SemanticVersion) -> Condition {
            version.predecessor.map { Condition(">", $0) } ?? Condition(">=", version)
        }

        static func below(_ version: SemanticVersion) -> Condition {
            version.predecessor.map { Condition("<=", $0) } ?? Condition("<", version)
        }

        var isReadable: Bool { text.utf8.count <= SemanticVersion.maximumLength }
    }

    /// Prereleases of the same three numbers, none missing between.
    private struct Piece {
        let lower: SemanticVersion
        /// `nil`: all that follow with these numbers.
        let upper: SemanticVersion?

        var core: SemanticVersion.Core { lower.core }

        var conditions: [Condition] {
            if let upper, upper == lower.successor { return [Condition("=", lower)] }
            return [.atLeast(lower), .below(upper ?? SemanticVersion(core))]
        }
    }

    /// One alternative for each interval of releases, with the prereleases at its ends, and one for
    /// each piece of the others, in ascending order. `nil` if those are too many.
    private static func alternatives(of set: VersionSet) -> [[Condition]]? {
        guard var pieces = pieces(of: set.prereleases) else { return nil }
        var found: [(start: SemanticVersion, conditions: [Condition])] = []
        for (lower, upper) in set.releases.intervals {
            var (start, end) = (SemanticVersion(lower), upper.map { SemanticVersion($0) })
            if let place = pieces.firstIndex(where: { $0.core == lower && $0.upper == nil }) {
                start = pieces.remove(at: place).lower
            }
            let joined = pieces.firstIndex { piece in
                piece.core == upper && piece.upper != nil && piece.lower == .first(of: piece.core)
            }
            if let joined { end = pieces.remove(at: joined).upper }
            found.append((start, conditions(from: start, to: end)))
        }
        for piece in pieces { found.append((piece.lower, piece.conditions)) }
        return found.sorted { $0.start < $1.start }.map(\.conditions)
    }

    private static func pieces(of set: VersionSetIntervals<SemanticVersion>) -> [Piece]? {
        // Every alternative takes at most two pieces as its ends.
        let limit = VersionRange.maximumAlternatives * 2
        var result: [Piece] = []
        for (lower, upper) in set.intervals {
            guard let upper else { return nil }
            var next = lower
            while next.core < upper.core {
                guard result.count < limit else { return nil }
                result.append(Piece(lower: next, upper: nil))
                next = .first(of: next.core.successor)
            }
            guard next < upper else { continue }
            guard result.count < limit else { return nil }
            result.append(Piece(lower: next, upper: upper))
        }
        return result
    }

    /// The releases from `lower` to before `upper`, and the prereleases of those numbers where a
    /// bound is one.
    private static func conditions(
        from lower: SemanticVersion, to upper: SemanticVersion?
    ) -> [Condition] {
        let startsAtZero = lower == SemanticVersion(.zero)
        guard let upper else { return [startsAtZero ? Condition("*") : .atLeast(lower)] }
        if !upper.isPrerelease {
            if !lower.isPrerelease, upper.core == lower.core.successor {
                return [Condition("=", lower)]
            }
            if !startsAtZero, upper.core == lower.core.caretLimit { return [Condition("^", lower)] }
            if !startsAtZero, upper.core == lower.core.nextMinor { return [Condition("~", lower)] }
        }
        return startsAtZero ? [.below(upper)] : [.atLeast(lower), .below(upper)]
    }
}

extension SemanticVersion {
    /// The version of which this is the next; only some prereleases have one. Shorter than this one
    /// and thus surely readable.
    fileprivate var predecessor: SemanticVersion? {
        guard prerelease.count > 1, prerelease.last == .number(0) else { return nil }
        return SemanticVersion(core, prerelease: Array(prerelease.dropLast()))
    }
}

extension SemanticVersion.Core {
    /// Where `^` of these numbers ends: at the first change of the first number that is not 0.
    package var caretLimit: SemanticVersion.Core {
        if major != 0 { return nextMajor }
        return minor != 0 ? nextMinor : successor
    }
}
