// Names.swift — the names of sessions, agents, works and capabilities: safe in files, logs and command lines.
// Next: Role.swift.

/// A text that is safe as a file name, in a log and on a command line.
enum Name {
    /// Bytes that the name of a session, an agent, a role or a capability may have.
    static let maximumBytes = 64

    /// Checks a name: ASCII letters, digits, `.`, `_` and `-`, the first one a letter or a digit.
    static func check(_ text: String, of thing: String) throws(CoordinationError) -> String {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= maximumBytes, isAlphanumeric(first),
            bytes.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) })
        else { throw .invalidName(of: thing, text) }
        return text
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// For names in source text, where a wrong one is a mistake of ours.
    static func literal<T>(_ make: () throws(CoordinationError) -> T) -> T {
        do throws(CoordinationError) {
            return try make()
        } catch {
            preconditionFailure("\(error)")
        }
    }
}

/// The name of a session: at most 64 ASCII letters, digits, `.`, `_` and `-`. Its log's file is called so.
///
/// A string literal becomes a name at once and traps if it is invalid.
public struct SessionID: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    /// The name as text.
    public let description: String

    /// Takes `text` as it is.
    public init(_ text: String) throws(CoordinationError) {
        description = try Name.check(text, of: "session")
    }

    /// For names in source text.
    public init(stringLiteral value: String) {
        self = Name.literal { () throws(CoordinationError) in try SessionID(value) }
    }

    /// The order of the bytes.
    public static func < (left: SessionID, right: SessionID) -> Bool {
        left.description < right.description
    }
}

/// The name of an agent within a session: at most 64 ASCII letters, digits, `.`, `_` and `-`.
///
/// A string literal becomes a name at once and traps if it is invalid.
public struct AgentID: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    /// The name as text.
    public let description: String

    /// Takes `text` as it is.
    public init(_ text: String) throws(CoordinationError) {
        description = try Name.check(text, of: "agent")
    }

    /// For names in source text.
    public init(stringLiteral value: String) {
        self = Name.literal { () throws(CoordinationError) in try AgentID(value) }
    }

    /// The order of the bytes.
    public static func < (left: AgentID, right: AgentID) -> Bool {
        left.description < right.description
    }
}

/// The name of a piece of work within one execution; a strategy chooses it. 1 to 256 bytes without control characters.
///
/// A string literal becomes a name at once and traps if it is invalid.
public struct WorkID: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    /// Bytes that the name of a work may have: a path of ids some levels deep.
    public static let maximumBytes = 256

    /// The name as text.
    public let description: String

    /// Takes `text` as it is.
    public init(_ text: String) throws(CoordinationError) {
        let bytes = text.utf8
        guard !bytes.isEmpty, bytes.count <= Self.maximumBytes,
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { throw .invalidName(of: "work", text) }
        description = text
    }

    /// For names in source text.
    public init(stringLiteral value: String) {
        self = Name.literal { () throws(CoordinationError) in try WorkID(value) }
    }

    /// For names that our own strategies make of numbers and of names that were checked.
    init(made text: String) { description = text }

    /// The order of the bytes.
    public static func < (left: WorkID, right: WorkID) -> Bool {
        left.description < right.description
    }
}
