// TaskEvents.swift — who listens to what happens to tasks. Next: BackgroundTaskManager.swift.

internal import NocturneCore
internal import Synchronization

/// Tells listeners and the bus what happens to tasks; free while nobody listens.
final class TaskEvents: Sendable {
    /// What events of tasks say of where they come from.
    static let source = "tasks"

    private struct Listeners {
        var next = 0
        var all: [Int: BoundedDelivery<TaskEventDelivery>] = [:]
    }
    private let listeners = Mutex(Listeners())
    private let isHeard = Atomic(false)
    private let bus: EventBus?

    init(bus: EventBus?) {
        self.bus = bus
        isHeard.store(bus != nil, ordering: .relaxed)
    }

    /// Builds and tells an event, if anybody wants it. Never waits.
    func tell(_ event: @autoclosure () -> TaskEvent) {
        guard isHeard.load(ordering: .relaxed) else { return }
        let event = event()
        listeners.withLock { listeners in
            for listener in listeners.all.values { listener.deliver(.event(event)) }
        }
        bus?.publish(source: Self.source, name: event.kind.rawValue, payload: event.payload)
    }

    /// Tells that the store failed, or that it answers again.
    func tellStore(failure: TaskError?) {
        let delivery = failure.map { TaskEventDelivery.storeFailed($0) } ?? .storeRecovered
        listeners.withLock { listeners in
            for listener in listeners.all.values { listener.deliver(delivery) }
        }
        bus?.publish(
            source: Self.source, name: failure == nil ? "store:recovered" : "store:failed",
            payload: failure.map { ["error": .string("\($0)")] } ?? [:])
    }

    func on(
        _ isMeant: @escaping @Sendable (TaskEvent.Kind) -> Bool,
        _ handler: @escaping @Sendable (TaskEvent) async -> Void
    ) -> EventToken {
        let stream = stream()
        let job = Task {
            for await case .event(let event) in stream where isMeant(event.kind) {
                await handler(event)
            }
        }
        return EventToken { job.cancel() }
    }

    /// Whether events of a kind are meant by a name or a pattern, as an ``EventBus`` understands it.
    static func matches(_ kind: TaskEvent.Kind, _ pattern: String) -> Bool {
        Event(id: 0, timeMilliseconds: 0, source: source, name: kind.rawValue, payload: [:])
            .matches(pattern)
    }

    func stream() -> AsyncStream<TaskEventDelivery> {
        AsyncStream(bufferingPolicy: .bufferingOldest(EventBus.bufferLimit)) { continuation in
            let delivery = BoundedDelivery(continuation, gap: TaskEventDelivery.gap(missed:))
            let key = listeners.withLock { listeners in
                listeners.next += 1
                listeners.all[listeners.next] = delivery
                isHeard.store(true, ordering: .relaxed)
                return listeners.next
            }
            continuation.onTermination = { [weak self] _ in self?.remove(key) }
        }
    }

    private func remove(_ key: Int) {
        listeners.withLock { listeners in
            listeners.all[key] = nil
            isHeard.store(bus != nil || !listeners.all.isEmpty, ordering: .relaxed)
        }
    }
}
