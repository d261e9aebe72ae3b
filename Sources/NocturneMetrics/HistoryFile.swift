// HistoryFile.swift — the history on disk: flushes appended, now and then replaced by what is kept of them.
// Next: HistoryRecord.swift for its form, HistoryImage.swift for its content.

internal import Glibc
package import NocturneCore
internal import Synchronization

/// The file of a history.
///
/// Each flush is appended by one write that is not waited for: what was flushed is there after the process was
/// killed, and all but the last half minute or so after the machine lost power (`dirty_expire_centisecs`,
/// proc_sys_vm(5)). When the file would get larger than the history's limit, a new one with all that is kept takes
/// its place, which needs as much room again for a moment. All calls block.
package struct HistoryFile: Sendable {
    /// How far a file's last flush may be in the future. A wall clock that is further off is wrong now or was then, and
    /// new samples would have to come after the old.
    package static let futureTolerance = Duration.seconds(86_400)

    /// Where it is.
    package let path: String
    private let limit: Int
    private let descriptor = Descriptor()
    private var size = 0
    /// Failures since the last success, and how many flushes wait before the next try.
    private var failures = 0, waiting = 0

    /// A file that was opened, and the history that was in it.
    package struct Opened {
        /// The file.
        package var file: HistoryFile
        /// What was in it; nothing if there was no file.
        package let history: History
        /// Places where the file was damaged, and so a flush or a series is missing.
        package let damages: Int
        /// What is wrong: the file cannot be written for now, or had to be set aside. All goes on in memory.
        package let problem: MetricsError?
    }

    /// Opens a file, or begins one. What is in it is read; what is damaged in it is passed over.
    ///
    /// A file that is none of a history, or whose last flush is more than ``futureTolerance`` after `now`, is renamed
    /// to `PATH.aside`, and the history begins anew.
    ///
    /// - Throws: ``MetricsError/file(_:_:)`` if a newer version wrote the file, or it is there and cannot be read.
    package static func open(
        _ path: String, _ limits: History.Limits, now: UnixTime
    ) throws(MetricsError) -> Opened {
        var file = HistoryFile(path: path, limit: Int(limits.bytes.bytes))
        guard let bytes = try read(path) else {
            let problem = file.begin()
            return Opened(
                file: file, history: History(limits, isDurable: true), damages: 0,
                problem: problem)
        }
        let history = History(limits, isDurable: true)
        switch head(of: bytes) {
        case .newer(let version):
            throw .file(path, "version \(version) of Nocturne's history; this program knows 1")
        case .other: return file.setAside(limits, "it is no history of Nocturne")
        case .torn: break
        case .known:
            var replay = HistoryReplay(history)
            let damages = HistoryRecord.forEach(in: bytes) { replay.take($0) } + replay.refused
            history.dropDead()
            let latest = history.latest ?? now
            if latest.milliseconds - now.milliseconds > futureTolerance.wholeMilliseconds {
                return file.setAside(limits, "its last flush is more than a day in the future")
            }
            // What is damaged is not appended to.
            let problem = damages == 0 ? file.resume(bytes.count) : nil
            if damages > 0 { history.requestImage() }
            return Opened(file: file, history: history, damages: damages, problem: problem)
        }
        history.requestImage()
        return Opened(file: file, history: history, damages: 1, problem: nil)
    }

    private init(path: String, limit: Int) { (self.path, self.limit) = (path, limit) }

    /// At most so many flushes wait between two tries to write all anew.
    private static let longestWait = 32

    /// How many bytes can be appended; 0 if all must be written anew, `nil` if that failed lately and is not tried now.
    mutating func nextRoom() -> Int? {
        if waiting > 0 {
            waiting -= 1
            return nil
        }
        return descriptor.isOpen ? max(limit - size, 0) : 0
    }

    /// Writes a batch. After a failure all is tried to be written anew, at first with the next flush, then less often.
    ///
    /// - Throws: ``MetricsError/file(_:_:)`` at the first of several failures; the others are silent.
    package mutating func write(_ batch: HistoryBatch) throws(MetricsError) {
        guard let problem = batch.isImage ? replace(by: batch.bytes) : append(batch.bytes) else {
            failures = 0
            return
        }
        note(problem)
        if failures == 1 { throw problem }
    }

    private mutating func note(_ problem: MetricsError) {
        descriptor.close()
        failures += 1
        waiting = min(1 << min(failures - 1, 10), Self.longestWait) - 1
    }

    // MARK: - Reading

    private enum Head { case known, torn, other, newer(UInt32) }

    private static func head(of bytes: [UInt8]) -> Head {
        let mine = HistoryRecord.fileHead
        guard bytes.count >= HistoryRecord.fileHeadBytes else {
            return mine.starts(with: bytes) ? .torn : .other
        }
        var reader = ByteReader(bytes[..<HistoryRecord.fileHeadBytes])
        guard reader.word64() == HistoryRecord.fileMark, let version = reader.word32(),
            reader.word32() == CRC32C.checksum(bytes[..<12])
        else { return .other }
        return version == HistoryRecord.version ? .known : .newer(version)
    }

    /// The bytes of a file; `nil` if there is none.
    private static func read(_ path: String) throws(MetricsError) -> [UInt8]? {
        // O_NONBLOCK: a FIFO must not stop us.
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, "open")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path, "read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path, "it is no file") }
        var result = 0, failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
            while count < buffer.count {
                result = Glibc.read(
                    file, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                if result < 0, errno == EINTR { continue }
                failed = result < 0 ? errno : 0
                guard result > 0 else { break }
                count += result
            }
        }
        guard failed == 0 else { throw failure(path, "read", failed) }
        return bytes
    }

    /// Renames the file, and begins anew.
    private func setAside(_ limits: History.Limits, _ reason: String) -> Opened {
        let history = History(limits, isDurable: true)
        var file = self
        let problem: MetricsError =
            rename(path, path + ".aside") == 0
            ? .file(path, "\(reason); it is \(path).aside now, and the history begins anew")
            : Self.failure(path, "set aside")
        let failure = file.begin()
        return Opened(file: file, history: history, damages: 0, problem: failure ?? problem)
    }

    // MARK: - Writing

    private mutating func begin() -> MetricsError? {
        let problem = replace(by: [])
        if let problem { note(problem) }
        return problem
    }

    private mutating func resume(_ count: Int) -> MetricsError? {
        let opened = Glibc.open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard opened >= 0 else {
            let problem = Self.failure(path, "open for writing")
            note(problem)
            return problem
        }
        descriptor.take(opened)
        size = count
        return nil
    }

    private mutating func append(_ bytes: [UInt8]) -> MetricsError? {
        guard !bytes.isEmpty else { return nil }
        guard descriptor.isOpen else { return .file(path, "it is not open") }
        guard bytes.count <= limit - size else { return .file(path, "it has reached its limit") }
        size += bytes.count
        return Self.writeAll(bytes, to: descriptor.number) ? nil : Self.failure(path, "write")
    }

    private mutating func replace(by bytes: [UInt8]) -> MetricsError? {
        let temporary = path + ".new"
        let all = HistoryRecord.fileHead + bytes
        guard all.count <= limit else {
            return .file(path, "\(all.count) bytes are more than its limit, \(limit)")
        }
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC
        let opened = Glibc.open(temporary, flags, 0o600)
        guard opened >= 0 else { return Self.failure(temporary, "create") }
        guard Self.writeAll(all, to: opened), fsync(opened) == 0, rename(temporary, path) == 0
        else {
            let problem = Self.failure(temporary, "write")
            close(opened)
            unlink(temporary)
            return problem
        }
        descriptor.take(opened)
        size = all.count
        syncFolder()
        return nil
    }

    /// Makes the new name outlive a loss of power. Without it the old file would be there.
    private func syncFolder() {
        let end = path.lastIndex(of: "/")
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let opened = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { return }
        fsync(opened)
        close(opened)
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func failure(
        _ path: String, _ verb: String, _ number: Int32 = errno
    ) -> MetricsError {
        .file(path, "cannot \(verb): \(String(cString: strerror(number)))")
    }
}

/// An open file, closed when nobody has it.
private final class Descriptor: Sendable {
    private let opened = Atomic<Int32>(-1)

    var number: Int32 { opened.load(ordering: .relaxed) }
    var isOpen: Bool { number >= 0 }

    func take(_ new: Int32) {
        let old = opened.exchange(new, ordering: .relaxed)
        if old >= 0 { Glibc.close(old) }
    }

    func close() { take(-1) }

    deinit { close() }
}
