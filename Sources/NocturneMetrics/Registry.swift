// Registry.swift — all metrics: which there are, under which names, and what they are at one moment.
// Next: Registry+Declaring.swift, Registry+Recording.swift, Family.swift.

internal import CMetrics
package import NocturneCore
internal import Synchronization

/// All metrics of a program, or of a part of it.
///
/// Metrics come into being when they are declared (`makeCounter` and the like) or when something is recorded under a
/// new name. All of it may be called from any thread.
public final class Registry: Sendable {
    /// What the lock guards.
    struct State {
        var families: [String: Family] = [:]
        /// By name; `nil` after a change.
        var ordered: [Family]?
        var names = ClaimedNames()
    }

    /// How much there may be.
    public let limits: RegistryLimits
    /// Whether distributions have buckets, and so percentiles.
    public let computesPercentiles: Bool

    let clock: any EngineClock
    let state = Mutex(State())
    let misuse = MisuseLog()
    let listener = RecordListener()
    /// Which series the names mean: another number after any change of what was there. No two registries have the same.
    let generation: Atomic<UInt64>

    private static let lastGeneration = Atomic<UInt64>(0)

    package init(
        limits: RegistryLimits = RegistryLimits(), computesPercentiles: Bool = true,
        clock: any EngineClock
    ) {
        (self.limits, self.computesPercentiles) = (limits, computesPercentiles)
        self.clock = clock
        generation = Atomic(Self.nextGeneration())
    }

    /// An empty registry.
    public convenience init(
        limits: RegistryLimits = RegistryLimits(), computesPercentiles: Bool = true
    ) {
        self.init(
            limits: limits, computesPercentiles: computesPercentiles, clock: SystemClock())
    }

    private static func nextGeneration() -> UInt64 {
        lastGeneration.add(1, ordering: .relaxed).newValue
    }

    /// What threads remember of names is not true any more. Called under the lock.
    func forgetCached() { generation.store(Self.nextGeneration(), ordering: .releasing) }

    // MARK: - Listening

    /// Whether somebody hears of each record.
    var isHeard: Bool { listener.isHeard }

    /// Calls a function with each record from now on, on the thread that records; `nil` ends it. It must be quick.
    public func listen(_ body: (@Sendable (Recorded) -> Void)?) { listener.listen(body) }

    // MARK: - Leaving

    /// Removes a metric with all its series. Whoever has a handle of it records into nothing from now on; under the
    /// same name there can be a new one, of any kind.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ name: String) -> Bool {
        state.withLock { state in
            guard let family = state.families.removeValue(forKey: name) else { return false }
            state.names.release(name, family.kind)
            state.ordered = nil
            forgetCached()
            return true
        }
    }

    /// Removes one series.
    func remove(_ series: Series) {
        state.withLock { state in
            guard let family = state.families[series.family.name], family.tag === series.family
            else { return }
            family.remove(series)
            forgetCached()
        }
    }

    /// Removes the series that have not changed for as long as their metric's idle expiry says; called now and then.
    ///
    /// One that somebody has a handle of is only hidden: as soon as it changes it is there again, with all it had.
    package func expire(at uptime: Duration) {
        state.withLock { state in
            var hasExpired = false
            for family in state.families.values {
                guard let limit = family.options.idleExpiry ?? limits.idleExpiry else { continue }
                if family.expire(at: uptime, after: limit) { hasExpired = true }
            }
            if hasExpired { forgetCached() }
        }
    }

    /// Begins the next part of the windows of all summaries, if one is due; called now and then.
    package func rotate(at uptime: Duration) {
        state.withLock { state in
            for family in state.families.values { family.rotate(at: uptime) }
        }
    }

    // MARK: - Reading

    /// All metrics that have series, by name. A value whose recording was over before the call is in it; each series
    /// is as it was between two records. Nobody who records waits for it.
    public func snapshot() -> [MetricSnapshot] {
        let drafts = state.withLock { state in
            let ordered =
                state.ordered
                ?? state.families.values.sorted {
                    $0.tag.name.utf8.lexicographicallyPrecedes($1.tag.name.utf8)
                }
            state.ordered = ordered
            return ordered.map(SnapshotDraft.init)
        }
        let totals = SnapshotTotals()
        return drafts.compactMap { $0.snapshot(totals) }
    }

    /// One metric; `nil` if there is none with this name, or it has no series.
    public func snapshot(of name: String) -> MetricSnapshot? {
        let draft = state.withLock { $0.families[name].map(SnapshotDraft.init) }
        return draft?.snapshot(nil)
    }

    /// What there is, what was folded, and what was recorded wrongly.
    public var statistics: RegistryStatistics {
        let (counts, reports) = misuse.all
        return state.withLock { state in
            let families = state.families.values
            return RegistryStatistics(
                metrics: families.count, series: families.reduce(0) { $0 + $1.count },
                idleSeries: families.reduce(0) { $0 + $1.idleCount },
                folded: families.reduce(into: [:]) { folded, family in
                    if !family.cardinality.folded.isEmpty {
                        folded[family.tag.name] = family.cardinality.folded
                    }
                }, misuse: counts, recentMisuse: reports)
        }
    }
}

/// What a registry has.
public struct RegistryStatistics: Sendable, Hashable {
    /// Metrics.
    public let metrics: Int
    /// Series of all of them.
    public let series: Int
    /// Of these: not changed for longer than their metric's idle expiry, and not shown.
    public let idleSeries: Int
    /// By metric and label: how often a value was counted under ``MetricName/overflow``, because there were too many.
    /// Of a metric's labels a hundred are told apart; the others are one under that name, too.
    public let folded: [String: [String: UInt64]]
    /// How often something was recorded wrongly, since the beginning.
    public let misuse: [Misuse: UInt64]
    /// The last different cases of it, the oldest first; at most 100.
    public let recentMisuse: [MisuseReport]
}
