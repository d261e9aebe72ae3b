// Registry+Recording.swift — recording by name: the metric and the series come into being with their first value.
// Next: RecordCache.swift.

internal import CMetrics
internal import NocturneCore
internal import Synchronization

extension Registry {
    /// How something is recorded, and so which kind a metric is that is not there yet.
    enum Use {
        /// An amount is added. Whether it is to rise only is seen by its sign.
        case increment
        /// An amount is taken away: what is new is an up-down counter.
        case decrement
        case gauge, histogram, summary

        /// Whether a metric of some kind is recorded like this.
        func fits(_ kind: MetricKind) -> Bool {
            switch self {
            case .increment, .decrement: kind == .counter || kind == .upDownCounter
            default: kind == self.kind
            }
        }

        /// Of a metric that is recorded like this for the first time.
        var kind: MetricKind {
            switch self {
            case .increment: .counter
            case .decrement: .upDownCounter
            case .gauge: .gauge
            case .histogram: .histogram
            case .summary: .summary
            }
        }
    }

    /// Adds to a counter, or to an up-down counter. What is not there yet becomes a counter; see
    /// ``decrement(_:_:labels:)`` for what else it may become. Never throws, never traps: what cannot be recorded is
    /// left out and counted, see ``RegistryStatistics/misuse``.
    public func increment(_ name: String, _ value: Double = 1, labels: Labels = Labels()) {
        add(name, value, labels, value < 0 ? .decrement : .increment)
    }

    /// Takes away from an up-down counter. What is not there yet becomes one, and so does, with all that it has, a
    /// counter that was not declared. One that was declared stays as it is, and this is ``Misuse/negativeIncrement``.
    public func decrement(_ name: String, _ value: Double = 1, labels: Labels = Labels()) {
        add(name, -value, labels, .decrement)
    }

    /// Sets a gauge.
    public func gauge(_ name: String, _ value: Double, labels: Labels = Labels()) {
        record(name, labels, .gauge) { series, _ in Gauge(series).set(value) }
    }

    /// Records into a histogram.
    public func histogram(_ name: String, _ value: Double, labels: Labels = Labels()) {
        guard value.isFinite else { return noteNotFinite(name, value) }
        record(name, labels, .histogram) { series, _ in Histogram(series).record(value) }
    }

    /// Records into a summary.
    public func summary(_ name: String, _ value: Double, labels: Labels = Labels()) {
        guard value.isFinite else { return noteNotFinite(name, value) }
        record(name, labels, .summary) { series, _ in Summary(series).record(value) }
    }

    private func add(_ name: String, _ amount: Double, _ labels: Labels, _ use: Use) {
        guard amount.isFinite else { return noteNotFinite(name, amount) }
        if let slot = knownSlot(name, labels, isFall: amount < 0) {
            return cmetrics_add(slot, amount)
        }
        record(name, labels, use, isFall: amount < 0) { series, kind in
            if amount >= 0 || kind != .counter, !cmetrics_is_heard() {
                cmetrics_add(series.slot, amount)
            } else {
                series.add(amount, as: kind)
            }
        }
    }

    /// Where a total is that the thread has added to under the very same strings; `nil` if it has not, if that total
    /// does not fall, and while somebody listens.
    @inline(__always)
    private func knownSlot(_ name: String, _ labels: Labels, isFall: Bool) -> UInt32? {
        guard !cmetrics_is_heard(), let cache = RecordCache.mine else { return nil }
        let now = generation.load(ordering: .acquiring)
        return labels.withWords(name) { words in
            let hash = words.hash
            let call = cache._withUnsafeGuaranteedRef { $0.call(hash) }
            guard call.pointee.hash == hash, call.pointee.generation == now,
                !isFall || call.pointee.kind != .counter, call.pointee.words == words
            else { return nil }
            return call.pointee.slot
        }
    }

    private func noteNotFinite(_ name: String, _ value: Double) {
        misuse.note(
            .notFinite, name, "\(value) was recorded with \(quoted(name)) and left out")
    }

    /// Calls `body` with the series, which the thread remembers or looks up.
    @inline(__always)
    private func record(
        _ name: String, _ labels: Labels, _ use: Use, isFall: Bool = false,
        _ body: (Series, MetricKind) -> Void
    ) {
        let hash = labels.contentHash ^ name.contentHash
        guard let cache = RecordCache.mine else {
            if let found = find(name, labels, use, isFall: isFall) {
                body(found.series, found.kind)
            }
            return
        }
        let now = generation.load(ordering: .acquiring)
        let place = cache._withUnsafeGuaranteedRef { $0.place(hash) }
        if place.pointee.contentHash == hash, place.pointee.generation == now,
            use.fits(place.pointee.kind), !isFall || place.pointee.kind != .counter,
            Labels.isSame(place.pointee.name, name), place.pointee.labels.isSameInOrder(labels),
            let series = place.pointee.series
        {
            remember(name, labels, series, place.pointee.kind, now, in: cache)
            return body(series, place.pointee.kind)
        }
        guard let found = find(name, labels, use, isFall: isFall) else { return }
        if !found.isFolded {
            place.pointee = RecordCache.Entry(
                contentHash: hash, generation: found.generation, kind: found.kind, name: name,
                labels: labels, series: found.series)
        }
        body(found.series, found.kind)
    }

    private func remember(
        _ name: String, _ labels: Labels, _ series: Series, _ kind: MetricKind,
        _ generation: UInt64, in cache: Unmanaged<RecordCache>
    ) {
        guard series.slot > 0, !kind.isDistribution else { return }
        cache._withUnsafeGuaranteedRef {
            $0.remember(name, labels, series, kind, generation: generation)
        }
    }

    /// A series that was looked up.
    private struct Found {
        let series: Series, kind: MetricKind
        /// Whether it is not the one that was asked for, because there are too many.
        let isFolded: Bool
        /// Of the registry when that was true.
        let generation: UInt64
    }

    /// The series, made if it is not there; `nil` if it cannot be, which is noted.
    @inline(never)
    private func find(
        _ name: String, _ labels: Labels, _ use: Use, isFall: Bool
    ) -> Found? {
        do throws(MetricsError) {
            return try state.withLock { state throws(MetricsError) in
                let family = try self.family(name, use, isFall: isFall, &state)
                let (series, isFolded) = try self.series(of: family, labels)
                return Found(
                    series: series, kind: family.kind, isFolded: isFolded,
                    generation: generation.load(ordering: .relaxed))
            }
        } catch {
            note(error, name, labels)
            return nil
        }
    }

    /// Counts an error of somebody to whom it cannot be thrown.
    func note(_ error: MetricsError, _ name: String, _ labels: Labels) {
        misuse.note(LabelProblem(labels, of: name)?.misuse ?? error.misuse, name, "\(error)")
    }

    private func family(
        _ name: String, _ use: Use, isFall: Bool, _ state: inout State
    ) throws(MetricsError) -> Family {
        guard let family = state.families[name] else {
            return try makeFamily(name, use.kind, &state)
        }
        guard use.fits(family.kind) else {
            throw .kindClash(name, found: family.kind, wanted: use.kind)
        }
        if isFall, family.kind == .counter, !family.isDeclared {
            try becomeUpDown(family, &state)
        }
        return family
    }
}

extension MetricsError {
    /// As what it is counted when it happens to somebody who records.
    fileprivate var misuse: Misuse {
        switch self {
        case .kindClash: .kindClash
        case .nameClash, .labelClash: .nameClash
        case .limitReached("metrics", _): .tooManyFamilies
        case .limitReached: .tooManySeries
        default: .invalidName
        }
    }
}
