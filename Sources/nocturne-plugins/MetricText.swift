// MetricText.swift — metrics and what the collector has as people read them. Next: AlertText.swift, Table.swift.

internal import Glibc
internal import Nocturne

/// Text for people. Whatever comes from metrics is made safe for a terminal.
enum MetricText {
    /// Metrics as a table.
    static func table(_ metrics: JSONValue) -> [String] {
        guard let metrics = metrics.array, !metrics.isEmpty else { return ["no metrics"] }
        var table = Table("NAME", "KIND", "SERIES", "VALUE", "UNIT", "HELP")
        for metric in metrics {
            table.add([
                text(metric["name"]), text(metric["kind"]), number(metric["series"]),
                number(metric["value"]), text(metric["unit"]), text(metric["help"]),
            ])
        }
        return table.lines()
    }

    /// A metric over a range, a key and its value on each line.
    static func report(_ report: JSONValue) -> [String] {
        let kind = report["kind"]?.string.flatMap { MetricKind(rawValue: $0) }
        var lines = [
            padded("name") + text(report["name"]), padded("kind") + text(report["kind"]),
        ]
        if report["unit"] != nil { lines.append(padded("unit") + text(report["unit"])) }
        lines.append(padded("series") + number(report["series"]))
        if report["startTime"] != nil {
            lines.append(padded("from") + PluginText.time(report["startTime"]))
        }
        lines.append(padded("to") + PluginText.time(report["endTime"]))
        // Of a distribution it is the count, which follows.
        if report["value"] != nil, kind?.isDistribution != true {
            lines.append(padded("value") + number(report["value"]))
        }
        if report["rate"] != nil { lines.append(padded("per second") + number(report["rate"])) }
        let all = report["aggregations"]
        for (key, name) in [
            ("count", kind?.isDistribution == true ? "count" : "samples"),
            ("sum", kind == .counter ? "increase" : "sum"), ("avg", "mean"), ("min", "least"),
            ("p50", "p50"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"),
            ("max", "greatest"),
        ] {
            guard let value = all?[key] else { continue }
            var line = padded(name) + number(value)
            if let bounds = all?["bounds"]?[key]?.array, bounds.count == 2 {
                line += " (from \(number(bounds[0])) to \(number(bounds[1])))"
            }
            lines.append(line)
        }
        return lines
    }

    /// What a flush did.
    static func flush(_ report: JSONValue) -> [String] {
        [
            "\(number(report["series"])) series in \(number(report["duration"])) ms, "
                + "alerts that changed: \(number(report["alerts"])), "
                + "exporters: \(number(report["exporters"]))"
        ]
            + (report["failures"]?.object ?? [:]).map { name, reason in
                "\(Printable.line(name)): \(text(reason))"
            }
    }

    /// What the collector has, and what went wrong.
    static func statistics(_ all: JSONValue) -> [String] {
        let history = all["history"], alerts = all["alerts"], flush = all["lastFlush"]
        var lines = [
            padded("metrics") + number(all["metrics"]),
            padded("series")
                + "\(number(all["series"])), \(number(all["idleSeries"])) of them idle",
            padded("history") + "\(number(history?["series"])) series in "
                + "\(number(history?["bytes"])) of \(number(history?["limitBytes"])) bytes",
            padded("alerts")
                + "\(number(alerts?["all"])), \(number(alerts?["firing"])) of them firing, "
                + "\(number(alerts?["pending"])) pending",
            padded("flushes") + number(all["flushes"])
                + (flush?["duration"] == nil
                    ? "" : ", the last one in \(number(flush?["duration"])) ms"),
        ]
        let exporters = (all["exporters"]?.array ?? []).map { text($0) }
        if !exporters.isEmpty {
            lines.append(padded("exporters") + exporters.joined(separator: ", "))
        }
        for (name, reason) in flush?["failures"]?.object ?? [:] {
            lines.append(padded("failed") + Printable.line(name) + ": " + text(reason))
        }
        for misuse in all["recentMisuse"]?.array ?? [] {
            lines.append(
                padded("misuse") + "\(text(misuse["message"])) (\(number(misuse["count"])) times)")
        }
        for (metric, labels) in all["folded"]?.object ?? [:] {
            for (label, count) in labels.object ?? [:] {
                lines.append(
                    padded("folded") + "\(Printable.line(metric)): \(number(count)) records with "
                        + "too many values of \(Printable.line(label))")
            }
        }
        if let missed = all["recordsNotTold"]?.int, missed > 0 {
            lines.append(padded("not told") + "\(missed) records, because there were too many")
        }
        return lines + (all["warnings"]?.array ?? []).map { padded("warning") + text($0) }
    }

    // MARK: - Parts

    /// A measured number; also those that JSON has no numbers for.
    static func double(_ value: JSONValue?) -> Double? {
        switch value?.string {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: value?.double
        }
    }

    /// `-` if there is none; whole numbers as they are.
    static func number(_ value: JSONValue?) -> String {
        value?.int.map { "\($0)" } ?? double(value).map(number) ?? "-"
    }

    /// Six digits and more before the point, six with those behind it.
    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        // From 10^15 on the digits are not all known.
        let format = (100_000..<1e15).contains(value.magnitude) ? "%.1f" : "%.6g"
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(
            decoding: buffer.prefix(Int(max(count, 0))).map { UInt8(bitPattern: $0) },
            as: UTF8.self)
    }

    static func text(_ value: JSONValue?) -> String { value?.string.map(Printable.line) ?? "-" }

    private static func padded(_ key: String) -> String {
        key + String(repeating: " ", count: max(1, 12 - key.count))
    }
}
