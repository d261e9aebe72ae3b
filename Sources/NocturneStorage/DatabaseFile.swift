// DatabaseFile.swift — a database as a file, before and after SQLite has it: created private, looked
// at without trust, set aside when damaged. Next: Opening.swift.

internal import Glibc
internal import NocturneCore

/// A database by its path, with the two files SQLite keeps beside it.
struct DatabaseFile: Sendable {
    /// What lies at the path before SQLite opens it.
    enum Finding: Equatable {
        /// Nothing did, and now an empty file does, readable by its owner only.
        case created
        /// A file that begins as an SQLite database does.
        case database
        /// A file that cannot be a database of ours, and why.
        case damaged(String)
    }

    let path: String

    /// The first bytes of every SQLite 3 database (<https://www.sqlite.org/fileformat2.html>, 1.3).
    private static let magic: [UInt8] = Array("SQLite format 3\0".utf8)
    /// The size of that header, and where `user_version` lies in it (big-endian), in bytes.
    private static let headerBytes = 100, versionOffset = 60
    /// Read and write for the owner, nothing for others: settings may hold secrets.
    private static let mode: mode_t = 0o600

    private var log: String { path + "-wal" }
    private var sharedMemory: String { path + "-shm" }

    /// The last part of its path.
    var name: String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    private var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes the file if there is none, else reads its header and makes it private.
    ///
    /// To be called before any connection to this file is open in this process: closing a
    /// descriptor would drop SQLite's own locks (<https://www.sqlite.org/howtocorrupt.html> §2.2).
    ///
    /// - Throws: ``StoreError/newer(path:found:known:)`` when the header says more than `known`,
    ///   ``StoreError/notAFile(path:found:)``, or what the operating system refused.
    func examine(known: Int) throws(StoreError) -> Finding {
        guard let bytes = try size(of: path) else {
            if try size(of: log) != nil {
                return .damaged("it is missing, and its log \(log) is there")
            }
            try createEmpty(path)
            return .created
        }
        for name in [path, log, sharedMemory] {
            if let found = try status(of: name), found.st_mode & 0o777 != Self.mode {
                try check(chmod(name, Self.mode), "make private", name)
            }
        }
        let header = try readHeader()
        guard header.count == Self.headerBytes else {
            return .damaged("it has \(bytes) bytes, and a database has 512 or more")
        }
        guard header.starts(with: Self.magic) else {
            return .damaged("it does not begin as an SQLite database does")
        }
        // With a log, a checkpoint may have been killed half-way through a page: it is done again.
        let page = header[17] == 0 ? Int(header[16]) << 8 : 65_536
        if page == 0 || bytes % page != 0, try size(of: log) ?? 0 == 0 {
            return .damaged("its \(bytes) bytes are no whole number of pages of \(page)")
        }
        let version = header[Self.versionOffset..<Self.versionOffset + 4]
            .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if Int(Int32(bitPattern: version)) > known {
            throw .newer(path: path, found: Int(version), known: known)
        }
        return .database
    }

    /// Renames the database to `<name>.corrupt-<UTC time>`, with its log, and returns that path.
    ///
    /// The log goes first: were it left behind, SQLite would replay it into the next database.
    func setAside(at time: UnixTime) throws(StoreError) -> String {
        let base = "\(path).corrupt-\(time.compactUTC)"
        var target = base, attempt = 1
        while Self.isTaken(target) || Self.isTaken(target + "-wal") {
            attempt += 1
            target = "\(base)-\(attempt)"
        }
        if try size(of: log) != nil {
            try check(rename(log, target + "-wal"), "set aside", log)
        }
        if try size(of: sharedMemory) != nil {
            try check(unlink(sharedMemory), "remove", sharedMemory)
        }
        if try size(of: path) != nil {
            try check(rename(path, target), "set aside", path)
        }
        try syncDirectory()
        return target
    }

    /// Takes back an ``Finding/created`` that could not be filled, so that the next start finds
    /// nothing instead of an empty file that looks like damage.
    func removeCreated() {
        for name in [log, sharedMemory, path] { unlink(name) }
    }

    /// Makes `name` an empty private file of ours. It must not exist.
    func createEmpty(_ name: String) throws(StoreError) {
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.mode)
        try check(descriptor, "create", name)
        close(descriptor)
        // The process's umask may have taken more away than SQLite can do without.
        try check(chmod(name, Self.mode), "make private", name)
    }

    /// Puts a finished copy in its place: after a power loss it is there whole or not at all.
    func publish(_ finished: String, as name: String) throws(StoreError) {
        try sync(finished, flags: O_RDONLY)
        try check(rename(finished, name), "rename to \(name) the copy", finished)
        try syncDirectory()
    }

    /// Removes a file that may be missing.
    func removeIfPresent(_ name: String) throws(StoreError) {
        guard unlink(name) != 0, errno != ENOENT else { return }
        throw StoreError(errno: errno, operation: "remove", path: name)
    }

    /// Makes a creation or a rename in the directory survive a power loss.
    func syncDirectory() throws(StoreError) {
        try sync(directory, flags: O_RDONLY | O_DIRECTORY)
    }

    private func sync(_ name: String, flags: Int32) throws(StoreError) {
        let descriptor = open(name, flags | O_CLOEXEC)
        try check(descriptor, "open", name)
        defer { close(descriptor) }
        try check(fsync(descriptor), "write to disk", name)
    }

    /// The size in bytes of the regular file with this name, or `nil` if there is nothing.
    private func size(of name: String) throws(StoreError) -> Int? {
        try status(of: name)?.st_size
    }

    /// What is known of the regular file with this name, or `nil` if there is nothing.
    ///
    /// - Throws: ``StoreError/notAFile(path:found:)`` for anything but a regular file.
    private func status(of name: String) throws(StoreError) -> stat? {
        var status = stat()
        guard lstat(name, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw StoreError(errno: errno, operation: "look at", path: name)
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return status
        case S_IFDIR: throw .notAFile(path: name, found: "directory")
        case S_IFLNK: throw .notAFile(path: name, found: "symbolic link")
        case S_IFIFO: throw .notAFile(path: name, found: "FIFO")
        case S_IFSOCK: throw .notAFile(path: name, found: "socket")
        default: throw .notAFile(path: name, found: "device")
        }
    }

    private static func isTaken(_ name: String) -> Bool {
        var status = stat()
        return lstat(name, &status) == 0
    }

    /// The first ``headerBytes`` bytes, fewer if the file is shorter.
    private func readHeader() throws(StoreError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        try check(descriptor, "open", path)
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: Self.headerBytes)
        let count = pread(descriptor, &header, header.count, 0)
        try check(Int32(count), "read", path)
        return Array(header.prefix(count))
    }

    private func check(_ result: Int32, _ operation: String, _ name: String) throws(StoreError) {
        if result < 0 {
            throw StoreError(errno: errno, operation: operation, path: name)
        }
    }
}
