// MetricsCollector+Asking.swift — what metrics are and were: reports, time series, exports, statistics.
// Next: HistoryQuery.swift, Exposition.swift.

public import NocturneCore
internal import Synchronization

extension MetricsCollector {
    // MARK: - Reports

    /// A metric with aggregations over its series. `getMetric` of the seed.
    ///
    /// A value that was recorded before the call is in it.
    ///
    /// - Parameters:
    ///   - startTime: values after this; `nil`: of its whole life, for which distributions are exact.
    ///   - endTime: values up to this; `nil`: until now.
    ///   - labels: only series that have these.
    /// - Returns: `nil` if there is no such metric, and has not been while the history goes back.
    public func metric(
        _ name: String, startTime: UnixTime? = nil, endTime: UnixTime? = nil, labels: Labels = [:]
    ) -> MetricReport? {
        ask(about: name) { past, live, now in
            past.history.report(
                HistoryQuery(
                    name, labels: labels, from: startTime, to: endTime, live: live, now: now))
        }
    }

    /// All metrics that have a series with some labels, by name. `getAllMetrics` of the seed. Else as
    /// ``metric(_:startTime:endTime:labels:)``.
    public func allMetrics(
        startTime: UnixTime? = nil, endTime: UnixTime? = nil, labels: Labels = [:]
    ) -> [MetricReport] {
        ask { past, live, now in
            live.compactMap { metric in
                past.history.report(
                    HistoryQuery(
                        metric.name, labels: labels, from: startTime, to: endTime, live: [metric],
                        now: now))
            }.filter { $0.seriesCount > 0 }
        }
    }

    /// How the series of a metric went over time. `getTimeSeries` of the seed.
    ///
    /// - Parameters:
    ///   - startTime: after this; `nil`: as far back as the history goes.
    ///   - endTime: up to this; `nil`: until now.
    ///   - labels: only series that have these.
    ///   - step: how long each point lasts; `nil`: as it was sampled.
    /// - Returns: one for each series that has a point; `nil` if there is no such metric.
    public func timeSeries(
        _ name: String, startTime: UnixTime? = nil, endTime: UnixTime? = nil, labels: Labels = [:],
        step: Duration? = nil
    ) -> [TimeSeries]? {
        ask(about: name) { past, live, now in
            past.history.timeSeries(
                HistoryQuery(
                    name, labels: labels, from: startTime, to: endTime, live: live, now: now),
                step: step)
        }
    }

    /// Answers from the past and from what is: of one metric, or of all.
    private func ask<Answer: Sendable>(
        about name: String? = nil,
        _ question: (inout MetricsPast, [MetricSnapshot], UnixTime) -> Answer
    ) -> Answer {
        let live = if let name { current(name).map { [$0] } ?? [] } else { current() }
        let (wall, uptime) = (clock.now, clock.uptime)
        return state.withLock { state in
            question(&state.past, live, state.past.now(wall: wall, uptime: uptime))
        }
    }

    /// The error for a name that no metric has, with those that may have been meant.
    package func unknownMetric(_ name: String) -> MetricsError {
        .notFound("metric", name, near: Spelling.likely(name, of: current().map(\.name)))
    }

    /// The wall clock that all times are of.
    package var now: UnixTime { clock.now }

    // MARK: - Exports

    /// All metrics as they are now.
    public func snapshot() -> MetricsSnapshot {
        MetricsSnapshot(time: clock.now, metrics: current())
    }

    /// All metrics in a built-in format. `export` of the seed.
    public func export(_ format: ExportFormat) -> String {
        String(decoding: snapshot().rendered(as: format), as: UTF8.self)
    }

    /// The same as bytes, with what takes a moment to ask for.
    package func exported(as format: ExportFormat) async -> [UInt8] {
        await refresh()
        return snapshot().rendered(as: format)
    }

    /// All metrics in the form that an exporter gives them, or in a built-in format by its name.
    ///
    /// - Throws: ``MetricsError/notFound(_:_:near:)`` or ``MetricsError/exporterFailed(_:_:)``.
    public func export(named name: String) async throws(MetricsError) -> MetricsExport {
        if let format = ExportFormat(name: name) {
            return MetricsExport(
                contentType: format.contentType, bytes: await exported(as: format))
        }
        await refresh()
        guard let exporter = state.withLock({ $0.exporters[name] }) else {
            throw .notFound(
                "format or exporter", name, near: Spelling.likely(name, of: exportNames))
        }
        return MetricsExport(
            contentType: exporter.contentType,
            bytes: try await export(snapshot(), through: exporter, named: name))
    }

    /// Adds an exporter, in place of one that has its name.
    ///
    /// - Throws: ``MetricsError/invalidOption(_:_:)`` for the name of a built-in format.
    public func setExporter(
        _ name: String, to exporter: any MetricsExporter
    ) throws(MetricsError) {
        guard ExportFormat(name: name) == nil else {
            throw .invalidOption(
                "the name of an exporter, \(quoted(name)),", "none of a built-in format")
        }
        state.withLock { $0.exporters[name] = exporter }
    }

    /// Removes an exporter, if there is one of this name. One that is at work ends by itself.
    public func removeExporter(_ name: String) {
        state.withLock { _ = $0.exporters.removeValue(forKey: name) }
    }

    /// The names of all formats and exporters.
    public var exportNames: [String] {
        ExportFormat.allCases.map(\.name) + state.withLock { $0.exporters.keys.sorted() }
    }

    // MARK: - Statistics

    /// What the collector has, and what went wrong. `getStatistics` of the seed.
    public func statistics() -> MetricsStatistics {
        let registry = registry.statistics
        return state.withLock { state in
            let alerts = state.past.alerts.statuses
            return MetricsStatistics(
                registry: registry, historySeries: state.past.history.seriesCount,
                historyBytes: state.past.history.bytes,
                historyLimitBytes: configuration.historyLimitBytes,
                alerts: alerts.count, alertsFiring: alerts.count { $0.state == .firing },
                alertsPending: alerts.count { $0.state == .pending }, flushes: state.flushes,
                lastFlush: state.lastFlush, exporters: state.exporters.keys.sorted(),
                recordsNotTold: events.droppedRecords, warnings: state.past.warnings)
        }
    }
}
