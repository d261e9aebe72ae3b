// BoundedDelivery.swift — a listener's bounded buffer, which says what it had to drop. Next: Event.swift.

import Synchronization

/// Delivers to a stream that may be full: counts what it had to drop and tells so before the next element.
///
/// Never blocks. May be used from any thread, but elements come in order only if the calls do.
package final class BoundedDelivery<Element: Sendable>: Sendable {
    private let continuation: AsyncStream<Element>.Continuation
    private let gap: @Sendable (Int) -> Element
    private let missed = Mutex(0)

    /// - Parameters:
    ///   - continuation: of a stream that buffers the oldest elements.
    ///   - gap: the element which says that so many are missing.
    package init(
        _ continuation: AsyncStream<Element>.Continuation, gap: @escaping @Sendable (Int) -> Element
    ) {
        (self.continuation, self.gap) = (continuation, gap)
    }

    /// Counts elements that were lost before they came here.
    package func miss(_ count: Int) { missed.withLock { $0 += count } }

    /// Appends an element, behind a gap if some were lost before it; or counts it as lost.
    package func deliver(_ element: Element) {
        missed.withLock { missed in
            if missed > 0 {
                guard case .enqueued = continuation.yield(gap(missed)) else {
                    missed += 1
                    return
                }
                missed = 0
            }
            if case .dropped = continuation.yield(element) { missed += 1 }
        }
    }
}
