// CSVExport.swift — metrics as rows for spreadsheets, which must not run what strangers wrote. Next: History.swift.

internal import Glibc
public import NocturneCore

extension Exposition {
    /// Metrics as CSV (RFC 4180): a header, then a row for each number, lines that end in CR LF.
    ///
    /// The columns are `time` (RFC 3339, UTC), `name`, `kind`, `unit`, `labels` (an object in JSON), `field` and
    /// `value`. Counters, up-down counters and gauges have one `field`, `value`. Histograms and summaries have `count`,
    /// `sum`; `min`, `max`, `p50`, `p90`, `p95`, `p99`, `p999` as far as they are known; and for each declared bound
    /// `le 0.5`, how many values are at most that. What is not finite is `NaN`, `Inf` or `-Inf`.
    ///
    /// - Parameter spreadsheetSafe: whether an apostrophe is put before texts that a spreadsheet would take for
    ///   formulas (https://owasp.org/www-community/attacks/CSV_Injection). Numbers are left alone.
    public static func csv(
        _ snapshots: [MetricSnapshot], at time: UnixTime, spreadsheetSafe: Bool = true
    ) -> [UInt8] {
        var rows = Rows(time: time, isSafe: spreadsheetSafe)
        for metric in Exposition.sorted(snapshots, by: { $0.name.utf8 }) {
            let start = rows.start(of: metric)
            for series in metric.series { rows.add(series, of: metric.kind, start) }
        }
        return rows.text.bytes
    }
}

private struct Rows {
    var text = TextWriter()
    private let time: String
    private let isSafe: Bool

    init(time: UnixTime, isSafe: Bool) {
        (self.time, self.isSafe) = (time.rfc3339, isSafe)
        text.append("time,name,kind,unit,labels,field,value\r\n")
    }

    /// The cells that all series of a metric have, with a comma behind each.
    func start(of metric: MetricSnapshot) -> [UInt8] {
        var start = TextWriter()
        start.append(string: time)
        for part in [metric.name, metric.kind.rawValue, metric.unit ?? ""] {
            start.append(",")
            start.append(cell(Array(part.utf8)))
        }
        start.append(",")
        return start.bytes
    }

    mutating func add(_ series: SeriesSnapshot, of kind: MetricKind, _ metricStart: [UInt8]) {
        var start = TextWriter(), labels = TextWriter()
        start.reserve(256)
        labels.reserve(256)
        start.append(metricStart)
        labels.append(json: series.identity.labels)
        start.append(cell(labels.bytes))
        start.append(",")
        switch series.value {
        case .amount(let amount) where amount.fraction == 0:
            row(start.bytes, "value") { $0.append(integer: amount.whole) }
        case .amount(let amount): row(start.bytes, "value", amount.value)
        case .level(let level): row(start.bytes, "value", level)
        case .distribution(let distribution): add(distribution, of: kind, start.bytes)
        }
    }

    private mutating func add(
        _ distribution: Distribution, of kind: MetricKind, _ start: [UInt8]
    ) {
        row(start, "count") { $0.append(integer: distribution.count) }
        row(start, "sum", distribution.sum)
        if let range = distribution.range {
            row(start, "min", range.lowerBound)
            row(start, "max", range.upperBound)
        }
        if let sketch = distribution.sketch(of: kind) {
            for (name, part) in Exposition.percentiles {
                guard let percentile = sketch.percentile(part, in: distribution.range) else {
                    continue
                }
                row(start, name, percentile.value)
            }
        }
        if !distribution.bounds.isEmpty {
            for (bound, count) in HistogramBuckets(distribution).finite {
                text.append(start)
                text.append("le ")
                text.append(number: bound)
                text.append(",")
                text.append(integer: count)
                text.append("\r\n")
            }
        }
    }

    private mutating func row(_ start: [UInt8], _ field: StaticString, _ number: Double) {
        // With a sign, the positive one would be a formula too.
        row(start, field) { text in
            if number == .infinity { text.append("Inf") } else { text.append(number: number) }
        }
    }

    private mutating func row(
        _ start: [UInt8], _ field: StaticString, _ write: (inout TextWriter) -> Void
    ) {
        text.append(start)
        text.append(field)
        text.append(",")
        write(&text)
        text.append("\r\n")
    }

    /// A text as a cell: made harmless, and in quotes if it must be.
    private func cell(_ text: [UInt8]) -> [UInt8] {
        var text = text
        if isSafe, let first = text.first, "=+-@\t\r\n\0".utf8.contains(first) {
            text.insert(UInt8(ascii: "'"), at: 0)
        }
        let quote = UInt8(ascii: "\"")
        let mustBeQuoted = { (byte: UInt8) in
            byte == quote || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\r")
                || byte == UInt8(ascii: "\n")
        }
        guard text.contains(where: mustBeQuoted) else { return text }
        var cell = [quote]
        cell.reserveCapacity(text.count + 16)
        for byte in text {
            if byte == quote { cell.append(quote) }
            cell.append(byte)
        }
        cell.append(quote)
        return cell
    }
}

extension UnixTime {
    /// In UTC with milliseconds: `2026-01-31T23:59:59.123Z`. Of years that it cannot say, the milliseconds.
    fileprivate var rfc3339: String {
        var seconds = time_t(self.seconds), parts = tm()
        guard gmtime_r(&seconds, &parts) != nil, (-1_900...8_099).contains(parts.tm_year) else {
            return "\(milliseconds)"
        }
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        let date = [digits(Int(parts.tm_year) + 1_900, 4), digits(Int(parts.tm_mon) + 1, 2)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }
        let part = milliseconds - self.seconds * 1_000
        return (date + [digits(Int(parts.tm_mday), 2)]).joined(separator: "-")
            + "T" + clock.joined(separator: ":") + "." + digits(Int(part), 3) + "Z"
    }
}
