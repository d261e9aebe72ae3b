// Registry+Declaring.swift — handles to metrics, which are made when they are first asked for. Next:
// Registry+Recording.swift.

internal import NocturneCore
internal import Synchronization

extension Registry {
    /// Bounds that a histogram may have; Prometheus' own clients have 10 to 20.
    public static let boundLimit = 256

    /// A counter. The same name and labels give the same series again.
    ///
    /// - Parameters:
    ///   - name: as ``MetricName/check(_:)`` allows; `api.requests`.
    ///   - labels: names and values that tell this series from others of the metric.
    ///   - help: a sentence for people; the first that is not empty counts.
    ///   - unit: of the values, `seconds`; the first that is not empty counts.
    ///   - options: of the metric, not the series; those that are given replace earlier ones.
    /// - Throws: ``MetricsError/invalidName(_:_:_:)``, ``MetricsError/kindClash(_:found:wanted:)``,
    ///   ``MetricsError/nameClash(_:with:both:)``, ``MetricsError/labelClash(metric:_:_:)``,
    ///   ``MetricsError/limitReached(_:_:)``.
    public func makeCounter(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Counter {
        Counter(try declare(Declaration(name, .counter, help, unit, options), labels))
    }

    /// An up-down counter. See ``makeCounter(_:labels:help:unit:options:)``.
    public func makeUpDownCounter(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> UpDownCounter {
        UpDownCounter(try declare(Declaration(name, .upDownCounter, help, unit, options), labels))
    }

    /// A gauge. See ``makeCounter(_:labels:help:unit:options:)``.
    public func makeGauge(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Gauge {
        Gauge(try declare(Declaration(name, .gauge, help, unit, options), labels))
    }

    /// A histogram. See ``makeCounter(_:labels:help:unit:options:)``.
    ///
    /// - Parameter bounds: values up to which values are counted exactly, rising, at most ``boundLimit``. Without
    ///   any, exports have one for each power of two. All series of a metric have the same.
    /// - Throws: what ``makeCounter(_:labels:help:unit:options:)`` does, and ``MetricsError/invalidBounds(_:_:)``.
    public func makeHistogram(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        bounds: [Double] = [], options: FamilyOptions? = nil
    ) throws(MetricsError) -> Histogram {
        var declaration = Declaration(name, .histogram, help, unit, options)
        declaration.bounds = bounds
        return Histogram(try declare(declaration, labels))
    }

    /// A summary. See ``makeCounter(_:labels:help:unit:options:)``.
    public func makeSummary(
        _ name: String, labels: Labels = [:], help: String = "", unit: String? = nil,
        options: FamilyOptions? = nil
    ) throws(MetricsError) -> Summary {
        Summary(try declare(Declaration(name, .summary, help, unit, options), labels))
    }

    private func declare(
        _ declaration: Declaration, _ labels: Labels
    ) throws(MetricsError) -> Series {
        try declaration.check()
        return try state.withLock { state throws(MetricsError) in
            let family = try self.family(declaration, &state)
            let series = try self.series(of: family, labels).series
            if !family.isDeclared {
                family.isDeclared = true
                forgetCached()
            }
            if family.help.isEmpty { family.help = declaration.help }
            if family.unit == nil, declaration.unit?.isEmpty == false {
                family.unit = declaration.unit
            }
            if let options = declaration.options { family.options.update(options) }
            return series
        }
    }

    private func family(
        _ declaration: Declaration, _ state: inout State
    ) throws(MetricsError) -> Family {
        let (name, kind) = (declaration.name, declaration.kind)
        guard let family = state.families[name] else {
            return try makeFamily(name, kind, bounds: declaration.bounds, &state)
        }
        if family.kind != kind {
            // That it was a counter was only a guess.
            guard family.kind == .counter, kind == .upDownCounter, !family.isDeclared else {
                throw .kindClash(name, found: family.kind, wanted: kind)
            }
            try becomeUpDown(family, &state)
        }
        guard declaration.bounds.isEmpty || declaration.bounds == family.tag.bounds else {
            throw .invalidBounds(
                name,
                family.tag.bounds.isEmpty
                    ? "it has been in use without any: declare it before the first value"
                    : "it has others already, \(family.tag.bounds)")
        }
        return family
    }

    // MARK: - Families and series

    /// Makes a metric that is not there. Called under the lock.
    func makeFamily(
        _ name: String, _ kind: MetricKind, bounds: [Double] = [], _ state: inout State
    ) throws(MetricsError) -> Family {
        if let problem = MetricName.check(name) { throw .invalidName("the metric", name, problem) }
        guard state.families.count < limits.families else {
            throw .limitReached("metrics", limits.families)
        }
        try state.names.claim(name, kind)
        let family = Family(
            FamilyTag(
                name, kind, bounds: bounds, hasSketch: computesPercentiles, misuse: misuse,
                listener: listener))
        state.families[name] = family
        state.ordered = nil
        return family
    }

    /// A counter that was not declared falls for the first time. Called under the lock.
    func becomeUpDown(_ family: Family, _ state: inout State) throws(MetricsError) {
        state.names.release(family.tag.name, .counter)
        family.kind = .upDownCounter
        forgetCached()
        try state.names.claim(family.tag.name, .upDownCounter)
    }

    /// The series with some labels, made if it is not there; another one's if there are too many. Called under the
    /// lock.
    func series(
        of family: Family, _ labels: Labels
    ) throws(MetricsError) -> (series: Series, isFolded: Bool) {
        let key = LabelKey(labels)
        if let series = family.series(key) {
            family.wake(series)
            return (series, false)
        }
        let problem = LabelProblem(
            labels, of: family.tag.name, isKnown: family.cardinality.isKnown)
        if let problem { throw problem.error }
        let admitted = family.cardinality.admit(
            labels, count: family.count, series: family.options.series ?? limits.seriesPerFamily,
            valuesPerLabel: family.options.valuesPerLabel ?? limits.valuesPerLabel
        ) { family.series(LabelKey($0)) != nil }
        let isFolded = admitted != labels
        let admittedKey = isFolded ? LabelKey(admitted) : key
        if isFolded, let series = family.series(admittedKey) {
            family.wake(series)
            return (series, true)
        }
        guard let slot = family.tag.claimSlot() else {
            throw .limitReached("series in the process", MetricName.seriesLimit)
        }
        let series = Series(
            of: family.tag, identity: SeriesIdentity(labels: admitted), slot: slot,
            created: clock.now, uptime: clock.uptime)
        family.add(series, admittedKey)
        return (series, isFolded)
    }
}

/// What a metric is said to be.
private struct Declaration {
    let name: String, kind: MetricKind, help: String, unit: String?, options: FamilyOptions?
    var bounds: [Double] = []

    init(
        _ name: String, _ kind: MetricKind, _ help: String, _ unit: String?,
        _ options: FamilyOptions?
    ) {
        (self.name, self.kind, self.help) = (name, kind, help)
        (self.unit, self.options) = (unit, options)
    }

    func check() throws(MetricsError) {
        if let unit, !unit.isEmpty, let problem = MetricName.check(unit) {
            throw .invalidName("the unit", unit, problem)
        }
        for limit in [options?.series, options?.valuesPerLabel] {
            if let limit, limit < 1 {
                throw .invalidOption("a limit of \(quoted(name))", "1 or more")
            }
        }
        if let expiry = options?.idleExpiry, expiry <= .zero {
            throw .invalidOption("the idle expiry of \(quoted(name))", "longer than 0")
        }
        guard bounds.count <= Registry.boundLimit else {
            throw .invalidBounds(
                name, "\(bounds.count), at most \(Registry.boundLimit) are allowed")
        }
        guard bounds.allSatisfy(\.isFinite) else { throw .invalidBounds(name, "one is not finite") }
        guard zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw .invalidBounds(name, "each must be greater than the one before it")
        }
    }
}

extension FamilyOptions {
    fileprivate mutating func update(_ other: FamilyOptions) {
        series = other.series ?? series
        valuesPerLabel = other.valuesPerLabel ?? valuesPerLabel
        idleExpiry = other.idleExpiry ?? idleExpiry
    }
}
