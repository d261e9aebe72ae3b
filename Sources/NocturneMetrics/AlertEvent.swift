// AlertEvent.swift — that an alert began to fire, or stopped: once each, with a sentence for people.
// Next: AlertStatus.swift.

public import NocturneCore

/// An alert began to fire, or stopped.
public struct AlertEvent: Sendable, Hashable {
    /// Which of both, by the seed's names.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// It began to fire.
        case triggered = "alert:triggered"
        /// It stopped.
        case resolved = "alert:resolved"
    }

    /// Which of both.
    public let kind: Kind
    /// The rule.
    public let alert: AlertRule
    /// The values of the labels in ``AlertRule/by``; empty without them.
    public let group: Labels
    /// The value that triggered or resolved it; `nil` if there was none.
    public let value: Double?
    /// A sentence for people.
    public let message: String
    /// When its condition began to hold.
    public let activeAt: UnixTime

    /// The payload on the wire: `{alert, value, message}`. `alert` is the rule with `group` and `activeAt` beside its
    /// own fields; a value that JSON cannot say is `"NaN"`, `"+Inf"` or `"-Inf"`, and none is `null`.
    public var payload: JSONObject {
        var alert = alert.json.object ?? [:]
        alert["group"] = group.jsonObject
        alert["activeAt"] = JSONValue(activeAt.milliseconds)
        return [
            "alert": .object(alert), "value": AlertText.json(value), "message": .string(message),
        ]
    }
}

/// Why an alert stopped.
enum AlertEnd {
    case resolved, disabled, removed
}

/// What is said of alerts.
enum AlertText {
    /// `Too many errors: api.errors{path="/"} is 120, above 100 for 1m`.
    static func triggered(_ rule: AlertRule, _ state: AlertState, group: Labels) -> String {
        var text = "\(rule.message ?? rule.name): "
        if case .absence(let window) = rule.source {
            return text + "there was no \(rule.metricName)\(rule.labels) for "
                + DurationText.describe(window)
        }
        text += subject(rule, state, group: group)
        if state.value != nil { text += ", \(rule.condition.words) \(number(rule.threshold))" }
        if rule.duration > .zero { text += " for \(DurationText.describe(rule.duration))" }
        return text
    }

    /// `Too many errors: resolved after 5m; api.errors{path="/"} is 3`.
    static func resolved(
        _ rule: AlertRule, _ state: AlertState, group: Labels, at now: UnixTime, _ end: AlertEnd
    ) -> String {
        var text = "\(rule.message ?? rule.name): resolved"
        if let fired = state.firedAt, now > fired {
            // Whole seconds are all that anybody wants to read; a moment that was short says nothing.
            let seconds = now.seconds - fired.seconds
            if seconds > 0 { text += " after \(DurationText.describe(.seconds(seconds)))" }
        }
        switch end {
        case .disabled: return text + "; the alert was disabled"
        case .removed: return text + "; the alert was removed"
        case .resolved: break
        }
        if case .absence = rule.source {
            return text + "; \(rule.metricName)\(rule.labels) is back"
        }
        return text + "; " + subject(rule, state, group: group)
    }

    /// `the rate of api.errors{path="/"} over 5m is 3.5 per second`.
    private static func subject(
        _ rule: AlertRule, _ state: AlertState, group: Labels
    ) -> String {
        let labels = Labels((rule.labels.pairs + group.pairs).map { ($0.name, $0.value) })
        let metric = "\(rule.metricName)\(labels)"
        guard let value = state.value else { return "there is no value of \(metric)" }
        switch rule.source {
        case .value, .absence: return "\(metric) is \(number(value))"
        case .rate(let window):
            return "the rate of \(metric) over \(DurationText.describe(window)) is "
                + "\(number(value)) per second"
        case .percentile(let part, let window):
            return "the percentile \(number(part)) of \(metric) over "
                + "\(DurationText.describe(window)) is \(number(value))"
        }
    }

    /// Whole numbers without a point.
    static func number(_ value: Double) -> String {
        // Above 2^53 the point would be a claim that a Double cannot make; Swift writes 1e+16 there.
        guard let whole = Int64(exactly: value), whole.magnitude < 1 << 53 else {
            return "\(value)"
        }
        return "\(whole)"
    }

    /// A number, or its name if JSON has no such number.
    static func json(_ value: Double?) -> JSONValue {
        guard let value else { return .null }
        if let json = JSONValue(value) { return json }
        return .string(value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf")
    }

    /// Reads what ``json(_:)`` wrote; `nil` if it is neither a number nor the name of one.
    static func value(_ json: JSONValue) -> Double? {
        switch json.string {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: json.double
        }
    }
}

extension AlertRule.Condition {
    /// Before a threshold.
    fileprivate var words: String {
        switch self {
        case .gt: "above"
        case .gte: "at least"
        case .lt: "below"
        case .lte: "at most"
        case .eq: "equal to"
        case .neq: "other than"
        }
    }
}
