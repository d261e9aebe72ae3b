// DeliveryQueue.swift — a subscription to events that can be ended from outside without cancelling
// whoever reads it. Next: StreamEndpoints.swift.

internal import NocturneCore
internal import Synchronization

/// Deliveries of an event bus, taken one at a time.
///
/// An `AsyncStream` ends only when its reader is cancelled. The reader here also writes to a
/// connection, and a cancelled write breaks the connection instead of ending the stream in order;
/// so each element is awaited by a task of its own, which alone is cancelled.
final class DeliveryQueue: Sendable {
    private struct State {
        var hasEnded = false
        var waiting: Task<EventDelivery?, Never>?
    }

    private let deliveries: AsyncStream<EventDelivery>
    private let state = Mutex(State())

    init(_ deliveries: AsyncStream<EventDelivery>) { self.deliveries = deliveries }

    /// The next delivery, or `nil` at the end. For one reader.
    func next() async -> EventDelivery? {
        let waiting = state.withLock { state -> Task<EventDelivery?, Never>? in
            guard !state.hasEnded else { return nil }
            let waiting = Task { [deliveries] () -> EventDelivery? in
                for await delivery in deliveries { return delivery }
                return nil
            }
            state.waiting = waiting
            return waiting
        }
        guard let waiting else { return nil }
        return await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            waiting.cancel()
        }
    }

    /// Lets the reader find the end. Safe from any thread, and twice.
    func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            return state.waiting
        }
        waiting?.cancel()
    }
}
