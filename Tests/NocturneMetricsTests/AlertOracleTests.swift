// AlertOracleTests.swift — alerts are pending and fire when Prometheus' are: random series and rules, what our
// evaluator says of each moment, and `promtool test rules` to say whether Prometheus agrees. It is in Debian's package
// `prometheus`.

import Glibc
import NocturneCore
import Testing

@testable import NocturneMetrics

@Suite struct AlertOracleTests {
    @Test func `promtool is there if it is required`() {
        let isRequired = getenv("NOCTURNE_REQUIRE_VALIDATORS") != nil
        #expect(
            Promtool.path != nil || !isRequired,
            "install Debian's package prometheus, or unset NOCTURNE_REQUIRE_VALIDATORS")
    }

    @Test(.enabled(if: Promtool.path != nil), arguments: 1...6 as ClosedRange<UInt64>)
    func `alerts are pending and fire when Prometheus' are`(seed: UInt64) throws {
        var random = OracleRandom(state: seed)
        let world = OracleWorld(using: &random)
        let expectations = world.expectations()
        #expect(expectations.contains("pending") && expectations.contains("firing"))
        let result = try Promtool.test(rules: world.rules, expectations: expectations)
        #expect(result.status == 0, "seed \(seed): \(result.output.prefix(2_000))")
    }

    @Test(.enabled(if: Promtool.path != nil))
    func `promtool notices one moment that is wrong`() throws {
        var random = OracleRandom(state: 1)
        let world = OracleWorld(using: &random)
        let right = world.expectations()
        // One line is left out: one alert of one moment.
        let lines = right.split(separator: "\n")
        let place = try #require(lines.lastIndex { $0.contains("firing") })
        let wrong = (lines[..<place] + lines[(place + 1)...]).joined(separator: "\n")
        #expect(try Promtool.test(rules: world.rules, expectations: wrong).status != 0)
    }
}

/// Series and rules, and what they come to.
private struct OracleWorld {
    /// Seconds between samples.
    let step: Int
    /// Seconds between evaluations.
    let interval: Int
    /// Values of the series at each step; `nil`: it is not there.
    let series: [[Double?]]
    let alerts: [AlertRule]
    private static let steps = 120

    init(using random: inout OracleRandom) {
        step = random.oneOf([10, 15])
        interval = random.oneOf([5, 10, 15, 20])
        series = (0..<4).map { _ in Self.series(&random) }
        alerts = (0..<40).map { Self.alert($0, &random) }
    }

    /// Values stay for a while, so that durations matter, and are gone for a while.
    private static func series(_ random: inout OracleRandom) -> [Double?] {
        var values: [Double?] = []
        while values.count < steps {
            let value = random.oneOf([0, 1, 2, 3, -1, 2.5, .nan, .infinity, nil, nil] as [Double?])
            values += Array(repeating: value, count: 1 + random.below(7))
        }
        return Array(values.prefix(steps))
    }

    private static func alert(_ index: Int, _ random: inout OracleRandom) -> AlertRule {
        var rule = AlertRule(
            name: "A\(index)", metricName: "m",
            condition: random.oneOf(AlertRule.Condition.allCases),
            threshold: random.oneOf([0, 1, 2, 3]),
            duration: .seconds(random.oneOf([0, 0, 1, 10, 15, 25, 30, 60])))
        rule.keepFiringFor = .seconds(random.oneOf([0, 0, 10, 25, 45]))
        switch random.below(4) {
        case 0: rule.labels = ["s": "\(random.below(5))"]
        // What is worst of several values: Prometheus has an aggregation for these conditions only.
        case 1 where ![.eq, .neq].contains(rule.condition): break
        default: rule.by = ["s"]
        }
        return rule
    }

    /// What Prometheus would read for a rule.
    private func read(_ rule: AlertRule, at second: Int) -> [AlertReading] {
        let values = series.map { $0[second / step] }
        if rule.by == ["s"] {
            return values.enumerated().map { index, value in
                AlertReading(group: ["s": "\(index)"], value: value)
            }
        }
        let chosen = rule.labels["s"].map { text in
            values.enumerated().filter { "\($0.offset)" == text }.map(\.element)
        }
        return [
            AlertReading(group: [:], value: rule.worst(of: (chosen ?? values).compactMap(\.self)))
        ]
    }

    private func expression(_ rule: AlertRule) -> String {
        let signs: [AlertRule.Condition: String] = [
            .gt: ">", .gte: ">=", .lt: "<", .lte: "<=", .eq: "==", .neq: "!=",
        ]
        let comparison = "\(signs[rule.condition] ?? "") \(rule.threshold)"
        if rule.by == ["s"] { return "m \(comparison)" }
        let isHigh = [.gt, .gte].contains(rule.condition)
        // Of one series, any aggregation takes the label away.
        let selector = rule.labels["s"].map { "m{s=\"\($0)\"}" } ?? "m"
        return "\(isHigh ? "max" : "min")(\(selector)) \(comparison)"
    }

    var rules: String {
        let texts = alerts.map { rule in
            """
                  - alert: \(rule.name)
                    expr: '\(expression(rule))'
                    for: \(DurationText.describe(rule.duration))
                    keep_firing_for: \(DurationText.describe(rule.keepFiringFor))

            """
        }
        return """
            groups:
              - name: oracle
                interval: \(interval)s
                rules:
            \(texts.joined())
            """
    }

    /// What our evaluator says of each moment, as promtool is to find it.
    func expectations() -> String {
        var book = AlertBook()
        for rule in alerts { #expect(throws: Never.self) { try book.add(rule) } }
        var text = "rule_files: [rules.yml]\nevaluation_interval: \(interval)s\ntests:\n"
        text += "  - interval: \(step)s\n    input_series:\n"
        for (index, values) in series.enumerated() {
            let shown = values.map { value in
                guard let value else { return "stale" }
                return value.isInfinite ? "Inf" : value.isNaN ? "NaN" : "\(value)"
            }
            text += "      - series: 'm{s=\"\(index)\"}'\n"
            text += "        values: '\(shown.joined(separator: " "))'\n"
        }
        text += "    promql_expr_test:\n"
        for second in stride(from: 0, to: step * Self.steps, by: interval) {
            // The wall clock goes wrong on purpose: nothing goes by it.
            _ = book.evaluate(
                now: UnixTime(seconds: Int64(second % 70)), uptime: .seconds(second)
            ) { read($0, at: second) }
            text += "      - expr: ALERTS\n        eval_time: \(second)s\n        exp_samples:\n"
            for status in book.statuses {
                for group in status.groups {
                    var labels = "alertname=\"\(status.rule.name)\", alertstate=\"\(group.state)\""
                    if let name = group.labels["s"] { labels += ", s=\"\(name)\"" }
                    text += "          - {labels: 'ALERTS{\(labels)}', value: 1}\n"
                }
            }
        }
        return text
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that a failing test fails again.
private struct OracleRandom {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    mutating func oneOf<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}

/// `promtool` of the Prometheus project.
private enum Promtool {
    struct Result {
        let status: Int32
        let output: String
    }

    /// Where it is, `nil` if it is not installed.
    static let path: String? = {
        let paths = getenv("PATH").map { String(cString: $0) } ?? ""
        return paths.split(separator: ":").map { "\($0)/promtool" }.first { access($0, X_OK) == 0 }
    }()

    /// Runs `promtool test rules`.
    static func test(rules: String, expectations: String) throws -> Result {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/nocturne-alerts-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        let files = ["rules.yml", "tests.yml", "output"].map { "\(directory)/\($0)" }
        defer {
            for file in files { unlink(file) }
            rmdir(directory)
        }
        for (path, text) in zip(files, [rules, expectations]) {
            let file = try #require(fopen(path, "w"))
            fputs(text, file)
            fclose(file)
        }
        let status = try run(["test", "rules", files[1]], output: files[2])
        let file = try #require(fopen(files[2], "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 * 1_024)
        let count = fread(&bytes, 1, bytes.count, file)
        return Result(status: status, output: String(decoding: bytes[..<count], as: UTF8.self))
    }

    private static func run(_ arguments: [String], output: String) throws -> Int32 {
        let path = try #require(path)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        try #require(posix_spawn(&pid, path, &actions, nil, &words, environ) == 0)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
    }
}
