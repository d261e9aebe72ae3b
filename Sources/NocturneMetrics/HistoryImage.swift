// HistoryImage.swift — all that is kept of the past as records, and the past from records. Next: HistoryFile.swift.

internal import NocturneCore

/// What is to be written to the history's file.
package struct HistoryBatch: Sendable {
    /// Whether this is all there is, and takes the place of the file.
    package let isImage: Bool
    /// Whole records.
    package let bytes: [UInt8]
}

extension History {
    /// Takes what is to be written to a file: the flushes since the last time, or, if those do not fit, all that is
    /// kept. That is smaller, since it is compressed and the oldest is gone. `nil` while the file waits after a
    /// failure.
    package func takeBatch(for file: inout HistoryFile) -> HistoryBatch? {
        guard var recorder else { return nil }
        defer { self.recorder = recorder }
        let flushes = recorder.take()
        guard let room = file.nextRoom() else {
            recorder.needsImage = true
            return nil
        }
        guard recorder.needsImage || flushes.count > room else {
            return HistoryBatch(isImage: false, bytes: flushes)
        }
        recorder.needsImage = false
        return HistoryBatch(isImage: true, bytes: image(&recorder))
    }

    /// Has all be written next time, since something of it is missing in the file.
    func requestImage() { recorder?.needsImage = true }

    private func image(_ recorder: inout HistoryRecorder) -> [UInt8] {
        var bytes: [UInt8] = []
        var times = ByteWriter()
        times.bytes.append(HistoryRecordKind.times.rawValue)
        times.writeVariable(UInt64(ticks.first))
        times.writeVariable(UInt64(ticks.all.count))
        var last: Int64 = 0
        for time in ticks.all {
            times.writeVariable(UInt64(time - last))
            last = time
        }
        HistoryRecord.append(times.bytes, to: &bytes)
        for family in families.values {
            for column in family.columns.values {
                var record = ByteWriter()
                record.bytes.append(HistoryRecordKind.column.rawValue)
                record.write(column, id: recorder.number(of: column), of: family)
                record.writeImage(of: column)
                HistoryRecord.append(record.bytes, to: &bytes)
            }
        }
        return bytes
    }
}

extension ByteWriter {
    fileprivate mutating func writeImage(of column: HistoryColumn) {
        writeVariable(column.lastTick.map { UInt64($0) + 1 } ?? 0)
        write(column.last)
        write(column.lastSum)
        write(column.raw.image)
        for tier in [column.tiers?.minutes, column.tiers?.hours] {
            write(tier?.list.image ?? [])
            guard let piece = tier?.pending else {
                bytes.append(0)
                continue
            }
            bytes.append(1)
            writeVariable(UInt64(piece.time))
            for value in piece.values { write(value) }
        }
        for image in column.sketches?.images ?? [[], [], []] { write(image) }
    }
}

extension HistoryPiece {
    fileprivate var values: [Double] { [last, increase, count, sum, least, greatest] }

    fileprivate init(time: Int64, span: Int64, values: [Double]) {
        self.init(
            time: time, span: span, last: values[0], increase: values[1], count: values[2],
            sum: values[3], least: values[4], greatest: values[5])
    }
}

/// Builds a history from the records of a file.
struct HistoryReplay {
    let history: History
    /// Records that say what cannot be: none, unless another program wrote the file.
    private(set) var refused = 0
    private var columns: [UInt64: (family: HistoryFamily, column: HistoryColumn)] = [:]

    init(_ history: History) { self.history = history }

    /// Takes the next record.
    mutating func take(_ record: ArraySlice<UInt8>) {
        var reader = ByteReader(record)
        let isRead: Bool =
            switch reader.byte().flatMap(HistoryRecordKind.init) {
            case .series: takeSeries(&reader)
            case .tick: takeTick(&reader)
            case .times: takeTimes(&reader)
            case .column: takeColumn(&reader)
            case nil: false
            }
        if !isRead { refused += 1 }
    }

    private mutating func takeSeries(_ reader: inout ByteReader) -> Bool {
        guard let series = RecordedSeries(&reader) else { return false }
        let family = history.restoredFamily(series)
        let column: HistoryColumn
        if let there = family.columns[series.labels] {
            there.resume(there.identity, created: series.created)
            column = there
        } else {
            column = HistoryColumn(
                identity: SeriesIdentity(labels: series.labels), shape: family.shape,
                created: series.created)
            family.insert(column)
        }
        column.fileID = series.id
        columns[series.id] = (family, column)
        history.recorder?.reserve(series.id)
        return true
    }

    private func takeTick(_ reader: inout ByteReader) -> Bool {
        guard let time = reader.variable(), let time = Int64(exactly: time),
            time == History.clamped(UnixTime(milliseconds: time)),
            let tick = history.restoreTick(at: time)
        else { return false }
        var id: UInt64 = 0
        while !reader.isAtEnd {
            guard let step = reader.variable(), let value = reader.number() else { return false }
            let isDistribution = step & 1 == 1
            id = id &+ (step >> 2 ^ (0 &- (step >> 1 & 1)))
            var rest: (sum: Double, words: [UInt64])?
            if isDistribution {
                guard let sum = reader.number(), let words = reader.words() else { return false }
                rest = (sum, words)
            }
            // A series whose own record is damaged is not known.
            guard let (family, column) = columns[id], column.lastTick != tick,
                (column.shape == .distribution) == isDistribution
            else { continue }
            family.note(tick)
            if let (sum, words) = rest {
                column.append(count: value, sum: sum, at: tick)
                if let sketch = SketchCode.decode(words) { column.add(sketch, at: tick) }
            } else {
                _ = column.append(value, at: tick)
            }
        }
        history.finishRestoredTick(at: time)
        return true
    }

    private func takeTimes(_ reader: inout ByteReader) -> Bool {
        guard let first = reader.variable(), first <= UInt64(UInt32.max),
            let count = reader.count()
        else { return false }
        var times: [Int64] = []
        var last: Int64 = 0
        for _ in 0..<count {
            guard let step = reader.variable(), step <= UInt64(Int64.max / 2) else { return false }
            last += Int64(step)
            guard last == History.clamped(UnixTime(milliseconds: last)) else { return false }
            times.append(last)
        }
        guard let ticks = TickTimes(first: UInt32(first), times: times) else { return false }
        return history.restore(ticks)
    }

    private mutating func takeColumn(_ reader: inout ByteReader) -> Bool {
        guard let series = RecordedSeries(&reader), let lastTick = reader.variable(),
            lastTick <= UInt64(UInt32.max) + 1, let last = reader.number(),
            let lastSum = reader.number(), let raw = reader.words()
        else { return false }
        let family = history.restoredFamily(series)
        let tiers = HistoryTiers(family.shape)
        guard restore(&tiers.minutes, &reader), restore(&tiers.hours, &reader),
            let flushes = reader.words(), let minutes = reader.words(), let hours = reader.words()
        else { return false }
        let ticks = history.ticks
        let sketches = SketchHistory(images: [flushes, minutes, hours], ticks: ticks)
        // Samples whose times are lost are lost: theirs would be those of other flushes.
        let samples = family.shape.raw(image: raw)
        let known = samples.flatMap { list in
            (list.lastIndex ?? 0) < ticks.next && (list.firstIndex ?? .max) >= ticks.first
                ? list : nil
        }
        let column = HistoryColumn(
            identity: SeriesIdentity(labels: series.labels), shape: family.shape,
            created: series.created,
            lastTick: lastTick == 0 ? nil : UInt32(lastTick - 1), last: (last, lastSum),
            raw: known ?? family.shape.raw,
            tiers: tiers.minutes.isEmpty && tiers.hours.isEmpty ? nil : tiers,
            sketches: sketches.isEmpty ? nil : sketches)
        column.fileID = series.id
        family.insert(column)
        columns[series.id] = (family, column)
        history.recorder?.reserve(series.id)
        history.settle(column)
        return samples != nil
    }

    private func restore(_ tier: inout RolledTier, _ reader: inout ByteReader) -> Bool {
        guard let image = reader.words(), let hasPending = reader.byte() else { return false }
        var piece: HistoryPiece?
        if hasPending == 1 {
            guard let time = reader.variable(), time < 1 << 48 else { return false }
            var values: [Double] = []
            for _ in 0..<6 {
                guard let value = reader.number() else { return false }
                values.append(value)
            }
            piece = HistoryPiece(time: Int64(time), span: tier.span, values: values)
        }
        return tier.restore(image, pending: piece)
    }
}

extension History {
    fileprivate func restoredFamily(_ series: RecordedSeries) -> HistoryFamily {
        let family = family(named: series.name, series.kind)
        family.unit = series.unit
        return family
    }

    fileprivate func finishRestoredTick(at time: Int64) {
        for family in families.values {
            for column in family.columns.values { settle(column) }
        }
        finishTick(at: time)
    }
}
