// HistoryPoints.swift — a metric's past as a course in points. Next: TimeSeries.swift.

internal import NocturneCore

extension History {
    /// How the series of a query went over time, in the order of their labels; those without a sample in the range
    /// are not there.
    ///
    /// - Parameter step: how long each point lasts; `nil` for what was kept, and for a minute if a distribution is
    ///   asked for over a longer range than the sketch of each flush is kept. Points are made longer where there would
    ///   be more than ``TimeSeries/pointLimit`` of a series, or ``TimeSeries/totalPointLimit`` of all.
    /// - Returns: `nil` if there is no such metric.
    package func timeSeries(_ query: HistoryQuery, step: Duration? = nil) -> [TimeSeries]? {
        guard let selection = select(query) else { return nil }
        let limit = min(
            TimeSeries.pointLimit, TimeSeries.totalPointLimit / max(selection.series.count, 1))
        let longest = (selection.to - selection.from) / Int64(max(limit - 1, 1)) + 1
        var milliseconds = step.map { max($0.wholeMilliseconds, longest, 1) }
        if milliseconds == nil, selection.shape == .distribution,
            selection.now - selection.from > spans.rawSketches
        {
            milliseconds = max(HistorySpans.minute, longest)
        }
        if milliseconds == nil, isLonger(than: limit, selection) { milliseconds = longest }
        return selection.series.compactMap { series in
            let points = points(of: series, in: selection, step: milliseconds)
            guard !points.isEmpty else { return nil }
            return TimeSeries(
                name: query.name, kind: selection.kind, labels: series.labels,
                step: milliseconds.map(Duration.milliseconds), points: points)
        }.sorted { $0.labels.isBefore($1.labels) }
    }

    private func isLonger(than limit: Int, _ selection: HistorySelection) -> Bool {
        selection.series.contains { series in
            var count = 0
            forEachPiece(series, in: selection) { _ in count += 1 }
            return count > limit
        }
    }

    private func points(
        of series: HistorySelection.Series, in range: HistorySelection, step: Int64?
    ) -> [TimeSeries.Point] {
        func begin(_ time: Int64, _ span: Int64) -> Int64 {
            guard let step else { return time }
            // What rose up to the very end of a step belongs to it.
            let time = span == 0 && range.shape != .level ? time - 1 : time
            let part = time % step
            return time - (part < 0 ? part + step : part)
        }
        var pieces: [HistoryPiece] = []
        forEachPiece(series, in: range) { next in
            let time = begin(next.time, next.span)
            if let last = pieces.last, last.time == time {
                pieces[pieces.count - 1].add(next)
            } else {
                pieces.append(next)
                pieces[pieces.count - 1].time = time
            }
        }
        var sketches: [Int64: Sketch] = [:]
        if range.shape == .distribution {
            forEachSketch(series, in: range) { time, span, sketch in
                // What lasted longer than a step is in none.
                if let step, span > step { return }
                sketches[begin(time, span), default: Sketch()].merge(sketch)
            }
        }
        return pieces.map { TimeSeries.Point($0, range.shape, sketch: sketches[$0.time]) }
    }
}

extension Labels {
    /// Order by names and values, byte by byte.
    func isBefore(_ other: Labels) -> Bool {
        let (left, right) = (sorted, other.sorted)
        for (one, two) in zip(left, right) {
            if !Self.isSame(one.name, two.name) {
                return one.name.utf8.lexicographicallyPrecedes(two.name.utf8)
            }
            if !Self.isSame(one.value, two.value) {
                return one.value.utf8.lexicographicallyPrecedes(two.value.utf8)
            }
        }
        return left.count < right.count
    }
}
