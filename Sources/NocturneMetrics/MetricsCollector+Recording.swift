// MetricsCollector+Recording.swift — recording values: by handle, or by name as the seed does. Next: Registry.swift.

extension MetricsCollector {
    // MARK: - Handles

    /// A counter: a total that only rises. Asked again with the same name and labels, it is the same one.
    ///
    /// - Parameters:
    ///   - name: such as `api.requests`; ``MetricName/check(_:)`` says what is allowed.
    ///   - labels: of the series.
    ///   - help: a sentence for people. That of the first who has one counts.
    ///   - unit: of the values, such as `seconds` or `bytes`; likewise.
    ///   - options: of the metric, not the series: how many series there may be, and for how long.
    /// - Throws: ``MetricsError`` if the name, a label or the kind does not fit.
    public func makeCounter(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Counter {
        try registry.makeCounter(name, labels: labels, help: help, unit: unit, options: options)
    }

    /// A counter that rises and falls. Else as ``makeCounter(_:labels:help:unit:options:)``.
    public func makeUpDownCounter(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> UpDownCounter {
        try registry.makeUpDownCounter(
            name, labels: labels, help: help, unit: unit, options: options)
    }

    /// A gauge: a value that is set. Else as ``makeCounter(_:labels:help:unit:options:)``.
    public func makeGauge(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Gauge {
        try registry.makeGauge(name, labels: labels, help: help, unit: unit, options: options)
    }

    /// A histogram: how values are distributed since the beginning. Else as
    /// ``makeCounter(_:labels:help:unit:options:)``.
    ///
    /// - Parameter bounds: rising and finite. How many values are at most each is counted exactly, and these are the
    ///   buckets that Prometheus gets. Without them it gets one for each power of two.
    public func makeHistogram(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        bounds: [Double] = [], options: FamilyOptions? = nil
    ) throws(MetricsError) -> Histogram {
        try registry.makeHistogram(
            name, labels: labels, help: help, unit: unit, bounds: bounds, options: options)
    }

    /// A summary: how the values of the last minute were distributed. Else as
    /// ``makeCounter(_:labels:help:unit:options:)``.
    public func makeSummary(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Summary {
        try registry.makeSummary(name, labels: labels, help: help, unit: unit, options: options)
    }

    // MARK: - By name

    /// Adds to a counter, which is made if there is none. `increment` of the seed.
    ///
    /// What cannot be counted is ``Misuse``: a negative or infinite value, NaN, a name that is none or that another
    /// kind of metric has.
    public func increment(_ name: String, _ value: Double = 1, labels: Labels = [:]) {
        registry.increment(name, value, labels: labels)
    }

    /// Takes from a counter. One that was not declared by ``makeCounter(_:labels:help:unit:options:)`` becomes an
    /// up-down counter, which is exported as a gauge; on one that was, this is ``Misuse``. `decrement` of the seed.
    public func decrement(_ name: String, _ value: Double = 1, labels: Labels = [:]) {
        registry.decrement(name, value, labels: labels)
    }

    /// Sets a gauge, which is made if there is none. Any number, also NaN and the infinities. `gauge` of the seed.
    public func gauge(_ name: String, _ value: Double, labels: Labels = [:]) {
        registry.gauge(name, value, labels: labels)
    }

    /// Records a value into a histogram, which is made if there is none. NaN and the infinities are ``Misuse``.
    /// `histogram` of the seed.
    public func histogram(_ name: String, _ value: Double, labels: Labels = [:]) {
        registry.histogram(name, value, labels: labels)
    }

    /// Records a value into a summary, which is made if there is none. Else as ``histogram(_:_:labels:)``. `summary`
    /// of the seed.
    public func summary(_ name: String, _ value: Double, labels: Labels = [:]) {
        registry.summary(name, value, labels: labels)
    }

    /// Removes a metric with all its series. Handles of it go on to be harmless, but count nothing any more; its past
    /// stays in the history.
    ///
    /// - Throws: ``MetricsError/notFound(_:_:near:)``
    public func remove(_ name: String) throws(MetricsError) {
        guard registry.remove(name) else { throw unknownMetric(name) }
    }
}
