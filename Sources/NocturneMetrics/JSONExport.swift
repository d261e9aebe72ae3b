// JSONExport.swift — metrics as JSON, with all that is known of them. Next: JSONImport.swift, which reads it.

internal import NocturneCore

extension Exposition {
    /// Metrics as JSON, from which ``read(_:)`` makes the same snapshots again.
    ///
    /// ```
    /// {"time": 1700000000123, "metrics": [
    ///   {"name": "api.requests", "kind": "counter", "help": "…", "unit": "requests", "series": [
    ///     {"labels": {"method": "GET"}, "created": 1700000000000, "value": 42}]}]}
    /// ```
    /// - `time` and `created` are milliseconds since 1970. `unit` is absent if there is none. `kind` is one of
    ///   ``MetricKind``'s names.
    /// - A series of a counter, an up-down counter or a gauge has a `value`. Of a total that is not whole, `whole` and
    ///   `fraction` are its two parts, which `value` is the rounded sum of.
    /// - A series of a histogram or a summary has `count` and `sum`; `min` and `max` if it has values; `p50`, `p90`,
    ///   `p95`, `p99` and `p999` with the `relativeError` of each, if percentiles are computed and there are values;
    ///   `bounds` and `boundCounts` if bounds were declared (how many values lie up to each bound and above the one
    ///   before, and in the end above all); and the buckets that percentiles come from as `sketch`, for a summary also
    ///   `window`:
    ///   `{"scale": 6, "zeros": 0, "positive": [[index, count], …], "negative": […]}`, see ``Sketch``.
    /// - Whole numbers have all their digits, also beyond 2^53, where JavaScript rounds them. What is not finite is one
    ///   of the strings `NaN`, `+Inf` and `-Inf`.
    static func json(_ snapshots: [MetricSnapshot], at time: UnixTime) -> [UInt8] {
        var text = TextWriter()
        text.reserve(256 + 160 * snapshots.reduce(0) { $0 + $1.series.count })
        text.append("{\"time\":")
        text.append(integer: time.milliseconds)
        text.append(",\"metrics\":")
        text.appendList(Exposition.sorted(snapshots) { $0.name.utf8 }) { text, metric in
            text.append("{\"name\":")
            text.append(json: metric.name)
            text.append(",\"kind\":")
            text.append(json: metric.kind.rawValue)
            text.append(",\"help\":")
            text.append(json: metric.help)
            if let unit = metric.unit {
                text.append(",\"unit\":")
                text.append(json: unit)
            }
            text.append(",\"series\":")
            text.appendList(metric.series) { $0.append($1, of: metric.kind) }
            text.append("}")
        }
        text.append("}\n")
        return text.bytes
    }
}

extension TextWriter {
    // MARK: - JSON's values

    /// A string in quotes.
    mutating func append(json text: String) {
        append(byte: UInt8(ascii: "\""))
        // Bytes in one place are looked at and copied several times as fast as one by one out of a string.
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { append(escaped: $0) }
        if isDone == nil { Array(text.utf8).withUnsafeBufferPointer { append(escaped: $0) } }
        append(byte: UInt8(ascii: "\""))
    }

    private mutating func append(escaped text: UnsafeBufferPointer<UInt8>) {
        let isSpecial = { (byte: UInt8) in
            byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
        guard text.contains(where: isSpecial) else { return append(text) }
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case ..<0x20:
                append(byte < 0x10 ? "\\u000" : "\\u001")
                append(byte: Array("0123456789abcdef".utf8)[Int(byte & 0xF)])
            default: append(byte: byte)
            }
        }
    }

    /// A number, or a string if it is not finite.
    mutating func append(json number: Double) {
        if number.isFinite { return append(number: number) }
        append(byte: UInt8(ascii: "\""))
        append(number: number)
        append(byte: UInt8(ascii: "\""))
    }

    /// An object of strings.
    mutating func append(json labels: Labels) {
        append("{")
        var isFirst = true
        for (name, value) in labels.ordered {
            if !isFirst { append(",") }
            isFirst = false
            append(json: name)
            append(":")
            append(json: value)
        }
        append("}")
    }

    fileprivate mutating func appendList<Element>(
        _ elements: some Sequence<Element>, _ write: (inout TextWriter, Element) -> Void
    ) {
        append("[")
        var isFirst = true
        for element in elements {
            if !isFirst { append(",") }
            isFirst = false
            write(&self, element)
        }
        append("]")
    }

    // MARK: - Series

    fileprivate mutating func append(_ series: SeriesSnapshot, of kind: MetricKind) {
        append("{\"labels\":")
        append(json: series.identity.labels)
        append(",\"created\":")
        append(integer: series.created.milliseconds)
        switch series.value {
        case .amount(let amount) where amount.fraction == 0:
            append(",\"value\":")
            append(integer: amount.whole)
        case .amount(let amount):
            append(",\"value\":")
            append(json: amount.value)
            append(",\"whole\":")
            append(integer: amount.whole)
            append(",\"fraction\":")
            append(json: amount.fraction)
        case .level(let level):
            append(",\"value\":")
            append(json: level)
        case .distribution(let distribution):
            append(distribution, of: kind)
        }
        append("}")
    }

    private mutating func append(_ distribution: Distribution, of kind: MetricKind) {
        append(",\"count\":")
        append(integer: distribution.count)
        append(",\"sum\":")
        append(json: distribution.sum)
        if let range = distribution.range {
            append(",\"min\":")
            append(json: range.lowerBound)
            append(",\"max\":")
            append(json: range.upperBound)
        }
        appendPercentiles(of: distribution, kind)
        if !distribution.bounds.isEmpty {
            append(",\"bounds\":")
            appendList(distribution.bounds) { $0.append(json: $1) }
            append(",\"boundCounts\":")
            appendList(distribution.boundCounts) { $0.append(integer: $1) }
        }
        if let sketch = distribution.sketch {
            append(",\"sketch\":")
            append(sketch)
        }
        if let window = distribution.window {
            append(",\"window\":")
            append(window)
        }
    }

    private mutating func appendPercentiles(of distribution: Distribution, _ kind: MetricKind) {
        guard let sketch = distribution.sketch(of: kind), sketch.count > 0 else { return }
        for (name, part) in Exposition.percentiles {
            guard let percentile = sketch.percentile(part, in: distribution.range) else { continue }
            append(",\"")
            append(name)
            append("\":")
            append(json: percentile.value)
        }
        append(",\"relativeError\":")
        append(json: sketch.relativeError)
    }

    private mutating func append(_ sketch: Sketch) {
        append("{\"scale\":")
        append(integer: Int64(sketch.scale))
        append(",\"zeros\":")
        append(integer: sketch.zeros)
        append(",\"positive\":")
        appendList(sketch.positive) { $0.append($1) }
        append(",\"negative\":")
        appendList(sketch.negative) { $0.append($1) }
        append("}")
    }

    private mutating func append(_ bucket: Sketch.Bucket) {
        append("[")
        append(integer: Int64(bucket.index))
        append(",")
        append(integer: bucket.count)
        append("]")
    }
}
