// TimeSeries.swift — how a series went over time, in points. Next: HistoryQuery.swift.

public import NocturneCore

/// How one series went over time.
///
/// There is a point where there was a sample; gaps are gaps.
public struct TimeSeries: Sendable, Hashable {
    /// Of the metric.
    public let name: String
    /// What it measures.
    public let kind: MetricKind
    /// Of the series.
    public let labels: Labels
    /// How long each point lasts; `nil` if points are what was kept: samples, and where those are too old, minutes or
    /// hours. Longer than what was asked for if that would have been more than ``pointLimit`` points.
    public let step: Duration?
    /// In the order of time.
    public let points: [Point]

    /// Points of a series; a screen has not as many. Prometheus returns as many.
    public static let pointLimit = 11_000
    /// Points of all series of an answer: 100 MB or so. Above it steps get longer.
    public static let totalPointLimit = 1_000_000

    /// What a series was within one step.
    public struct Point: Sendable, Hashable {
        /// When the step began, a multiple of its length since 1970; of a sample, when it was taken. A gauge's sample
        /// at the very end of a step is in the next one, what a counter rose up to then is not.
        public let time: UnixTime
        /// The last value of a counter or a gauge; the mean of a distribution's values, `nil` if none came.
        public let value: Double?
        /// How much a counter rose since the point before.
        public var increase: Double?
        /// How many values were distributed; how many samples a gauge has.
        public var count: UInt64?
        /// Their sum.
        public var sum: Double?
        /// The least sample of a gauge.
        public var min: Double?
        /// The greatest sample of a gauge.
        public var max: Double?
        /// The median of a distribution's values. Absent if they are kept for longer times only than the step.
        public var p50: Percentile?
        /// 90 % are at most this.
        public var p90: Percentile?
        /// 95 % are at most this.
        public var p95: Percentile?
        /// 99 % are at most this.
        public var p99: Percentile?

        init(time: UnixTime, value: Double?) { (self.time, self.value) = (time, value) }
    }
}

extension TimeSeries.Point {
    init(_ piece: HistoryPiece, _ shape: HistoryShape, sketch: Sketch?) {
        let time = UnixTime(milliseconds: piece.time)
        let count = UInt64(exactly: piece.count)
        switch shape {
        case .total:
            self.init(time: time, value: piece.last)
            increase = piece.increase
        case .level:
            self.init(time: time, value: piece.last)
            self.count = count
            guard piece.count > 0 else { break }
            (sum, min, max) = (piece.sum, piece.least, piece.greatest)
        case .distribution:
            self.init(time: time, value: piece.count > 0 ? piece.sum / piece.count : nil)
            (self.count, sum) = (count, piece.sum)
            p50 = sketch?.percentile(0.5)
            p90 = sketch?.percentile(0.9)
            p95 = sketch?.percentile(0.95)
            p99 = sketch?.percentile(0.99)
        }
    }

    /// `{"time", "value", …}`, without what is absent.
    public var json: JSONValue {
        var object: JSONObject = ["time": JSONValue(time.milliseconds)]
        let numbers = [
            ("value", value), ("increase", increase), ("sum", sum), ("min", min), ("max", max),
            ("p50", p50?.value), ("p90", p90?.value), ("p95", p95?.value), ("p99", p99?.value),
        ]
        for (name, number) in numbers {
            if let number { object[name] = .metric(number) }
        }
        if let count { object["count"] = JSONValue(count) }
        return .object(object)
    }
}

extension TimeSeries {
    /// `{"name", "kind", "labels": {…}, "step", "points": […]}`; the step in milliseconds, without it if there is none.
    public var json: JSONValue {
        let pairs = labels.sorted.map { ($0.name, JSONValue.string($0.value)) }
        var object: JSONObject = [
            "name": .string(name), "kind": .string(kind.rawValue),
            "labels": .object(JSONObject(pairs)),
        ]
        if let step { object["step"] = JSONValue(step.wholeMilliseconds) }
        object["points"] = .array(points.map(\.json))
        return .object(object)
    }
}
