// Listeners.swift — who hears what one part of a program tells, each with a bounded buffer. Next:
// BoundedDelivery.swift.

import Synchronization

/// Tells deliveries to listeners of one kind, in order, without ever waiting for one; free while nobody listens.
package final class Listeners<Delivery: Sendable>: Sendable {
    private struct State {
        var next = 0
        var all: [Int: BoundedDelivery<Delivery>] = [:]
    }
    private let state = Mutex(State())
    private let isHeard = Atomic(false)
    private let gap: @Sendable (Int) -> Delivery

    /// - Parameter gap: what a listener is told that was too slow for so many.
    package init(gap: @escaping @Sendable (Int) -> Delivery) { self.gap = gap }

    /// Whether nobody listens.
    package var isEmpty: Bool { !isHeard.load(ordering: .relaxed) }

    /// Tells all who listen.
    package func tell(_ delivery: Delivery) {
        state.withLock { state in
            for listener in state.all.values { listener.deliver(delivery) }
        }
    }

    /// What is told from now on; ends when its reader stops.
    ///
    /// - Parameter changed: called when this listener has come, and when it has gone.
    package func stream(changed: (@Sendable () -> Void)? = nil) -> AsyncStream<Delivery> {
        AsyncStream(bufferingPolicy: .bufferingOldest(EventBus.bufferLimit)) { continuation in
            let delivery = BoundedDelivery(continuation, gap: gap)
            let key = state.withLock { state in
                state.next += 1
                state.all[state.next] = delivery
                isHeard.store(true, ordering: .relaxed)
                return state.next
            }
            changed?()
            continuation.onTermination = { [weak self] _ in
                self?.remove(key)
                changed?()
            }
        }
    }

    private func remove(_ key: Int) {
        state.withLock { state in
            state.all[key] = nil
            isHeard.store(!state.all.isEmpty, ordering: .relaxed)
        }
    }
}
