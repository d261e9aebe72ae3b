// StateDirectory.swift — where a host keeps what outlives it, and the lock that gives it to one host at a time.

import Glibc
import NocturneCore
import NocturneStorage

/// The state directory: `host.db`, `objects/`, `logs/`, `lock`.
final class StateDirectory: Sendable {
    let path: String
    private let lock: OwnerLock

    /// Creates the directory (0700) if needed and takes the lock; it is free again when the process ends, however it
    /// ends.
    init(_ path: String) throws(PluginError) {
        self.path = path
        try Self.makeDirectory(path)
        try Self.makeDirectory("\(path)/logs")
        do throws(StoreError) {
            lock = try OwnerLock("\(path)/lock", of: "the state directory \(path)")
        } catch .owned(_, let pid) {
            throw PluginError(
                "stateLocked", nil,
                "the state directory \(path) belongs to a running host with pid \(pid); stop it first, "
                    + "or give this one another --state", retryable: true, exit: 75)
        } catch {
            throw PluginError("state", nil, "\(error); or give another --state", exit: 77)
        }
    }

    /// Lets another host have the directory; nothing in it may be touched any more.
    func release() { lock.release() }

    var objects: String { "\(path)/objects" }
    var logs: String { "\(path)/logs" }

    private static func makeDirectory(_ path: String) throws(PluginError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            let target = path.hasPrefix("/") ? made : String(made.dropFirst())
            if mkdir(target, 0o700) != 0 && errno != EEXIST { throw failed("create", target) }
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw PluginError(
                "state", nil, "\(path) is not a directory; give another --state", exit: 77)
        }
    }

    private static func failed(_ action: String, _ path: String) -> PluginError {
        PluginError(
            "state", nil,
            "could not \(action) \(path): \(String(cString: strerror(errno))); give another --state",
            exit: 77)
    }
}
