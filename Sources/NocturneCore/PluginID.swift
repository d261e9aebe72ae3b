// PluginID.swift — the name by which a plugin is known everywhere: manifests, routes, rows, logs,
// directories. So strict that it needs no escaping in any of them. Next: VersionNumber.swift.

/// The identity of a plugin: a lower-case letter, then up to 63 lower-case letters, digits or
/// hyphens (`[a-z][a-z0-9-]{0,63}`). Safe as a file name, a label value and a URL path segment.
///
/// A string literal becomes an identity at once and traps if it is invalid, since that is a mistake
/// in our source text. `PluginID("word-count")` with a literal is such a literal too (SE-0213);
/// only a string in a variable reaches the throwing initializer.
public struct PluginID: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    /// Bytes an identity may have.
    public static let maximumLength = 64

    /// The identity as text.
    public let description: String

    /// Takes `text` as it is.
    ///
    /// - Throws: ``PluginIDError``, which says what was found where.
    public init(_ text: String) throws(PluginIDError) {
        guard !text.isEmpty else { throw .empty }
        let size = text.utf8.count
        guard size <= Self.maximumLength else {
            throw .tooLong(bytes: size, limit: Self.maximumLength)
        }
        for (offset, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9") where offset > 0: continue
            case UInt8(ascii: "-") where offset > 0: continue
            default:
                throw .invalidCharacter(
                    text, offset: offset, found: showCharacter(of: Array(text.utf8), at: offset))
            }
        }
        description = text
    }

    /// For identities in source text. Traps if `value` is none.
    public init(stringLiteral value: String) {
        do throws(PluginIDError) {
            try self.init(value)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The order of the bytes.
    public static func < (left: PluginID, right: PluginID) -> Bool {
        left.description < right.description
    }
}

/// Why a text is no plugin identity.
public enum PluginIDError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is nothing.
    case empty
    /// More bytes than allowed.
    case tooLong(bytes: Int, limit: Int)
    /// `found` stands at byte `offset` of `text` and may not.
    case invalidCharacter(_ text: String, offset: Int, found: String)

    /// What an identity may be.
    static let allowed =
        "a lower-case letter, then up to 63 lower-case letters, digits or hyphens"

    /// What is wrong and what would be right.
    public var description: String {
        switch self {
        case .empty:
            "empty plugin id: expected \(Self.allowed)"
        case .tooLong(let bytes, let limit):
            "plugin id of \(bytes) bytes: at most \(limit) are allowed"
        case .invalidCharacter(let text, let offset, let found):
            "invalid plugin id \(quoted(text)): found \(found) at byte \(offset), "
                + "expected \(Self.allowed)"
        }
    }
}
