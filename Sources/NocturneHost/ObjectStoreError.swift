// ObjectStoreError.swift — why a dropped file was not taken into the object store.
// Next: ObjectStore.swift.

internal import Glibc

/// Why ``ObjectStore`` did not take a file, or could not do its own work.
package enum IngestError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing is at the path (any more).
    case vanished(path: String)
    /// The path is a symbolic link that leads nowhere.
    case danglingLink(path: String)
    /// A directory, FIFO, device or socket.
    case notRegular(path: String, kind: FileKind)
    /// stat(2), open(2) or read(2) was refused.
    case unreadable(path: String, errno: Int32)
    /// Zero bytes: an error, or a copy that has only just begun.
    case empty(path: String)
    /// Refused by its size alone; nothing was read.
    case tooLarge(path: String, sizeBytes: Int64, limitBytes: Int64)
    /// Somebody wrote to it while it was copied. Nothing was kept.
    case changedWhileReading(path: String)
    /// The store itself failed, for instance because the disk is full. Nothing was left behind.
    case store(operation: String, path: String, errno: Int32)
    /// SHA-256 is not to be had.
    case hashing(ContentHashError)

    /// Whether the writer may simply not be done: worth another try at the file's next event.
    package var mayBeUnfinished: Bool {
        switch self {
        case .empty, .changedWhileReading: true
        case .vanished, .danglingLink, .notRegular, .unreadable, .tooLarge, .store, .hashing: false
        }
    }

    /// What failed, on which file, by how much, and what to do next.
    package var description: String {
        switch self {
        case .vanished(let path):
            "\(path): no such file; check the name, or it was removed or renamed meanwhile"
        case .danglingLink(let path):
            "\(path): a symbolic link to nothing; point it at a plugin or remove it"
        case .notRegular(let path, let kind):
            "\(path): \(kind.rawValue), and a plugin is a regular file; rename or remove it"
        case .unreadable(let path, ELOOP):
            "\(path): a symbolic link that leads back to itself; point it at a plugin or remove it"
        case .unreadable(let path, let code):
            "\(path): cannot be read: \(errnoText(code)); give the host's user read permission"
        case .empty(let path):
            "\(path): the file is empty; copy the plugin again (it is tried again when it changes)"
        case .tooLarge(let path, let size, let limit):
            "\(path): \(size) bytes, \(size - limit) more than the \(limit) a plugin may have; "
                + "strip it (`strip -s`), or keep its data outside the file"
        case .changedWhileReading(let path):
            "\(path): it was written to while it was being copied; it is tried again when the "
                + "writer is done (rename a finished file into place to avoid this)"
        case .store(let operation, let path, let code):
            "\(path): \(operation) failed: \(errnoText(code)); "
                + (code == ENOSPC || code == EDQUOT
                    ? "free some space on that file system and drop the plugin again"
                    : "check the state directory's permissions and file system")
        case .hashing(let error):
            error.description
        }
    }
}
