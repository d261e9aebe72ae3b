// MetricsStatistics.swift — what a collector has, and what went wrong. Next: MetricsCollector+Asking.swift.

public import NocturneCore

/// What a collector has, and what went wrong.
public struct MetricsStatistics: Sendable {
    /// The live metrics; also what was recorded wrongly, and what was folded because there was too much.
    public let registry: RegistryStatistics
    /// Series that have a past.
    public let historySeries: Int
    /// Memory of the past, as it is estimated.
    public let historyBytes: Int
    /// It is never more.
    public let historyLimitBytes: Int
    /// All alerts.
    public let alerts: Int
    /// Those that fire.
    public let alertsFiring: Int
    /// Those whose condition holds, but not for long enough.
    public let alertsPending: Int
    /// Flushes since the beginning.
    public let flushes: Int
    /// What the last one did; `nil` before its exporters were done.
    public let lastFlush: FlushReport?
    /// Exporters beside the built-in formats, by name.
    public let exporters: [String]
    /// `metric:recorded` events that the bus did not get because there were too many.
    public let recordsNotTold: Int
    /// As ``MetricsCollector/warnings``.
    public let warnings: [String]

    /// With stable names, for programs.
    public var json: JSONObject {
        var misuse = JSONObject()
        for (reason, count) in registry.misuse.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            misuse[reason.rawValue] = JSONValue(count)
        }
        var folded = JSONObject()
        for (metric, labels) in registry.folded.sorted(by: { $0.key < $1.key }) {
            folded[metric] = .object(
                JSONObject(labels.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) }))
        }
        return [
            "metrics": JSONValue(registry.metrics), "series": JSONValue(registry.series),
            "idleSeries": JSONValue(registry.idleSeries), "misuse": .object(misuse),
            "recentMisuse": .array(registry.recentMisuse.map(\.json)), "folded": .object(folded),
            "history": [
                "series": JSONValue(historySeries), "bytes": JSONValue(historyBytes),
                "limitBytes": JSONValue(historyLimitBytes),
            ],
            "alerts": [
                "all": JSONValue(alerts), "pending": JSONValue(alertsPending),
                "firing": JSONValue(alertsFiring),
            ],
            "flushes": JSONValue(flushes), "lastFlush": lastFlush.map { .object($0.json) } ?? .null,
            "exporters": .array(exporters.map { .string($0) }),
            "recordsNotTold": JSONValue(recordsNotTold),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }
}

extension MisuseReport {
    /// `{reason, metric, message, count}`
    fileprivate var json: JSONValue {
        [
            "reason": .string(reason.rawValue), "metric": .string(metric),
            "message": .string(message), "count": JSONValue(count),
        ]
    }
}
