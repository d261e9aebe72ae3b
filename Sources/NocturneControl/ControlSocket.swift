// ControlSocket.swift — a bound Unix socket that is certainly ours: mode 0600, never taken from a
// live host. Next: ControlServer.swift.

internal import Glibc
internal import Synchronization

/// A claimed socket path: a lock file beside it is held, and a socket is bound there but does not
/// listen yet.
///
/// The lock is what decides between two hosts. Connecting alone could not: two that start at once
/// would both find a stale socket, and the second would remove the first one's.
final class ControlSocket: Sendable {
    /// Bytes of a path without the final zero: `sun_path` has 108 (unix(7)).
    static let pathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    let path: String
    private let lock: Int32
    private let identity: Identity
    /// The bound socket until ``takeListener()``; −1 afterwards.
    private let listener: Mutex<Int32>

    /// Which file stands at a path, and what it is.
    struct Identity: Equatable {
        let device: UInt64, inode: UInt64
        /// Type and permissions, as in inode(7).
        let mode: UInt32

        /// Of what stands at `path`, links not followed; `nil` if there is nothing.
        init?(at path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            self.init(status)
        }

        init(_ status: stat) {
            (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
            mode = UInt32(status.st_mode)
        }
    }

    /// Claims `path`: makes its directory (0700) if there is none, takes the lock, removes a socket
    /// that nobody listens on, binds with mode 0600.
    init(claiming path: String) throws(SocketError) {
        try Self.check(path)
        try Self.prepareDirectory(of: path)
        let lock = try Self.takeLock(for: path)
        do throws(SocketError) {
            try Self.removeStaleSocket(at: path)
            let (listener, identity) = try Self.bindSocket(at: path)
            (self.path, self.lock, self.identity) = (path, lock, identity)
            self.listener = Mutex(listener)
        } catch {
            unlink(Self.lockPath(path))
            close(lock)
            throw error
        }
    }

    deinit { release() }

    private let isReleased = Mutex(false)

    /// The bound socket, which the caller closes. −1 if it was taken before.
    func takeListener() -> Int32 {
        listener.withLock { listener in
            defer { listener = -1 }
            return listener
        }
    }

    /// Removes socket and lock file, if they are still ours, and gives up the lock. Again: does
    /// nothing.
    func release() {
        let wasReleased = isReleased.withLock { isReleased in
            defer { isReleased = true }
            return isReleased
        }
        guard !wasReleased else { return }
        let listener = takeListener()
        if listener >= 0 { close(listener) }
        if Identity(at: path) == identity { unlink(path) }
        // While the lock is held nobody else may think that the path is theirs, so nothing of
        // theirs is removed.
        unlink(Self.lockPath(path))
        close(lock)
    }

    // MARK: - The steps of a claim

    /// What every user of a socket path must check before connecting or binding.
    static func check(_ path: String) throws(SocketError) {
        let bytes = path.utf8.count
        guard bytes <= pathLimit else {
            throw .pathTooLong(path: path, bytes: bytes, limit: pathLimit)
        }
        guard !path.isEmpty, !path.utf8.contains(0) else { throw .pathUnusable(path: path) }
    }

    private static func prepareDirectory(of path: String) throws(SocketError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let directory = String(path[..<slash])
        try makeDirectory(directory)
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .system(operation: "stat", path: directory, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .system(operation: "opening the directory", path: directory, errno: ENOTDIR)
        }
        guard status.st_mode & S_IWOTH == 0 || status.st_mode & S_ISVTX != 0 else {
            throw .openDirectory(path: directory)
        }
    }

    private static func makeDirectory(_ directory: String) throws(SocketError) {
        guard mkdir(directory, 0o700) != 0 else { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            guard let slash = directory.lastIndex(of: "/"), slash != directory.startIndex else {
                throw .system(operation: "mkdir", path: directory, errno: ENOENT)
            }
            try makeDirectory(String(directory[..<slash]))
            guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
                throw .system(operation: "mkdir", path: directory, errno: errno)
            }
        case let code: throw .system(operation: "mkdir", path: directory, errno: code)
        }
    }

    private static func lockPath(_ path: String) -> String { path + ".lock" }

    private static func takeLock(for path: String) throws(SocketError) -> Int32 {
        let lockPath = lockPath(path)
        while true {
            let lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard lock >= 0 else {
                throw .system(operation: "opening the lock file", path: lockPath, errno: errno)
            }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                let code = errno
                defer { close(lock) }
                guard code == EWOULDBLOCK else {
                    throw .system(operation: "flock", path: lockPath, errno: code)
                }
                throw .taken(path: path, pid: readPID(from: lock))
            }
            // Its last owner may have removed the file between our open and our flock: then it
            // locks nothing.
            var status = stat()
            if fstat(lock, &status) == 0, Identity(at: lockPath) == Identity(status) {
                // Only a courtesy to whoever finds the path taken: a failure changes nothing for
                // us.
                let pid = Array("\(getpid())\n".utf8)
                if ftruncate(lock, 0) == 0 { _ = pwrite(lock, pid, pid.count, 0) }
                return lock
            }
            close(lock)
        }
    }

    private static func readPID(from lock: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(lock, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self))
    }

    private static func removeStaleSocket(at path: String) throws(SocketError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else {
                throw .system(operation: "lstat", path: path, errno: errno)
            }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = try makeSocket(path)
        defer { close(probe) }
        guard withAddress(of: path, { connect(probe, $0, $1) }) != 0 else {
            throw .taken(path: path, pid: nil)
        }
        switch errno {
        case ECONNREFUSED:
            guard unlink(path) == 0 || errno == ENOENT else {
                throw .system(
                    operation: "removing a socket that nobody serves", path: path, errno: errno)
            }
        case ENOENT: return
        // EAGAIN: its queue of connections is full, so somebody is there. EPROTOTYPE: it is no
        // stream socket.
        case EAGAIN, EPROTOTYPE: throw .taken(path: path, pid: nil)
        case let code: throw .system(operation: "connect", path: path, errno: code)
        }
    }

    private static func bindSocket(at path: String) throws(SocketError) -> (Int32, Identity) {
        let descriptor = try makeSocket(path)
        // On Linux bind(2) gives the file the socket's own mode, so nobody can connect in between
        // and the process's umask, which all threads share, is left alone.
        guard fchmod(descriptor, 0o600) == 0,
            withAddress(of: path, { bind(descriptor, $0, $1) }) == 0
        else {
            let code = errno
            close(descriptor)
            throw .system(operation: "bind", path: path, errno: code)
        }
        guard let identity = Identity(at: path) else {
            let code = errno
            close(descriptor)
            throw .system(operation: "lstat", path: path, errno: code)
        }
        return (descriptor, identity)
    }

    private static func makeSocket(_ path: String) throws(SocketError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw .system(operation: "socket", path: path, errno: errno) }
        return descriptor
    }

    /// Calls `body` with the address of `path`, which ``check(_:)`` has accepted.
    static func withAddress(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            precondition(path.utf8.count < buffer.count, "an unchecked socket path")
            buffer.copyBytes(from: path.utf8)
        }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
