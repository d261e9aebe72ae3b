// MetricsCollector+Events.swift — listening to what happens to metrics. Next: MetricsEvent.swift.

public import NocturneCore

extension MetricsCollector {
    /// What happens from now on, except what is recorded; ends when its reader stops.
    public var metricsEvents: AsyncStream<MetricsEventDelivery> { events.stream() }

    /// What is recorded from now on; ends when its reader stops. As long as somebody reads, each record costs a
    /// microsecond instead of a nanosecond; a reader that is too slow gets gaps.
    public var recordedEvents: AsyncStream<MetricsEventDelivery> { events.recordStream() }

    /// Calls `handler` for each event of a kind, one at a time and in order, until the token is cancelled or gone.
    /// Events that it is too slow for are dropped.
    public func on(
        _ kind: MetricsEvent.Kind, _ handler: @escaping @Sendable (MetricsEvent) async -> Void
    ) -> EventToken {
        on({ $0 == kind }, handler)
    }

    /// Calls `handler` for each event of a name as in the seed, `alert:triggered`, or of a pattern as ``EventBus`` has
    /// it. `metric:recorded` must be asked for by a pattern of its own: `*` does not mean it.
    public func on(
        _ pattern: String, _ handler: @escaping @Sendable (MetricsEvent) async -> Void
    ) -> EventToken {
        on(
            { kind in
                Event(
                    id: 0, timeMilliseconds: 0, source: MetricsEvents.source, name: kind.rawValue,
                    payload: [:]
                ).matches(pattern)
                    && (kind != .recorded || !(pattern == "*" || pattern.hasSuffix("/*")))
            }, handler)
    }

    private func on(
        _ isMeant: @escaping @Sendable (MetricsEvent.Kind) -> Bool,
        _ handler: @escaping @Sendable (MetricsEvent) async -> Void
    ) -> EventToken {
        let streams =
            (isMeant(.recorded) ? [events.recordStream()] : [])
            + (MetricsEvent.Kind.allCases.contains { $0 != .recorded && isMeant($0) }
                ? [events.stream()] : [])
        let jobs = streams.map { stream in
            Task {
                for await case .event(let event) in stream where isMeant(event.kind) {
                    await handler(event)
                }
            }
        }
        return EventToken { for job in jobs { job.cancel() } }
    }
}
