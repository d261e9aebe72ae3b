// AlertText.swift — alerts as people read them. Next: Table.swift.

internal import Nocturne

enum AlertText {
    /// Alerts as a table.
    static func table(_ alerts: [JSONValue]) -> [String] {
        guard !alerts.isEmpty else { return ["no alerts"] }
        var table = Table("NAME", "STATE", "WHEN", "VALUE", "SINCE", "NOTE")
        for alert in alerts {
            let state = alert["state"]?.string ?? "-"
            // The first of those that make the state.
            let group = alert["groups"]?.array?.first { $0["state"]?.string == state }
            table.add(
                .init(MetricText.text(alert["name"])), .init(state, color: color(state)),
                .init(condition(alert)), .init(MetricText.number(group?["value"])),
                .init(
                    PluginText.time(state == "firing" ? group?["firedAt"] : group?["activeAt"])),
                .init(note(alert, state)))
        }
        return table.lines()
    }

    /// How an alert stands, in one line.
    static func line(_ alert: JSONValue) -> String {
        let state = alert["state"]?.string ?? "-"
        let note = note(alert, state)
        return "\(MetricText.text(alert["name"])): \(state) (\(condition(alert)))"
            + (note.isEmpty ? "" : "; \(note)")
    }

    /// `p99 of http.seconds{method="GET"} over 5m > 0.5 for 1m`
    static func condition(_ alert: JSONValue) -> String {
        let pairs = (alert["labels"]?.object ?? [:]).map { ($0.key, $0.value.string ?? "") }
        let metric =
            MetricText.text(alert["metricName"]) + Printable.line(Labels(pairs).description)
        let source = alert["source"]
        let window = time(source?["rate"] ?? source?["window"] ?? source?["absence"])
        var text: String
        if source?["absence"] != nil {
            text = "no \(metric) for \(window)"
        } else {
            let value: String =
                if let part = source?["percentile"]?.double {
                    "p\(MetricText.number(100 * part)) of \(metric) over \(window)"
                } else if source?["rate"] != nil {
                    "\(metric) per second over \(window)"
                } else {
                    metric
                }
            let sign =
                alert["condition"]?.string.flatMap { AlertRule.Condition(rawValue: $0) }?.sign
                ?? "?"
            text = "\(value) \(sign) \(MetricText.number(alert["threshold"]))"
        }
        if let duration = alert["duration"]?.int, duration > 0 {
            text += " for \(time(alert["duration"]))"
        }
        let by = (alert["by"]?.array ?? []).map { MetricText.text($0) }
        return by.isEmpty ? text : text + " by " + by.joined(separator: ", ")
    }

    private static func note(_ alert: JSONValue, _ state: String) -> String {
        var notes: [String] = []
        if let until = alert["silencedUntil"], !until.isNull {
            notes.append("silent until \(PluginText.time(until))")
        }
        let groups = (alert["groups"]?.array ?? []).count { $0["state"]?.string == state }
        if groups > 1 { notes.append("\(groups) groups") }
        if let left = alert["groupsLeftOut"]?.int, left > 0 {
            notes.append("\(left) groups more are left out")
        }
        if let severity = alert["severity"]?.string { notes.append(Printable.line(severity)) }
        if alert["origin"]?.string == AlertStatus.Origin.configuration.rawValue {
            notes.append("of the configuration")
        }
        return notes.joined(separator: ", ")
    }

    private static func time(_ value: JSONValue?) -> String {
        value?.int.map { DurationText.describe(.milliseconds($0)) } ?? "-"
    }

    private static func color(_ state: String) -> Table.Color? {
        switch AlertStatus.State(rawValue: state) {
        case .firing: .red
        case .pending: .yellow
        case .inactive: .green
        default: nil
        }
    }
}

extension AlertRule.Condition {
    fileprivate var sign: String {
        switch self {
        case .gt: ">"
        case .gte: ">="
        case .lt: "<"
        case .lte: "<="
        case .eq: "=="
        case .neq: "!="
        }
    }
}
