// VersionSet.swift — the algebra the solver stands on. Two lines and not one: a range like
// `^1.2.3-rc` holds the prereleases of 1.2.3 and all releases below 2.0.0, which is no interval
// among all versions, but one among the releases and one among the prereleases.
// Next: VersionSetText.swift.

/// A set of versions, in one form for each set: equal sets are `==` and print the same. Bounds may
/// be of any size; build metadata does not count.
package struct VersionSet: Sendable, Hashable {
    /// Every release has a next one, so half-open intervals say all.
    let releases: VersionSetIntervals<SemanticVersion.Core>
    /// Bounds are prereleases themselves. After `1.2.3-a` comes `1.2.3-a.0`, and after the last of
    /// 1.2.3, of which there is none, the first of 1.2.4.
    let prereleases: VersionSetIntervals<SemanticVersion>

    init(
        releases: VersionSetIntervals<SemanticVersion.Core>,
        prereleases: VersionSetIntervals<SemanticVersion>
    ) {
        (self.releases, self.prereleases) = (releases, prereleases)
    }

    /// No version at all.
    package static let empty = VersionSet(releases: .empty, prereleases: .empty)
    /// Every version, prereleases too.
    package static let full = VersionSet(releases: .full, prereleases: .full)
    /// Every release and no prerelease: what `*` means.
    package static let allReleases = VersionSet(releases: .full, prereleases: .empty)

    /// One version, and those that differ from it by build metadata only.
    package init(exactly version: SemanticVersion) {
        if version.isPrerelease {
            self.init(
                releases: .empty,
                prereleases: VersionSetIntervals(
                    from: version.withoutBuild, to: version.successor))
        } else {
            self.init(
                releases: VersionSetIntervals(from: version.core, to: version.core.successor),
                prereleases: .empty)
        }
    }

    package var isEmpty: Bool { releases.isEmpty && prereleases.isEmpty }

    package func contains(_ version: SemanticVersion) -> Bool {
        version.isPrerelease ? prereleases.contains(version) : releases.contains(version.core)
    }

    /// Every version that is not in this set, prereleases too.
    package var complement: VersionSet {
        VersionSet(releases: releases.complement, prereleases: prereleases.complement)
    }

    package func union(_ other: VersionSet) -> VersionSet {
        VersionSet(
            releases: releases.union(other.releases),
            prereleases: prereleases.union(other.prereleases))
    }

    package func intersection(_ other: VersionSet) -> VersionSet {
        VersionSet(
            releases: releases.intersection(other.releases),
            prereleases: prereleases.intersection(other.prereleases))
    }

    package func subtracting(_ other: VersionSet) -> VersionSet {
        VersionSet(
            releases: releases.subtracting(other.releases),
            prereleases: prereleases.subtracting(other.prereleases))
    }

    package func isSubset(of other: VersionSet) -> Bool {
        releases.isSubset(of: other.releases) && prereleases.isSubset(of: other.prereleases)
    }

    package func isDisjoint(with other: VersionSet) -> Bool {
        releases.isDisjoint(with: other.releases)
            && prereleases.isDisjoint(with: other.prereleases)
    }
}

extension SemanticVersion {
    private static let firstIdentifiers: [Identifier] = [.number(0)]

    /// The lowest of all versions with these numbers: `M.m.p-0`.
    package static func first(of core: Core) -> SemanticVersion {
        SemanticVersion(core, prerelease: firstIdentifiers)
    }

    /// The next version in order of precedence: there is none between. After `1.2.3` comes
    /// `1.2.4-0`, after `1.2.3-a` comes `1.2.3-a.0`.
    package var successor: SemanticVersion {
        guard isPrerelease else { return .first(of: core.successor) }
        return SemanticVersion(core, prerelease: prerelease + [.number(0)])
    }

    /// The first prerelease that is not below this version.
    var firstPrerelease: SemanticVersion { isPrerelease ? self : successor }
}
