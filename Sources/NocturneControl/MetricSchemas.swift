// MetricSchemas.swift — what the routes about metrics and alerts take and give, as JSON Schemas. Next:
// ControlServer.swift.

internal import NocturneCore
internal import NocturneMetrics

extension Schema {
    static let metricSummary = reference("MetricSummary")
    static let metric = reference("Metric")
    static let timeSeries = reference("TimeSeries")
    static let metricsStatistics = reference("MetricsStatistics")
    static let flushReport = reference("FlushReport")
    static let alertRule = reference("AlertRule")
    static let alert = reference("Alert")
    static let silence: JSONValue = [
        "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
        "properties": [
            "for": duration, "until": ["type": ["integer", "string"]],
        ],
    ]

    /// JSON has no numbers for some: those are texts.
    private static let measured: JSONValue = [
        "anyOf": [["type": "number"], ["enum": ["NaN", "+Inf", "-Inf"]]]
    ]
    private static let optionalMeasured: JSONValue = [
        "anyOf": [["type": "number"], ["enum": ["NaN", "+Inf", "-Inf", nil]]]
    ]
    private static let duration: JSONValue = [
        "type": ["integer", "string"],
        "description": "Milliseconds, or a text such as \"250ms\", \"10s\" or \"1h\".",
    ]
    private static let optionalTime: JSONValue = [
        "type": ["integer", "null"], "description": "Milliseconds since 1970-01-01 UTC.",
    ]
    private static let kind = choice(of: MetricKind.self)
    private static let flag: JSONValue = ["type": "boolean"]
    private static let labels: JSONValue = [
        "type": "object", "additionalProperties": ["type": "string"],
    ]
    private static let counts: JSONValue = ["type": "object", "additionalProperties": count]

    private static func choice<Value: RawRepresentable<String> & CaseIterable>(
        of type: Value.Type
    ) -> JSONValue {
        ["type": "string", "enum": .array(type.allCases.map { .string($0.rawValue) })]
    }

    /// A record that has no other properties.
    private static func exactly(_ properties: JSONObject, required: [String]) -> JSONValue {
        var schema = record(properties, required: required).object ?? [:]
        schema["additionalProperties"] = false
        return .object(schema)
    }

    private static func properties(_ names: [String], _ schema: JSONValue) -> JSONObject {
        JSONObject(names.map { ($0, schema) })
    }

    private static let percentiles = ["p50", "p90", "p95", "p99", "p999"]

    private static var aggregations: JSONObject {
        var all = properties(["sum", "avg", "min", "max"] + percentiles, measured)
        all["count"] = count
        all["bounds"] = [
            "type": "object",
            "description": "Between which values the true one lies, of what is not exact.",
            "additionalProperties": [
                "type": "array", "items": measured, "minItems": 2, "maxItems": 2,
            ],
        ]
        return all
    }

    private static var point: JSONObject {
        var all = properties(
            ["value", "increase", "sum", "min", "max", "p50", "p90", "p95", "p99"], measured)
        all["time"] = milliseconds
        all["count"] = count
        return all
    }

    private static let rule: JSONObject = [
        "name": text, "metricName": text, "condition": choice(of: AlertRule.Condition.self),
        "threshold": ["type": "number"], "duration": duration, "enabled": flag,
        "source": [
            "description":
                "\"value\", {\"rate\": WINDOW}, {\"percentile\": PART, \"window\": WINDOW} or {\"absence\": WINDOW}.",
            "type": ["string", "object"],
        ],
        "labels": labels, "by": texts, "keepFiringFor": duration,
        "clearThreshold": ["type": "number"], "noData": choice(of: AlertRule.NoDataPolicy.self),
        "message": text, "severity": text, "annotations": labels,
    ]

    private static var status: JSONObject {
        var all = rule
        all["origin"] = choice(of: AlertStatus.Origin.self)
        all["state"] = choice(of: AlertStatus.State.self)
        all["silencedUntil"] = optionalTime
        all["groups"] = list(
            of: exactly(
                [
                    "group": labels, "state": choice(of: AlertStatus.State.self),
                    "value": optionalMeasured, "activeAt": milliseconds, "firedAt": optionalTime,
                ], required: ["group", "state", "value", "activeAt", "firedAt"]))
        all["groupsLeftOut"] = count
        return all
    }

    static let metricComponents: JSONObject = [
        "MetricSummary": exactly(
            [
                "name": text, "kind": kind, "unit": optionalText, "help": text, "series": count,
                "value": optionalMeasured,
            ], required: ["name", "kind", "unit", "help", "series", "value"]),
        "Metric": exactly(
            [
                "name": text, "kind": kind, "unit": text, "series": count, "value": measured,
                "rate": measured, "startTime": milliseconds, "endTime": milliseconds,
                "aggregations": exactly(aggregations, required: []),
            ], required: ["name", "kind", "series", "endTime", "aggregations"]),
        "TimeSeries": exactly(
            [
                "name": text, "kind": kind, "labels": labels, "step": count,
                "points": list(of: exactly(point, required: ["time"])),
            ], required: ["name", "kind", "labels", "points"]),
        "FlushReport": exactly(
            [
                "series": count, "alerts": count, "exporters": count, "duration": count,
                "failures": ["type": "object", "additionalProperties": text],
            ], required: ["series", "alerts", "exporters", "failures", "duration"]),
        "MetricsStatistics": exactly(
            [
                "metrics": count, "series": count, "idleSeries": count, "misuse": counts,
                "recentMisuse": list(
                    of: exactly(
                        ["reason": text, "metric": text, "message": text, "count": count],
                        required: ["reason", "metric", "message", "count"])),
                "folded": ["type": "object", "additionalProperties": counts],
                "history": exactly(
                    properties(["series", "bytes", "limitBytes"], count),
                    required: ["series", "bytes", "limitBytes"]),
                "alerts": exactly(
                    properties(["all", "pending", "firing"], count),
                    required: ["all", "pending", "firing"]),
                "flushes": count, "lastFlush": ["anyOf": [flushReport, ["type": "null"]]],
                "exporters": texts, "recordsNotTold": count, "warnings": texts,
            ],
            required: [
                "metrics", "series", "misuse", "folded", "history", "alerts", "flushes",
                "lastFlush", "exporters", "warnings",
            ]),
        "AlertRule": exactly(rule, required: ["name", "metricName"]),
        "Alert": exactly(
            status,
            required: [
                "name", "metricName", "duration", "enabled", "origin", "state", "silencedUntil",
                "groups", "groupsLeftOut",
            ]),
    ]
}
