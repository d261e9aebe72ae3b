// AlertBookTests.swift — adding, removing, silencing and grouping alerts, and what is told of them.
// Next: AlertFileTests.swift.

import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct AlertBookTests {
    private let name = "high-error-rate"

    @Test func `triggered is told once, with the rule, the value and a sentence`() throws {
        var run = try AlertRun(.errors(for: 60))
        for second in stride(from: 0, through: 200, by: 10) { run.at(second, 120) }
        run.at(210, 3)
        #expect(run.told.map(\.kind) == [.triggered, .resolved])
        #expect(
            run.told.map(\.message) == [
                "high-error-rate: api.errors is 120, above 100 for 1m",
                "high-error-rate: resolved after 150s; api.errors is 3",
            ])
        let payload = try #require(run.told.first?.payload)
        #expect(payload.keys == ["alert", "value", "message"])
        #expect(payload["value"] == 120)
        #expect(
            payload["alert"]
                == [
                    "name": "high-error-rate", "metricName": "api.errors", "condition": "gt",
                    "threshold": 100, "duration": 60_000, "enabled": true, "group": [:],
                    "activeAt": 1_700_000_000_000,
                ])
    }

    @Test func `sentences say what is compared`() throws {
        func sentence(
            _ source: AlertRule.Source, _ value: Double?,
            change: (inout AlertRule) -> Void = { _ in }
        ) throws -> [String] {
            var run = try AlertRun(
                .errors(threshold: 0.5) {
                    $0.source = source
                    change(&$0)
                })
            run.at(0, value)
            run.at(90, nil)
            run.at(100, 0)
            return run.told.map { String($0.message.dropFirst("high-error-rate: ".count)) }
        }
        #expect(
            try sentence(.rate(window: .seconds(300)), 3.25) == [
                "the rate of api.errors over 5m is 3.25 per second, above 0.5",
                "resolved after 90s; there is no value of api.errors",
            ])
        #expect(
            try sentence(.percentile(0.99, window: .seconds(60)), .infinity).first
                == "the percentile 0.99 of api.errors over 1m is inf, above 0.5")
        #expect(
            try sentence(.value, nil) {
                ($0.noData, $0.labels) = (.alert, ["path": "/"])
            } == [
                #"there is no value of api.errors{path="/"}"#,
                #"resolved after 100s; api.errors{path="/"} is 0"#,
            ])
        var run = try AlertRun(
            .absence(name: "gone", metricName: "up", window: .seconds(300), labels: ["job": "a"]))
        run.at(0, 1)
        run.at(10, 0)
        #expect(
            run.told.map(\.message) == [
                #"gone: there was no up{job="a"} for 5m"#,
                #"gone: resolved after 10s; up{job="a"} is back"#,
            ])
        run = try AlertRun(.errors { $0.message = "Too many errors" })
        run.at(0, 1e17)
        #expect(run.told.map(\.message) == ["Too many errors: api.errors is 1e+17, above 100"])
    }

    @Test func `values that JSON cannot say are said as texts`() throws {
        var run = try AlertRun(.errors(.neq))
        for (second, value) in [Double.nan, 100, .infinity, 100, -.infinity].enumerated() {
            run.at(second, value)
        }
        #expect(run.told.map { $0.payload["value"] } == ["NaN", 100, "+Inf", 100, "-Inf"])
    }

    @Test func `each group is an alert of its own`() throws {
        var run = try AlertRun(.errors(for: 10) { $0.by = ["path"] })
        run.at(0, paths: ["/a": 101, "/b": 1, "/c": nil])
        #expect(run.at(10, paths: ["/a": 101, "/b": 101, "/c": 5]) == [.triggered])
        #expect(run.at(20, paths: ["/b": 101, "/c": 101]) == [.resolved, .triggered])
        #expect(
            run.told.map { "\($0.kind.rawValue) \($0.group["path"] ?? "")" } == [
                "alert:triggered /a", "alert:resolved /a", "alert:triggered /b",
            ])
        #expect(
            run.told.last?.message
                == #"high-error-rate: api.errors{path="/b"} is 101, above 100 for 10s"#)
        let status = try #require(run.book.statuses.first)
        #expect(status.groups.map { $0.labels["path"] } == ["/b", "/c"])
        #expect(status.groups.map(\.state) == [.firing, .pending])
        #expect(status.state == .firing)
    }

    @Test func `of two readings of one group, the first counts`() throws {
        var run = try AlertRun(.errors())
        let values = [101.0, 1, 102]
        let events = run.at(0) { _ in values.map { AlertReading(group: [:], value: $0) } }
        #expect(events == [.triggered])
        #expect(run.told.map(\.value) == [101])
    }

    @Test func `of groups that were seen, the absence can be an alert`() throws {
        var run = try AlertRun(
            .errors {
                $0.by = ["path"]
                $0.noData = .alert
            })
        #expect(run.at(0, paths: [:]) == [])
        run.at(10, paths: ["/a": 1, "/b": 1])
        #expect(run.at(20, paths: ["/a": 1]) == [.triggered])
        #expect(run.at(30, paths: ["/a": 1, "/b": 1]) == [.resolved])
        #expect(run.told.map { $0.group["path"] } == ["/b", "/b"])
    }

    @Test func `too many groups: those that are there stay, and the rest is counted`() throws {
        var run = try AlertRun(.errors { $0.by = ["path"] })
        let paths = (0..<AlertBook.groupLimit).map { "/\($0)" }
        let values = Dictionary(uniqueKeysWithValues: paths.map { ($0, Double?.some(101)) })
        #expect(run.at(0, paths: values).count == AlertBook.groupLimit)
        let more = values.merging(["/x": 101, "/y": 101, "/z": 1]) { $1 }
        #expect(run.at(10, paths: more) == [])
        #expect(run.book.entries.first?.groups.count == AlertBook.groupLimit)
        #expect(run.book.entries.first?.groupsLeftOut == 2)
        let fewer = more.merging(["/0": 1]) { $1 }
        #expect(run.at(20, paths: fewer) == [.resolved])
        #expect(run.at(30, paths: fewer) == [.triggered])
        #expect(run.book.entries.first?.groupsLeftOut == 1)
    }

    @Test func `all rules together keep so many groups and not one more`() throws {
        var run = try AlertRun()
        let full = AlertBook.totalGroupLimit / AlertBook.groupLimit
        for index in 0...full {
            try run.book.add(
                .errors(name: "\(index)") {
                    $0.by = ["path"]
                    $0.noData = .keep
                })
        }
        let readings = (0..<AlertBook.groupLimit).map {
            AlertReading(group: ["path": "/\($0)"], value: 101)
        }
        run.at(0) { $0.name == "0" ? readings : [] }
        for index in 1..<full { run.book.entries[index].groups = run.book.entries[0].groups }
        run.at(10) { $0.name == "\(full)" ? readings : [] }
        #expect(run.book.entries.last?.groupsLeftOut == AlertBook.groupLimit)
        #expect(run.book.entries.last?.groups.isEmpty == true)
        run.at(20) {
            switch $0.name {
            case "0": [AlertReading(group: ["path": "/0"], value: 1)]
            case "\(full)": Array(readings.prefix(5))
            default: []
            }
        }
        #expect(run.book.entries.last?.groupsLeftOut == 4)
        #expect(run.book.entries.reduce(0) { $0 + $1.groups.count } == AlertBook.totalGroupLimit)
    }

    @Test func `a name is there once, and a thousand rules are the limit`() throws {
        var run = try AlertRun(.errors())
        #expect(throws: MetricsError.alertExists(name)) { try run.book.add(.errors()) }
        for index in 1..<AlertBook.ruleLimit { try run.book.add(.errors(name: "\(index)")) }
        let error = MetricsError.invalidAlert(
            "x", "there are 1000 alerts, which is the limit: remove one")
        #expect(throws: error) { try run.book.add(.errors(name: "x")) }
        _ = try run.book.remove("7", now: run.wall(0), uptime: .zero)
        try run.book.add(.errors(name: "x"))
        #expect(run.book.statuses.count == AlertBook.ruleLimit)
    }

    @Test func `what is not there cannot be changed`() throws {
        var run = try AlertRun(.errors())
        let error = MetricsError.notFound("alert", "x")
        #expect(throws: error) { try run.book.remove("x", now: run.wall(0), uptime: .zero) }
        #expect(throws: error) {
            try run.book.setEnabled("x", true, now: run.wall(0), uptime: .zero)
        }
        #expect(throws: error) { try run.book.silence("x", until: run.wall(0)) }
    }

    @Test func `removing and disabling resolve what fires, once`() throws {
        var run = try AlertRun(.errors())
        run.at(0, 101)
        let disabled = try run.enable(false, at: 10)
        #expect(
            disabled.map(\.message) == [
                "high-error-rate: resolved after 10s; the alert was disabled"
            ])
        #expect(run.state == .disabled)
        #expect(try run.enable(false, at: 11) == [])
        #expect(run.at(20, 101) == [])
        #expect(try run.enable(true, at: 30) == [])
        #expect(run.at(40, 101) == [.triggered])
        let removed = try run.book.remove(name, now: run.wall(50), uptime: .seconds(50))
        #expect(
            removed.map(\.message) == ["high-error-rate: resolved after 10s; the alert was removed"]
        )
        #expect(run.at(60, 101) == [])
    }

    @Test func `what is pending goes without a word when it is disabled`() throws {
        var run = try AlertRun(.errors(for: 20))
        run.at(0, 101)
        #expect(try run.enable(false, at: 10) == [])
        #expect(try run.enable(true, at: 15) == [])
        #expect(run.at(20, 101) == [])
        #expect(run.at(40, 101) == [.triggered])
    }

    // MARK: - Silence

    @Test func `a silence holds back what is still so when it ends`() throws {
        var run = try AlertRun(.errors())
        try run.book.silence(name, until: run.wall(30))
        #expect(run.at(0, 101) == [])
        #expect(run.state == .firing)
        #expect(run.at(29, 101) == [])
        #expect(run.at(30, 101) == [.triggered])
        #expect(run.book.statuses.first?.silencedUntil == nil)
    }

    @Test func `what comes and goes during a silence is never told`() throws {
        var run = try AlertRun(.errors())
        try run.book.silence(name, until: run.wall(30))
        for (second, value) in [(0, 101.0), (10, 1), (20, 101), (25, 1), (30, 1), (40, 1)] {
            #expect(run.at(second, value) == [])
        }
    }

    @Test func `what was told before a silence is resolved after it`() throws {
        var run = try AlertRun(.errors())
        run.at(0, 101)
        try run.book.silence(name, until: run.wall(30))
        #expect(run.at(10, 1) == [])
        #expect(run.state == .inactive)
        #expect(run.at(20, 1) == [])
        #expect(run.at(30, 1) == [.resolved])
        #expect(run.at(40, 1) == [])
    }

    @Test func `a silence that is ended early ends at the next evaluation`() throws {
        var run = try AlertRun(.errors())
        try run.book.silence(name, until: run.wall(1_000))
        run.at(0, 101)
        try run.book.silence(name, until: nil)
        #expect(run.at(10, 101) == [.triggered])
    }

    @Test func `disabling a silenced alert is told when the silence ends, removing it at once`()
        throws
    {
        var run = try AlertRun(.errors())
        run.at(0, 101)
        try run.book.silence(name, until: run.wall(30))
        #expect(try run.enable(false, at: 10) == [])
        #expect(run.at(20, 101) == [])
        #expect(run.at(30, 101) == [.resolved])
        #expect(run.at(40, 101) == [])
        _ = try run.enable(true, at: 50)
        run.at(60, 101)
        try run.book.silence(name, until: run.wall(90))
        let removed = try run.book.remove(name, now: run.wall(70), uptime: .seconds(70))
        #expect(removed.map(\.kind) == [.resolved])
    }

    // MARK: - The configuration file

    @Test func `rules of the configuration file win, and go when they leave it`() throws {
        var run = try AlertRun(.errors(), .errors(name: "own"))
        run.at(0, 101)
        let other = AlertRule.errors(threshold: 50, for: 5)
        #expect(try run.book.configure([other], now: run.wall(1), uptime: .seconds(1)) == [])
        #expect(run.book.statuses.map(\.origin) == [.configuration, .program])
        #expect(run.book.statuses.first?.rule.threshold == 50)
        // It watches the same, so it fires as before and is not told again.
        #expect(run.at(10, 101) == [])
        let error = MetricsError.invalidAlert(
            name, "it stands in the configuration file: remove it there, or disable it")
        #expect(throws: error) {
            try run.book.remove(name, now: run.wall(11), uptime: .seconds(11))
        }
        let gone = try run.book.configure([], now: run.wall(20), uptime: .seconds(20))
        #expect(gone.map(\.kind) == [.resolved])
        #expect(run.book.statuses.map(\.rule.name) == ["own"])
    }

    @Test func `a configuration with one rule that cannot be changes nothing`() throws {
        var run = try AlertRun()
        _ = try run.book.configure([.errors()], now: run.wall(0), uptime: .zero)
        run.at(0, 101)
        let wrong: [[AlertRule]] = [
            [.errors(threshold: .nan)], [.errors(name: "a"), .errors(name: "a")],
            (0...AlertBook.ruleLimit).map { .errors(name: "\($0)") },
        ]
        for rules in wrong {
            #expect(throws: MetricsError.self) {
                try run.book.configure(rules, now: run.wall(1), uptime: .seconds(1))
            }
        }
        #expect(run.book.statuses.map(\.rule) == [.errors()])
        #expect(run.state == .firing)
    }

    @Test func `an alert that watches something else now is resolved and begins anew`() throws {
        var run = try AlertRun()
        _ = try run.book.configure([.errors()], now: run.wall(0), uptime: .zero)
        run.at(0, 101)
        let other = AlertRule.errors { $0.labels = ["path": "/"] }
        let events = try run.book.configure([other], now: run.wall(1), uptime: .seconds(1))
        #expect(events.map(\.kind) == [.resolved])
        #expect(run.at(10, 101) == [.triggered])
    }

    @Test func `a rule that is disabled in the file now is resolved`() throws {
        var run = try AlertRun()
        _ = try run.book.configure([.errors()], now: run.wall(0), uptime: .zero)
        run.at(0, 101)
        let off = AlertRule.errors { $0.enabled = false }
        let events = try run.book.configure([off], now: run.wall(1), uptime: .seconds(1))
        #expect(events.map(\.kind) == [.resolved])
        #expect(run.state == .disabled)
    }

    @Test func `the list as JSON has the rule, its origin, its state and its groups`() throws {
        var run = try AlertRun(.errors(for: 60) { $0.by = ["path"] })
        run.at(0, paths: ["/a": 101])
        try run.book.silence(name, until: run.wall(30))
        #expect(
            run.book.statuses.first?.json
                == [
                    "name": "high-error-rate", "metricName": "api.errors", "condition": "gt",
                    "threshold": 100, "duration": 60_000, "enabled": true, "by": ["path"],
                    "origin": "program", "state": "pending", "silencedUntil": 1_700_000_030_000,
                    "groups": [
                        [
                            "group": ["path": "/a"], "state": "pending", "value": 101,
                            "activeAt": 1_700_000_000_000, "firedAt": nil,
                        ]
                    ],
                    "groupsLeftOut": 0,
                ])
    }
}
