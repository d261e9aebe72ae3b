// SemanticVersionCore.swift — the three numbers of a version. A release is nothing else, and a
// range asks for little else. Next: SemanticVersion.swift.

extension SemanticVersion {
    /// Major, minor and patch. Of releases this is the whole precedence (§11.2).
    package struct Core: Sendable, Hashable, Comparable, CustomStringConvertible {
        // Four words in all: the compiler hands larger values round in memory and copies them by
        // witness tables, which made a comparison ten times slower (`nocturne-bench resolver`).
        let small: Small
        /// `nil` if all fit in 64 bits.
        let large: Large?

        init(small: Small, large: Large?) {
            (self.small, self.large) = (small, large)
        }

        package init(_ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber) {
            small = Small(
                major: major.uint64 ?? .max, minor: minor.uint64 ?? .max,
                patch: patch.uint64 ?? .max)
            let isLarge = major.uint64 == nil || minor.uint64 == nil || patch.uint64 == nil
            large = isLarge ? Large(major, minor, patch) : nil
        }

        package var major: VersionNumber { large?.major ?? VersionNumber(small.major) }
        package var minor: VersionNumber { large?.minor ?? VersionNumber(small.minor) }
        package var patch: VersionNumber { large?.patch ?? VersionNumber(small.patch) }

        /// The least of all: `0.0.0`.
        package static let zero = Core(0, 0, 0)

        /// The next release in order of precedence: there is none between.
        package var successor: Core { Core(major, minor, patch.successor) }
        /// The first release with a larger minor version.
        package var nextMinor: Core { Core(major, minor.successor, 0) }
        /// The first release with a larger major version.
        package var nextMajor: Core { Core(major.successor, 0, 0) }

        package var description: String { "\(major).\(minor).\(patch)" }

        package static func == (left: Core, right: Core) -> Bool {
            guard left.small == right.small else { return false }
            guard let first = left.large, let second = right.large else {
                return left.large == nil && right.large == nil
            }
            return first.numbers == second.numbers
        }

        package func hash(into hasher: inout Hasher) {
            hasher.combine(small)
        }

        package static func < (left: Core, right: Core) -> Bool {
            if let isBefore = left.small.isBefore(right.small) { return isBefore }
            if left == right { return false }
            return [left.major, left.minor, left.patch].lexicographicallyPrecedes([
                right.major, right.minor, right.patch,
            ])
        }
    }
}

extension SemanticVersion.Core {
    /// The numbers, each at most `UInt64.max`, which then stands for itself and all above.
    struct Small: Sendable, Hashable {
        let major: UInt64
        let minor: UInt64
        let patch: UInt64

        /// The order of two versions if these numbers decide it: they differ, and none before the
        /// difference may stand for another.
        func isBefore(_ other: Small) -> Bool? {
            if major != other.major { return major < other.major }
            if major == .max { return nil }
            if minor != other.minor { return minor < other.minor }
            if minor == .max || patch == other.patch { return nil }
            return patch < other.patch
        }
    }

    /// The numbers if one of them exceeds 64 bits.
    final class Large: Sendable {
        let numbers: [VersionNumber]

        init(_ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber) {
            numbers = [major, minor, patch]
        }

        var major: VersionNumber { numbers[0] }
        var minor: VersionNumber { numbers[1] }
        var patch: VersionNumber { numbers[2] }
    }
}
