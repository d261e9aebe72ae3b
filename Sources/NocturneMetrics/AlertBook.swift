// AlertBook.swift — all alerts with what they came to. Reads no clock and no metrics: it is told the time, and asks
// for readings. Next: AlertEntry.swift for one rule's part, AlertMemory.swift for what survives a restart.

internal import NocturneCore

/// What the metrics say of one alert.
struct AlertReading: Sendable {
    /// The values of the labels in ``AlertRule/by``; empty without them. No two readings of a rule have the same.
    var group: Labels
    /// `nil` if there is none, which is as good as no reading.
    var value: Double?
}

/// All alerts with what they came to.
struct AlertBook: Sendable {
    /// Rules of each origin. A thousand are evaluated in under a millisecond.
    static let ruleLimit = 1_000
    /// Alerts of one rule that are kept: more tell nobody anything. Those that are there stay; a place that gets free
    /// can be taken at the next evaluation.
    static let groupLimit = 1_000
    /// Alerts of all rules together that are kept: some 10 MB.
    static let totalGroupLimit = 20_000
    /// How long alerts that were restored wait for metrics to come back before no value means what the rule says.
    /// Prometheus' lookback of 5 min has the same effect there (`--query.lookback-delta`).
    static let restoredWait = Duration.seconds(300)

    /// A rule and its alerts.
    struct Entry: Sendable {
        var rule: AlertRule
        var origin: AlertStatus.Origin
        var silencedUntil: UnixTime?
        /// Of groups that are active, or of which an event is due, or whose absence would be an alert.
        var groups: [Labels: AlertState] = [:]
        var groupsLeftOut = 0
        /// Counts evaluations.
        var turn: UInt64 = 0
    }

    /// In the order in which they were added.
    var entries: [Entry] = []
    /// Whether anything changed that a restart should know. Set to `false` by whoever saved it.
    var needsSaving = false
    /// Of the last call that told the time: uptime never falls.
    private var uptime: Duration?

    /// No alerts.
    init() {}

    /// All alerts in the order in which they were added.
    var statuses: [AlertStatus] { entries.map(\.status) }

    // MARK: - Rules

    /// Adds a rule. It is evaluated from the next evaluation on.
    mutating func add(_ rule: AlertRule) throws(MetricsError) {
        try rule.check()
        guard place(of: rule.name) == nil else { throw .alertExists(rule.name) }
        guard entries.count(where: { $0.origin == .program }) < Self.ruleLimit else {
            throw .invalidAlert(
                rule.name, "there are \(Self.ruleLimit) alerts, which is the limit: remove one")
        }
        entries.append(Entry(rule: rule, origin: .program))
        needsSaving = true
    }

    /// Removes a rule that was added while the host ran. What fires is resolved, even if it is silenced.
    mutating func remove(
        _ name: String, now: UnixTime, uptime: Duration
    ) throws(MetricsError) -> [AlertEvent] {
        let place = try found(name)
        guard entries[place].origin == .program else {
            throw .invalidAlert(
                name, "it stands in the configuration file: remove it there, or disable it")
        }
        let moment = moment(now, uptime)
        needsSaving = true
        var entry = entries.remove(at: place)
        return entry.end(at: moment)
    }

    /// Enables or disables a rule. What fires is resolved by that. Of a rule of the configuration file this holds until
    /// that file is read again.
    mutating func setEnabled(
        _ name: String, _ isEnabled: Bool, now: UnixTime, uptime: Duration
    ) throws(MetricsError) -> [AlertEvent] {
        let place = try found(name)
        guard entries[place].rule.enabled != isEnabled else { return [] }
        let moment = moment(now, uptime)
        needsSaving = true
        entries[place].rule.enabled = isEnabled
        return entries[place].settle(at: moment)
    }

    /// Holds back the events of a rule until a moment by the wall clock; `nil` ends that. States go on; what they came
    /// to is told at the first evaluation after the end.
    mutating func silence(_ name: String, until: UnixTime?) throws(MetricsError) {
        entries[try found(name)].silencedUntil = until
        needsSaving = true
    }

    /// Takes the rules of the configuration file in place of those it had before. They win over rules with the same
    /// names; an alert stays what it is if its rule watches the same as before.
    ///
    /// - Throws: ``MetricsError`` for the first rule that cannot be; nothing is changed then.
    mutating func configure(
        _ rules: [AlertRule], now: UnixTime, uptime: Duration
    ) throws(MetricsError) -> [AlertEvent] {
        let names = try Self.names(of: rules)
        let moment = moment(now, uptime)
        var events: [AlertEvent] = []
        entries.removeAll { entry in
            guard entry.origin == .configuration, !names.contains(Array(entry.rule.name.utf8))
            else { return false }
            var entry = entry
            events += entry.end(at: moment)
            return true
        }
        for rule in rules {
            guard let place = place(of: rule.name) else {
                entries.append(Entry(rule: rule, origin: .configuration))
                continue
            }
            if !entries[place].rule.watchesSame(as: rule) {
                events += entries[place].end(at: moment)
            }
            (entries[place].rule, entries[place].origin) = (rule, .configuration)
            events += entries[place].settle(at: moment)
        }
        needsSaving = true
        return events
    }

    /// The names of a list in which each rule is allowed and each name is there once.
    static func names(of rules: [AlertRule]) throws(MetricsError) -> Set<[UInt8]> {
        guard rules.count <= ruleLimit else {
            throw .invalidOption("\"alerts\"", "an array of at most \(ruleLimit) alerts")
        }
        var names: Set<[UInt8]> = []
        for rule in rules {
            try rule.check()
            guard names.insert(Array(rule.name.utf8)).inserted else {
                throw .alertExists(rule.name)
            }
        }
        return names
    }

    private func place(of name: String) -> Int? {
        entries.firstIndex { Labels.isSame($0.rule.name, name) }
    }

    private func found(_ name: String) throws(MetricsError) -> Int {
        guard let place = place(of: name) else {
            throw .notFound(
                "alert", name, near: Spelling.likely(name, of: entries.map(\.rule.name)))
        }
        return place
    }

    private mutating func moment(_ now: UnixTime, _ uptime: Duration) -> AlertMoment {
        let moment = AlertMoment(now: now, uptime: max(uptime, self.uptime ?? uptime))
        self.uptime = moment.uptime
        return moment
    }

    // MARK: - Evaluation

    /// Evaluates all rules once.
    ///
    /// - Parameters:
    ///   - now: the wall clock.
    ///   - uptime: a clock that nobody sets. One that falls counts as one that stands.
    ///   - read: what the metrics say for a rule, one reading for each group.
    /// - Returns: what is to be told, in the order of the rules.
    mutating func evaluate(
        now: UnixTime, uptime: Duration, read: (AlertRule) -> [AlertReading]
    ) -> [AlertEvent] {
        let moment = moment(now, uptime)
        var events: [AlertEvent] = []
        var room = Self.totalGroupLimit - entries.reduce(0) { $0 + $1.groups.count }
        for place in entries.indices {
            if let end = entries[place].silencedUntil, end <= now {
                entries[place].silencedUntil = nil
                needsSaving = true
            }
            guard entries[place].rule.enabled else {
                let due = entries[place].settle(at: moment)
                if !due.isEmpty { needsSaving = true }
                events += due
                continue
            }
            let found = entries[place].evaluate(
                read(entries[place].rule), room: &room, at: moment)
            if found.isChanged { needsSaving = true }
            events += found.events
        }
        return events
    }
}
