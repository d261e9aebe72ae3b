// VersionRangeComparator.swift — what one comparator means, and what several mean together.
// Next: VersionRangeParser.swift.

/// What stands before a version.
enum VersionRangeOperation {
    case caret, tilde, exact, above, atLeast, below, atMost

    /// What a bare version means: a caret. Its wildcard, if it has one, means just that.
    static func implied(by partial: PartialVersion) -> VersionRangeOperation {
        partial.isWildcard ? .exact : .caret
    }
}

/// What all comparators of one alternative admit together: everything at first.
struct VersionRangeBounds {
    private var lower: SemanticVersion?
    /// The least version above; `-0` where no prerelease is named, so that prereleases of the next
    /// version are outside.
    private var upper: SemanticVersion?
    /// The numbers of those comparators that name a prerelease.
    private var named: [SemanticVersion.Core] = []

    /// Adds a condition.
    mutating func narrow(by operation: VersionRangeOperation, _ partial: PartialVersion) {
        let version = partial.version
        if version.isPrerelease, !named.contains(version.core) { named.append(version.core) }
        switch operation {
        case .caret, .tilde, .exact:
            if partial.parts > 0 { raise(to: version) }
            if let end = Self.end(operation, partial) { reduce(to: end) }
        case .above where partial.parts == 0, .below where partial.parts == 0:
            // Nothing is above or below every version; npm reads `>*` and `<*` so too.
            reduce(to: .least)
        case .above:
            raise(to: Self.afterAll(of: partial))
        case .atLeast:
            if partial.parts > 0 { raise(to: version) }
        case .below:
            reduce(to: partial.parts == 3 ? version : .first(of: version.core))
        case .atMost:
            if partial.parts > 0 { reduce(to: Self.firstAfterAll(of: partial)) }
        }
    }

    private mutating func raise(to version: SemanticVersion) {
        if let lower, lower >= version { return }
        lower = version
    }

    private mutating func reduce(to version: SemanticVersion) {
        if let upper, upper <= version { return }
        upper = version
    }

    /// Where `^`, `~` or `=` of a version ends; `nil` after a wildcard alone.
    private static func end(
        _ operation: VersionRangeOperation, _ partial: PartialVersion
    ) -> SemanticVersion? {
        let core = partial.version.core
        switch (operation, partial.parts) {
        case (_, 0): return nil
        case (.exact, 3): return partial.version.successor
        case (_, 1): return .first(of: core.nextMajor)
        case (.caret, 2) where core.major == 0: return .first(of: core.nextMinor)
        case (.caret, _): return .first(of: core.caretLimit)
        default: return .first(of: core.nextMinor)
        }
    }

    /// The least release, or prerelease of the numbers named, above every version that `partial`
    /// stands for.
    private static func afterAll(of partial: PartialVersion) -> SemanticVersion {
        let core = partial.version.core
        switch partial.parts {
        case 1: return SemanticVersion(core.nextMajor)
        case 2: return SemanticVersion(core.nextMinor)
        default: return partial.version.successor
        }
    }

    /// The least version of all above every version that `partial` stands for.
    private static func firstAfterAll(of partial: PartialVersion) -> SemanticVersion {
        partial.parts == 3 ? partial.version.successor : .first(of: afterAll(of: partial).core)
    }

    /// The versions within the bounds; of prereleases only those whose numbers are named.
    var set: VersionSet {
        let releases = VersionSetIntervals(from: lower?.core, to: upper?.core)
        guard !named.isEmpty else { return VersionSet(releases: releases, prereleases: .empty) }
        let within = VersionSetIntervals(
            from: lower?.firstPrerelease, to: upper?.firstPrerelease)
        var prereleases = VersionSetIntervals<SemanticVersion>.empty
        for core in named {
            let same = VersionSetIntervals<SemanticVersion>(
                from: .first(of: core), to: .first(of: core.successor))
            prereleases = prereleases.union(within.intersection(same))
        }
        return VersionSet(releases: releases, prereleases: prereleases)
    }
}
