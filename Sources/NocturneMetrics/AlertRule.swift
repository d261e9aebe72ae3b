// AlertRule.swift — what an alert watches and when it fires: the seed's configuration, and what may be added to it.
// Next: AlertRuleJSON.swift for how it is written, AlertState.swift for what it comes to.

internal import NocturneCore

/// When an alert fires: `metricName` compared with `threshold`, for as long as `duration`.
///
/// Durations count time in which the machine runs: suspended time does not count, and a wall clock that is set changes
/// nothing. Timing is Prometheus': an alert whose condition holds is pending, and fires at the first evaluation at
/// which it has held for `duration`; one that is pending and stops holding is forgotten without a word.
public struct AlertRule: Sendable, Hashable {
    /// Unique among all alerts. One line of 1 to 200 bytes.
    public var name: String
    /// The metric that is watched. It need not exist yet.
    public var metricName: String
    /// How the value is compared with ``threshold``.
    public var condition: Condition
    /// What the value is compared with; finite.
    public var threshold: Double
    /// How long the condition must hold. 0 fires at the first evaluation at which it does.
    public var duration: Duration
    /// Whether it is evaluated.
    public var enabled: Bool

    /// Which value of the metric is compared.
    public var source: Source
    /// Only series with these labels are watched.
    public var labels: Labels
    /// One alert for each combination of these labels' values. Empty: one alert for the whole family.
    public var by: [String]
    /// How long it goes on firing after its condition held last.
    public var keepFiringFor: Duration
    /// While it fires, ``condition`` is tried with this threshold instead, so that a value that swings about
    /// ``threshold`` does not resolve it. Not stricter than ``threshold``; none for ``Condition/eq`` and
    /// ``Condition/neq``.
    public var clearThreshold: Double?
    /// What it means that there is no value.
    public var noData: NoDataPolicy
    /// What stands in messages instead of the name. One line of at most 1,024 bytes.
    public var message: String?
    /// For those who are told, such as `critical`. One line of at most 200 bytes.
    public var severity: String?
    /// For those who are told, such as a link. At most 16, each value one line of at most 1,024 bytes.
    public var annotations: [String: String]

    /// A rule. It is checked where it is added.
    public init(
        name: String, metricName: String, condition: Condition, threshold: Double,
        duration: Duration = .zero, enabled: Bool = true, source: Source = .value,
        labels: Labels = [:], by: [String] = [], keepFiringFor: Duration = .zero,
        clearThreshold: Double? = nil, noData: NoDataPolicy = .ok, message: String? = nil,
        severity: String? = nil, annotations: [String: String] = [:]
    ) {
        (self.name, self.metricName) = (name, metricName)
        (self.condition, self.threshold) = (condition, threshold)
        (self.duration, self.enabled) = (duration, enabled)
        (self.source, self.labels, self.by) = (source, labels, by)
        (self.keepFiringFor, self.clearThreshold) = (keepFiringFor, clearThreshold)
        (self.noData, self.message) = (noData, message)
        (self.severity, self.annotations) = (severity, annotations)
    }

    /// An alert that fires when no series of a metric with some labels was there for a time.
    public static func absence(
        name: String, metricName: String, window: Duration, duration: Duration = .zero,
        labels: Labels = [:]
    ) -> AlertRule {
        AlertRule(
            name: name, metricName: metricName, condition: .gte, threshold: 1, duration: duration,
            source: .absence(window: window), labels: labels)
    }
}

extension AlertRule {
    /// How a value is compared with a threshold. As in IEEE 754, NaN is only ``neq``.
    public enum Condition: String, Sendable, Hashable, CaseIterable {
        /// The value is greater.
        case gt
        /// The value is greater or equal.
        case gte
        /// The value is less.
        case lt
        /// The value is less or equal.
        case lte
        /// The value is equal.
        case eq
        /// The value is not equal, or NaN.
        case neq

        /// Whether a value meets this condition.
        public func holds(_ value: Double, against threshold: Double) -> Bool {
            switch self {
            case .gt: value > threshold
            case .gte: value >= threshold
            case .lt: value < threshold
            case .lte: value <= threshold
            case .eq: value == threshold
            case .neq: value != threshold
            }
        }
    }

    /// Which value of a metric is compared.
    ///
    /// Without ``AlertRule/by`` the series of a family are taken together, with it those of each group: counters and
    /// up-down counters are added, distributions merged, and of gauges the worst counts, which is the one that is
    /// nearest to meeting the condition (``AlertRule/worst(of:)``), because a sum of temperatures says nothing.
    public enum Source: Sendable, Hashable {
        /// What it is now: the total of a counter, the level of a gauge, the count of a distribution.
        case value
        /// By how much that rose within the last `window`, per second. Resets of counters are no falls.
        case rate(window: Duration)
        /// The value that a `part` of a distribution's values of the last `window` did not exceed; 0.99 is p99.
        case percentile(Double, window: Duration)
        /// 1 if no series was there within the last `window`, else 0. Unknown before metrics were collected that long.
        case absence(window: Duration)

        /// Over how long it looks back.
        var window: Duration? {
            switch self {
            case .value: nil
            case .rate(let window), .percentile(_, let window), .absence(let window): window
            }
        }
    }

    /// What it means that there is no value: no such series, or nothing in the window.
    public enum NoDataPolicy: String, Sendable, Hashable, CaseIterable {
        /// As if the condition did not hold. Prometheus does the same.
        case ok
        /// As if it held. With ``AlertRule/by``, this is so for groups that were seen before.
        case alert
        /// Nothing: the alert stays what it is, and the time since the evaluation before counts for no duration.
        case keep
    }

    /// Of the values of several gauges, the one that is nearest to meeting the condition, or meets it best.
    ///
    /// - Returns: NaN only if NaN meets the condition (``Condition/neq``) or there is nothing else; `nil` if there are
    ///   no values.
    package func worst(of values: some Sequence<Double>) -> Double? {
        values.reduce(nil) { found, value -> Double? in
            guard let found, !found.isNaN || condition == .neq else { return value }
            return isWorse(value, than: found) ? value : found
        }
    }

    private func isWorse(_ value: Double, than other: Double) -> Bool {
        switch condition {
        case .gt, .gte: value > other
        case .lt, .lte: value < other
        case .eq: abs(value - threshold) < abs(other - threshold)
        case .neq: value.isNaN || abs(value - threshold) > abs(other - threshold)
        }
    }

    /// Whether the alerts of both are about the same things, so that what one came to holds for the other.
    func watchesSame(as other: AlertRule) -> Bool {
        Labels.isSame(metricName, other.metricName) && labels == other.labels
            && by.count == other.by.count && zip(by, other.by).allSatisfy(Labels.isSame)
            && source == other.source
    }
}

// MARK: - What is allowed

extension AlertRule {
    /// Bytes of a name and of a severity: as of a metric's name.
    public static let nameLimitBytes = MetricName.limitBytes
    /// Bytes of a message and of each annotation: as of a label's value.
    public static let textLimitBytes = MetricName.valueLimitBytes
    /// Annotations of a rule. It is carried in each event.
    public static let annotationLimit = 16
    /// Labels that a rule may group by. More than three are hardly used.
    public static let byLimit = 8
    /// The longest duration and window: a year. History is not kept for longer, and sums of times cannot overflow.
    public static let longest = Duration.seconds(366 * 86_400)

    /// Checks all limits.
    ///
    /// - Throws: ``MetricsError/invalidAlert(_:_:)``, which names the field, what was found and what is allowed.
    public func check() throws(MetricsError) {
        if let problem = problem { throw .invalidAlert(name, problem) }
    }

    private var problem: String? {
        if let problem = Self.check(text: name, "name", Self.nameLimitBytes) { return problem }
        if let problem = MetricName.check(metricName) {
            return "\"metricName\" is \(quoted(metricName)): \(problem)"
        }
        guard threshold.isFinite else {
            return "\"threshold\" is \(threshold); expected a finite number"
        }
        return clearProblem ?? timeProblem ?? labelProblem ?? textProblem
    }

    private var clearProblem: String? {
        guard let clear = clearThreshold else { return nil }
        let found = "\"clearThreshold\" is \(AlertText.number(clear)); expected "
        guard clear.isFinite else { return found + "a finite number" }
        let limit = AlertText.number(threshold)
        switch condition {
        case .gt, .gte: return clear <= threshold ? nil : found + "at most the threshold, \(limit)"
        case .lt, .lte: return clear >= threshold ? nil : found + "at least the threshold, \(limit)"
        case .eq, .neq: return "\"clearThreshold\" is there; expected none with \(condition)"
        }
    }

    private var timeProblem: String? {
        for (key, time) in [("duration", duration), ("keepFiringFor", keepFiringFor)] {
            guard (.zero...Self.longest).contains(time) else {
                return "\"\(key)\" is \(DurationText.describe(time)); expected 0 to "
                    + DurationText.describe(Self.longest)
            }
        }
        if case .percentile(let part, _) = source, !(0...1).contains(part) {
            return "\"percentile\" is \(part); expected a number from 0 to 1"
        }
        if let window = source.window, !(.milliseconds(1)...Self.longest).contains(window) {
            return "the window of \"source\" is \(DurationText.describe(window)); expected 1ms to "
                + DurationText.describe(Self.longest)
        }
        return nil
    }

    private var labelProblem: String? {
        guard labels.count <= MetricName.labelLimit else {
            return "\"labels\" has \(labels.count); at most \(MetricName.labelLimit) are allowed"
        }
        for (name, value) in labels.pairs {
            if let problem = MetricName.checkLabel(name) {
                return "\"labels\" has \(quoted(name)): \(problem)"
            }
            guard value.utf8.count <= MetricName.valueLimitBytes else {
                return "\"labels.\(name)\" has \(value.utf8.count) bytes, the limit is "
                    + "\(MetricName.valueLimitBytes)"
            }
        }
        guard by.count <= Self.byLimit else {
            return "\"by\" has \(by.count) labels; at most \(Self.byLimit) are allowed"
        }
        for (index, name) in by.enumerated() {
            if let problem = MetricName.checkLabel(name) {
                return "\"by\" has \(quoted(name)): \(problem)"
            }
            if by[..<index].contains(where: { Labels.isSame($0, name) }) {
                return "\"by\" has \(quoted(name)) twice"
            }
        }
        if case .absence = source, !by.isEmpty {
            return "\"by\" is there; expected none with an absence, which is of all series together"
        }
        return nil
    }

    private var textProblem: String? {
        if let message, let problem = Self.check(text: message, "message", Self.textLimitBytes) {
            return problem
        }
        if let severity, let problem = Self.check(text: severity, "severity", Self.nameLimitBytes) {
            return problem
        }
        guard annotations.count <= Self.annotationLimit else {
            return "\"annotations\" has \(annotations.count); at most "
                + "\(Self.annotationLimit) are allowed"
        }
        for (key, value) in annotations {
            let problem =
                Self.check(text: key, "a key of annotations", Self.nameLimitBytes)
                ?? Self.check(text: value, "annotations.\(key)", Self.textLimitBytes)
            if let problem { return problem }
        }
        return nil
    }

    private static func check(text: String, _ key: String, _ limit: Int) -> String? {
        guard (1...limit).contains(text.utf8.count) else {
            return "\"\(key)\" has \(text.utf8.count) bytes; expected 1 to \(limit)"
        }
        // Names and messages stand in logs and on terminals.
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            return "\"\(key)\" is \(quoted(text)); expected one line without control characters"
        }
        return nil
    }
}
