// ZoneError.swift — why a time zone cannot be had. Next: Zone.swift.

internal import NocturneCore

/// Why a time zone cannot be had.
public enum ZoneError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system's database has no such zone, or the name is none.
    case unknown(name: String, suggestion: String?)
    /// The system has no database of time zones where it usually is.
    case noDatabase(directories: [String])
    /// The file is there but cannot be read.
    case unreadable(path: String, errno: Int32)
    /// The file is not what RFC 9636 says.
    case malformed(path: String, reason: String)

    /// Which zone, what is wrong, and what to do.
    public var description: String {
        switch self {
        case .unknown(let name, let suggestion):
            "there is no time zone \(quoted(name)); "
                + (suggestion.map { "did you mean \($0)?" }
                    ?? "names are as in Europe/Berlin, with capitals")
        case .noDatabase(let directories):
            "no time zones in \(directories.joined(separator: ", ")): install tzdata, or use UTC"
        case .unreadable(let path, let errno):
            "cannot read the time zone \(path): error \(errno)"
        case .malformed(let path, let reason):
            "the time zone \(path) is damaged: \(reason); install tzdata again"
        }
    }
}
