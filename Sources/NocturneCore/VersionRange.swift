// VersionRange.swift — which versions of another plugin will do: `^1.4`, `>=0.1, <0.3`, `*`.
// Meaning as in Cargo and npm where these agree. Next: VersionRangeParser.swift.

/// A set of versions: one or more comparators, all of which must hold.
///
/// | written | means | |
/// |---|---|---|
/// | `^1.2.3`, `1.2.3` | `>=1.2.3 <2.0.0` | the first number that is not 0 stays |
/// | `^0.2.3` | `>=0.2.3 <0.3.0` | |
/// | `^0.0.3` | `>=0.0.3 <0.0.4` | |
/// | `^1.4` | `>=1.4.0 <2.0.0` | missing numbers are 0 |
/// | `^0`, `^0.0` | `<1.0.0`, `<0.1.0` | |
/// | `=1.2.3` | `1.2.3` alone | |
/// | `=1.2`, `=1` | every `1.2.x`, every `1.x.y` | as in Cargo and npm |
/// | `>=1.2`, `<2` | `>=1.2.0`, `<2.0.0` | |
/// | `*` | every release | stands alone |
///
/// Comparators are joined by a comma or a space. A prerelease is in the set only if every
/// comparator admits it **and** one of them names a prerelease of the same three numbers: whoever
/// asks for `^1.2.3-beta` gets `1.2.3-rc`, but not `1.3.0-alpha`. Build metadata is ignored
/// everywhere.
public struct VersionRange: Sendable, Hashable, CustomStringConvertible {
    /// Comparators one range may have; Cargo's parser has the same limit.
    public static let maximumComparators = 32
    /// Bytes of text one range may have: that many of the longest versions, each with an operator
    /// and a separator of two bytes, so that every canonical text can be read again.
    public static let maximumLength = maximumComparators * (SemanticVersion.maximumLength + 4)

    /// What stands before a version.
    package enum Operation: String, Sendable, Hashable {
        case caret = "^"
        case exact = "="
        case atLeast = ">="
        case below = "<"
    }

    /// One condition on a version.
    package struct Comparator: Sendable, Hashable, CustomStringConvertible {
        package let operation: Operation
        /// As written, without build metadata; missing numbers are 0.
        package let version: SemanticVersion
        /// How many of the three numbers count: 3 unless fewer mean something else.
        package let parts: Int

        package init(_ operation: Operation, _ version: SemanticVersion, parts: Int) {
            self.operation = operation
            self.version = version.withoutBuild
            self.parts = Self.significantParts(operation, version, written: parts)
        }
    }

    /// The conditions, in the order written; none means every release.
    package let comparators: [Comparator]

    package init(_ comparators: [Comparator]) {
        self.comparators = comparators
    }

    /// Every release: `*`.
    public static let any = VersionRange([])

    /// Reads a range.
    ///
    /// - Throws: ``VersionRangeError``, which says what was found where and what is allowed.
    public init(_ text: String) throws(VersionRangeError) {
        var parser = try VersionRangeParser(text)
        self = try parser.range()
    }

    /// Whether `version` is in the set.
    public func contains(_ version: SemanticVersion) -> Bool {
        guard comparators.allSatisfy({ $0.contains(version) }) else { return false }
        guard version.isPrerelease else { return true }
        return comparators.contains {
            $0.version.isPrerelease && $0.version.hasSameCore(as: version)
        }
    }

    /// The canonical text; reading it gives an equal range.
    public var description: String {
        comparators.isEmpty ? "*" : comparators.map(\.description).joined(separator: ", ")
    }
}

extension VersionRange.Comparator {
    /// `^0`, `^0.0`, `=1` and `=1.2` mean more than the same with zeros; everywhere else zeros say
    /// the same.
    private static func significantParts(
        _ operation: VersionRange.Operation, _ version: SemanticVersion, written: Int
    ) -> Int {
        switch operation {
        case .exact: written
        case .caret where version.major == 0 && version.minor == 0: written
        case .caret, .atLeast, .below: 3
        }
    }

    /// The least version that holds, or `nil` if there is no bound.
    package var lowerBound: SemanticVersion? {
        operation == .below ? nil : version
    }

    /// The least version above all that hold, or `nil` if there is no bound. Written `-0` where the
    /// comparator itself names no prerelease, so that prereleases of the next version are outside.
    package var upperBound: SemanticVersion? {
        let (major, minor, patch) = (version.major, version.minor, version.patch)
        switch operation {
        case .atLeast:
            return nil
        case .below:
            return version
        case .exact:
            switch parts {
            case 1: return .firstPrerelease(major.successor, 0, 0)
            case 2: return .firstPrerelease(major, minor.successor, 0)
            default: return version.successor
            }
        case .caret:
            if major != 0 || parts == 1 { return .firstPrerelease(major.successor, 0, 0) }
            if minor != 0 || parts == 2 { return .firstPrerelease(0, minor.successor, 0) }
            return .firstPrerelease(0, 0, patch.successor)
        }
    }

    /// Whether `version` lies within the bounds. The rule about prereleases is the whole range's.
    package func contains(_ version: SemanticVersion) -> Bool {
        if let lowerBound, version < lowerBound { return false }
        if let upperBound, version >= upperBound { return false }
        return true
    }

    package var description: String {
        switch parts {
        case 1: "\(operation.rawValue)\(version.major)"
        case 2: "\(operation.rawValue)\(version.major).\(version.minor)"
        default: "\(operation.rawValue)\(version)"
        }
    }
}

extension SemanticVersion {
    /// The lowest of all versions with these numbers: `M.m.p-0`.
    package static func firstPrerelease(
        _ major: VersionNumber, _ minor: VersionNumber, _ patch: VersionNumber
    ) -> SemanticVersion {
        SemanticVersion(major, minor, patch, prerelease: [.number(0)], build: "")
    }

    /// The next version in order of precedence: there is none between. After `1.2.3` comes
    /// `1.2.4-0`, after `1.2.3-a` comes `1.2.3-a.0`.
    package var successor: SemanticVersion {
        guard isPrerelease else { return .firstPrerelease(major, minor, patch.successor) }
        return SemanticVersion(
            major, minor, patch, prerelease: prerelease + [.number(0)], build: "")
    }
}

/// Why a text is no range of versions.
public enum VersionRangeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More bytes than allowed.
    case tooLong(bytes: Int, limit: Int)
    /// More comparators than allowed.
    case tooManyComparators(limit: Int)
    /// The operator at byte `offset` of `text` is not supported yet, or is none.
    case unsupportedOperator(_ found: String, in: String, offset: Int)
    /// `found` stands at byte `offset` of `text`, where `expected` should.
    case unexpected(_ text: String, offset: Int, found: String, expected: String)
    /// The version that begins at byte `offset` of `text` is none.
    case version(SemanticVersionError, in: String, offset: Int)

    /// What is wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .tooLong(let bytes, let limit):
            "version range of \(bytes) bytes: at most \(limit) are allowed"
        case .tooManyComparators(let limit):
            "version range with too many comparators: at most \(limit) are allowed"
        case .unsupportedOperator(let found, let text, let offset):
            "invalid version range \(quoted(text)): the operator \(quoted(found)) at byte "
                + "\(offset) is not supported yet; supported are ^ = >= < before a version, "
                + "a bare version (the same as ^), all joined by comma or space, and * alone"
        case .unexpected(let text, let offset, let found, let expected):
            "invalid version range \(quoted(text)): found \(found) at byte \(offset), "
                + "expected \(expected)"
        case .version(let error, let text, let offset):
            "invalid version range \(quoted(text)), in the version at byte \(offset): \(error)"
        }
    }
}
