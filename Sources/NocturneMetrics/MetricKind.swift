// MetricKind.swift — what a metric measures. Next: MetricName.swift.

/// What a metric measures.
public enum MetricKind: String, Sendable, Hashable, CaseIterable {
    /// A total that only rises: requests, bytes sent.
    case counter
    /// A total that rises and falls by amounts: connections, things in a queue. Exported as a gauge.
    case upDownCounter
    /// A value that is set: a temperature, memory in use.
    case gauge
    /// How values are distributed, since the beginning: durations, sizes.
    case histogram
    /// How the values of the last while were distributed. Its count and sum are since the beginning.
    case summary

    /// Whether it takes single values and keeps their distribution.
    public var isDistribution: Bool { self == .histogram || self == .summary }
}
