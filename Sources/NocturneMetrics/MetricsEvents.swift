// MetricsEvents.swift — who listens to what happens to metrics. Next: MetricsCollector+Events.swift.

internal import NocturneCore
internal import Synchronization

/// Tells listeners and the bus what happens to metrics. What is recorded is told to those only who ask for it.
final class MetricsEvents: Sendable {
    /// What events of metrics say of where they come from.
    static let source = "metrics"
    /// `metric:recorded` that the bus gets in a second at most: a bus is for what people and plugins can follow.
    static let busRecordsPerSecond = 1_000

    /// Everything but what is recorded.
    private let changes = Listeners(gap: MetricsEventDelivery.gap(missed:))
    private let records = Listeners(gap: MetricsEventDelivery.gap(missed:))
    private let bus: EventBus?
    private let isBusListening = Atomic(false)
    private let budget = Mutex((second: Int64.min, count: 0))
    private let dropped = Atomic(0)
    private let clock: any EngineClock
    /// Where values are recorded.
    private struct Source { weak var registry: Registry? }
    private let registry = Mutex<Source?>(nil)

    init(bus: EventBus?, clock: any EngineClock) { (self.bus, self.clock) = (bus, clock) }

    /// Begins to listen to what is recorded, whenever somebody listens here.
    func watchRecords(of registry: Registry) {
        self.registry.withLock { $0 = Source(registry: registry) }
        bus?.watchListeners(
            source: Self.source, name: MetricsEvent.Kind.recorded.rawValue
        ) { [weak self] isHeard in
            guard let self else { return }
            self.isBusListening.store(isHeard, ordering: .relaxed)
            self.listenOrNot()
        }
    }

    private func listenOrNot() {
        // Looked at under the lock, so that of two changes at the same time the later one counts.
        registry.withLock { source in
            guard let registry = source?.registry else { return }
            guard isBusListening.load(ordering: .relaxed) || !records.isEmpty else {
                return registry.listen(nil)
            }
            registry.listen { [weak self] recorded in self?.tell(recorded) }
        }
    }

    /// Records that the bus did not get because there were too many.
    var droppedRecords: Int { dropped.load(ordering: .relaxed) }

    func tell(_ event: MetricsEvent) {
        changes.tell(.event(event))
        bus?.publish(source: Self.source, name: event.kind.rawValue, payload: event.payload)
    }

    /// Tells what a person should know.
    func warn(_ problem: MetricsError) {
        bus?.publish(
            source: Self.source, name: "host:warning", payload: ["message": .string("\(problem)")])
    }

    /// Tells what was recorded, on the path of recording. Never waits.
    func tell(_ record: Recorded) {
        if !records.isEmpty { records.tell(.event(.recorded(record))) }
        guard isBusListening.load(ordering: .relaxed), let bus else { return }
        let second = clock.uptime.components.seconds
        let isWithin = budget.withLock { budget in
            if budget.second != second { budget = (second, 0) }
            budget.count += 1
            return budget.count <= Self.busRecordsPerSecond
        }
        guard isWithin else {
            dropped.add(1, ordering: .relaxed)
            return
        }
        bus.publish(
            source: Self.source, name: MetricsEvent.Kind.recorded.rawValue, payload: record.json,
            isRemembered: false)
    }

    func stream() -> AsyncStream<MetricsEventDelivery> { changes.stream() }

    /// What is recorded under one name, or all.
    func recordStream() -> AsyncStream<MetricsEventDelivery> {
        records.stream { [weak self] in self?.listenOrNot() }
    }
}
