// ResourceName.swift — the name of something that agents share: a path, so that a part can be had alone. Next:
// ResourceLeases.swift.

/// A path such as `repo/src/main.c`. Who has `repo/src` has all that is below it.
public struct ResourceName: Sendable, Hashable, CustomStringConvertible {
    /// Bytes of a name.
    public static let longestBytes = 1_024
    /// Parts of a name.
    public static let mostParts = 64

    /// The path without a slash at its end.
    public let description: String
    /// Its ancestors from the outermost, then itself.
    let levels: [String]

    /// Reads a path: parts of any text between slashes, none of them empty, `.` or `..`.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``, so that no two names mean the same.
    public init(_ text: String) throws(ResourceError) {
        let path = text.hasSuffix("/") ? text.dropLast() : text[...]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard path.utf8.count <= Self.longestBytes, parts.count <= Self.mostParts,
            !parts.contains(where: { ["", ".", ".."].contains($0) })
        else {
            throw .invalid(
                "the resource name \(text.prefix(80))",
                "it is a path of at most \(Self.mostParts) parts and \(Self.longestBytes) bytes,"
                    + " without `.`, `..` and `//`"
            )
        }
        description = String(path)
        levels = parts.map { String(path[..<$0.endIndex]) }
    }

    /// Whether `other` is this or below it.
    func covers(_ other: ResourceName) -> Bool {
        levels.count <= other.levels.count && other.levels[levels.count - 1] == description
    }
}

/// How something is had.
public enum LeaseMode: String, Sendable, Hashable, CaseIterable {
    /// Together with others who have it so: to read.
    case shared
    /// Alone: to write.
    case exclusive
}
