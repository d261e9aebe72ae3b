// Misuse.swift — what was recorded wrongly: counted, kept for the report, and left out. Next: Registry.swift.

internal import Synchronization

/// Why something that was recorded was left out.
public enum Misuse: String, Sendable, Hashable, CaseIterable {
    /// A counter that was declared can only rise.
    case negativeIncrement
    /// NaN and the infinities cannot be added, and are in no bucket. Only a gauge can be set to them.
    case notFinite
    /// The name of a metric, or that of a label, cannot be one.
    case invalidName
    /// A series has at most ``MetricName/labelLimit`` labels.
    case tooManyLabels
    /// A label's value has at most ``MetricName/valueLimitBytes`` bytes.
    case labelTooLong
    /// The name is taken by a metric of another kind.
    case kindClash
    /// Another metric, or another label, has the same name in Prometheus' format.
    case nameClash
    /// There are as many metrics as there may be: ``Registry/Limits/families``.
    case tooManyFamilies
    /// There are as many series in the process as there may be: 1,048,575.
    case tooManySeries
    /// Something that swift-metrics knows and this backend has not.
    case unsupported
}

/// One kind of misuse of one metric.
public struct MisuseReport: Sendable, Hashable {
    /// Why it was left out.
    public let reason: Misuse
    /// The name of the metric, as it was given; at most ``MetricName/limitBytes`` bytes of it.
    public let metric: String
    /// What is wrong, for people.
    public let message: String
    /// How often, since the report is kept.
    public internal(set) var count: UInt64
}

/// What was recorded wrongly.
final class MisuseLog: Sendable {
    /// Reports that are kept: enough for whoever repairs a program, and 40 kB at most.
    static let limit = 100

    private struct Key: Hashable {
        let reason: Misuse, metric: String
    }

    private struct State {
        var counts: [Misuse: UInt64] = [:]
        var reports: [Key: MisuseReport] = [:]
        /// The oldest first.
        var order: [Key] = []
    }

    private let state = Mutex(State())

    func note(_ reason: Misuse, _ metric: String, _ message: @autoclosure () -> String) {
        let metric = Self.shortened(metric)
        state.withLock { state in
            state.counts[reason, default: 0] &+= 1
            let key = Key(reason: reason, metric: metric)
            if let count = state.reports[key]?.count {
                state.reports[key]?.count = count &+ 1
                return
            }
            if state.order.count == Self.limit {
                state.reports[state.order.removeFirst()] = nil
            }
            state.order.append(key)
            state.reports[key] = MisuseReport(
                reason: reason, metric: metric, message: message(), count: 1)
        }
    }

    /// All counts, and the last reports, the oldest first.
    var all: (counts: [Misuse: UInt64], reports: [MisuseReport]) {
        state.withLock { state in (state.counts, state.order.compactMap { state.reports[$0] }) }
    }

    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > MetricName.limitBytes else { return name }
        return String(decoding: name.utf8.prefix(MetricName.limitBytes), as: UTF8.self)
    }
}
