// Snapshot.swift — what metrics were at one moment, as plain values: what is sampled, exported and asked for.
// Next: Registry.swift for where they come from, Exposition.swift for where they go.

public import NocturneCore

/// A metric at one moment: its series, and what they have in common.
public struct MetricSnapshot: Sendable {
    /// As it was created, `api.requests`.
    public let name: String
    /// What it measures.
    public let kind: MetricKind
    /// A sentence for people; never empty.
    public let help: String
    /// Of the values, such as `seconds`; `nil` if they have none.
    public let unit: String?
    /// In the order of their labels.
    public let series: [SeriesSnapshot]

    package init(
        name: String, kind: MetricKind, help: String, unit: String?, series: [SeriesSnapshot]
    ) {
        (self.name, self.kind, self.help, self.unit) = (name, kind, help, unit)
        self.series = series
    }
}

/// One series at one moment.
public struct SeriesSnapshot: Sendable {
    /// Who it is; shared by all snapshots of the series.
    public let identity: SeriesIdentity
    /// When it was created.
    public let created: UnixTime
    /// What it was.
    public let value: SeriesValue

    package init(identity: SeriesIdentity, created: UnixTime, value: SeriesValue) {
        (self.identity, self.created, self.value) = (identity, created, value)
    }
}

/// What a series is at one moment.
public enum SeriesValue: Sendable, Hashable {
    /// Of a counter or an up-down counter.
    case amount(Amount)
    /// Of a gauge. Any number, also NaN and the infinities.
    case level(Double)
    /// Of a histogram or a summary.
    indirect case distribution(Distribution)
}

/// A total of whole numbers, which are added exactly, and of others.
public struct Amount: Sendable, Hashable {
    /// The sum of all whole numbers; exact.
    public var whole: Int64
    /// The sum of all others.
    public var fraction: Double

    /// A total.
    public init(whole: Int64 = 0, fraction: Double = 0) {
        (self.whole, self.fraction) = (whole, fraction)
    }

    /// Both together: exact up to 2^53 if there is no fraction.
    public var value: Double { Double(whole) + fraction }
}

/// How the values of a histogram or a summary are distributed.
public struct Distribution: Sendable, Hashable {
    /// How many values. Of a histogram with a sketch, exactly as many as are in its buckets.
    public var count: UInt64
    /// Their sum.
    public var sum: Double
    /// The least and the greatest; `nil` if there are none.
    public var range: ClosedRange<Double>?
    /// In buckets; `nil` if percentiles are not computed. Of a summary, all values since the beginning.
    public var sketch: Sketch?
    /// Of a summary: the values of its window. `nil` for histograms, and if percentiles are not computed.
    public var window: Sketch?
    /// Declared bounds, rising; empty if there are none.
    public var bounds: [Double]
    /// How many values are at most the bound at the same index and above the one before it; one more at the end for
    /// those above all bounds. Empty if there are no bounds.
    public var boundCounts: [UInt64]

    /// A distribution.
    package init(
        count: UInt64 = 0, sum: Double = 0, range: ClosedRange<Double>? = nil,
        sketch: Sketch? = nil, window: Sketch? = nil, bounds: [Double] = [],
        boundCounts: [UInt64] = []
    ) {
        (self.count, self.sum, self.range) = (count, sum, range)
        (self.sketch, self.window) = (sketch, window)
        (self.bounds, self.boundCounts) = (bounds, boundCounts)
    }
}

/// Who a series is, and how that is written in the text formats: worked out once, not with each export.
public final class SeriesIdentity: Sendable, Hashable {
    /// Its labels.
    public let labels: Labels
    /// Between the braces of Prometheus' formats, escaped and in order: `method="GET",path="/"`. No braces.
    package let labelText: [UInt8]

    package init(labels: Labels) {
        self.labels = labels
        var text: [UInt8] = []
        text.reserveCapacity(labels.textSize)
        for (name, value) in labels.ordered {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += MetricName.prometheusLabel(name).utf8
            text += "=\"".utf8
            Self.append(value, to: &text)
            text.append(UInt8(ascii: "\""))
        }
        labelText = text
    }

    /// Escapes alike in text format 0.0.4 and in OpenMetrics 1.0.
    private static func append(_ value: String, to text: inout [UInt8]) {
        let isDone: Void? = value.utf8.withContiguousStorageIfAvailable { append($0, to: &text) }
        if isDone == nil { Array(value.utf8).withUnsafeBufferPointer { append($0, to: &text) } }
    }

    private static func append(_ value: UnsafeBufferPointer<UInt8>, to text: inout [UInt8]) {
        let special: (UInt8) -> Bool = {
            $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n")
        }
        guard value.contains(where: special) else {
            text += value
            return
        }
        for byte in value {
            if special(byte) { text.append(UInt8(ascii: "\\")) }
            text.append(byte == UInt8(ascii: "\n") ? UInt8(ascii: "n") : byte)
        }
    }

    /// Whether the labels are the same.
    public static func == (left: SeriesIdentity, right: SeriesIdentity) -> Bool {
        left === right || left.labels == right.labels
    }

    /// Hashes the labels.
    public func hash(into hasher: inout Hasher) { hasher.combine(labels) }
}
