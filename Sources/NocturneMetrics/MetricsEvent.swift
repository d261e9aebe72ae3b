// MetricsEvent.swift — what happens to metrics, typed. On the bus it is an Event with the seed's names and fields.
// Next: MetricsCollector.swift.

public import NocturneCore

/// Something that happened to metrics.
public enum MetricsEvent: Sendable {
    /// A value was recorded. `metric:recorded {name, kind, value, labels}`
    case recorded(Recorded)
    /// An alert fires. `alert:triggered {alert, value, message}`
    case alertTriggered(AlertEvent)
    /// An alert that fired does not any more. `alert:resolved {alert, value, message}`
    case alertResolved(AlertEvent)
    /// A flush has ended. `metrics:flush {series, alerts, exporters, failures, duration}`
    case flushed(FlushReport)

    /// The kinds, by the seed's names.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A value was recorded.
        case recorded = "metric:recorded"
        /// An alert fires.
        case alertTriggered = "alert:triggered"
        /// An alert does not fire any more.
        case alertResolved = "alert:resolved"
        /// A flush has ended.
        case flushed = "metrics:flush"
    }

    /// The kind of this event.
    public var kind: Kind {
        switch self {
        case .recorded: .recorded
        case .alertTriggered: .alertTriggered
        case .alertResolved: .alertResolved
        case .flushed: .flushed
        }
    }

    /// The payload on the bus.
    public var payload: JSONObject {
        switch self {
        case .recorded(let recorded): recorded.json
        case .alertTriggered(let alert), .alertResolved(let alert): alert.payload
        case .flushed(let report): report.json
        }
    }
}

/// What ``MetricsCollector/metricsEvents`` delivers.
public enum MetricsEventDelivery: Sendable {
    /// Something happened.
    case event(MetricsEvent)
    /// The listener was too slow: so many events were dropped for it.
    case gap(missed: Int)
}

extension Recorded {
    /// `{name, kind, value, labels}`
    var json: JSONObject {
        [
            "name": .string(name), "kind": .string(kind.rawValue), "value": .measured(value),
            "labels": labels.json,
        ]
    }
}

extension MetricsEvent {
    /// What is told of an alert.
    init(_ event: AlertEvent) {
        switch event.kind {
        case .triggered: self = .alertTriggered(event)
        case .resolved: self = .alertResolved(event)
        }
    }
}

/// What a flush did.
public struct FlushReport: Sendable, Hashable {
    /// Series that there were.
    public var series = 0
    /// Alerts that began or ceased to fire.
    public var alerts = 0
    /// Exporters that were handed the metrics.
    public var exporters = 0
    /// Exporters that failed, with the reason, by name.
    public var failures: [String: String] = [:]
    /// From its beginning to the end of the slowest exporter.
    public var duration = Duration.zero

    /// `{series, alerts, exporters, failures, duration}`; milliseconds.
    public var json: JSONObject {
        var reasons = JSONObject()
        for (name, reason) in failures.sorted(by: { $0.key < $1.key }) {
            reasons[name] = .string(reason)
        }
        return [
            "series": JSONValue(series), "alerts": JSONValue(alerts),
            "exporters": JSONValue(exporters),
            "failures": .object(reasons), "duration": JSONValue(duration.wholeMilliseconds),
        ]
    }
}
