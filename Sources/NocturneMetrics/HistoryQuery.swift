// HistoryQuery.swift — a metric's past in a few numbers. Next: HistoryPoints.swift for its course, HistoryReading.swift
// for what alerts compare.

package import NocturneCore

/// What is asked of the history, and what metrics are at that moment: a value that was recorded is in the next answer.
package struct HistoryQuery {
    /// The metric.
    package var name: String
    /// Only series that have these labels.
    package var labels: Labels
    /// After this; `nil` for the whole life.
    package var from: UnixTime?
    /// Up to this; `nil` for now.
    package var to: UnixTime?
    /// All metrics as they are now.
    package var live: [MetricSnapshot]
    /// When that is.
    package var now: UnixTime

    package init(
        _ name: String, labels: Labels = [:], from: UnixTime? = nil, to: UnixTime? = nil,
        live: [MetricSnapshot], now: UnixTime
    ) {
        (self.name, self.labels, self.from, self.to) = (name, labels, from, to)
        (self.live, self.now) = (live, now)
    }
}

/// The series that a query is about.
struct HistorySelection {
    /// A series with its past, its present, or both.
    struct Series {
        let labels: Labels
        let column: HistoryColumn?
        let live: SeriesSnapshot?
    }

    let kind: MetricKind
    let shape: HistoryShape
    let unit: String?
    let series: [Series]
    /// Bounds of the times, milliseconds since 1970.
    let from, to, now: Int64
    /// Whether the present is in the range.
    let isLive: Bool
}

extension History {
    /// Finds the series of a query; `nil` if there is no such metric, or has not been while the past is kept.
    func select(_ query: HistoryQuery) -> HistorySelection? {
        let present = query.live.first { Labels.isSame($0.name, query.name) }
        var family = families[query.name]
        if let present, family?.kind != present.kind { family = nil }
        guard let kind = present?.kind ?? family?.kind else { return nil }
        var series: [HistorySelection.Series] = []
        var seen: Set<ObjectIdentifier> = []
        for one in present?.series ?? [] where one.identity.labels.contains(query.labels) {
            let column = family?.columns[one.identity.labels]
            if let column { seen.insert(ObjectIdentifier(column)) }
            series.append(.init(labels: one.identity.labels, column: column, live: one))
        }
        for (labels, column) in family?.columns ?? [:]
        where !seen.contains(ObjectIdentifier(column)) && labels.contains(query.labels) {
            series.append(.init(labels: labels, column: column, live: nil))
        }
        let now = max(Self.clamped(query.now), ticks.lastTime ?? 0)
        let to = min(query.to.map(Self.clamped) ?? now, now)
        let oldest = max(now - spans.hours, 0)
        let from = max(query.from.map(Self.clamped) ?? oldest, oldest)
        return HistorySelection(
            kind: kind, shape: HistoryShape(kind), unit: present?.unit ?? family?.unit,
            series: series, from: from, to: to, now: now,
            // A range that has not begun has nothing, not even what is now.
            isLive: from <= now && (query.to == nil || to == now))
    }

    /// Goes through the pieces of one series in a range: increases after its beginning, levels also at it.
    func forEachPiece(
        _ series: HistorySelection.Series, in range: HistorySelection,
        _ body: (HistoryPiece) -> Void
    ) {
        // What rose up to a sample came before it, and what rose in a minute after its beginning.
        let isIncrease = range.shape != .level
        series.column?.forEachPiece(from: range.from, ticks) { piece in
            if piece.time > range.to { return }
            if isIncrease, piece.time == (piece.span == 0 ? range.from : range.to) { return }
            body(piece)
        }
        guard range.isLive, let live = series.live else { return }
        guard let column = series.column else {
            body(HistoryPiece(live.value, after: (0, 0), shape: range.shape, at: range.now))
            return
        }
        let piece = column.piece(of: live.value, created: live.created, at: range.now)
        // At the very time of the last flush, it is the same sample.
        if !isIncrease, column.lastTick.flatMap({ ticks[$0] }) == range.now,
            piece.last.bitPattern == column.last.bitPattern
        {
            return
        }
        body(piece)
    }

    // MARK: - Reports

    /// A metric over a range, or over its whole life.
    ///
    /// A counter's increase over a range is the sum of what it rose between its samples, each counted when the later
    /// one was taken: so the increases over two ranges add up to that over both, and nothing is extrapolated. The
    /// first sample of a life counts fully, and so does one that is less than the one before. Where only minutes or
    /// hours are kept, those count that begin within the range.
    ///
    /// - Returns: `nil` if there is no such metric.
    package func report(_ query: HistoryQuery) -> MetricReport? {
        guard let selection = select(query) else { return nil }
        var found = Findings()
        for series in selection.series {
            if query.from == nil, selection.isLive, selection.shape != .level {
                found.addLife(of: series)
            } else {
                found.add(series, of: self, in: selection)
            }
        }
        return MetricReport(
            name: query.name, kind: selection.kind, unit: selection.unit,
            seriesCount: found.seriesCount, value: found.value(selection.kind),
            rate: selection.shape == .total
                ? found.rate(selection, since: droppedUpTo?.milliseconds) : nil,
            from: query.from, to: UnixTime(milliseconds: selection.to),
            aggregations: found.aggregations(selection.shape))
    }
}

/// What the series of a query come to.
private struct Findings {
    private(set) var seriesCount = 0
    private var sum = HistoryPiece(time: 0, last: 0)
    /// The last values of those series that were there last, and when that was.
    private var last: (time: Int64, values: [Double]) = (.min, [])
    private var created = Int64.max
    /// All samples of levels, unless only minutes are kept of some.
    private var samples: [Double]? = []
    private var sketch: Sketch?
    private var range: ClosedRange<Double>?

    /// Adds a series over its whole life.
    mutating func addLife(of series: HistorySelection.Series) {
        guard let live = series.live else { return }
        seriesCount += 1
        created = min(created, live.created.milliseconds)
        let piece: HistoryPiece
        switch live.value {
        case .amount(let amount): piece = .total(amount.value, after: 0, at: 0)
        case .level(let level): piece = .level(level, at: 0)
        case .distribution(let all):
            piece = .distribution(Double(all.count), all.sum, after: (0, 0), at: 0)
            merge(all.window ?? all.sketch)
            if let other = all.range {
                range =
                    range.map {
                        min($0.lowerBound, other.lowerBound)...max($0.upperBound, other.upperBound)
                    } ?? other
            }
        }
        sum.add(piece)
        note(piece.last, at: 0)
    }

    /// Adds a series over a range.
    mutating func add(
        _ series: HistorySelection.Series, of history: History, in range: HistorySelection
    ) {
        var piece: HistoryPiece?
        history.forEachPiece(series, in: range) { next in
            if piece?.add(next) == nil { piece = next }
            piece?.time = next.time
            if range.shape == .level, next.count > 0 {
                if next.span > 0 { samples = nil } else { samples?.append(next.last) }
            }
        }
        guard let piece else { return }
        seriesCount += 1
        sum.add(piece)
        if let begin = series.live?.created ?? series.column?.created {
            created = min(created, begin.milliseconds)
        }
        if !range.isLive || series.live != nil { note(piece.last, at: piece.time) }
        if range.shape == .distribution {
            history.forEachSketch(series, in: range) { _, _, sketch in merge(sketch) }
        }
    }

    private mutating func note(_ value: Double, at time: Int64) {
        if time > last.time { last = (time, []) }
        if time == last.time { last.values.append(value) }
    }

    private mutating func merge(_ other: Sketch?) {
        guard let other else { return }
        if sketch?.merge(other) == nil { sketch = other }
    }

    /// The latest value of all series together, if that means something.
    func value(_ kind: MetricKind) -> Double? {
        guard !last.values.isEmpty, kind != .gauge || last.values.count == 1 else { return nil }
        let value = last.values.reduce(0, +)
        return HistoryShape(kind) == .distribution && value.isNaN ? nil : value
    }

    /// What a total rose by per second, in the part of the range in which it is known.
    func rate(_ range: HistorySelection, since dropped: Int64?) -> Double? {
        let begin = max(range.from, min(created, range.to), dropped ?? .min)
        guard seriesCount > 0, range.to > begin else { return nil }
        return sum.increase / (Double(range.to - begin) / 1_000)
    }

    func aggregations(_ shape: HistoryShape) -> MetricReport.Aggregations {
        var all = MetricReport.Aggregations()
        guard seriesCount > 0 else { return all }
        guard shape != .total else {
            all.sum = sum.increase
            return all
        }
        all.count = UInt64(exactly: sum.count)
        all.sum = sum.sum
        guard sum.count > 0 else { return all }
        all.avg = sum.sum / sum.count
        if shape == .level {
            all.min = Percentile(exact: sum.least)
            all.max = Percentile(exact: sum.greatest)
            if let sorted = samples?.sorted() {
                all.setPercentiles { part in
                    let rank = Int((part * Double(sorted.count)).rounded(.up))
                    return Percentile(exact: sorted[Swift.max(rank, 1) - 1])
                }
            }
        } else {
            all.min = range.map { Percentile(exact: $0.lowerBound) } ?? sketch?.percentile(0)
            all.max = range.map { Percentile(exact: $0.upperBound) } ?? sketch?.percentile(1)
            all.setPercentiles { sketch?.percentile($0, in: range) }
        }
        return all
    }
}

extension History {
    /// Goes through the sketches of one distribution in a range: when, how long each lasted, and what came then.
    func forEachSketch(
        _ series: HistorySelection.Series, in range: HistorySelection,
        _ body: (Int64, Int64, Sketch) -> Void
    ) {
        series.column?.sketches?.forEach(from: range.from, to: range.to, ticks: ticks, body)
        guard range.isLive, let live = series.live, case .distribution(let all) = live.value,
            let sketch = all.sketch
        else { return }
        let new = series.column?.increase(to: sketch, created: live.created) ?? sketch
        if new.count > 0 { body(range.now, 0, new) }
    }
}
