// SessionLogEntry.swift — what stands in a log, and reading it back, up to where a write was cut off.
// Next: SessionLogDirectory.swift.

internal import Glibc
package import NocturneCore

/// What stands in a log.
enum SessionLogEntry: Sendable, Hashable {
    /// The rules by which inputs have effects. To be raised when equal inputs have other effects than before: a log of
    /// other rules cannot be replayed.
    static let rules: Int64 = 1

    case begun(SessionSetup, at: UnixTime)
    /// The end of an attempt also says at which work it was, so that a replay that goes another way is found out.
    case input(SessionInput, at: Duration, work: WorkID?)

    var json: JSONValue {
        switch self {
        case .begun(let setup, let time):
            [
                "rules": JSONValue(Self.rules), "setup": setup.json,
                "time": JSONValue(time.milliseconds),
            ]
        case .input(let input, let time, nil): ["at": time.json, "input": input.json]
        case .input(let input, let time, let work?):
            ["at": time.json, "input": input.json, "work": .string(work.description)]
        }
    }

    init(json: JSONValue, at path: String) throws(CoordinationError) {
        let fields = try JSONFields(json, at: path)
        if let setup = fields["setup"] {
            guard try fields.integer("rules") == Self.rules else {
                throw fields.malformed(
                    "rules", expected: "\(Self.rules), which this version goes by")
            }
            self = .begun(
                try SessionSetup(json: setup, at: path + ".setup"),
                at: UnixTime(milliseconds: try fields.integer("time") ?? 0))
            return
        }
        guard let time = try fields.duration("at") else {
            throw fields.malformed("at", expected: "milliseconds")
        }
        self = .input(
            try SessionInput(json: fields["input"] ?? .null, at: path + ".input"), at: time,
            work: fields["work"] == nil ? nil : try fields.work())
    }
}

/// All that stands in a log.
package struct SessionLogContents: Sendable {
    package private(set) var setup: SessionSetup
    /// When the session was made.
    package let begun: UnixTime
    package private(set) var inputs: [(input: SessionInput, time: Duration)]
    /// At which works the attempts were that ended, by the places of those inputs.
    private let works: [Int: WorkID]
    /// Bytes of whole entries, and bytes behind them that are none: a write that was cut off.
    package let validBytes: Int
    package let tornBytes: Int

    /// Reads a log.
    ///
    /// - Throws: if it cannot be read, or an entry whose checksum is right is none of ours.
    package init(reading path: String, of session: SessionID) throws(CoordinationError) {
        let bytes = try Self.read(path, session)
        var entries: [SessionLogEntry] = [], offset = 0
        while let (body, next) = Self.frame(in: bytes, at: offset) {
            let place = "entry \(entries.count) at byte \(offset)"
            guard CRC32C.checksum(body) == Self.littleEndian(bytes, at: offset + 4) else {
                // A write that was cut off is the last one. Behind anything else there is more, which is kept.
                guard next == bytes.count else {
                    throw .log(session, "\(path), \(place) is damaged")
                }
                break
            }
            do {
                entries.append(try SessionLogEntry(json: JSONParser.parse(Array(body)), at: "log"))
            } catch {
                throw .log(session, "\(path), \(place): \(error)")
            }
            offset = next
        }
        guard !Self.hasEntry(in: bytes, behind: offset) else {
            throw .log(session, "\(path), entry \(entries.count) at byte \(offset) is damaged")
        }
        guard case .begun(let setup, let begun)? = entries.first else {
            throw .log(session, "\(path) does not begin with a setup")
        }
        (self.setup, self.begun) = (setup, begun)
        var inputs: [(SessionInput, Duration)] = [], works: [Int: WorkID] = [:]
        for case .input(let input, let time, let work) in entries {
            works[inputs.count] = work
            inputs.append((input, time))
        }
        (self.inputs, self.works) = (inputs, works)
        validBytes = offset
        tornBytes = bytes.count - offset
    }

    /// The session as it was when the last entry was written.
    ///
    /// - Parameter observe: is given what each input did.
    /// - Throws: also if it would not go the way it went, because a strategy has changed since then.
    package func replay(
        with catalog: StrategyCatalog, upTo count: Int = .max,
        observe: (Duration, SessionInput, [SessionEffect]) -> Void = { _, _, _ in }
    ) throws(CoordinationError) -> SessionCore {
        var catalog = catalog
        // What a strategy elsewhere answered is in the log; it is not needed until it shall go on.
        let isElsewhere = inputs.contains { if case .stepped = $0.input { true } else { false } }
        if isElsewhere, !catalog.names.contains(setup.strategy) {
            try catalog.addRemote(setup.strategy)
        }
        var core = try SessionCore(setup, catalog: catalog)
        for (place, (input, time)) in inputs.prefix(count).enumerated() {
            if let work = works[place], core.work(of: input) != work {
                throw .log(
                    setup.id,
                    "its replay goes another way at input \(place + 1), the end of \(work): strategy "
                        + "\(setup.strategy) is not the one that it was written with")
            }
            observe(time, input, try core.apply(input, at: time))
        }
        return core
    }

    /// The same past under another name, up to the end of the session at most.
    package func forked(as id: SessionID, upTo count: Int) -> SessionLogContents {
        var fork = self
        fork.setup.id = id
        fork.inputs = Array(inputs.prefix(max(count, 0)))
        if case .end? = fork.inputs.last?.input { fork.inputs.removeLast() }
        return fork
    }

    /// Writes it all into a log that is empty but for its beginning.
    func copy(to log: SessionLog) throws(CoordinationError) {
        try log.append(
            inputs.enumerated().map { .input($1.input, at: $1.time, work: works[$0]) })
    }

    private static func frame(in bytes: [UInt8], at offset: Int) -> (ArraySlice<UInt8>, next: Int)?
    {
        let header = SessionLog.headerBytes
        guard bytes.count - offset >= header else { return nil }
        let size = Int(littleEndian(bytes, at: offset))
        // No entry is empty; a file that grew before its bytes were written ends in zeros.
        guard size > 0, size <= SessionLog.maximumEntryBytes, bytes.count - offset - header >= size
        else { return nil }
        return (bytes[offset + header..<offset + header + size], offset + header + size)
    }

    /// Whether a whole entry stands somewhere behind bytes that are none: then they are no write that was cut off.
    private static func hasEntry(in bytes: [UInt8], behind offset: Int) -> Bool {
        // Text has no zeros, so there are few places that could be a length.
        for start in offset..<max(offset, bytes.count) where start > offset {
            guard let (body, _) = frame(in: bytes, at: start) else { continue }
            if CRC32C.checksum(body) == littleEndian(bytes, at: start + 4) { return true }
        }
        return false
    }

    private static func littleEndian(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }

    private static func read(
        _ path: String, _ session: SessionID
    ) throws(CoordinationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .unknownSession(session) }
            throw .log(session, "\(path) cannot be opened: \(SessionLog.reason(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .log(session, "\(path) is no regular file")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size)), start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(
                    descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            start += count
        }
        return Array(bytes.prefix(start))
    }
}
