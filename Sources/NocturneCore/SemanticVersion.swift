// SemanticVersion.swift — Semantic Versioning 2.0.0 (semver.org), all of it: grammar and
// precedence. Next: VersionScanner.swift.

/// A version such as `1.4.0-rc.1+build.7`, by Semantic Versioning 2.0.0.
///
/// **Equality and order are precedence** (§§10, 11 of the specification): build metadata counts for
/// neither, so `1.0.0+a == 1.0.0+b`, and exactly one of `a < b`, `a == b`, `a > b` holds. Metadata
/// is kept in ``build`` and printed; compare ``description`` to tell such versions apart.
public struct SemanticVersion: Sendable, CustomStringConvertible {
    /// Bytes a version may have. The specification's FAQ advises a limit of 255 or so; node-semver
    /// has 256.
    public static let maximumLength = 256

    /// One dot-separated part of a prerelease. Numbers come before texts (§11.4.3).
    public enum Identifier: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// Digits only: compared as a number.
        case number(VersionNumber)
        /// Anything else: compared byte by byte.
        case text(String)

        /// As it is written.
        public var description: String {
            switch self {
            case .number(let number): number.description
            case .text(let text): text
            }
        }
    }

    /// What few versions have. The numbers stand beside it, so that most versions cost no reference
    /// and all fit in four words, as ``Core`` says why.
    private final class Rest: Sendable {
        let large: Core.Large?
        let prerelease: [Identifier]
        let build: String

        init(_ large: Core.Large?, _ prerelease: [Identifier], _ build: String) {
            (self.large, self.prerelease, self.build) = (large, prerelease, build)
        }
    }

    private let small: Core.Small
    private let rest: Rest?

    /// The three numbers.
    package var core: Core { Core(small: small, large: rest?.large) }
    /// The parts after `-`; empty for a release.
    public var prerelease: [Identifier] { rest?.prerelease ?? [] }
    /// What stands after `+`, without it; empty if there is none.
    public var build: String { rest?.build ?? "" }
    /// Incompatible changes.
    public var major: VersionNumber { core.major }
    /// Compatible additions.
    public var minor: VersionNumber { core.minor }
    /// Compatible repairs.
    public var patch: VersionNumber { core.patch }

    /// A release, without parsing.
    public init(_ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber) {
        self.init(Core(major, minor, patch))
    }

    package init(_ core: Core, prerelease: [Identifier] = [], build: String = "") {
        small = core.small
        let isPlain = core.large == nil && prerelease.isEmpty && build.isEmpty
        rest = isPlain ? nil : Rest(core.large, prerelease, build)
    }

    /// Reads exactly one version: no `v`, no spaces, no missing parts.
    ///
    /// - Throws: ``SemanticVersionError``, which says what was found where and what was expected.
    public init(_ text: String) throws(SemanticVersionError) {
        var scanner = try VersionScanner(text)
        self = try scanner.version()
        try scanner.end()
    }

    /// Whether this is a prerelease.
    public var isPrerelease: Bool { rest?.prerelease.isEmpty == false }

    /// The version as it was written.
    public var description: String {
        var text = core.description
        if !prerelease.isEmpty {
            text += "-" + prerelease.map(\.description).joined(separator: ".")
        }
        if !build.isEmpty { text += "+" + build }
        return text
    }

    /// The same version without its build metadata.
    package var withoutBuild: SemanticVersion {
        build.isEmpty ? self : SemanticVersion(core, prerelease: prerelease)
    }
}

extension SemanticVersion: Hashable, Comparable {
    /// Whether both have the same precedence; build metadata does not count.
    public static func == (left: SemanticVersion, right: SemanticVersion) -> Bool {
        guard left.small == right.small else { return false }
        if left.rest === right.rest { return true }
        return left.core == right.core && left.prerelease == right.prerelease
    }

    /// Feeds what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(core)
        hasher.combine(prerelease)
    }

    /// Precedence by §11 of the specification.
    public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        if let isBefore = left.small.isBefore(right.small) { return isBefore }
        if left.core != right.core { return left.core < right.core }
        // A release comes after its prereleases (§11.3); of two, the longer comes later if all
        // before is equal.
        guard left.isPrerelease, right.isPrerelease else {
            return left.isPrerelease && !right.isPrerelease
        }
        return left.prerelease.lexicographicallyPrecedes(right.prerelease)
    }
}

/// Why a text is no version.
public enum SemanticVersionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More bytes than allowed.
    case tooLong(bytes: Int, limit: Int)
    /// `found` stands at byte `offset` of `text`, where `expected` should.
    case unexpected(_ text: String, offset: Int, found: String, expected: String)
    /// The number at byte `offset` of `text` begins with a zero (§§2, 9).
    case leadingZero(_ text: String, offset: Int, number: String)

    /// What is wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .tooLong(let bytes, let limit):
            "version of \(bytes) bytes: at most \(limit) are allowed"
        case .unexpected(let text, let offset, let found, let expected):
            "invalid version \(quoted(text)): found \(found) at byte \(offset), "
                + "expected \(expected)"
        case .leadingZero(let text, let offset, let number):
            "invalid version \(quoted(text)): found the number \(number) at byte \(offset), "
                + "expected no leading zero"
        }
    }
}
