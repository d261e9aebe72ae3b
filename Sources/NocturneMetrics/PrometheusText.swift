// PrometheusText.swift — Prometheus' text format 0.0.4, and what OpenMetrics has in common with it.
// Next: OpenMetricsText.swift.

/// Metrics in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats) or in
/// OpenMetrics 1.0.0.
///
/// A counter's name gets `_total` unless it ends so; an up-down counter is a gauge. A histogram has its declared
/// bounds, or the powers of two that its values lie between (``HistogramBuckets``). A summary has the quantiles of its
/// window, NaN when that is empty. `le` and `quantile` are written alike in both formats, so that a series does not
/// become another one when a server changes its mind about the format.
struct PrometheusText {
    /// Which of the formats.
    enum Dialect { case prometheus, openMetrics }

    /// What is known of a metric before its samples are written.
    struct Family {
        let metric: MetricSnapshot
        /// Without `_total`.
        let name: [UInt8]

        init(_ metric: MetricSnapshot) {
            self.metric = metric
            var name = Array(MetricName.prometheus(metric.name).utf8)
            if metric.kind == .counter, name.count > Self.total.count,
                name.suffix(Self.total.count).elementsEqual(Self.total)
            {
                name.removeLast(Self.total.count)
            }
            self.name = name
        }

        /// What the name of a counter's sample ends in.
        static let total = Array("_total".utf8)
    }

    /// The name of samples with what is written behind it.
    struct SampleName {
        let alone: [UInt8], beforeLabels: [UInt8]

        init(_ family: [UInt8], _ suffix: StaticString) {
            let name = family + suffix.withUTF8Buffer { Array($0) }
            (alone, beforeLabels) = (name + [UInt8(ascii: " ")], name + [UInt8(ascii: "{")])
        }
    }

    let dialect: Dialect
    var text = TextWriter()
    /// `le="0.5"} ` for bounds that were written before: metrics have few different ones, which take time to write.
    private var boundTexts: [Double: [UInt8]] = [:]

    private init(_ dialect: Dialect) { self.dialect = dialect }

    /// All of some metrics.
    static func render(_ snapshots: [MetricSnapshot], _ dialect: Dialect) -> [UInt8] {
        var text = Self(dialect)
        let count = snapshots.reduce(0) { $0 + $1.series.count }
        // A usual line; more only costs another copy.
        text.text.reserve(256 + 128 * count)
        for family in Exposition.sorted(snapshots.map(Family.init), by: \.name) {
            text.write(family)
        }
        if dialect == .openMetrics { text.text.append("# EOF\n") }
        return text.text.bytes
    }

    private mutating func write(_ family: Family) {
        switch dialect {
        case .prometheus: writeHeader(of: family)
        case .openMetrics: writeOpenMetricsHeader(of: family)
        }
        switch family.metric.kind {
        case .counter, .upDownCounter, .gauge: writeNumbers(of: family)
        case .histogram: writeHistograms(of: family)
        case .summary: writeSummaries(of: family)
        }
    }

    private mutating func writeHeader(of family: Family) {
        let isCounter = family.metric.kind == .counter
        let name = isCounter ? family.name + Family.total : family.name
        text.append("# HELP ")
        text.append(name)
        text.append(" ")
        appendEscaped(family.metric.help, quotes: false)
        text.append("\n# TYPE ")
        text.append(name)
        text.append(Self.type(of: family.metric.kind))
    }

    /// What a metric's type is called, and the line's end.
    static func type(of kind: MetricKind) -> StaticString {
        switch kind {
        case .counter: " counter\n"
        case .upDownCounter, .gauge: " gauge\n"
        case .histogram: " histogram\n"
        case .summary: " summary\n"
        }
    }

    /// A help text without line feeds; if wanted, also without quotes.
    mutating func appendEscaped(_ help: String, quotes: Bool) {
        for byte in help.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): text.append("\\\\")
            case UInt8(ascii: "\n"): text.append("\\n")
            case UInt8(ascii: "\"") where quotes: text.append("\\\"")
            default: text.append(byte: byte)
            }
        }
    }

    // MARK: - Samples

    private mutating func writeNumbers(of family: Family) {
        let isCounter = family.metric.kind == .counter
        let name = SampleName(family.name, isCounter ? "_total" : "")
        let created = isCounter ? createdName(of: family) : nil
        // By index: a loop over the series would copy each, which takes as long as writing it.
        let all = family.metric.series
        for index in all.indices {
            begin(name, all[index].identity)
            switch all[index].value {
            case .amount(let amount): append(amount)
            case .level(let level): text.append(number: level)
            // No number at all: the registry has no such thing.
            case .distribution(let distribution): text.append(integer: distribution.count)
            }
            text.append(byte: UInt8(ascii: "\n"))
            if let created { writeCreated(created, all[index]) }
        }
    }

    @inline(__always)
    private mutating func append(_ amount: Amount) {
        if amount.fraction == 0 {
            text.append(integer: amount.whole)
        } else {
            text.append(number: amount.value)
        }
    }

    private mutating func writeHistograms(of family: Family) {
        let bucket = SampleName(family.name, "_bucket")
        let sum = SampleName(family.name, "_sum"), count = SampleName(family.name, "_count")
        let created = createdName(of: family)
        for series in family.metric.series {
            guard case .distribution(let distribution) = series.value else { continue }
            let buckets = HistogramBuckets(distribution)
            for (bound, count) in buckets.finite {
                begin(bucket, series.identity, boundText(bound))
                end(count)
            }
            begin(bucket, series.identity, boundText(.infinity))
            end(buckets.total)
            if maySum(distribution, buckets) {
                begin(sum, series.identity)
                text.append(number: distribution.sum)
                text.append(byte: UInt8(ascii: "\n"))
                begin(count, series.identity)
                end(buckets.total)
            }
            if let created { writeCreated(created, series) }
        }
    }

    private mutating func writeSummaries(of family: Family) {
        let quantile = SampleName(family.name, "")
        let sum = SampleName(family.name, "_sum"), count = SampleName(family.name, "_count")
        let created = createdName(of: family)
        let labels = Exposition.percentiles.map { percentile in
            var label = TextWriter()
            label.append("quantile=\"")
            label.append(canonical: percentile.part)
            label.append("\"} ")
            return label.bytes
        }
        for series in family.metric.series {
            guard case .distribution(let distribution) = series.value else { continue }
            if let window = distribution.window {
                for (label, (_, part)) in zip(labels, Exposition.percentiles) {
                    let value = window.percentile(part, in: distribution.range)?.value ?? .nan
                    guard mayBeQuantile(value) else { continue }
                    begin(quantile, series.identity, label)
                    text.append(number: value)
                    text.append(byte: UInt8(ascii: "\n"))
                }
            }
            if maySum(distribution, nil) {
                begin(sum, series.identity)
                text.append(number: distribution.sum)
                text.append(byte: UInt8(ascii: "\n"))
            }
            begin(count, series.identity)
            end(distribution.count)
            if let created { writeCreated(created, series) }
        }
    }

    private mutating func boundText(_ bound: Double) -> [UInt8] {
        // Equal to the other zero, and not written so.
        let bound = bound == 0 ? 0 : bound
        if let known = boundTexts[bound] { return known }
        var label = TextWriter()
        label.append("le=\"")
        label.append(canonical: bound)
        label.append("\"} ")
        boundTexts[bound] = label.bytes
        return label.bytes
    }

    // MARK: - Lines

    /// `name{labels} `
    @inline(__always)
    mutating func begin(_ name: SampleName, _ identity: SeriesIdentity) {
        guard !identity.labelText.isEmpty else {
            text.append(name.alone)
            return
        }
        text.append(name.beforeLabels)
        text.append(identity.labelText)
        text.append("} ")
    }

    /// `name{labels,le="0.5"} `, where `last` is all from `le` on.
    private mutating func begin(_ name: SampleName, _ identity: SeriesIdentity, _ last: [UInt8]) {
        text.append(name.beforeLabels)
        if !identity.labelText.isEmpty {
            text.append(identity.labelText)
            text.append(byte: UInt8(ascii: ","))
        }
        text.append(last)
    }

    private mutating func end(_ count: UInt64) {
        text.append(integer: count)
        text.append(byte: UInt8(ascii: "\n"))
    }
}
