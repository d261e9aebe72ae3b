// HistoryColumn.swift — the past of one series: its samples, minutes, hours and sketches. Next: History.swift.

internal import NocturneCore

/// When each flush was. All series are sampled together, so times are kept once and series say only which flush it was.
struct TickTimes {
    private(set) var first: UInt32 = 0
    private var times: [Int64] = []

    /// The time of a tick; `nil` if nothing of it is kept.
    subscript(tick: UInt32) -> Int64? {
        let place = Int(tick) - Int(first)
        return times.indices.contains(place) ? times[place] : nil
    }

    /// The next tick that will be appended.
    var next: UInt32 { first + UInt32(times.count) }
    var lastTime: Int64? { times.last }
    var firstTime: Int64? { times.first }
    var bytes: Int { times.capacity * 8 }
    var all: [Int64] { times }

    init() {}

    /// Ticks from a file. `nil` if the times do not rise.
    init?(first: UInt32, times: [Int64]) {
        guard zip(times, times.dropFirst()).allSatisfy(<), Int(first) + times.count < UInt32.max
        else { return nil }
        (self.first, self.times) = (first, times)
    }

    mutating func append(_ time: Int64) -> UInt32 {
        times.append(time)
        return next - 1
    }

    /// Forgets the ticks before one.
    mutating func drop(before tick: UInt32) {
        let count = Int(tick) - Int(first)
        guard count > 0 else { return }
        times.removeFirst(min(count, times.count))
        first = tick
    }

    /// The first tick that is at a time or later.
    func tick(at time: Int64) -> UInt32 {
        var (low, high) = (0, times.count)
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return first + UInt32(low)
    }
}

/// The past of one series.
///
/// A series lives from when it was created to when it is missing in a snapshot. When one with the same labels comes
/// again, it is another life in the same column: totals begin with 0 in each.
final class HistoryColumn {
    /// What an object, its place in the family's table and its list of labels take, without the columns.
    static let overheadBytes = 320

    private(set) var identity: SeriesIdentity
    let shape: HistoryShape
    private(set) var created: UnixTime
    /// At which tick it was there last; `nil` if at none.
    private(set) var lastTick: UInt32?
    /// The last value; of a distribution the count.
    private(set) var last = 0.0
    /// The last sum of a distribution.
    private(set) var lastSum = 0.0
    private(set) var raw: ChunkList
    private(set) var tiers: HistoryTiers?
    private(set) var sketches: SketchHistory?
    /// What the history's file calls it; `nil` if its life is not in the file.
    var fileID: UInt64?
    /// What the history has counted for this column.
    var accountedBytes = 0
    private let labelBytes: Int

    init(identity: SeriesIdentity, shape: HistoryShape, created: UnixTime) {
        (self.identity, self.shape, self.created) = (identity, shape, created)
        raw = shape.raw
        labelBytes = Self.bytes(of: identity.labels)
    }

    /// What a list of labels takes: that of a series that is there is the registry's too, but not that of one that
    /// ended.
    private static func bytes(of labels: Labels) -> Int {
        labels.pairs.reduce(32) { sum, pair in
            // Up to 15 bytes of a string are in the string itself.
            [pair.name, pair.value].reduce(sum + 32) { sum, text in
                text.utf8.count > 15 ? sum + 32 + text.utf8.count : sum
            }
        }
    }

    /// Estimate of all memory that goes when the column does.
    var bytes: Int {
        var sum = Self.overheadBytes &+ labelBytes &+ raw.bytes
        if let tiers { sum &+= tiers.minutes.bytes &+ tiers.hours.bytes }
        if let sketches { sum &+= sketches.bytes }
        return sum
    }

    /// Counts what it takes anew. Returns how much more that is.
    func settle() -> Int {
        let before = accountedBytes
        accountedBytes = bytes
        return accountedBytes - before
    }

    var isEmpty: Bool {
        raw.isEmpty && (tiers.map { $0.minutes.isEmpty && $0.hours.isEmpty } ?? true)
            && (sketches?.isEmpty ?? true)
    }

    // MARK: - Appending

    /// Goes on with a series of the same labels, if it is another than before as another life.
    func resume(_ identity: SeriesIdentity, created: UnixTime) {
        self.identity = identity
        guard created != self.created else { return }
        raw.close()
        (last, lastSum, self.created) = (0, 0, created)
        fileID = nil
        sketches?.beginLife()
    }

    /// Appends a sample of a total or a level. Returns how many bytes that took, most of the time 0.
    @inline(__always)
    func append(_ value: Double, at tick: UInt32) -> Int {
        let grown = raw.append(tick, value, base: last)
        (last, lastTick) = (value, tick)
        accountedBytes &+= grown
        return grown
    }

    /// Appends a sample of a distribution: count and sum since the beginning.
    func append(count: Double, sum: Double, at tick: UInt32) {
        raw.append(tick, [count, sum], bases: [last, lastSum])
        (last, lastSum, lastTick) = (count, sum, tick)
    }

    /// Takes the sketch of all values at a tick, and returns what came since the one before.
    func take(_ sketch: Sketch, at tick: UInt32) -> Sketch {
        var all = sketches ?? SketchHistory()
        sketches = nil
        let new = all.take(sketch, at: tick)
        sketches = all
        return new
    }

    /// Adds what came since the tick before, as a file says.
    func add(_ sketch: Sketch, at tick: UInt32) {
        var all = sketches ?? SketchHistory()
        sketches = nil
        all.add(sketch, at: tick)
        sketches = all
    }

    // MARK: - Growing old

    /// Drops what is older than the history is kept, and sums up what is older than its tier lasts.
    func roll(now: Int64, spans: HistorySpans, ticks: TickTimes) {
        sketches?.roll(now: now, spans: spans, ticks: ticks)
        let cut = now - spans.raw
        if let last = raw.openLast, (ticks[last] ?? .min) < cut { raw.close() }
        while let oldest = raw.oldest, (ticks[oldest.last] ?? .min) < cut {
            if spans.hasMinutes {
                let tiers = tiers ?? HistoryTiers(shape)
                self.tiers = tiers
                var pieces = pieces(ofOldestOnly: true, from: 0, ticks)
                while let piece = pieces.next() { tiers.minutes.add(piece) }
            }
            raw.dropOldest()
        }
        tiers?.roll(now: now, spans: spans)
    }

    /// When the oldest chunk ends that can be dropped.
    func oldestEnd(_ ticks: TickTimes) -> Int64? {
        let ends = [
            tiers?.hours.oldestEnd, tiers?.minutes.oldestEnd, sketches?.oldestEnd(ticks),
            raw.oldest.flatMap { ticks[$0.last] ?? .min },
        ]
        return ends.compactMap(\.self).min()
    }

    /// Drops all chunks that end at a time or earlier.
    func drop(upTo time: Int64, _ ticks: TickTimes) {
        while let end = tiers?.hours.oldestEnd, end <= time { tiers?.hours.dropOldest() }
        while let end = tiers?.minutes.oldestEnd, end <= time { tiers?.minutes.dropOldest() }
        while let end = sketches?.oldestEnd(ticks), end <= time { sketches?.dropOldest() }
        while let oldest = raw.oldest, (ticks[oldest.last] ?? .min) <= time { raw.dropOldest() }
    }

    /// Ends all chunks, so that they can be dropped or written.
    func closeChunks() {
        raw.close()
        tiers?.close()
    }

    // MARK: - Reading

    /// Goes through the pieces at `from` or later, in order; minutes and hours that begin then.
    func forEachPiece(from: Int64, _ ticks: TickTimes, _ body: (HistoryPiece) -> Void) {
        tiers?.hours.forEach(from: from, body)
        tiers?.minutes.forEach(from: from, body)
        var samples = pieces(ofOldestOnly: false, from: from, ticks)
        while let piece = samples.next() { body(piece) }
    }

    private func pieces(ofOldestOnly: Bool, from: Int64, _ ticks: TickTimes) -> SampleReader {
        var rows = raw.rows(ofOldestOnly: ofOldestOnly)
        rows.skip(before: ticks.tick(at: from))
        return SampleReader(rows: rows, shape: shape, from: from, ticks: ticks)
    }

    /// What a sample would be that was taken now and is not stored.
    func piece(of value: SeriesValue, created: UnixTime, at time: Int64) -> HistoryPiece {
        let isSame = created == self.created
        return HistoryPiece(
            value, after: isSame ? (last, lastSum) : (0, 0), shape: shape, at: time)
    }

    /// What came since the last tick.
    func increase(to sketch: Sketch, created: UnixTime) -> Sketch {
        guard let sketches, created == self.created else { return sketch }
        return sketches.increase(to: sketch)
    }

    // MARK: - From a file

    /// A column as it was written.
    init(
        identity: SeriesIdentity, shape: HistoryShape, created: UnixTime, lastTick: UInt32?,
        last: (Double, Double), raw: ChunkList, tiers: HistoryTiers?, sketches: SketchHistory?
    ) {
        (self.identity, self.shape, self.created) = (identity, shape, created)
        (self.lastTick, self.raw, self.tiers, self.sketches) = (lastTick, raw, tiers, sketches)
        (self.last, lastSum) = last
        labelBytes = Self.bytes(of: identity.labels)
    }
}

/// Minutes and hours of a series that is old enough to have some.
final class HistoryTiers {
    var minutes, hours: RolledTier

    init(_ shape: HistoryShape) {
        minutes = RolledTier(shape, span: HistorySpans.minute)
        hours = RolledTier(shape, span: HistorySpans.hour)
    }

    func roll(now: Int64, spans: HistorySpans) {
        minutes.drop(before: now - spans.minutes) { piece in
            if spans.hasHours { hours.add(piece) }
        }
        hours.drop(before: now - spans.hours) { _ in }
    }

    func close() {
        minutes.close()
        hours.close()
    }
}

/// Reads samples as pieces.
private struct SampleReader {
    var rows: RowReader
    let shape: HistoryShape
    let from: Int64
    let ticks: TickTimes
    private var previous = (0.0, 0.0)

    init(rows: RowReader, shape: HistoryShape, from: Int64, ticks: TickTimes) {
        (self.rows, self.shape, self.from, self.ticks) = (rows, shape, from, ticks)
    }

    mutating func next() -> HistoryPiece? {
        while rows.next() {
            if rows.isFirst {
                previous = (rows.bases.first ?? 0, rows.bases.last ?? 0)
            }
            let before = previous
            previous = (rows[0], shape == .distribution ? rows[1] : 0)
            guard let time = ticks[rows.index], time >= from else { continue }
            switch shape {
            case .total: return .total(previous.0, after: before.0, at: time)
            case .level: return .level(previous.0, at: time)
            case .distribution:
                return .distribution(previous.0, previous.1, after: before, at: time)
            }
        }
        return nil
    }
}

extension HistoryPiece {
    /// A sample of a series' value, after what was stored last.
    init(
        _ value: SeriesValue, after previous: (Double, Double), shape: HistoryShape, at time: Int64
    ) {
        switch (value, shape) {
        case (.amount(let amount), .total):
            self = .total(amount.value, after: previous.0, at: time)
        case (.amount(let amount), _): self = .level(amount.value, at: time)
        case (.level(let level), _): self = .level(level, at: time)
        case (.distribution(let distribution), _):
            self = .distribution(
                Double(distribution.count), distribution.sum, after: previous, at: time)
        }
    }
}
