// HistoryRecorder.swift — writes flushes down as records, for a file that is replayed at the next start.
// Next: HistoryImage.swift for what replaces many of them.

internal import NocturneCore

/// What a record of the history's file is, by its first byte.
enum HistoryRecordKind: UInt8 {
    /// A series and the number by which flushes call it.
    case series = 1
    /// A flush: its time, and a value of each series.
    case tick = 2
    /// The times of all flushes whose samples follow in columns.
    case times = 3
    /// A series with all that was kept of it.
    case column = 4
}

/// Collects what is to be written. Each flush is a record of its own that needs no other flush: if one is damaged, the
/// others stay right.
struct HistoryRecorder {
    private(set) var unwritten: [UInt8] = []
    /// Whether all must be written anew, because something of it was not written.
    var needsImage = false
    private var tick = ByteWriter()
    private var nextID: UInt64 = 0
    private var lastID: UInt64 = 0

    /// Begins a flush.
    mutating func begin(at time: Int64) {
        tick.bytes.removeAll(keepingCapacity: true)
        tick.bytes.append(HistoryRecordKind.tick.rawValue)
        tick.writeVariable(UInt64(time))
        lastID = 0
    }

    /// Adds what a series is at this flush; `new` is what came to a distribution since the last.
    mutating func append(_ column: HistoryColumn, of family: HistoryFamily, new: Sketch? = nil) {
        // Series without a number have never been written, or this is another life.
        if column.fileID == nil {
            let id = newID()
            column.fileID = id
            var record = ByteWriter()
            record.bytes.append(HistoryRecordKind.series.rawValue)
            record.write(column, id: id, of: family)
            HistoryRecord.append(record.bytes, to: &unwritten)
        }
        let id = column.fileID ?? 0
        // Most of the time each number is the one after the last, which takes one byte.
        let step = Int64(bitPattern: id &- lastID)
        let isDistribution: UInt64 = column.shape == .distribution ? 1 : 0
        tick.writeVariable(UInt64(bitPattern: (step << 1) ^ (step >> 63)) << 1 | isDistribution)
        lastID = id
        tick.write(column.last)
        guard column.shape == .distribution else { return }
        tick.write(column.lastSum)
        tick.write(new.map(SketchCode.encode) ?? [])
    }

    private mutating func newID() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// Numbers up to this are taken.
    mutating func reserve(_ id: UInt64) { nextID = max(nextID, id) }

    /// Ends the flush.
    mutating func end() { HistoryRecord.append(tick.bytes, to: &unwritten) }

    /// Takes what is to be written.
    mutating func take() -> [UInt8] {
        defer { unwritten = [] }
        return unwritten
    }

    /// Returns the number of a column for an image, which also says what it was.
    mutating func number(of column: HistoryColumn) -> UInt64 {
        let id = column.fileID ?? newID()
        column.fileID = id
        return id
    }
}

extension ByteWriter {
    /// Writes who a series is.
    mutating func write(_ column: HistoryColumn, id: UInt64, of family: HistoryFamily) {
        writeVariable(id)
        write(family.name)
        write(family.kind.rawValue)
        write(family.unit ?? "")
        writeVariable(UInt64(bitPattern: column.created.milliseconds))
        let pairs = column.identity.labels.pairs
        writeVariable(UInt64(pairs.count))
        for pair in pairs {
            write(pair.name)
            write(pair.value)
        }
    }
}

/// Who a series is, as it was written.
struct RecordedSeries {
    let id: UInt64
    let name: String
    let kind: MetricKind
    let unit: String?
    let created: UnixTime
    let labels: Labels

    init?(_ reader: inout ByteReader) {
        guard let id = reader.variable(), id < 1 << 48, let name = reader.text(),
            MetricName.check(name) == nil, let kind = reader.text().flatMap(MetricKind.init),
            let unit = reader.text(), let created = reader.variable(), let count = reader.count(),
            count <= MetricName.labelLimit
        else { return nil }
        var pairs: [(String, String)] = []
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            pairs.append((name, value))
        }
        (self.id, self.name, self.kind) = (id, name, kind)
        self.unit = unit.isEmpty ? nil : unit
        self.created = UnixTime(milliseconds: Int64(bitPattern: created))
        labels = Labels(pairs)
    }
}
