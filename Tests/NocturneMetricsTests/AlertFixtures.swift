// AlertFixtures.swift — a rule and a book of alerts whose time is told by the test, one evaluation after the other.

import NocturneCore
import Testing

@testable import NocturneMetrics

extension AlertRule {
    /// The seed's example, with less to wait for.
    static func errors(
        name: String = "high-error-rate", _ condition: Condition = .gt, threshold: Double = 100,
        for duration: Int = 0, change: (inout AlertRule) -> Void = { _ in }
    ) -> AlertRule {
        var rule = AlertRule(
            name: name, metricName: "api.errors", condition: condition, threshold: threshold,
            duration: .seconds(duration), enabled: true)
        change(&rule)
        return rule
    }
}

/// Alerts and what was told of them, at times in seconds.
struct AlertRun {
    var book = AlertBook()
    /// Everything that was told, in order.
    private(set) var told: [AlertEvent] = []
    /// The wall clock at second 0.
    var epoch = UnixTime(seconds: 1_700_000_000)

    init(_ rules: AlertRule...) throws {
        for rule in rules { try book.add(rule) }
    }

    func wall(_ second: Int) -> UnixTime {
        UnixTime(milliseconds: epoch.milliseconds + Int64(second) * 1_000)
    }

    /// One evaluation with a value for the family, `nil` for none.
    @discardableResult
    mutating func at(_ second: Int, _ value: Double?) -> [AlertEvent.Kind] {
        at(second) { _ in [AlertReading(group: [:], value: value)] }
    }

    /// One evaluation with values by the label `path`.
    @discardableResult
    mutating func at(_ second: Int, paths: [String: Double?]) -> [AlertEvent.Kind] {
        at(second) { _ in
            paths.map { AlertReading(group: ["path": $0.key], value: $0.value) }
        }
    }

    @discardableResult
    mutating func at(_ second: Int, read: (AlertRule) -> [AlertReading]) -> [AlertEvent.Kind] {
        let events = book.evaluate(now: wall(second), uptime: .seconds(second), read: read)
        told += events
        return events.map(\.kind)
    }

    mutating func enable(_ isEnabled: Bool, at second: Int) throws -> [AlertEvent] {
        try book.setEnabled(
            "high-error-rate", isEnabled, now: wall(second), uptime: .seconds(second))
    }

    /// How far the first alert is.
    var state: AlertStatus.State? { book.statuses.first?.state }

    /// Kept, and read after so many seconds away, when the machine's uptime may have begun anew.
    mutating func restart(at second: Int, awayFor away: Int, configured: [AlertRule] = []) throws {
        let memory = try JSONParser.parse(
            book.memory(now: wall(second), uptime: .seconds(second)).serialized())
        epoch = wall(second + away)
        book = try AlertBook(memory: memory, now: epoch, uptime: .zero)
        told += try book.configure(configured, now: epoch, uptime: .zero)
    }
}
