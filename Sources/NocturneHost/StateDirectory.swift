// StateDirectory.swift — where a host keeps what outlives it, and the lock that gives it to one host at a time.

import CLinux
import Glibc
import NocturneCore
import Synchronization

/// The state directory: `host.db`, `objects/`, `logs/`, `lock`.
final class StateDirectory: Sendable {
    let path: String
    private let lock: Mutex<Int32>

    /// Creates the directory (0700) if needed and takes the lock; it is free again when the process ends, however it
    /// ends.
    init(_ path: String) throws(PluginError) {
        self.path = path
        try Self.makeDirectory(path)
        try Self.makeDirectory("\(path)/logs")
        let lockPath = "\(path)/lock"
        let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw Self.failed("open", lockPath) }
        self.lock = Mutex(lock)
        guard clinux_lock(lock) == 0 else {
            var text = [UInt8](repeating: 0, count: 32)
            let count = pread(lock, &text, text.count, 0)
            let owner = String(
                decoding: text.prefix(max(0, count)).prefix { $0 > 32 }, as: UTF8.self)
            throw PluginError(
                "stateLocked",
                nil,
                "the state directory \(path) belongs to a running host with pid \(owner); stop it first, "
                    + "or give this one another --state", retryable: true, exit: 75)
        }
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(lock, 0)
        _ = pwrite(lock, pid, pid.count, 0)
    }

    deinit { release() }

    /// Lets another host have the directory; nothing in it may be touched any more.
    func release() {
        lock.withLock { lock in
            guard lock >= 0 else { return }
            clinux_unlock(lock)
            close(lock)
            lock = -1
        }
    }

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
