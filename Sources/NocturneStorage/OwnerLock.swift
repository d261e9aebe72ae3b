// OwnerLock.swift — gives a file or a directory to one process at a time, and tells the others who has it.
// Next: DatabaseFile.swift.

internal import Glibc
internal import Synchronization

/// A lock file with its owner's process id. It is free again when the process ends, however it ends.
package final class OwnerLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes the lock; makes its file, readable by its owner only, if there is none.
    ///
    /// - Parameters:
    ///   - path: the lock file, which is never removed.
    ///   - subject: what the lock stands for, as it is named when somebody else has it.
    /// - Throws: ``StoreError/owned(path:pid:)`` if another holds it.
    package init(_ path: String, of subject: String) throws(StoreError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw StoreError(errno: errno, operation: "open", path: path) }
        descriptor = Mutex(file)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            guard code == EWOULDBLOCK else {
                throw StoreError(errno: code, operation: "lock", path: path)
            }
            var text = [UInt8](repeating: 0, count: 32)
            let count = pread(file, &text, text.count, 0)
            let pid = String(decoding: text.prefix(max(0, count)).prefix { $0 > 32 }, as: UTF8.self)
            throw .owned(path: subject, pid: pid)
        }
        let pid = Array("\(getpid())\n".utf8)
        _ = ftruncate(file, 0)
        _ = pwrite(file, pid, pid.count, 0)
    }

    /// Lets another process have it, at once, even if a child that has not called execve(2) yet has the file too.
    package func release() {
        descriptor.withLock { file in
            guard file >= 0 else { return }
            _ = flock(file, LOCK_UN)
            close(file)
            file = -1
        }
    }

    deinit { release() }
}
