// HistoryReading.swift — the numbers that alerts compare: now, per second, or over a window. Next: AlertRule.swift.

internal import NocturneCore

/// What the series of a metric, or those of a group, come to.
package struct HistoryReading: Equatable {
    /// The labels of the group; none if all series are one.
    package let labels: Labels
    /// One value for counters, up-down counters and distributions, which add up or merge; of gauges one for each
    /// series.
    package let values: [Double]
}

extension History {
    /// What series are now: the total of counters, the level of each gauge, the count of distributions.
    ///
    /// - Parameter by: labels that groups are formed by; without, all series are one group. Groups are in the order
    ///   of their labels.
    package func values(_ query: HistoryQuery, by: [String] = []) -> [HistoryReading] {
        readings(query, by: by) { selection, group in
            let values = group.compactMap { $0.live?.value.total }
            return selection.kind == .gauge || values.isEmpty ? values : [values.reduce(0, +)]
        }
    }

    /// What rose per second within a window that ends now: counters by their increase, with resets as in
    /// ``report(_:)``; distributions by their count; levels from their first to their last sample in the window.
    ///
    /// Per second of that part of the window in which there was such a series.
    package func rates(
        _ query: HistoryQuery, window: Duration, by: [String] = []
    ) -> [HistoryReading] {
        readings(query.over(window), by: by) { selection, group in
            var sums: [Double] = [], begin = Int64.max
            for series in group {
                var rise: Double?, first: HistoryPiece?
                forEachPiece(series, in: selection) { piece in
                    switch selection.shape {
                    case .total: rise = (rise ?? 0) + piece.increase
                    case .distribution: rise = (rise ?? 0) + piece.count
                    case .level:
                        if let first { rise = piece.last - first.last } else { first = piece }
                    }
                }
                guard let rise else { continue }
                let created = series.live?.created ?? series.column?.created
                let start = first?.time ?? created?.milliseconds ?? selection.from
                begin = min(begin, start)
                sums.append(rise)
            }
            let seconds = Double(selection.to - max(begin, selection.from)) / 1_000
            guard !sums.isEmpty, seconds > 0 else { return [] }
            return (selection.kind == .gauge ? sums : [sums.reduce(0, +)]).map { $0 / seconds }
        }
    }

    /// The percentile of the values that were distributed within a window that ends now. A summary's own window is
    /// not regarded.
    package func percentiles(
        _ part: Double, _ query: HistoryQuery, window: Duration, by: [String] = []
    ) -> [HistoryReading] {
        readings(query.over(window), by: by) { selection, group in
            var sum = Sketch()
            for series in group {
                forEachSketch(series, in: selection) { _, _, sketch in sum.merge(sketch) }
            }
            return sum.percentile(part).map { [$0.value] } ?? []
        }
    }

    /// Whether no series was there within a window that ends now; `nil` if the history does not go back that far.
    package func isAbsent(_ query: HistoryQuery, window: Duration) -> Bool? {
        let query = query.over(window)
        if let selection = select(query) {
            let isThere = selection.series.contains { series in
                if series.live != nil { return true }
                var found = false
                series.column?.forEachPiece(from: selection.from, ticks) { _ in found = true }
                return found
            }
            if isThere { return false }
        }
        guard let first = ticks.firstTime, let from = query.from, first <= from.milliseconds
        else { return nil }
        return true
    }

    private func readings(
        _ query: HistoryQuery, by: [String],
        _ values: (HistorySelection, [HistorySelection.Series]) -> [Double]
    ) -> [HistoryReading] {
        guard let selection = select(query) else { return [] }
        var groups: [Labels: [HistorySelection.Series]] = [:]
        for series in selection.series {
            let labels =
                by.isEmpty
                ? Labels()
                : series.labels.filtered { name in by.contains { Labels.isSame($0, name) } }
            groups[labels, default: []].append(series)
        }
        return groups.compactMap { labels, group in
            let found = values(selection, group)
            return found.isEmpty ? nil : HistoryReading(labels: labels, values: found)
        }.sorted { $0.labels.isBefore($1.labels) }
    }
}

extension HistoryQuery {
    /// The same over a window that ends now.
    fileprivate func over(_ window: Duration) -> HistoryQuery {
        var query = self
        let begin = max(History.clamped(now) - max(window.wholeMilliseconds, 0), 0)
        (query.from, query.to) = (UnixTime(milliseconds: begin), nil)
        return query
    }
}

extension SeriesValue {
    /// The total of a counter, the level of a gauge, the count of a distribution.
    var total: Double {
        switch self {
        case .amount(let amount): amount.value
        case .level(let level): level
        case .distribution(let distribution): Double(distribution.count)
        }
    }
}
