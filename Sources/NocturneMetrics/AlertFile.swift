// AlertFile.swift — the file in which alerts survive a restart: written anew whole, so that it is there as it was
// before or as it is now. Blocking; called off the paths that record. Next: AlertMemory.swift for what stands in it.

internal import Glibc
internal import NocturneCore

/// The file in which alerts survive a restart. One process at a time may use it.
struct AlertFile: Sendable {
    /// Where it is.
    let path: String

    /// What was found at the start.
    struct Found {
        /// The alerts as they were; none if there was no file, or a damaged one.
        var book = AlertBook()
        /// That the file was damaged and where it is now.
        var problem: MetricsError?
    }

    /// Bytes of the file: what the parser of JSON takes by default.
    private static let byteLimit = JSONParser.Options.defaultByteLimit
    /// Only the owner reads and writes, as with all of the host's state.
    private static let mode: mode_t = 0o600

    /// Reads the file. A damaged one is set aside as `<name>.corrupt-<UTC time>`.
    ///
    /// - Throws: ``MetricsError/file(_:_:)`` if it cannot be read, or is of a later version. It is left as it is then
    ///   and must not be written.
    func load(now: UnixTime, uptime: Duration) throws(MetricsError) -> Found {
        guard let bytes = try read() else { return Found() }
        do {
            guard bytes.count <= Self.byteLimit else {
                throw AlertMemoryProblem.damaged("its size")
            }
            let memory = try JSONParser.parse(bytes)
            return Found(book: try AlertBook(memory: memory, now: now, uptime: uptime))
        } catch AlertMemoryProblem.newer(let version) {
            throw .file(
                path, "a later version of Nocturne wrote it (format \(version)): update, or move it"
            )
        } catch {
            let reason =
                if case AlertMemoryProblem.damaged(let what) = error { what } else { "\(error)" }
            let aside = try setAside(at: now)
            return Found(
                problem: .file(
                    path, "it is damaged (\(reason)), so alerts begin anew; it is kept as \(aside)")
            )
        }
    }

    /// Writes the alerts. They are on the disk when this returns.
    ///
    /// - Throws: ``MetricsError/file(_:_:)``; what was there before is there still.
    func save(_ book: AlertBook, now: UnixTime, uptime: Duration) throws(MetricsError) {
        let bytes = book.memory(now: now, uptime: uptime).serialized()
        guard bytes.count <= Self.byteLimit else {
            throw .file(
                path, "the alerts would be \(bytes.count) bytes, the limit is \(Self.byteLimit)")
        }
        let fresh = path + ".new"
        // What a process that was killed left behind.
        if unlink(fresh) != 0, errno != ENOENT { throw failure("replace", fresh) }
        let file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, Self.mode)
        guard file >= 0 else { throw failure("create", fresh) }
        let isWritten = write(bytes, to: file) && fsync(file) == 0
        let problem = failure("write", fresh)
        close(file)
        guard isWritten else {
            unlink(fresh)
            throw problem
        }
        guard rename(fresh, path) == 0 else {
            let problem = failure("replace", path)
            unlink(fresh)
            throw problem
        }
        try syncDirectory()
    }

    private func read() throws(MetricsError) -> [UInt8]? {
        // O_NONBLOCK: a FIFO must not stop us.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path, "it is not a file") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while bytes.count <= Self.byteLimit {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private func setAside(at now: UnixTime) throws(MetricsError) -> String {
        let base = "\(path).corrupt-\(now.compactUTC)"
        var target = base
        var attempt = 1
        while access(target, F_OK) == 0 {
            attempt += 1
            target = "\(base)-\(attempt)"
        }
        guard rename(path, target) == 0 else { throw failure("set aside", path) }
        try syncDirectory()
        return target
    }

    /// Makes a rename survive a power loss.
    private func syncDirectory() throws(MetricsError) {
        let end = path.lastIndex(of: "/")
        let directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw failure("open", directory) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failure("write to disk", directory) }
    }

    private func failure(_ operation: String, _ name: String) -> MetricsError {
        .file(name, "cannot \(operation) it: \(String(cString: strerror(errno))) (errno \(errno))")
    }
}
