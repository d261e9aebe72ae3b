// AlertState.swift — what one alert comes to from one evaluation to the next: inactive, pending, firing. No clock, no
// metrics: both are handed in. Next: AlertBook.swift.

internal import NocturneCore

/// A moment by both clocks.
struct AlertMoment: Hashable {
    /// The wall clock's, which is only shown and compared with the ends of silences.
    var now: UnixTime
    /// The clock's that nobody sets, which all durations go by. Never falls.
    var uptime: Duration
}

/// What one evaluation found.
enum AlertFinding {
    /// The condition holds, or it does not.
    case holds(Bool)
    /// Nothing can be said: since the evaluation before, no time has passed for the alert.
    case nothing
}

/// One alert of a rule: that of the family, or of one group.
struct AlertState: Sendable {
    /// How far it is.
    enum Phase: String, Sendable {
        case inactive, pending, firing
    }

    var phase = Phase.inactive
    /// The last value; `nil` if there was none.
    var value: Double?
    /// When the condition began to hold: by the wall clock, to be shown.
    var activeAt: UnixTime
    /// The same by uptime, moved on by times for which nothing could be said.
    var activeSince: Duration
    /// When it began to fire, to be shown.
    var firedAt: UnixTime?
    /// Firing although its condition does not hold any more, since then. By uptime.
    var unmatchedSince: Duration?
    /// Of the last evaluation.
    var steppedAt: Duration
    /// The number of the last evaluation in which it was stepped.
    var turn: UInt64 = 0
    /// Whether those who listen believe that it fires.
    var isTold = false
    /// Until then it is after a restart, and metrics may not be back yet; by uptime. `nil` once there was a value.
    var waitsForDataUntil: Duration?

    /// An alert of which nothing was heard before.
    init(at moment: AlertMoment) {
        (activeAt, activeSince, steppedAt) = (moment.now, moment.uptime, moment.uptime)
    }

    /// Whether it fires.
    var isFiring: Bool { phase == .firing }

    /// Whether it gets on by time alone, so that what is kept of it grows old.
    var isCounting: Bool { phase == .pending || unmatchedSince != nil }

    /// Takes what an evaluation found, and goes where that leads.
    mutating func step(_ finding: AlertFinding, rule: AlertRule, at moment: AlertMoment) {
        let passed = moment.uptime - steppedAt
        steppedAt = moment.uptime
        switch finding {
        case .nothing:
            activeSince += passed
            if let since = unmatchedSince { unmatchedSince = since + passed }
        case .holds(true):
            unmatchedSince = nil
            if phase == .inactive {
                (phase, activeAt, activeSince) = (.pending, moment.now, moment.uptime)
            }
            if phase == .pending, moment.uptime - activeSince >= rule.duration {
                (phase, firedAt) = (.firing, moment.now)
            }
        case .holds(false):
            guard phase == .firing else {
                phase = .inactive
                return
            }
            let since = unmatchedSince ?? moment.uptime
            unmatchedSince = since
            if moment.uptime - since >= rule.keepFiringFor { reset() }
        }
    }

    /// Forgets that it was active; ``isTold`` stays for the event that is due.
    mutating func reset() {
        (phase, unmatchedSince) = (.inactive, nil)
    }

    /// What a value means for this alert, `nil` for none.
    mutating func finding(
        _ value: Double?, rule: AlertRule, at moment: AlertMoment
    ) -> AlertFinding {
        self.value = value
        guard let value else {
            if let end = waitsForDataUntil, moment.uptime < end { return .nothing }
            return rule.findingWithoutData
        }
        waitsForDataUntil = nil
        let threshold = isFiring ? rule.clearThreshold ?? rule.threshold : rule.threshold
        return .holds(rule.condition.holds(value, against: threshold))
    }
}

extension AlertRule {
    /// What it means that there is no value.
    var findingWithoutData: AlertFinding {
        switch noData {
        case .ok: .holds(false)
        case .alert: .holds(true)
        case .keep: .nothing
        }
    }
}
