// ClientError.swift — why a command could not talk to a host, or what the host answered. Next:
// ControlClient.swift.

internal import Glibc
package import NocturneCore
internal import NocturneHost

/// Why a request to a running host has no result.
package enum ClientError: ReportableError, Hashable {
    /// Nobody listens on the socket, or there is none.
    case notRunning(path: String, errno: Int32)
    /// The socket is there, but not for this user.
    case denied(path: String)
    /// The path cannot be a socket's.
    case unusablePath(SocketError)
    /// The connection ended or broke before the answer was whole.
    case lost(path: String, why: String)
    /// Whoever answers does not speak the control API.
    case notOurs(path: String, why: String)
    /// The host answered with an error of its own.
    case refused(HostReport)

    /// Stable name of the kind.
    package var code: String {
        switch self {
        case .notRunning: "hostNotRunning"
        case .denied: "denied"
        case .unusablePath(let error): error.code
        case .lost: "connectionLost"
        case .notOurs: "notAHost"
        case .refused(let report): report.code
        }
    }

    /// The plugin the host's error is about.
    package var plugin: PluginID? {
        if case .refused(let report) = self { report.plugin } else { nil }
    }

    /// Whether the same command may succeed later.
    package var isRetryable: Bool {
        switch self {
        case .notRunning, .lost: true
        case .refused(let report): report.isRetryable
        case .denied, .unusablePath, .notOurs: false
        }
    }

    /// As in sysexits(3).
    package var exitStatus: Int32 {
        switch self {
        case .notRunning, .lost: 69
        case .denied: 77
        case .unusablePath(let error): error.exitStatus
        case .notOurs: 70
        case .refused(let report): report.exitStatus
        }
    }

    /// What failed, where, and what to do.
    package var description: String {
        switch self {
        case .notRunning(let path, let code):
            "host not running: nobody listens on \(Printable.line(path)) "
                + "(\(code == ENOENT ? "no such socket" : errnoText(code))); start one with "
                + "`nocturne-plugins run`, or name another socket with --socket or NOCTURNE_SOCKET"
        case .denied(let path):
            "\(Printable.line(path)): permission denied; only the user who runs the host, "
                + "and root, may control it"
        case .unusablePath(let error): error.description
        case .lost(let path, let why):
            "\(Printable.line(path)): the host went away before it had answered (\(why)); "
                + "whether the request was carried out is unknown, `list` shows how things stand"
        case .notOurs(let path, let why):
            "\(Printable.line(path)): what listens there is no Nocturne host (\(why)); "
                + "name another socket with --socket or NOCTURNE_SOCKET"
        case .refused(let report): report.message
        }
    }
}

/// An error as a host reports it: the other side of ``errorDocument(_:)``.
package struct HostReport: Sendable, Hashable {
    package let code: String
    package let message: String
    package let plugin: PluginID?
    package let isRetryable: Bool
    package let exitStatus: Int32

    /// Exit statuses that sysexits(3) defines: no other is taken over from a host.
    private static let exitStatuses: ClosedRange<Int64> = 64...78

    /// `nil` if `json` is no error document.
    init?(_ json: JSONValue) {
        guard let error = json["error"], let code = error["code"]?.string,
            let message = error["message"]?.string
        else { return nil }
        self.code = code
        self.message = message
        plugin = error["plugin"]?.string.flatMap { try? PluginID($0) }
        isRetryable = error["retryable"]?.bool ?? false
        let status = error["exitStatus"]?.int ?? 70
        exitStatus = Int32(Self.exitStatuses.contains(status) ? status : 70)
    }
}
