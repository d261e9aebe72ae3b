// MetricsCollector.swift — collects metrics: what it is made of, and how it begins and ends.
// Next: MetricsCollector+Recording.swift, then Registry.swift for live values, History.swift for past ones.

public import NocturneCore
internal import Synchronization

/// Collects what a program measures: counters, gauges, histograms and summaries with labels; keeps their history,
/// watches them for alerts, and exports them.
///
/// Recording is for hot paths: it never waits, never throws and never ends the process; what is recorded wrongly is
/// counted as ``Misuse`` and left out. All methods may be called from any thread.
public final class MetricsCollector: Sendable {
    struct State {
        var past: MetricsPast
        var exporters: [String: any MetricsExporter] = [:]
        /// Those that are at work.
        var exporting: Set<String> = []
        /// Bring the registry up to date with what is counted elsewhere.
        var sources: [@Sendable () -> Void] = []
        var slowSources: [@Sendable () async -> Void] = []
        var flushes = 0
        var lastFlush: FlushReport?
        var isStopped = false
    }

    /// Its options.
    public let configuration: Configuration
    /// The live values.
    public let registry: Registry
    let clock: any EngineClock
    let events: MetricsEvents
    let state: Mutex<State>
    /// Held by whoever samples: of two flushes at the same time the second one comes after the first.
    let ticking = Mutex(())
    private let loop = Mutex<Task<Void, Never>?>(nil)

    /// Opens the history and the alerts that the configuration says, and begins.
    ///
    /// - Parameter bus: where its events are published, besides ``metricsEvents``.
    /// - Throws: ``MetricsError/file(_:_:)`` if a file cannot be used, or ``MetricsError/invalidAlert(_:_:)``. One
    ///   that is damaged is no error: see ``warnings``.
    public convenience init(
        configuration: Configuration = Configuration(), bus: EventBus? = nil
    ) throws(MetricsError) {
        try self.init(configuration: configuration, clock: SystemClock(), bus: bus)
    }

    package init(
        configuration: Configuration, clock: any EngineClock, bus: EventBus? = nil
    ) throws(MetricsError) {
        (self.configuration, self.clock) = (configuration, clock)
        registry = Registry(
            limits: configuration.limits, computesPercentiles: configuration.computePercentiles,
            clock: clock)
        events = MetricsEvents(bus: bus, clock: clock)
        var past = try MetricsPast(configuration, now: clock.now, uptime: clock.uptime)
        let resolved = try past.configure(
            configuration.alerts, now: clock.now, uptime: clock.uptime)
        state = Mutex(State(past: past))
        events.watchRecords(of: registry)
        for event in resolved { events.tell(MetricsEvent(event)) }
        if configuration.enableAutoFlush { begin() }
    }

    /// Flushes each interval. One that comes late, because the machine was busy or asleep, is not made up for.
    private func begin() {
        let (clock, interval) = (clock, configuration.flushInterval)
        let job = Task { [weak self] in
            var next = clock.uptime + interval
            while true {
                do {
                    try await clock.sleep(until: next)
                } catch {
                    return  // shut down
                }
                guard let self else { return }
                await self.refresh()
                guard let tick = self.tick() else { return }
                // Not waited for: a slow exporter must not delay the next sample.
                Task { await self.push(tick) }
                next = max(next + interval, clock.uptime)
            }
        }
        loop.withLock { $0 = job }
    }

    /// Samples a last time, hands the metrics to the exporters and waits for them, and writes history and alerts down.
    /// Recording and exporting go on to work; nothing is sampled any more. A second call does nothing.
    public func shutdown() async {
        let job = loop.withLock { loop in
            defer { loop = nil }
            return loop
        }
        job?.cancel()
        await flush()
        ticking.withLock { _ in
            let isFirst = state.withLock { state in
                defer { state.isStopped = true }
                return !state.isStopped
            }
            if isFirst { write(isLast: true) }
        }
    }

    deinit { loop.withLock { $0?.cancel() } }

    /// What a person should know of how the files were found, and of those that cannot be written now. Empty if all
    /// is well.
    public var warnings: [String] { state.withLock { $0.past.warnings } }

    // MARK: - The present

    /// Adds what brings the registry up to date before it is read: figures that are counted elsewhere.
    package func addSource(_ source: @escaping @Sendable () -> Void) {
        state.withLock { $0.sources.append(source) }
    }

    /// Adds one that has to wait for somebody. It is asked at each flush and by ``refresh()``.
    package func addSlowSource(_ source: @escaping @Sendable () async -> Void) {
        state.withLock { $0.slowSources.append(source) }
    }

    /// Brings up to date what takes longer than a moment to ask for.
    package func refresh() async {
        for source in state.withLock({ $0.slowSources }) { await source() }
    }

    /// All metrics as they are now, by name.
    func current() -> [MetricSnapshot] {
        askSources()
        return registry.snapshot()
    }

    /// One metric as it is now; `nil` if there is none of this name, or it has no series.
    func current(_ name: String) -> MetricSnapshot? {
        askSources()
        return registry.snapshot(of: name)
    }

    private func askSources() {
        // Outside the lock: a source records.
        for source in state.withLock({ $0.sources }) { source() }
    }
}
