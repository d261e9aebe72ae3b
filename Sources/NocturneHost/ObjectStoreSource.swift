// ObjectStoreSource.swift — a dropped file, opened without trusting it: what it is, who it is,
// whether it stood still while it was read. Next: ObjectStore.swift.

internal import Glibc

/// What a directory entry is, after links are followed.
package enum FileKind: String, Sendable {
    case regular = "a regular file"
    case directory = "a directory"
    case fifo = "a FIFO"
    case socket = "a socket"
    case characterDevice = "a character device"
    case blockDevice = "a block device"
    case danglingLink = "a link to nothing"
    /// The name is not UTF-8, so no path of ours can say it.
    case unnameable = "a file whose name is not UTF-8"
    /// It is there, but stat(2) is refused, or the kind is one that inode(7) does not list.
    case unknown = "of unknown kind"

    init(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: self = .unknown
        }
    }
}

/// Tells whether a path still leads to the same, untouched file without reading it.
///
/// The kernel's time stamps advance in steps (a few ms on ext4 before Linux 6.13), so a write
/// within one step of the last can go unseen here; the writer's close is then an event of its own.
package struct FileIdentity: Hashable, Sendable {
    /// Device and inode, which together name the file.
    package let device: UInt64, inode: UInt64
    /// Type and permissions, st_mode of inode(7).
    package let mode: UInt32
    /// The size in bytes.
    package let sizeBytes: Int64
    /// When the contents, and when contents or attributes, last changed: nanoseconds since 1970.
    package let modifiedNanoseconds: Int64, changedNanoseconds: Int64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = status.st_mode
        sizeBytes = Int64(status.st_size)
        modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
        changedNanoseconds = Self.nanoseconds(status.st_ctim)
    }

    /// Wraps instead of trapping: a file system may hand out any time, and only equality is asked.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// A regular file, open for reading, closed with this value. Not shared between threads.
package struct SourceFile: ~Copyable {
    let path: String
    let descriptor: Int32
    /// As it was when it was opened.
    package let identity: FileIdentity

    /// Opens `path`, following links.
    ///
    /// It is looked at before it is opened, because opening a device may do something (a watchdog
    /// starts to tick, a tape rewinds), and again after, because it may have been swapped between.
    /// O_NONBLOCK: a FIFO that was swapped in must not stop us.
    package static func open(
        _ path: String, limitBytes: Int64
    ) throws(IngestError) -> SourceFile {
        let before = try look(at: path)
        let kind = FileKind(mode: before.st_mode)
        guard kind == .regular else { throw .notRegular(path: path, kind: kind) }
        let flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        let descriptor = retrying { Glibc.open(path, flags) }
        guard descriptor >= 0 else {
            let code = errno
            throw code == ENOENT ? .vanished(path: path) : .unreadable(path: path, errno: code)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw .unreadable(path: path, errno: code)
        }
        // From here on `deinit` closes.
        let file = SourceFile(
            path: path, descriptor: descriptor, identity: FileIdentity(status))
        let openedKind = FileKind(mode: status.st_mode)
        guard openedKind == .regular else { throw .notRegular(path: path, kind: openedKind) }
        let size = file.identity.sizeBytes
        guard size > 0 else { throw .empty(path: path) }
        guard size <= limitBytes else {
            throw .tooLarge(path: path, sizeBytes: size, limitBytes: limitBytes)
        }
        return file
    }

    private init(path: String, descriptor: Int32, identity: FileIdentity) {
        (self.path, self.descriptor, self.identity) = (path, descriptor, identity)
    }

    deinit { close(descriptor) }

    /// Reads up to `buffer.count` bytes on from where the last call ended; 0 is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(IngestError) -> Int {
        let count = retrying { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        guard count >= 0 else { throw .unreadable(path: path, errno: errno) }
        return count
    }

    /// Throws unless exactly `readBytes` were read and nobody touched the file meanwhile.
    package func checkUntouched(readBytes: Int64) throws(IngestError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, errno: errno) }
        guard readBytes == identity.sizeBytes, FileIdentity(status) == identity else {
            throw .changedWhileReading(path: path)
        }
    }

    private static func look(at path: String) throws(IngestError) -> stat {
        var status = stat()
        guard stat(path, &status) != 0 else { return status }
        let code = errno
        guard code == ENOENT else { throw .unreadable(path: path, errno: code) }
        var link = stat()
        guard lstat(path, &link) == 0 else { throw .vanished(path: path) }
        throw .danglingLink(path: path)
    }
}

/// Calls again while a signal interrupts.
func retrying<Count: SignedInteger>(_ call: () -> Count) -> Count {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// The system's words for an errno value, with its number.
func errnoText(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "errno \(code)" }
    return "\(String(cString: text)) (errno \(code))"
}
