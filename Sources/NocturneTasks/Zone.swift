// Zone.swift — a time zone of the system's database, by its name. Read from the file and not asked of Foundation: that
// would bring ICU, 9 MB of memory, and zones as old as the toolchain. Next: ClockChange.swift.

public import NocturneCore

/// A moment at which a zone's offset changes.
struct ZoneChange: Sendable, Hashable {
    /// Seconds since 1970-01-01 UTC.
    let at: Int
    /// From then on, in seconds east of Greenwich.
    let offset: Int
}

/// A time zone of the IANA database: by how much its clocks are ahead of UTC, at any moment.
///
/// A value keeps what the file said when it was read, about 2 KB that copies share. Two values are equal if the
/// name and all that the file said are equal: read it again to see whether the database was updated.
public struct Zone: Sendable, Hashable, CustomStringConvertible {
    /// As in the database: `Europe/Berlin`.
    public let name: String
    private let file: ZoneFile

    /// Needs no database.
    public static let utc = Zone(name: "UTC", file: .utc)

    /// Where systems keep the database.
    public static let directories = [
        "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
    ]

    /// Reads the zone of this name.
    ///
    /// - Throws: ``ZoneError``, often with the name that may have been meant.
    public init(_ name: String, in directories: [String] = Zone.directories) throws(ZoneError) {
        if name == Self.utc.name {
            self = .utc
            return
        }
        guard Self.isName(name) else { throw ZoneDirectory(directories).unknown(name) }
        for directory in directories {
            let path = "\(directory)/\(name)"
            guard let bytes = try ZoneDirectory.read(path) else { continue }
            do throws(ZoneFile.Damage) {
                self.init(name: name, file: try ZoneFile(bytes))
                return
            } catch {
                throw .malformed(path: path, reason: error.reason)
            }
        }
        throw ZoneDirectory(directories).unknown(name)
    }

    private init(name: String, file: ZoneFile) {
        self.name = name
        self.file = file
    }

    /// Letters, digits and `_+-` between slashes: nothing that leaves the database.
    private static func isName(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return name.utf8.count <= 64
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.allSatisfy {
                        ($0 | 0x20) &- UInt8(ascii: "a") < 26 || $0 &- UInt8(ascii: "0") < 10
                            || "_+-".utf8.contains($0)
                    }
            }
    }

    /// Its name.
    public var description: String { name }

    /// Seconds that its clocks are ahead of UTC, negative to the west.
    public func offset(at time: UnixTime) -> Int { span(at: Int(time.seconds)).offset }

    // MARK: - Spans

    /// A time without a change of the clock.
    struct Span: Equatable {
        /// Seconds since 1970-01-01 UTC; `nil` since ever.
        let start: Int?
        /// `nil` for ever.
        let end: Int?
        let offset: Int
        /// Before `start`; equal to `offset` if there is no start.
        let offsetBefore: Int
        /// From `end` on; equal to `offset` if there is no end.
        let offsetAfter: Int
    }

    /// The span in which `second` lies.
    func span(at second: Int) -> Span {
        let changes = file.changes
        // The first change after it.
        var low = 0, high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].at <= second { low = middle + 1 } else { high = middle }
        }
        func offset(_ index: Int) -> Int { index < 0 ? file.firstOffset : changes[index].offset }
        let start = low > 0 ? changes[low - 1].at : nil
        let (current, before) = (offset(low - 1), offset(low - 2))
        if low < changes.count {
            return Span(
                start: start, end: changes[low].at, offset: current,
                offsetBefore: start == nil ? current : before, offsetAfter: changes[low].offset)
        }
        return spanByRule(
            at: second,
            after: Span(
                start: start, end: nil, offset: current,
                offsetBefore: start == nil ? current : before, offsetAfter: current))
    }

    /// The span in which `second` lies, after the last change that the file lists.
    private func spanByRule(at second: Int, after last: Span) -> Span {
        guard let rule = file.rule else { return last }
        var span = last
        for change in rule.changes(around: second)
        where change.at > last.start ?? .min && change.offset != span.offset {
            if change.at > second {
                return Span(
                    start: span.start, end: change.at, offset: span.offset,
                    offsetBefore: span.offsetBefore, offsetAfter: change.offset)
            }
            span = Span(
                start: change.at, end: nil, offset: change.offset, offsetBefore: span.offset,
                offsetAfter: change.offset)
        }
        return span
    }

    /// After it only the rule counts, and its years repeat themselves like the calendar's.
    var lastListedChange: Int? { file.changes.last?.at }
}

extension ZoneFile {
    fileprivate static let utc = ZoneFile(firstOffset: 0, changes: [], rule: nil)

    private init(firstOffset: Int, changes: [ZoneChange], rule: ZoneRule?) {
        (self.firstOffset, self.changes, self.rule) = (firstOffset, changes, rule)
    }
}
