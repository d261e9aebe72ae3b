// MetricsAlertsAdd.swift — `metrics alerts add`: one rule, in options. Next: AlertText.swift.

internal import ArgumentParser
internal import Nocturne

extension MetricsAlerts {
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add an alert.",
            discussion: """
                Of a metric with several series the sum counts, of a gauge the worst; with --by each group by itself.
                  metrics alerts add slow --metric http.seconds --percentile 0.99 --window 5m --gt 0.5 --for 1m
                  metrics alerts add errors --metric http.errors --rate 5m --gte 10 --by path
                  metrics alerts add gone --metric worker.heartbeats --absent 2m
                """)
        @OptionGroup var alert: AlertArgument

        @Option(help: ArgumentHelp("The metric that is watched.", valueName: "name"))
        var metric: String

        @OptionGroup var series: SeriesOptions
        @OptionGroup var comparison: Comparison

        @Option(help: ArgumentHelp("Watch what it rises per second, over this.", valueName: "time"))
        var rate: String?

        @Option(
            help: ArgumentHelp("Watch this percentile, as 0.99, over --window.", valueName: "part"))
        var percentile: Double?

        @Option(help: ArgumentHelp("Of --percentile.", valueName: "time"))
        var window: String?

        @Option(help: ArgumentHelp("Fire if no series was there for this.", valueName: "time"))
        var absent: String?

        @Option(
            name: .customLong("for"),
            help: ArgumentHelp(
                "Fire only if it holds for this (default: at once).", valueName: "time"))
        var duration: String?

        @Option(
            help: ArgumentHelp(
                "One alert for each value of this label. May be repeated.", valueName: "label"))
        var by: [String] = []

        @Option(
            help: ArgumentHelp("Go on firing for this after it held last.", valueName: "time"))
        var keepFiring: String?

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("While it fires, this is the threshold.", valueName: "number"))
        var clear: Double?

        @Option(
            help: ArgumentHelp(
                "What it means that there is no value: "
                    + AlertRule.NoDataPolicy.allCases.map(\.rawValue).joined(separator: ", ")
                    + " (default: ok).", valueName: "policy"))
        var noData: String?

        @Option(help: ArgumentHelp("What is said when it fires.", valueName: "text"))
        var message: String?

        @Option(help: ArgumentHelp("For those who are told, as critical.", valueName: "text"))
        var severity: String?

        @OptionGroup var host: HostOptions

        func validate() throws {
            if [rate, absent, percentile.map { "\($0)" }].compactMap({ $0 }).count > 1 {
                throw ValidationError("--rate, --percentile and --absent exclude each other.")
            }
            if (percentile == nil) != (window == nil) {
                throw ValidationError("--percentile and --window belong together.")
            }
            let count = comparison.all.count
            guard count == (absent == nil ? 1 : 0) else {
                throw ValidationError(
                    absent == nil
                        ? "Say when it fires, with one of --gt, --gte, --lt, --lte, --eq, --neq."
                        : "--absent compares nothing.")
            }
        }

        func run() throws {
            try host.show("POST", "/v1/alerts", body: .object(try rule())) { [AlertText.line($0)] }
        }

        private func rule() throws -> JSONObject {
            var rule: JSONObject = ["name": .string(alert.name), "metricName": .string(metric)]
            for (condition, threshold) in comparison.all {
                rule["condition"] = .string(condition.rawValue)
                rule["threshold"] = JSONValue(threshold)
            }
            for (key, value) in [
                ("duration", duration), ("keepFiringFor", keepFiring), ("noData", noData),
                ("message", message), ("severity", severity),
            ] {
                if let value { rule[key] = .string(value) }
            }
            if let rate { rule["source"] = ["rate": .string(rate)] }
            if let absent { rule["source"] = ["absence": .string(absent)] }
            if let percentile, let window {
                rule["source"] = [
                    "percentile": JSONValue(percentile) ?? .null, "window": .string(window),
                ]
            }
            if let clear { rule["clearThreshold"] = JSONValue(clear) }
            let labels = try SeriesOptions.pairs(series.label)
            if !labels.isEmpty {
                rule["labels"] = .object(
                    JSONObject(labels.map { ($0.name, .string($0.value)) }))
            }
            if !by.isEmpty { rule["by"] = .array(by.map { .string($0) }) }
            return rule
        }
    }

    /// What the value is compared with, and how.
    struct Comparison: ParsableArguments {
        @Option(parsing: .unconditional, help: help("greater than"))
        var gt: Double?
        @Option(parsing: .unconditional, help: help("at least"))
        var gte: Double?
        @Option(parsing: .unconditional, help: help("less than"))
        var lt: Double?
        @Option(parsing: .unconditional, help: help("at most"))
        var lte: Double?
        @Option(parsing: .unconditional, help: help("equal to"))
        var eq: Double?
        @Option(parsing: .unconditional, help: help("not equal to"))
        var neq: Double?

        /// Those that were given.
        var all: [(AlertRule.Condition, Double)] {
            let all: [(AlertRule.Condition, Double?)] = [
                (.gt, gt), (.gte, gte), (.lt, lt), (.lte, lte), (.eq, eq), (.neq, neq),
            ]
            return all.compactMap { condition, threshold in threshold.map { (condition, $0) } }
        }

        private static func help(_ words: String) -> ArgumentHelp {
            ArgumentHelp("Fire if the value is \(words) this.", valueName: "number")
        }
    }
}
