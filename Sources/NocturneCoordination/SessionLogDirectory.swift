// SessionLogDirectory.swift — the logs of all sessions: which there are, and which go when they are old or many.
// Next: Session.swift.

internal import Glibc
package import NocturneCore

/// The directory in which each session has its log: `ID.log`, and `ID.ended` when the session has ended, so that nobody
/// has to read it to know that.
package struct SessionLogDirectory: Sendable {
    /// A log that is there.
    package struct Item: Sendable, Hashable {
        package let session: SessionID
        package let bytes: Int
        /// Whether its session has ended.
        package let isEnded: Bool
        /// When it was last written.
        package let changed: UnixTime
    }

    /// How long logs of sessions that have ended are kept, and how many bytes of them.
    package struct Retention: Sendable, Hashable {
        package var age: Duration
        package var bytes: Int

        package init(age: Duration, bytes: Int) {
            self.age = age
            self.bytes = bytes
        }
    }

    private static let openSuffix = ".log"
    private static let endedSuffix = ".ended"
    package let path: String

    /// - Parameter path: is made if it is not there, for its owner only.
    package init(path: String) { self.path = path }

    /// Where the log of a session is that has not ended.
    package func path(of session: SessionID) -> String {
        "\(path)/\(session)\(Self.openSuffix)"
    }

    private func endedPath(of session: SessionID) -> String {
        "\(path)/\(session)\(Self.endedSuffix)"
    }

    /// Where the log of a session is; `nil` if it has none.
    package func log(of session: SessionID) -> String? {
        [path(of: session), endedPath(of: session)].first { access($0, F_OK) == 0 }
    }

    /// Marks the log of a session that has ended.
    package func markEnded(_ session: SessionID) throws(CoordinationError) {
        guard rename(path(of: session), endedPath(of: session)) == 0 else {
            throw .log(session, "it cannot be renamed: \(SessionLog.reason(errno))")
        }
    }

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
            let isEnded = name.hasSuffix(Self.endedSuffix)
            guard isEnded || name.hasSuffix(Self.openSuffix),
                let session = try? SessionID(
                    String(name.dropLast((isEnded ? Self.endedSuffix : Self.openSuffix).count)))
            else { continue }
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                continue
            }
            let changed = UnixTime(
                milliseconds: Int64(status.st_mtim.tv_sec) * 1_000
                    + Int64(status.st_mtim.tv_nsec) / 1_000_000)
            items.append(
                Item(
                    session: session, bytes: Int(status.st_size), isEnded: isEnded,
                    changed: changed))
        }
        return items.sorted { $0.session < $1.session }
    }

    /// Removes the log of a session.
    package func remove(_ session: SessionID) throws(CoordinationError) {
        guard unlink(log(of: session) ?? path(of: session)) == 0 else {
            if errno == ENOENT { throw .unknownSession(session) }
            throw .log(session, "it cannot be removed: \(SessionLog.reason(errno))")
        }
    }

    /// Removes logs of sessions that have ended if they are too old, then the oldest ones while all logs together are
    /// too large.
    ///
    /// - Returns: the sessions whose logs are gone.
    @discardableResult
    package func clear(_ retention: Retention, now: UnixTime) -> [SessionID] {
        let items = items()
        var bytes = items.reduce(0) { $0 + $1.bytes }
        var removed: [SessionID] = []
        let oldestFirst = items.sorted { ($0.changed, $0.session) < ($1.changed, $1.session) }
        for item in oldestFirst where item.isEnded {
            let age = Duration.milliseconds(now.milliseconds - item.changed.milliseconds)
            guard age > retention.age || bytes > retention.bytes else { continue }
            guard (try? remove(item.session)) != nil else { continue }
            bytes -= item.bytes
            removed.append(item.session)
        }
        return removed
    }
}
