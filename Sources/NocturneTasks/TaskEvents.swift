// TaskEvents.swift — who listens to what happens to tasks. Next: BackgroundTaskManager.swift.

internal import NocturneCore

/// Tells listeners and the bus what happens to tasks; free while nobody listens.
final class TaskEvents: Sendable {
    /// What events of tasks say of where they come from.
    static let source = "tasks"

    private let listeners = Listeners(gap: TaskEventDelivery.gap(missed:))
    private let bus: EventBus?

    init(bus: EventBus?) { self.bus = bus }

    /// Builds and tells an event, if anybody wants it. Never waits.
    func tell(_ event: @autoclosure () -> TaskEvent) {
        guard bus != nil || !listeners.isEmpty else { return }
        let event = event()
        listeners.tell(.event(event))
        bus?.publish(source: Self.source, name: event.kind.rawValue, payload: event.payload)
    }

    /// Tells that the store failed, or that it answers again.
    func tellStore(failure: TaskError?) {
        listeners.tell(failure.map { .storeFailed($0) } ?? .storeRecovered)
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

    func stream() -> AsyncStream<TaskEventDelivery> { listeners.stream() }
}
