// CoordinationEvents.swift — who listens to what happens in sessions. Next: AgentCoordinator.swift.

internal import NocturneCore

/// What ``AgentCoordinator/events`` delivers.
public enum CoordinationDelivery: Sendable, Hashable {
    /// Something happened in a session; of one session in the order in which it happened.
    case event(SessionID, SessionEvent)
    /// The listener was too slow: so many events were dropped for it.
    case gap(missed: Int)
}

/// Tells listeners and the bus what happens in sessions; free while nobody listens.
final class CoordinationEvents: Sendable {
    /// What events of sessions say of where they come from.
    static let source = "coordination"
    /// What the seed's example calls a completed work of an agent.
    private static let agentTaskCompleted = "agent:task:completed"

    private let listeners = Listeners(gap: CoordinationDelivery.gap(missed:))
    private let bus: EventBus?

    init(bus: EventBus?) { self.bus = bus }

    /// Never waits.
    func tell(_ session: SessionID, _ event: SessionEvent) {
        listeners.tell(.event(session, event))
        guard let bus else { return }
        var payload = event.payload
        payload["sessionId"] = .string(session.description)
        // Progress comes with each work, and says nothing that its end does not.
        let isRemembered = if case .progress = event { false } else { true }
        bus.publish(
            source: Self.source, name: event.name, payload: payload, isRemembered: isRemembered)
        if case .workCompleted = event {
            bus.publish(
                source: Self.source, name: Self.agentTaskCompleted, payload: payload,
                isRemembered: false)
        }
    }

    func stream() -> AsyncStream<CoordinationDelivery> { listeners.stream() }

    func on(
        _ isMeant: @escaping @Sendable (SessionEvent) -> Bool,
        _ handler: @escaping @Sendable (SessionID, SessionEvent) async -> Void
    ) -> EventToken {
        let stream = stream()
        let job = Task {
            for await case .event(let session, let event) in stream where isMeant(event) {
                await handler(session, event)
            }
        }
        return EventToken { job.cancel() }
    }

    /// Whether an event is meant by a name or a pattern, as an ``EventBus`` understands it.
    static func matches(_ event: SessionEvent, _ pattern: String) -> Bool {
        func isMatch(_ name: String) -> Bool {
            Event(id: 0, timeMilliseconds: 0, source: source, name: name, payload: [:])
                .matches(pattern)
        }
        if isMatch(event.name) { return true }
        guard case .workCompleted = event else { return false }
        return isMatch(agentTaskCompleted)
    }
}
