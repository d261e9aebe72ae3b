// MetricsCollector+Alerts.swift — alerts: adding, listing, steering. Next: AlertRule.swift.

public import NocturneCore
internal import Synchronization

extension MetricsCollector {
    /// Adds an alert. It is evaluated at each flush from the next one on. `addAlert` of the seed.
    ///
    /// - Throws: ``MetricsError/invalidAlert(_:_:)``, or ``MetricsError/alertExists(_:)`` if its name is taken.
    public func addAlert(_ rule: AlertRule) throws(MetricsError) {
        try change { past, _, _ throws(MetricsError) in
            try past.alerts.add(rule)
            return []
        }
    }

    /// Removes an alert. One that fires is resolved by that.
    ///
    /// - Throws: ``MetricsError/notFound(_:_:near:)``, or ``MetricsError/invalidAlert(_:_:)`` for one of the
    ///   configuration file.
    public func removeAlert(_ name: String) throws(MetricsError) {
        try change { past, now, uptime throws(MetricsError) in
            try past.alerts.remove(name, now: now, uptime: uptime)
        }
    }

    /// Begins or ceases to evaluate an alert. One that fires is resolved by that.
    ///
    /// - Throws: ``MetricsError/notFound(_:_:near:)``
    public func setAlert(_ name: String, isEnabled: Bool) throws(MetricsError) {
        try change { past, now, uptime throws(MetricsError) in
            try past.alerts.setEnabled(name, isEnabled, now: now, uptime: uptime)
        }
    }

    /// Holds the events of an alert back until a moment; `nil` ends that. What it then comes to is told at the first
    /// flush after the end.
    ///
    /// - Throws: ``MetricsError/notFound(_:_:near:)``
    public func silenceAlert(_ name: String, until: UnixTime?) throws(MetricsError) {
        try change { past, _, _ throws(MetricsError) in
            try past.alerts.silence(name, until: until)
            return []
        }
    }

    /// All alerts and how far they are, in the order in which they were added.
    public var alerts: [AlertStatus] { state.withLock { $0.past.alerts.statuses } }

    private func change(
        _ body: (inout MetricsPast, UnixTime, Duration) throws(MetricsError) -> [AlertEvent]
    ) throws(MetricsError) {
        let (now, uptime) = (clock.now, clock.uptime)
        let told = try state.withLock { state throws(MetricsError) in
            guard !state.isStopped else { throw .shutDown }
            return try body(&state.past, now, uptime)
        }
        for event in told { events.tell(MetricsEvent(event)) }
        ticking.withLock { _ in write() }
    }
}
