// MetricsPast.swift — what a collector remembers: the history and the alerts, with their files. No locks and no clock of
// its own. Next: History.swift, AlertBook.swift.

internal import Glibc
internal import NocturneCore

/// What a collector remembers.
struct MetricsPast {
    var history: History
    var alerts = AlertBook()
    private var axis: TimeAxis
    private let alertFile: AlertFile?
    private var found: [String] = []
    /// Why a file could not be written the last time, by path.
    private var failures: [String: String] = [:]

    /// Opens the files; without a directory it all is in memory only.
    init(
        _ configuration: MetricsCollector.Configuration, now: UnixTime, uptime: Duration
    ) throws(MetricsError) {
        let limits = History.Limits(
            retention: configuration.retentionPeriod,
            bytes: ByteCount(bytes: Int64(configuration.historyLimitBytes)))
        history = History(limits)
        axis = TimeAxis(after: history.latest)
        guard let directory = configuration.statePath else {
            alertFile = nil
            return
        }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .file(directory, "cannot be made: \(String(cString: strerror(errno)))")
        }
        let file = AlertFile(path: directory + "/alerts.json")
        let loaded = try file.load(now: now, uptime: uptime)
        alerts = loaded.book
        if let problem = loaded.problem { found.append("\(problem)") }
        alertFile = file
    }

    /// What a person should know.
    var warnings: [String] { found + failures.sorted { $0.key < $1.key }.map(\.value) }

    /// Takes the rules of the configuration.
    mutating func configure(
        _ rules: [AlertRule], now: UnixTime, uptime: Duration
    ) -> [AlertEvent] {
        alerts.configure(rules, now: now, uptime: uptime)
    }

    /// Appends a sample of all metrics, and returns its moment.
    mutating func append(
        _ metrics: [MetricSnapshot], wall: UnixTime, uptime: Duration
    ) -> UnixTime {
        let now = axis.moment(wall: wall, uptime: uptime)
        history.append(metrics, at: now)
        return now
    }

    /// The moment of a question: after the last sample, and no sample itself.
    func now(wall: UnixTime, uptime: Duration) -> UnixTime {
        var axis = axis
        return axis.moment(wall: wall, uptime: uptime)
    }

    /// Evaluates all alerts.
    mutating func evaluate(
        _ metrics: [MetricSnapshot], now: UnixTime, uptime: Duration
    ) -> [AlertEvent] {
        let history = history
        return alerts.evaluate(now: now, uptime: uptime) { rule in
            rule.readings(
                in: history,
                HistoryQuery(rule.metricName, labels: rule.labels, live: metrics, now: now))
        }
    }

    /// Writes down what has changed. What cannot be written is tried again the next time, and told once.
    mutating func save(now: UnixTime, uptime: Duration) -> MetricsError? {
        guard let alertFile, alerts.needsSaving else { return nil }
        do throws(MetricsError) {
            try alertFile.save(alerts, now: now, uptime: uptime)
            alerts.needsSaving = false
            failures[alertFile.path] = nil
            return nil
        } catch {
            let isNew = failures.updateValue("\(error)", forKey: alertFile.path) == nil
            return isNew ? error : nil
        }
    }

    /// Writes everything down.
    mutating func close(now: UnixTime, uptime: Duration) -> MetricsError? {
        // How long alerts have been pending changes without an event.
        alerts.needsSaving = alertFile != nil
        return save(now: now, uptime: uptime)
    }
}

extension AlertRule {
    /// What the metrics say of this rule.
    fileprivate func readings(in history: History, _ query: HistoryQuery) -> [AlertReading] {
        let found: [HistoryReading]
        switch source {
        case .value: found = history.values(query, by: by)
        case .rate(let window): found = history.rates(query, window: window, by: by)
        case .percentile(let part, let window):
            found = history.percentiles(part, query, window: window, by: by)
        case .absence(let window):
            let isAbsent = history.isAbsent(query, window: window)
            return [AlertReading(group: [:], value: isAbsent.map { $0 ? 1 : 0 })]
        }
        return found.map { AlertReading(group: $0.labels, value: worst(of: $0.values)) }
    }
}
