// VersionRange.swift — which versions of another plugin will do: `^1.4`, `>=0.1, <0.3`, `1 || 3`.
// npm's operators with Cargo's defaults. Next: VersionRangeComparator.swift.

/// A set of versions, and the text that asked for it. **A bare version is a caret**: `1.2.3` means
/// `^1.2.3`, as in Cargo; one version alone is `=1.2.3`.
///
/// | written | means | |
/// |---|---|---|
/// | `^1.2.3`, `1.2.3` | `>=1.2.3 <2.0.0` | the first number that is not 0 stays |
/// | `^0.2.3`, `^0.0.3` | `>=0.2.3 <0.3.0`, `=0.0.3` | |
/// | `^1.4`, `^0.0`, `^0` | `>=1.4.0 <2.0.0`, `<0.1.0`, `<1.0.0` | |
/// | `~1.2.3`, `~1.2`, `~1` | `>=1.2.3 <1.3.0`, `>=1.2.0 <1.3.0`, `>=1.0.0 <2.0.0` | |
/// | `=1.2.3`, `=1.2`, `=1` | that one, every `1.2.z`, every `1.y.z` | |
/// | `1.2.x`, `1.2.*`, `1.x`, `*` | `=1.2`, `=1.2`, `=1`, every release | |
/// | `>1.2`, `<=1.2` | `>=1.3.0`, `<1.3.0` | and so for `1`; whole versions as they are |
/// | `>=1.2`, `<1.2` | `>=1.2.0`, `<1.2.0` | |
/// | `1.2 - 2.3.4`, `1.2.3 - 2.3` | `>=1.2.0 <=2.3.4`, `>=1.2.3 <2.4.0` | alone between `||` |
///
/// A comma or a space joins comparators that must all hold, `||` alternatives of which one must. A
/// prerelease is in only if one alternative admits it by every comparator **and** one of these
/// names a prerelease of the same three numbers: who asks for `^1.2.3-beta` gets `1.2.3-rc`, but
/// not `1.3.0-alpha`. Build metadata is ignored everywhere.
public struct VersionRange: Sendable, CustomStringConvertible {
    /// Comparators one alternative may have; Cargo's parser has the same limit.
    public static let maximumComparators = 32
    /// Alternatives one range may have, as written and in its canonical text.
    public static let maximumAlternatives = 64
    /// Bytes one range may have, as written and in its canonical text: 32 of the longest versions,
    /// each with an operator and a separator of two bytes.
    public static let maximumLength = maximumComparators * (SemanticVersion.maximumLength + 4)

    /// The range as it was written.
    public let text: String
    /// What it means.
    package let set: VersionSet

    /// Every release: `*`.
    public static let any = VersionRange(text: "*", set: .allReleases)

    private init(text: String, set: VersionSet) {
        (self.text, self.set) = (text, set)
    }

    /// Reads a range.
    ///
    /// - Throws: ``VersionRangeError``, which says what was found where and what is allowed.
    public init(_ text: String) throws(VersionRangeError) {
        var parser = try VersionRangeParser(text)
        self.init(text: text, set: try parser.range())
        // Only a long text can have a canonical one beyond the limits; others need not be printed.
        if text.utf8.count > Self.surelyCanonicalLength, set.rangeText == nil {
            throw .tooComplex(bytes: text.utf8.count)
        }
    }

    /// Bytes of text that cannot exceed a limit in canonical form. An alternative becomes at most
    /// three, and only if it names two prereleases, which takes 17 bytes with its `||`; a version
    /// grows by at most 5 bytes.
    private static let surelyCanonicalLength = 240

    /// Whether `version` is in the set.
    public func contains(_ version: SemanticVersion) -> Bool {
        set.contains(version)
    }

    /// The canonical text: the same for equal ranges, and reading it gives an equal one.
    public var description: String { self.set.description }

    /// For people: the canonical text; of a range that no version is in, what was written, since only that says
    /// what is wrong.
    package var shown: String { self.set.isEmpty ? text : description }
}

extension VersionRange: Hashable {
    /// Whether both hold the same versions, however they are written.
    public static func == (left: VersionRange, right: VersionRange) -> Bool {
        left.set == right.set
    }

    /// Feeds what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(set)
    }
}

/// Why a text is no range of versions.
public enum VersionRangeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More bytes than allowed.
    case tooLong(bytes: Int, limit: Int)
    /// More comparators in one alternative than allowed.
    case tooManyComparators(limit: Int)
    /// More alternatives than allowed.
    case tooManyAlternatives(limit: Int)
    /// The canonical text would exceed a limit of ranges, though the text of `bytes` bytes does
    /// not.
    case tooComplex(bytes: Int)
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
            "version range with too many comparators: at most \(limit) are allowed in one "
                + "alternative"
        case .tooManyAlternatives(let limit):
            "version range with too many alternatives: at most \(limit) are allowed"
        case .tooComplex(let bytes):
            "version range of \(bytes) bytes: written canonically it would have more than "
                + "\(VersionRange.maximumAlternatives) alternatives, more than "
                + "\(VersionRange.maximumLength) bytes or a version of more than "
                + "\(SemanticVersion.maximumLength) bytes; use fewer or shorter versions"
        case .unexpected(let text, let offset, let found, let expected):
            "invalid version range \(quoted(text)): found \(found) at byte \(offset), "
                + "expected \(expected)"
        case .version(let error, let text, let offset):
            "invalid version range \(quoted(text)), in the version at byte \(offset): \(error)"
        }
    }
}
