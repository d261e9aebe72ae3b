// SocketError.swift — why the control socket cannot be had, with the path and the way out. Next:
// ControlSocket.swift.

internal import Glibc
public import NocturneCore

/// Why a host cannot listen on its control socket.
public enum SocketError: ReportableError, Hashable {
    /// A Unix socket's path has at most `limit` bytes (`sun_path` of unix(7), less the final zero).
    case pathTooLong(path: String, bytes: Int, limit: Int)
    /// The path is empty or holds a zero byte.
    case pathUnusable(path: String)
    /// Somebody serves there already. `pid` is what the lock file says, if it could be read.
    case taken(path: String, pid: Int32?)
    /// Something that is no socket stands there; it is left alone.
    case notASocket(path: String)
    /// Anybody may replace files in the directory, so the socket could be anybody's.
    case openDirectory(path: String)
    /// A system call failed.
    case system(operation: String, path: String, errno: Int32)

    /// Stable name of the kind.
    public var code: String {
        switch self {
        case .pathTooLong: "socketPathTooLong"
        case .pathUnusable: "socketPathUnusable"
        case .taken: "socketTaken"
        case .notASocket: "notASocket"
        case .openDirectory: "openDirectory"
        case .system: "socketFailed"
        }
    }

    /// None: this is about the host.
    public var plugin: PluginID? { nil }

    /// Whether waiting may help.
    public var isRetryable: Bool { if case .taken = self { true } else { false } }

    /// As in sysexits(3).
    public var exitStatus: Int32 {
        switch self {
        case .pathTooLong, .pathUnusable: 64
        case .taken: 75
        case .notASocket: 65
        case .openDirectory: 77
        case .system(_, _, let code): code == EACCES || code == EPERM ? 77 : 70
        }
    }

    /// What failed, where, by how much, and what to do.
    public var description: String {
        switch self {
        case .pathTooLong(let path, let bytes, let limit):
            "\(shown(path)): a socket path of \(bytes) bytes, \(bytes - limit) more than "
                + "the \(limit) that Linux allows; "
                + "name a shorter one with --socket or NOCTURNE_SOCKET"
        case .pathUnusable(let path):
            "\(shown(path)): no path for a socket; name another with --socket or NOCTURNE_SOCKET"
        case .taken(let path, let pid):
            "\(shown(path)): "
                + (pid.map { "the host with pid \($0) serves there" } ?? "somebody serves there")
                + " already; stop it, or name another socket with --socket or NOCTURNE_SOCKET"
        case .notASocket(let path):
            "\(shown(path)): there is a file that is no socket, and it is left alone; remove it, "
                + "or name another path with --socket or NOCTURNE_SOCKET"
        case .openDirectory(let path):
            "\(shown(path)): everybody may write there and replace the socket; "
                + "take that permission away (`chmod o-w`), "
                + "or name a path elsewhere with --socket or NOCTURNE_SOCKET"
        case .system(let operation, let path, let code):
            "\(shown(path)): \(operation) failed: \(errnoText(code)); check the directory, "
                + "or name another path with --socket or NOCTURNE_SOCKET"
        }
    }
}

/// `path` as it may be shown on a terminal.
private func shown(_ path: String) -> String { Printable.line(path) }

/// The system's words for an errno value, with its number.
func errnoText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "errno \(code)" }
    return "\(String(cString: text)) (errno \(code))"
}
