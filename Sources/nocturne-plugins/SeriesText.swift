// SeriesText.swift — one time series as people read it: a sparkline, a table. Next: Sparkline.swift.

internal import Nocturne

/// One time series as people read it.
struct SeriesText {
    private let series: JSONValue
    private let points: [JSONValue]
    private let kind: MetricKind?
    /// From each point to the next one, milliseconds; and as it mostly is.
    private let spaces: [Int64], usualSpace: Int64

    init(_ series: JSONValue) {
        self.series = series
        points = series["points"]?.array ?? []
        let times = points.map { $0["time"]?.int ?? 0 }
        spaces = zip(times.dropFirst(), times).map { $0 &- $1 }
        usualSpace = spaces.sorted().dropFirst(spaces.count / 2).first ?? 0
        kind = series["kind"]?.string.flatMap { MetricKind(rawValue: $0) }
    }

    /// `http.requests{method="GET"}`
    var name: String {
        let pairs = (series["labels"]?.object ?? [:]).map { ($0.key, $0.value.string ?? "") }
        return (series["name"]?.string ?? "?") + Labels(pairs).description
    }

    /// What is drawn: of counters what they rose per second, of others their value, of distributions their mean.
    private var values: [Double?] {
        points.indices.map { index in
            kind == .counter ? rate(at: index) : MetricText.double(points[index]["value"])
        }
    }

    /// What a counter rose per second within a point; `nil` of a first sample, before which is nothing, and of one that
    /// came so soon after the last one that a single event would look like many.
    private func rate(at index: Int) -> Double? {
        guard let increase = MetricText.double(points[index]["increase"]),
            let length = series["step"]?.int ?? (index > 0 ? spaces[index - 1] : nil),
            length > 0, length >= usualSpace / 10
        else { return nil }
        return increase / (Double(length) / 1_000)
    }

    /// How it went, and a blank wherever samples are missing.
    func sparkline(width: Int) -> String {
        var columns: [Double?] = []
        for (index, value) in values.enumerated() {
            // Two missing samples: one may be late.
            if index > 0, spaces[index - 1] > 2 * usualSpace + usualSpace / 2 {
                columns.append(nil)
            }
            columns.append(value)
        }
        if kind == .counter {
            if columns.first == .some(nil) { columns.removeFirst() }
            if columns.last == .some(nil) { columns.removeLast() }
        }
        return Sparkline.line(Sparkline.fitted(columns, to: width))
    }

    /// The last value, as it is drawn.
    var latest: String {
        let all = kind == .counter ? values.filter { $0 != nil } : values
        guard let value = all.last ?? nil else { return "-" }
        return MetricText.number(value) + (kind == .counter ? "/s" : "")
    }

    /// Columns of a sparkline above a table.
    private static let width = 60

    /// The name, a sparkline and a table.
    var lines: [String] {
        let values = values.compactMap { $0 }
        var lines = [Printable.line(name)]
        if let least = values.min(), let greatest = values.max() {
            let unit = kind == .counter ? " per second" : ""
            lines.append(
                sparkline(width: Self.width)
                    + "  \(MetricText.number(least)) to \(MetricText.number(greatest))\(unit)")
        }
        return lines + table.lines()
    }

    private var table: Table {
        var table: Table
        let keys: [String]
        switch kind {
        case .counter:
            (table, keys) = (
                Table("TIME", "VALUE", "INCREASE", "PER SECOND"), ["value", "increase"]
            )
        case .histogram, .summary:
            table = Table("TIME", "COUNT", "MEAN", "P50", "P90", "P99")
            keys = ["count", "value", "p50", "p90", "p99"]
        default:
            (table, keys) = (Table("TIME", "VALUE", "LEAST", "GREATEST"), ["value", "min", "max"])
        }
        for (index, point) in points.enumerated() {
            var row = [PluginText.time(point["time"])] + keys.map { MetricText.number(point[$0]) }
            if kind == .counter { row.append(rate(at: index).map { MetricText.number($0) } ?? "-") }
            table.add(row)
        }
        return table
    }
}
