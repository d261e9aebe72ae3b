// SemanticVersionCore.swift — the three numbers of a version. A release is nothing else, and a range
// asks for little else. Next: SemanticVersion.swift.

extension SemanticVersion {
    /// Major, minor and patch. Of releases this is the whole precedence (§11.2).
    package struct Core: Sendable, Hashable, Comparable, CustomStringConvertible {
        package let major: VersionNumber
        package let minor: VersionNumber
        package let patch: VersionNumber

        package init(_ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber) {
            (self.major, self.minor, self.patch) = (major, minor, patch)
        }

        /// The least of all: `0.0.0`.
        package static let zero = Core(0, 0, 0)

        /// The next release in order of precedence: there is none between.
        package var successor: Core { Core(major, minor, patch.successor) }
        /// The first release with a larger minor version.
        package var nextMinor: Core { Core(major, minor.successor, 0) }
        /// The first release with a larger major version.
        package var nextMajor: Core { Core(major.successor, 0, 0) }

        package var description: String { "\(major).\(minor).\(patch)" }

        package static func < (left: Core, right: Core) -> Bool {
            if left.major != right.major { return left.major < right.major }
            if left.minor != right.minor { return left.minor < right.minor }
            return left.patch < right.patch
        }
    }
}
