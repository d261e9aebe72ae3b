// ConfigurationError.swift — what is wrong with a configuration file, where in it, and what would
// be right. Next: DaemonConfiguration.swift.

internal import Glibc
public import NocturneCore
internal import NocturneHost

/// Why a daemon's configuration cannot be used.
public enum ConfigurationError: ReportableError, Hashable {
    /// The file cannot be read.
    case unreadable(file: String, errno: Int32)
    /// It is larger than a configuration can be.
    case tooLarge(file: String, limitBytes: Int)
    /// It is not JSON.
    case notJSON(file: String, JSONError)
    /// A key that does not exist. `place` is the section it stands in, empty at the top.
    case unknownKey(file: String, place: String, key: String, known: [String])
    /// A value of the wrong type, or out of its range.
    case wrongValue(file: String, key: String, found: String, expected: String)
    /// A part of a value that is not allowed, as `problem` says.
    case invalidPart(file: String, key: String, problem: String)
    /// A path is asked for whose default is in the home directory, and there is none.
    case noHome(_ what: String)

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .unreadable, .tooLarge: "configurationUnreadable"
        case .notJSON: "configurationNotJSON"
        case .unknownKey: "configurationUnknownKey"
        case .wrongValue, .invalidPart: "configurationWrongValue"
        case .noHome: "noHome"
        }
    }

    /// None: this is about the host.
    public var plugin: PluginID? { nil }

    /// Never.
    public var isRetryable: Bool { false }

    /// As in sysexits(3): bad data, except that an absent home directory is a mistake in usage.
    public var exitStatus: Int32 {
        switch self {
        case .noHome: 64
        case .unreadable(_, let code): code == EACCES || code == EPERM ? 77 : 65
        case .tooLarge, .notJSON, .unknownKey, .wrongValue, .invalidPart: 65
        }
    }

    /// What is wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .unreadable(let file, let code):
            "\(Printable.line(file)): the configuration cannot be read: "
                + "\(String(cString: strerror(code))) (errno \(code)); name another with --config"
        case .tooLarge(let file, let limit):
            "\(Printable.line(file)): more than the \(limit) bytes that a configuration may have; "
                + "name another with --config"
        case .notJSON(let file, let error):
            "\(Printable.line(file)): \(error)"
        case .unknownKey(let file, let place, let key, let known):
            "\(Printable.line(file)): unknown key \(quoted(key))"
                + (place.isEmpty ? "" : " in \"\(place)\"")
                + "; known are \(known.joined(separator: ", "))"
        case .wrongValue(let file, let key, let found, let expected):
            "\(Printable.line(file)): \"\(key)\" is \(found); expected \(expected)"
        case .invalidPart(let file, let key, let problem):
            "\(Printable.line(file)): \"\(key)\": \(problem)"
        case .noHome(let what):
            "there is no home directory to keep \(what) in: set HOME, or name a path"
        }
    }
}
