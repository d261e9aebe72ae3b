// MetricReport.swift — a metric over a range of time, in a few numbers. Next: TimeSeries.swift, HistoryQuery.swift.

public import NocturneCore

/// A metric over a range of time, or over its whole life: what `getMetric` of the mission's interface returns.
///
/// What is not known is absent, never 0.
public struct MetricReport: Sendable, Hashable {
    /// As it was created.
    public let name: String
    /// What it measures.
    public let kind: MetricKind
    /// Of the values; `nil` if they have none.
    public let unit: String?
    /// How many series it is of.
    public let seriesCount: Int
    /// The latest: of counters and up-down counters the sum of all series; of a gauge its level, `nil` if there are
    /// several series, whose sum means nothing; of histograms and summaries how many values there were.
    public let value: Double?
    /// How much a counter rose per second; `nil` of other kinds, and if it has been there for no time.
    public let rate: Double?
    /// The range that was asked for, after which it begins; `nil` for the whole life.
    public let from: UnixTime?
    /// The end of the range, which is in it.
    public let to: UnixTime
    /// What the values come to.
    public let aggregations: Aggregations

    /// What the values of a metric come to, over all series.
    public struct Aggregations: Sendable, Hashable {
        /// Of histograms and summaries, how many values; of gauges and up-down counters, how many samples. Absent of
        /// counters.
        public var count: UInt64?
        /// Their sum; of a counter by how much it rose.
        public var sum: Double?
        /// The least. Of a histogram within a range, known to its bucket.
        public var min: Percentile?
        /// The greatest, likewise.
        public var max: Percentile?
        /// Sum by count; absent if there is nothing.
        public var avg: Double?
        /// The median. Of gauges, of their samples; absent where only minutes are kept of those.
        public var p50: Percentile?
        /// 90 % are at most this.
        public var p90: Percentile?
        /// 95 % are at most this.
        public var p95: Percentile?
        /// 99 % are at most this.
        public var p99: Percentile?
        /// 99.9 % are at most this.
        public var p999: Percentile?

        /// Nothing.
        public init() {}
    }
}

extension MetricReport.Aggregations {
    /// Fills in all percentiles.
    mutating func setPercentiles(_ percentile: (Double) -> Percentile?) {
        p50 = percentile(0.5)
        p90 = percentile(0.9)
        p95 = percentile(0.95)
        p99 = percentile(0.99)
        p999 = percentile(0.999)
    }

    /// The names and values of what is there, as in JSON.
    private var percentiles: [(String, Percentile)] {
        let all = [
            ("min", min), ("max", max), ("p50", p50), ("p90", p90), ("p95", p95), ("p99", p99),
            ("p999", p999),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    /// `{"count": 3, "sum": 6, "avg": 2, "min": 1, …, "bounds": {"p50": [1.99, 2.01], …}}`, without what is absent.
    /// Bounds are there of what is not exact.
    public var json: JSONValue {
        var object = JSONObject()
        if let count { object["count"] = JSONValue(count) }
        if let sum { object["sum"] = .metric(sum) }
        if let avg { object["avg"] = .metric(avg) }
        var bounds = JSONObject()
        for (name, percentile) in percentiles {
            object[name] = .metric(percentile.value)
            guard percentile.bounds.lowerBound < percentile.bounds.upperBound else { continue }
            bounds[name] = [
                .metric(percentile.bounds.lowerBound), .metric(percentile.bounds.upperBound),
            ]
        }
        if bounds.count > 0 { object["bounds"] = .object(bounds) }
        return .object(object)
    }
}

extension MetricReport {
    /// `{"name", "kind", "unit", "series", "value", "rate", "startTime", "endTime", "aggregations"}`, without what is
    /// absent; times in milliseconds since 1970.
    public var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "kind": .string(kind.rawValue), "series": JSONValue(seriesCount),
        ]
        if let unit { object["unit"] = .string(unit) }
        if let value { object["value"] = .metric(value) }
        if let rate { object["rate"] = .metric(rate) }
        if let from { object["startTime"] = JSONValue(from.milliseconds) }
        object["endTime"] = JSONValue(to.milliseconds)
        object["aggregations"] = aggregations.json
        return .object(object)
    }
}

extension JSONValue {
    /// A value of a metric: a number, or `"NaN"`, `"+Inf"`, `"-Inf"`, which JSON has no numbers for.
    static func metric(_ value: Double) -> JSONValue {
        JSONValue(value) ?? .string(value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf")
    }
}
