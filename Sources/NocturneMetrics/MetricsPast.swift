// MetricsPast.swift — what a collector remembers: the history and the alerts, with their files. No locks and no clock
// of its own. Next: History.swift, AlertBook.swift.

internal import Glibc
internal import NocturneCore

/// What a collector remembers.
struct MetricsPast {
    var history: History
    var alerts = AlertBook()
    private var axis: TimeAxis
    private var historyFile: HistoryFile?
    private let alertFile: AlertFile?
    /// What was wrong when the files were opened.
    private var found: [String] = []
    /// Why the alerts could not be written the last time; told once.
    private var alertProblem: String?

    /// Opens the files; without a directory it all is in memory only.
    init(
        _ configuration: MetricsCollector.Configuration, now: UnixTime, uptime: Duration
    ) throws(MetricsError) {
        let limits = History.Limits(
            retention: configuration.retentionPeriod,
            bytes: ByteCount(bytes: Int64(configuration.historyLimitBytes)))
        guard let directory = configuration.statePath else {
            (history, alertFile) = (History(limits), nil)
            axis = TimeAxis()
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
        let opened = try HistoryFile.open(directory + "/history", limits, now: now)
        (history, historyFile) = (opened.history, opened.file)
        axis = TimeAxis(after: history.latest)
        if let problem = opened.problem { found.append("\(problem)") }
        if opened.damages > 0 {
            found.append(
                "\(opened.file.path): damaged in \(opened.damages) places; a flush or a series is missing for each"
            )
        }
    }

    /// What a person should know.
    var warnings: [String] { found + (alertProblem.map { [$0] } ?? []) }

    /// Takes the rules of the configuration.
    mutating func configure(
        _ rules: [AlertRule], now: UnixTime, uptime: Duration
    ) throws(MetricsError) -> [AlertEvent] {
        try alerts.configure(rules, now: now, uptime: uptime)
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
    ///
    /// - Parameters:
    ///   - moment: of the sample.
    ///   - now: the wall clock, by which silences end.
    mutating func evaluate(
        _ metrics: [MetricSnapshot], at moment: UnixTime, now: UnixTime, uptime: Duration
    ) -> [AlertEvent] {
        guard !alerts.entries.isEmpty else { return [] }
        let history = history
        let live = Dictionary(metrics.map { ($0.name, $0) }) { first, _ in first }
        return alerts.evaluate(now: now, uptime: uptime) { rule in
            rule.readings(
                in: history,
                HistoryQuery(
                    rule.metricName, labels: rule.labels,
                    live: live[rule.metricName].map { [$0] } ?? [], now: moment))
        }
    }

    // MARK: - Writing

    /// Takes what has changed, to be written by ``MetricsWriting/perform(now:uptime:)`` while nobody waits for it.
    mutating func beginWriting(isLast: Bool = false) -> MetricsWriting {
        var writing = MetricsWriting()
        if var file = historyFile {
            writing.batch = history.takeBatch(for: &file)
            writing.historyFile = file
            historyFile = nil
        }
        // How long alerts have been pending changes without an event.
        if let alertFile, alerts.needsSaving || isLast {
            (writing.alertFile, writing.alerts) = (alertFile, alerts)
            alerts.needsSaving = false
        }
        return writing
    }

    /// Takes note of what was written.
    ///
    /// - Returns: what is to be told: of several failures of a file the first.
    mutating func endWriting(_ writing: MetricsWriting) -> [MetricsError] {
        historyFile = writing.historyFile
        var problems = [writing.historyProblem].compactMap { $0 }
        guard writing.alerts != nil else { return problems }
        guard let problem = writing.alertProblem else {
            alertProblem = nil
            return problems
        }
        alerts.needsSaving = true
        if alertProblem == nil { problems.append(problem) }
        alertProblem = "\(problem)"
        return problems
    }
}

/// What is to be written, and what came of it.
struct MetricsWriting {
    fileprivate var historyFile: HistoryFile?
    fileprivate var batch: HistoryBatch?
    fileprivate var historyProblem: MetricsError?
    fileprivate var alertFile: AlertFile?
    fileprivate var alerts: AlertBook?
    fileprivate var alertProblem: MetricsError?

    /// Writes it. Blocks as long as the disk does.
    mutating func perform(now: UnixTime, uptime: Duration) {
        if let batch {
            do throws(MetricsError) {
                try historyFile?.write(batch)
            } catch {
                historyProblem = error
            }
        }
        guard let alertFile, let alerts else { return }
        do throws(MetricsError) {
            try alertFile.save(alerts, now: now, uptime: uptime)
        } catch {
            alertProblem = error
        }
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
