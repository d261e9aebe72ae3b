// HistoryTier.swift — what the past is kept as the older it gets: samples, then minutes, then hours.
// Next: HistoryColumn.swift.

internal import NocturneCore

/// How long which tier lasts, given how long the history is kept.
///
/// A moment of the past is in one tier only. What leaves a tier is summed up in the next, so that no tier holds what
/// another has, and an hour of samples is all there is while nothing is older.
struct HistorySpans {
    /// How long samples are kept. People look at the last hour in detail; and 360 samples, at one in 10 s, take half of
    /// the kilobyte that a series may have.
    static let longestRaw = Duration.seconds(3_600)
    /// How long minutes are kept: a day of them is 1,440 rows, about what a screen has points for.
    static let longestMinutes = Duration.seconds(86_400)
    /// How long the sketch of each flush is kept, for percentiles over short windows; then there is one for a minute. A
    /// busy histogram has 40 bytes of it for each flush.
    static let longestRawSketches = Duration.seconds(300)

    /// No history lasts longer: a hundred years, so that no sum of times overflows.
    private static let longest = Duration.seconds(100 * 366 * 86_400)

    let raw, minutes, hours, rawSketches: Int64

    init(retention: Duration) {
        hours = min(max(retention.wholeMilliseconds, 1), Self.longest.wholeMilliseconds)
        raw = min(hours, Self.longestRaw.wholeMilliseconds)
        minutes = min(hours, Self.longestMinutes.wholeMilliseconds)
        rawSketches = min(hours, Self.longestRawSketches.wholeMilliseconds)
    }

    /// Whether there are minutes, and hours, that are not kept as samples.
    var hasMinutes: Bool { minutes > raw }
    var hasHours: Bool { hours > minutes }

    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000
}

/// What columns a series has.
enum HistoryShape {
    /// A total that only rises.
    case total
    /// A value that rises and falls.
    case level
    /// Count and sum of values that are distributed.
    case distribution

    init(_ kind: MetricKind) {
        switch kind {
        case .counter: self = .total
        case .upDownCounter, .gauge: self = .level
        case .histogram, .summary: self = .distribution
        }
    }

    /// Columns of samples: the value; or count and sum, both since the series began.
    private var rawWidth: Int { self == .distribution ? 2 : 1 }

    /// Samples, of which totals and distributions have bases, since what counts of them is how they rose.
    var raw: ChunkList { ChunkList(width: rawWidth, bases: self == .level ? 0 : rawWidth) }

    /// Samples that were written.
    func raw(image: [UInt64]) -> ChunkList? {
        ChunkList(image: image, width: rawWidth, bases: self == .level ? 0 : rawWidth)
    }

    /// Columns of minutes and hours: see ``HistoryPiece/row(_:)``.
    var rolledWidth: Int { self == .level ? 5 : 2 }
}

/// A piece of a series' past: a sample, or what several came to.
struct HistoryPiece: Equatable {
    /// When it was taken; of several, when their minute or hour began. Milliseconds since 1970.
    var time: Int64
    /// Over how long: 0 for one sample.
    var span: Int64 = 0
    /// The last value. Of a distribution its count since the beginning; NaN where that is not kept.
    var last: Double
    /// How much a total rose, since the sample before.
    var increase = 0.0
    /// How many samples of a level, those that are NaN apart; how many values were distributed.
    var count = 0.0
    /// Their sum.
    var sum = 0.0
    /// The least and the greatest sample of a level.
    var least = Double.infinity, greatest = -Double.infinity

    /// A sample of a total, after the value `previous` of the same life.
    static func total(_ value: Double, after previous: Double, at time: Int64) -> HistoryPiece {
        HistoryPiece(
            time: time, last: value, increase: value >= previous ? value - previous : value)
    }

    /// A sample of a level.
    static func level(_ value: Double, at time: Int64) -> HistoryPiece {
        guard !value.isNaN else { return HistoryPiece(time: time, last: value) }
        return HistoryPiece(
            time: time, last: value, count: 1, sum: value, least: value, greatest: value)
    }

    /// A sample of a distribution, after another of the same life.
    static func distribution(
        _ count: Double, _ sum: Double, after previous: (count: Double, sum: Double), at time: Int64
    ) -> HistoryPiece {
        let isReset = count < previous.count
        return HistoryPiece(
            time: time, last: count, count: isReset ? count : count - previous.count,
            sum: isReset ? sum : sum - previous.sum)
    }

    /// Adds a later piece of the same series.
    mutating func add(_ later: HistoryPiece) {
        last = later.last
        increase += later.increase
        count += later.count
        sum += later.sum
        least = min(least, later.least)
        greatest = max(greatest, later.greatest)
    }

    /// As a row of minutes or hours.
    func row(_ shape: HistoryShape) -> [Double] {
        switch shape {
        case .total: [last, increase]
        case .level: [least, greatest, sum, count, last]
        case .distribution: [count, sum]
        }
    }

    /// From a row of minutes or hours.
    init(_ row: RowReader, _ shape: HistoryShape, span: Int64) {
        self.init(time: Int64(row.index) * span, span: span, last: .nan)
        switch shape {
        case .total: (last, increase) = (row[0], row[1])
        case .level:
            (least, greatest, sum, count, last) = (row[0], row[1], row[2], row[3], row[4])
        case .distribution: (count, sum) = (row[0], row[1])
        }
    }

    init(
        time: Int64, span: Int64 = 0, last: Double, increase: Double = 0, count: Double = 0,
        sum: Double = 0, least: Double = .infinity, greatest: Double = -.infinity
    ) {
        (self.time, self.span, self.last, self.increase) = (time, span, last, increase)
        (self.count, self.sum, self.least, self.greatest) = (count, sum, least, greatest)
    }
}

/// The minutes or hours of one series.
struct RolledTier {
    let shape: HistoryShape
    let span: Int64
    private(set) var list: ChunkList
    /// What is not complete yet, or not known to be.
    private(set) var pending: HistoryPiece?

    init(_ shape: HistoryShape, span: Int64) {
        (self.shape, self.span) = (shape, span)
        list = ChunkList(width: shape.rolledWidth, bases: 0)
    }

    /// Takes what was written; `false` if it cannot be.
    mutating func restore(_ image: [UInt64], pending: HistoryPiece?) -> Bool {
        guard let list = ChunkList(image: image, width: shape.rolledWidth, bases: 0) else {
            return false
        }
        if let pending, let last = list.lastIndex, Int64(last) * span >= pending.time {
            return false
        }
        (self.list, self.pending) = (list, pending)
        return true
    }

    var isEmpty: Bool { pending == nil && list.isEmpty }

    var bytes: Int { list.bytes + 8 + MemoryLayout<RolledTier>.stride }

    /// Which minute or hour a time is in.
    static func index(of time: Int64, span: Int64) -> UInt32 { UInt32(clamping: time / span) }

    /// Adds a piece that is later than all before. What rose up to the very end of a minute or hour belongs to that,
    /// while a level at that moment belongs to the next.
    mutating func add(_ piece: HistoryPiece) {
        let time = piece.span == 0 && shape != .level ? piece.time - 1 : piece.time
        let begin = Int64(Self.index(of: time, span: span)) * span
        if var sum = pending, sum.time >= begin {
            sum.add(piece)
            pending = sum
            return
        }
        writePending()
        var first = piece
        (first.time, first.span) = (begin, span)
        pending = first
    }

    private mutating func writePending() {
        guard let piece = pending else { return }
        list.append(
            Self.index(of: piece.time, span: span), piece.row(shape), bases: [])
        pending = nil
    }

    /// Drops the chunks that end before `cut`, after `body` had each of their pieces.
    mutating func drop(before cut: Int64, _ body: (HistoryPiece) -> Void) {
        if let last = list.openLast, (Int64(last) + 1) * span < cut { list.close() }
        while let oldest = list.oldest, (Int64(oldest.last) + 1) * span < cut {
            var rows = list.rows(ofOldestOnly: true)
            while rows.next() { body(HistoryPiece(rows, shape, span: span)) }
            list.dropOldest()
        }
        if let piece = pending, piece.time + span < cut {
            body(piece)
            pending = nil
        }
    }

    /// Drops the oldest chunk, unless it is still written.
    mutating func dropOldest() { list.dropOldest() }

    /// Ends the open chunk. What is pending stays so.
    mutating func close() { list.close() }

    /// When the oldest chunk ends that can be dropped.
    var oldestEnd: Int64? { list.oldest.map { (Int64($0.last) + 1) * span } }

    /// Goes through the pieces that begin at `from` or later.
    func forEach(from: Int64, _ body: (HistoryPiece) -> Void) {
        var rows = list.rows()
        rows.skip(before: Self.index(of: max(from, 0), span: span))
        while rows.next() {
            let piece = HistoryPiece(rows, shape, span: span)
            if piece.time >= from { body(piece) }
        }
        if let pending, pending.time >= from { body(pending) }
    }
}
