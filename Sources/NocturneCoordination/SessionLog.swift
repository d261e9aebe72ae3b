// SessionLog.swift — the file that says all that ever happened to a session, entry behind entry, each with a checksum.
// Next: SessionLogEntry.swift.

internal import Glibc
package import NocturneCore

/// The log of one session: appended to by one process at a time, never changed.
///
/// An entry is a length (4 bytes), a CRC-32C (4 bytes), both little-endian, and that many bytes of JSON. The first
/// entry is the setup and the moment of the beginning; each further one is an input and how long the session had lived.
/// There is no snapshot: a session of 10,000 works is replayed in well under a second (`nocturne-bench coordination`),
/// and what is not there cannot be wrong.
package final class SessionLog: Sendable {
    /// Bytes of one entry. A work's result has to fit.
    package static let maximumEntryBytes = 64 << 20
    /// Bytes before the JSON of an entry.
    static let headerBytes = 8

    package let path: String
    let session: SessionID
    private let descriptor: Int32

    /// Makes the log of a new session.
    package init(
        creating setup: SessionSetup, at now: UnixTime, path: String
    ) throws(CoordinationError) {
        self.path = path
        session = setup.id
        descriptor = open(
            path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { throw .sessionExists(setup.id) }
            throw .log(setup.id, "\(path) cannot be made: \(Self.reason(errno))")
        }
        try lock()
        try write(.begun(setup, at: now))
        try synchronize()
    }

    /// Opens the log of a session that goes on; what was cut off in the middle of a write is removed first.
    package init(
        continuing contents: SessionLogContents, path: String
    ) throws(CoordinationError) {
        self.path = path
        session = contents.setup.id
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw .log(session, "\(path) cannot be opened: \(Self.reason(errno))")
        }
        try lock()
        guard contents.tornBytes > 0 else { return }
        guard ftruncate(descriptor, off_t(contents.validBytes)) == 0 else {
            throw .log(session, "\(path) cannot be cut: \(Self.reason(errno))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends an input. It outlives the process when this returns, and the machine after ``synchronize()``.
    ///
    /// - Parameter work: the work at which the attempt was, if the input is the end of one.
    package func append(
        _ input: SessionInput, at time: Duration, work: WorkID? = nil
    ) throws(CoordinationError) {
        try write(.input(input, at: time, work: work))
    }

    /// Appends many entries.
    func append(_ entries: [SessionLogEntry]) throws(CoordinationError) {
        for entry in entries { try write(entry) }
    }

    /// Waits until all that was appended is on the disk.
    package func synchronize() throws(CoordinationError) {
        guard fdatasync(descriptor) == 0 else {
            throw .log(session, "\(path) cannot be written: \(Self.reason(errno))")
        }
    }

    private func write(_ entry: SessionLogEntry) throws(CoordinationError) {
        let text = entry.json.serialized()
        guard text.count <= Self.maximumEntryBytes else {
            throw .log(
                session, "an entry has \(text.count) bytes, \(Self.maximumEntryBytes) are allowed")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + text.count)
        bytes.append(littleEndian: UInt32(text.count))
        bytes.append(littleEndian: CRC32C.checksum(text[...]))
        bytes += text
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw .log(session, "\(path) cannot be written: \(Self.reason(errno))")
            }
            start += count
        }
    }

    /// One process at a time: two that append would write two truths.
    private func lock() throws(CoordinationError) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw .log(session, "\(path) is in use by another process")
        }
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension [UInt8] {
    fileprivate mutating func append(littleEndian value: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
