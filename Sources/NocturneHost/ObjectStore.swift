// ObjectStore.swift — copies dropped files to where nobody else writes, under the hash of their
// bytes. What was checked is then what is loaded, and a linker that truncates the dropped file
// hurts no worker. Next: ManifestReader.swift.

internal import Glibc
internal import Synchronization

/// A file that is in the store, and where it came from.
package struct StoredObject: Hashable, Sendable {
    /// The SHA-256 of the stored bytes.
    package let hash: ContentHash
    /// Their number.
    package let sizeBytes: Int64
    /// The path it was copied from, as it was given.
    package let sourcePath: String
    /// The source as it was then: while a scan finds the same, the file need not be read again.
    package let sourceIdentity: FileIdentity
}

/// A directory of immutable objects, `<sha256>.so`, mode 0444. Safe to use from any thread.
///
/// Nothing is synced to disk: after a power cut an object may be torn, so each is compared with its
/// hash at its first use in this process. One process at a time owns the directory; the caller
/// holds the state directory's lock.
package final class ObjectStore: Sendable {
    /// The largest file taken: far above any real plugin, small enough to copy in well under a
    /// second.
    package static let largestObjectBytes: Int64 = 256 << 20
    /// Workers of other users enter the directory and open what they are told; they cannot list it.
    private static let directoryMode: mode_t = 0o711
    private static let objectMode: mode_t = 0o444
    /// Stays in a level-two cache between read, hash and write, and below malloc's mmap threshold
    /// (128 KiB, mallopt(3)), so that an ingest does not pay for fresh pages.
    private static let bufferBytes = 64 << 10
    private static let temporaryPrefix = ".ingest-"
    private static let objectSuffix = ".so"

    private struct State {
        var serial: UInt64 = 0
        /// Names of the temporary files that calls in progress are writing.
        var writing: Set<String> = []
        /// Objects whose bytes this process has compared with their hash, or written itself.
        var verified: Set<ContentHash> = []
    }

    /// Where the objects are.
    package let directory: String
    private let state = Mutex(State())

    /// Opens the store, creating its directory (not the directory's parent) with mode 0711.
    package init(directory: String) throws(IngestError) {
        self.directory = directory
        guard mkdir(directory, Self.directoryMode) == 0 || errno == EEXIST else {
            throw .store(operation: "mkdir", path: directory, errno: errno)
        }
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw .store(operation: "stat", path: directory, errno: errno)
        }
        guard FileKind(mode: status.st_mode) == .directory else {
            throw .store(operation: "mkdir", path: directory, errno: ENOTDIR)
        }
        // Whatever the umask was: a worker of another user must be able to enter.
        guard
            status.st_mode & 0o7777 == Self.directoryMode
                || chmod(directory, Self.directoryMode) == 0
        else {
            throw .store(operation: "chmod", path: directory, errno: errno)
        }
    }

    /// Where the object with this hash is, or would be.
    package func path(of hash: ContentHash) -> String {
        "\(directory)/\(hash)\(Self.objectSuffix)"
    }

    /// Copies the file at `path`, links followed, into the store. Blocks for the disk.
    ///
    /// On any error nothing is left behind. The copy appears under its final name whole or not at
    /// all; if the store has these bytes already, that object stays.
    package func ingest(_ path: String) throws(IngestError) -> StoredObject {
        let source = try SourceFile.open(path, limitBytes: Self.largestObjectBytes)
        let name = claimName()
        defer { release(name) }
        let temporary = try TemporaryObject(in: directory, name: name)
        let hash = try copy(source, to: temporary)
        try publish(temporary, as: hash, sizeBytes: source.identity.sizeBytes)
        return StoredObject(
            hash: hash, sizeBytes: source.identity.sizeBytes, sourcePath: path,
            sourceIdentity: source.identity)
    }

    /// Whether the object is there with the bytes its name promises. Reads it once per process.
    package func isIntact(_ hash: ContentHash) throws(IngestError) -> Bool {
        try isIntact(hash, sizeBytes: nil)
    }

    /// Removes what calls that never ended left behind. Call once at start.
    ///
    /// Every temporary file goes but those this process is writing now. Process ids in names are
    /// for people: in a container a new host often has the old one's.
    package func clean() throws(IngestError) {
        let names = try listing().filter { $0.hasPrefix(Self.temporaryPrefix) }
        let writing = state.withLock { $0.writing }
        try remove(names.filter { !writing.contains($0) })
    }

    /// Removes every object but those in `keep`, which must name all that serve or may yet be
    /// loaded.
    ///
    /// - Returns: the hashes that were removed, in order.
    @discardableResult
    package func prune(keeping keep: Set<ContentHash>) throws(IngestError) -> [ContentHash] {
        let surplus = try listing().compactMap(Self.hash(ofName:)).filter { !keep.contains($0) }
        state.withLock { $0.verified.subtract(surplus) }
        try remove(surplus.map { "\($0)\(Self.objectSuffix)" })
        return surplus.sorted()
    }
}

// MARK: - Steps of an ingest

extension ObjectStore {
    private func claimName() -> String {
        state.withLock { state in
            state.serial += 1
            let name = "\(Self.temporaryPrefix)\(getpid())-\(state.serial)"
            state.writing.insert(name)
            return name
        }
    }

    private func release(_ name: String) {
        _ = state.withLock { $0.writing.remove(name) }
    }

    /// One pass: each buffer is hashed and written while it is in the cache.
    private func copy(
        _ source: borrowing SourceFile, to temporary: borrowing TemporaryObject
    ) throws(IngestError) -> ContentHash {
        let size = source.identity.sizeBytes
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(min(size, Int64(Self.bufferBytes))), alignment: 16)
        defer { buffer.deallocate() }
        var hasher = ContentHasher()
        var total: Int64 = 0
        while case let count = try source.read(into: buffer), count > 0 {
            total += Int64(count)
            // A file that grows as fast as we read would never end.
            guard total <= size else { throw .changedWhileReading(path: source.path) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(bytes)
            try temporary.write(bytes)
        }
        try source.checkUntouched(readBytes: total)
        return try hash(finishing: hasher)
    }

    private func hash(
        finishing hasher: consuming ContentHasher
    ) throws(IngestError) -> ContentHash {
        do {
            return try hasher.finish()
        } catch {
            throw .hashing(error)
        }
    }

    private func publish(
        _ temporary: consuming TemporaryObject, as hash: ContentHash, sizeBytes: Int64
    ) throws(IngestError) {
        if try isIntact(hash, sizeBytes: sizeBytes) { return }
        try temporary.rename(to: path(of: hash), mode: Self.objectMode)
        _ = state.withLock { $0.verified.insert(hash) }
    }

    private func isIntact(_ hash: ContentHash, sizeBytes: Int64?) throws(IngestError) -> Bool {
        let path = path(of: hash)
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw .store(operation: "lstat", path: path, errno: errno)
        }
        guard FileKind(mode: status.st_mode) == .regular, status.st_size > 0,
            status.st_size <= Self.largestObjectBytes,
            status.st_mode & 0o7777 == Self.objectMode,
            sizeBytes == nil || sizeBytes == Int64(status.st_size)
        else { return false }
        if state.withLock({ $0.verified.contains(hash) }) { return true }
        guard try hashOfObject(at: path) == hash else { return false }
        _ = state.withLock { $0.verified.insert(hash) }
        return true
    }

    private func hashOfObject(at path: String) throws(IngestError) -> ContentHash {
        let object = try SourceFile.open(path, limitBytes: Self.largestObjectBytes)
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.bufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        var hasher = ContentHasher()
        while case let count = try object.read(into: buffer), count > 0 {
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return try hash(finishing: hasher)
    }
}

// MARK: - The directory

extension ObjectStore {
    private static func hash(ofName name: String) -> ContentHash? {
        name.hasSuffix(objectSuffix) ? ContentHash(hex: name.dropLast(objectSuffix.count)) : nil
    }

    private func listing() throws(IngestError) -> [String] {
        do {
            return try DirectoryListing.names(in: directory)
        } catch {
            throw .store(operation: "reading the directory", path: directory, errno: error.errno)
        }
    }

    /// Removes all it can, then reports the first that would not go.
    private func remove(_ names: [String]) throws(IngestError) {
        var failure: IngestError?
        for name in names {
            let path = "\(directory)/\(name)"
            if unlink(path) != 0, errno != ENOENT, failure == nil {
                failure = .store(operation: "unlink", path: path, errno: errno)
            }
        }
        if let failure { throw failure }
    }
}

/// A file in the store that has no hash yet. Removed with this value unless it was renamed.
private struct TemporaryObject: ~Copyable {
    private let path: String
    private let descriptor: Int32

    init(in directory: String, name: String) throws(IngestError) {
        let path = "\(directory)/\(name)"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = retrying { open(path, flags, 0o600) }
        guard descriptor >= 0 else {
            throw .store(operation: "open", path: path, errno: errno)
        }
        (self.path, self.descriptor) = (path, descriptor)
    }

    deinit {
        // After a rename there is nothing under this name any more, and ENOENT is what we expect.
        unlink(path)
        close(descriptor)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(IngestError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = retrying { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            guard count > 0 else {
                throw .store(operation: "write", path: path, errno: count < 0 ? errno : ENOSPC)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func rename(to final: String, mode: mode_t) throws(IngestError) {
        guard fchmod(descriptor, mode) == 0 else {
            throw .store(operation: "fchmod", path: path, errno: errno)
        }
        guard Glibc.rename(path, final) == 0 else {
            throw .store(operation: "rename", path: final, errno: errno)
        }
    }
}
