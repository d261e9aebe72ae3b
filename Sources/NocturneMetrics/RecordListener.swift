// RecordListener.swift — tells somebody of each record, while somebody listens. Next: Registry.swift.

internal import CMetrics
internal import Synchronization

/// Something that was recorded.
public struct Recorded: Sendable {
    /// The metric.
    public let name: String
    /// What it measures.
    public let kind: MetricKind
    /// What was added to it, or what it was set to, or what is in the distribution now.
    public let value: Double
    /// The series.
    public let labels: Labels
}

/// Whoever wants to hear of each record. While there is nobody, recording reads one word for it.
final class RecordListener: Sendable {
    typealias Body = @Sendable (Recorded) -> Void

    private let body = Mutex<Body?>(nil)

    deinit { listen(nil) }

    var isHeard: Bool { body.withLock { $0 != nil } }

    func listen(_ new: Body?) {
        body.withLock { body in
            if body == nil, new != nil { cmetrics_listen(1) }
            if body != nil, new == nil { cmetrics_listen(-1) }
            body = new
        }
    }

    func tell(_ recorded: Recorded) {
        // Outside the lock: the body may record, too.
        let body = body.withLock { $0 }
        body?(recorded)
    }
}
