// MetricEndpoints.swift — the routes that show metrics, their past and their exports. Next: AlertEndpoints.swift.

internal import Hummingbird
internal import NocturneCore
internal import NocturneMetrics
internal import NocturneTasks

extension Endpoint {
    /// Routes about metrics. Behind `/v1/metrics/` stands nothing but names: every name can be reached.
    static let metrics: [Endpoint] = [
        Endpoint(
            method: .get, path: "/metrics", name: "scrapeMetrics",
            summary:
                "All metrics in the format that `Accept` asks for: OpenMetrics 1.0, else "
                + "Prometheus' text format 0.0.4.",
            output: .bytes(contentTypes: ExportFormat.allCases.map(\.contentType))
        ) { exchange in
            let format = ExportFormat.negotiate(accept: exchange.accept)
            return .bytes(try await exchange.metrics.export(named: format.name))
        },
        Endpoint(
            method: .get, path: "/v1/metrics", name: "listMetrics",
            summary: "All metrics with their latest values, by name.",
            output: .json(schema: Schema.list(of: Schema.metricSummary))
        ) { exchange in
            await exchange.metrics.refresh()
            return .json(.array(exchange.metrics.snapshot().metrics.map(\.summaryJSON)))
        },
        Endpoint(
            method: .get, path: "/v1/metrics/{name}", name: "getMetric",
            summary:
                "A metric with aggregations over its series and percentiles with their bounds.",
            query: [from, to, label], output: .json(schema: Schema.metric), answer: report),
        Endpoint(
            method: .get, path: "/v1/metrics/{name}/series", name: "getTimeSeries",
            summary:
                "How the series of a metric went over time. Where nothing was sampled is no point.",
            query: [
                from, to, label,
                QueryParameter(
                    name: "step", kind: .text,
                    meaning:
                        "How long each point lasts: milliseconds, or a text such as 30s or 5m. "
                        + "Absent: as it was sampled."
                ),
            ], output: .json(schema: Schema.list(of: Schema.timeSeries)), answer: series),
        Endpoint(
            method: .delete, path: "/v1/metrics/{name}", name: "removeMetric",
            summary:
                "Removes a metric with all its series. Its past stays for as long as any is kept.",
            success: .noContent, output: .nothing
        ) { exchange in
            try exchange.metrics.remove(exchange.parameter("name"))
            return .nothing
        },
        Endpoint(
            method: .get, path: "/v1/exports", name: "listExports",
            summary:
                "The names of all formats that metrics can be exported in, those of plugins too.",
            output: .json(schema: Schema.texts)
        ) { exchange in
            .json(.array(exchange.metrics.exportNames.map { .string($0) }))
        },
        Endpoint(
            method: .get, path: "/v1/exports/{name}", name: "exportMetrics",
            summary: "All metrics in a format, or as a plugin's exporter gives them.",
            output: .bytes(contentTypes: [])
        ) { exchange in
            .bytes(try await exchange.metrics.export(named: exchange.parameter("name")))
        },
        Endpoint(
            method: .get, path: "/v1/collector", name: "getMetricsStatistics",
            summary: "What the collector has, what was recorded wrongly, and what failed.",
            output: .json(schema: Schema.metricsStatistics)
        ) { exchange in
            .json(.object(exchange.metrics.statistics().json))
        },
        Endpoint(
            method: .post, path: "/v1/collector/flush", name: "flushMetrics",
            summary:
                "Samples all metrics now, evaluates alerts and hands the metrics to exporters; "
                + "answers when these are done.",
            output: .json(schema: Schema.flushReport)
        ) { exchange in
            .json(.object(await exchange.metrics.flush().json))
        },
    ]

    // MARK: - A range of time

    private static let from = QueryParameter(
        name: "from", kind: .text,
        meaning: "Only what came after this: \(Exchange.momentText). Absent: all that is known.")
    private static let to = QueryParameter(
        name: "to", kind: .text,
        meaning: "Only what came up to this, written as `from`. Absent: until now.")
    private static let label = QueryParameter(
        name: "label", kind: .texts,
        meaning: "Only series with this label, written name=value. May be repeated.")

    @Sendable
    private static func report(_ exchange: Exchange) async throws -> Reply {
        let (metrics, name) = (exchange.metrics, exchange.parameter("name"))
        let (labels, range) = (try exchange.labels, try exchange.range)
        await metrics.refresh()
        guard
            let report = metrics.metric(
                name, startTime: range.from, endTime: range.to, labels: labels)
        else { throw metrics.unknownMetric(name) }
        return .json(report.json)
    }

    @Sendable
    private static func series(_ exchange: Exchange) async throws -> Reply {
        let (metrics, name) = (exchange.metrics, exchange.parameter("name"))
        let (labels, range) = (try exchange.labels, try exchange.range)
        let step = try exchange.duration("step")
        await metrics.refresh()
        guard
            let series = metrics.timeSeries(
                name, startTime: range.from, endTime: range.to, labels: labels, step: step)
        else { throw metrics.unknownMetric(name) }
        return .json(.array(series.map(\.json)))
    }
}

extension Reply {
    fileprivate static func bytes(_ export: MetricsExport) -> Reply {
        .bytes(contentType: export.contentType, export.bytes)
    }
}

extension Exchange {
    /// How a moment is written in a query.
    fileprivate static let momentText =
        "milliseconds since 1970, a time such as 2026-01-31T02:30:00Z, or a time back from now such as -15m"

    /// The moments `from` and `to`.
    fileprivate var range: (from: UnixTime?, to: UnixTime?) {
        get throws(RequestError) {
            let now = metrics.now
            let (from, to) = (try moment("from", now: now), try moment("to", now: now))
            if let from, from > to ?? now {
                throw .invalidParameter(
                    name: "from", found: text("from") ?? "",
                    expected: to == nil ? "a moment that has been" : "a moment before `to`")
            }
            return (from, to)
        }
    }

    private func moment(_ name: String, now: UnixTime) throws(RequestError) -> UnixTime? {
        guard let text = text(name) else { return nil }
        if let milliseconds = Int64(text), milliseconds >= 0 {
            return UnixTime(milliseconds: milliseconds)
        }
        if let time = UnixTime(rfc3339: text) { return time }
        if text.hasPrefix("-"), let back = try? DurationText.parse(String(text.dropFirst())) {
            let (time, overflow) = now.milliseconds.subtractingReportingOverflow(
                back.wholeMilliseconds)
            if !overflow { return UnixTime(milliseconds: time) }
        }
        throw .invalidParameter(name: name, found: text, expected: Self.momentText)
    }

    /// A query parameter that is a duration of at least a millisecond.
    fileprivate func duration(_ name: String) throws(RequestError) -> Duration? {
        guard let text = text(name) else { return nil }
        let duration =
            Int64(text).map { Duration.milliseconds($0) } ?? (try? DurationText.parse(text))
        guard let duration, duration >= .milliseconds(1) else {
            throw .invalidParameter(
                name: name, found: text,
                expected: "milliseconds, or a text such as 250ms, 30s or 5m; at least 1")
        }
        return duration
    }

    /// The labels that series must have.
    fileprivate var labels: Labels {
        get throws(RequestError) {
            var pairs: [Labels.Pair] = []
            for text in texts("label") {
                let sides = text.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false
                ).map(String.init)
                guard sides.count == 2, MetricName.checkLabel(sides[0]) == nil else {
                    throw .invalidParameter(
                        name: "label", found: text, expected: "the name of a label, =, its value")
                }
                guard !pairs.contains(where: { $0.name == sides[0] }) else {
                    throw .invalidParameter(
                        name: "label", found: text, expected: "each label once")
                }
                pairs.append((sides[0], sides[1]))
            }
            return Labels(pairs)
        }
    }
}
