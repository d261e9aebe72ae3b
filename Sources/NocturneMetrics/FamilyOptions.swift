// FamilyOptions.swift — how many series metrics may have, and for how long. Next: Family.swift.

/// What is asked of one metric instead of what ``RegistryLimits`` says.
public struct FamilyOptions: Sendable, Hashable {
    /// Series of the metric; at least 1.
    public var series: Int?
    /// Values of each of its labels; at least 1.
    public var valuesPerLabel: Int?
    /// For how long a series that does not change is kept.
    public var idleExpiry: Duration?

    /// Options; what is `nil` is as in ``RegistryLimits``.
    public init(series: Int? = nil, valuesPerLabel: Int? = nil, idleExpiry: Duration? = nil) {
        (self.series, self.valuesPerLabel) = (series, valuesPerLabel)
        self.idleExpiry = idleExpiry
    }
}

/// How much a registry may have.
public struct RegistryLimits: Sendable, Hashable {
    /// Metrics. Programs have hundreds; more than this are names made of data.
    public var families = 10_000
    /// Series of one metric: as many as OpenTelemetry's default
    /// (https://opentelemetry.io/docs/specs/otel/metrics/sdk, "Cardinality limits").
    public var seriesPerFamily = 2_000
    /// Values of one label of a metric: a quarter of its series, so that one label that explodes leaves room for four
    /// values of another.
    public var valuesPerLabel = 500
    /// For how long a series that does not change is kept; `nil` for ever.
    public var idleExpiry: Duration?

    /// The defaults.
    public init() {}
}
