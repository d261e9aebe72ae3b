// SessionLogDirectory.swift — the logs of all sessions: which there are, and which go when they are old or many.
// Next: Session.swift.

internal import Glibc
package import NocturneCore

/// The directory in which each session has its log: `ID.log`.
package struct SessionLogDirectory: Sendable {
    /// A log that is there.
    package struct Item: Sendable, Hashable {
        package let session: SessionID
        package let bytes: Int
        /// When it was last written.
        package let changed: UnixTime
    }

    /// How long logs of sessions that have ended are kept, and how many bytes of them.
    package struct Retention: Sendable, Hashable {
        package var age: Duration
        package var bytes: Int

        /// Thirty days, and 1 GiB.
        package static let standard = Retention(age: .seconds(30 * 86_400), bytes: 1 << 30)

        package init(age: Duration, bytes: Int) {
            self.age = age
            self.bytes = bytes
        }
    }

    private static let suffix = ".log"
    package let path: String

    /// - Parameter path: is made if it is not there, for its owner only.
    package init(path: String) { self.path = path }

    package func path(of session: SessionID) -> String { "\(path)/\(session)\(Self.suffix)" }

    /// Makes the directory, if it is not there.
    package func prepare(for session: SessionID) throws(CoordinationError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw .log(session, "\(path) cannot be made: \(SessionLog.reason(errno))")
        }
    }

    /// The logs that are there, by name.
    package func items() -> [Item] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var items: [Item] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(Self.suffix),
                let session = try? SessionID(String(name.dropLast(Self.suffix.count)))
            else { continue }
            var status = stat()
            guard lstat(path(of: session), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            let changed = UnixTime(
                milliseconds: Int64(status.st_mtim.tv_sec) * 1_000
                    + Int64(status.st_mtim.tv_nsec) / 1_000_000)
            items.append(Item(session: session, bytes: Int(status.st_size), changed: changed))
        }
        return items.sorted { $0.session < $1.session }
    }

    /// Removes the log of a session.
    package func remove(_ session: SessionID) throws(CoordinationError) {
        guard unlink(path(of: session)) == 0 else {
            if errno == ENOENT { throw .unknownSession(session) }
            throw .log(session, "it cannot be removed: \(SessionLog.reason(errno))")
        }
    }

    /// Removes logs that are too old, then the oldest ones while all together are too large.
    ///
    /// - Parameter isKept: sessions that may go on.
    /// - Returns: the sessions whose logs are gone.
    package func clear(
        _ retention: Retention, now: UnixTime, isKept: (SessionID) -> Bool
    ) -> [SessionID] {
        let items = items()
        var bytes = items.reduce(0) { $0 + $1.bytes }
        var removed: [SessionID] = []
        let oldestFirst = items.sorted { ($0.changed, $0.session) < ($1.changed, $1.session) }
        for item in oldestFirst where !isKept(item.session) {
            let age = Duration.milliseconds(now.milliseconds - item.changed.milliseconds)
            guard age > retention.age || bytes > retention.bytes else { continue }
            guard (try? remove(item.session)) != nil else { continue }
            bytes -= item.bytes
            removed.append(item.session)
        }
        return removed
    }
}
