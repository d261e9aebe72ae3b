// Metrics.swift — `metrics`: what is measured, one file for each of its larger commands. Next: MetricsSeries.swift.

internal import ArgumentParser
internal import Nocturne

struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Metrics: look, follow, export, alert.",
        subcommands: [
            MetricsList.self, MetricsGet.self, MetricsSeries.self, MetricsWatch.self,
            MetricsExport.self, MetricsAlerts.self, MetricsFlush.self, MetricsStats.self,
            MetricsRemove.self,
        ])
}

/// The one argument of the commands about a single metric.
struct MetricArgument: ParsableArguments {
    @Argument(help: "The metric's name, as `metrics list` shows it.")
    var name: String

    /// The metric's route.
    var route: String { Self.route(of: name) }

    func validate() throws { try Self.check(name) }

    static func route(of name: String) -> String { "/v1/metrics/\(PercentEncoding.encode(name))" }

    /// A shell's variable that is empty names no metric.
    static func check(_ name: String) throws {
        guard !name.isEmpty else {
            throw ValidationError("The metric's name is empty; `metrics list` shows the names.")
        }
    }
}

/// Which series are meant.
struct SeriesOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only series with this label. May be repeated.", valueName: "name=value"))
    var label: [String] = []

    func validate() throws { _ = try Self.pairs(label) }

    /// The labels' names and values.
    static func pairs(_ texts: [String]) throws -> [(name: String, value: String)] {
        try texts.map { text in
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else {
                throw ValidationError("A label is written name=value, not \(quoted(text)).")
            }
            return (String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    /// The query for them and for what else is asked.
    func query(_ more: [(String, String?)]) -> String {
        let pairs =
            label.map { ("label", $0) }
            + more.compactMap { name, value in
                value.map { (name, $0) }
            }
        guard !pairs.isEmpty else { return "" }
        return "?" + pairs.map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
    }
}

/// Which range of time is meant.
struct RangeOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "After this moment: -15m, 2026-01-31T02:30:00Z or milliseconds since 1970.",
            valueName: "time"))
    var from: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Up to this moment (default: now).", valueName: "time"))
    var to: String?

    var query: [(String, String?)] { [("from", from), ("to", to)] }
}

struct MetricsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List metrics with their latest values.",
        discussion:
            "The value of a counter is that of all its series together, of a gauge with several series there is none, "
            + "of a histogram or a summary it is how many values there were.")
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", "/v1/metrics", as: MetricText.table) }
}

struct MetricsGet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show a metric: sums, means, and percentiles with the bounds of their error.")
    @OptionGroup var metric: MetricArgument
    @OptionGroup var series: SeriesOptions
    @OptionGroup var range: RangeOptions
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", metric.route + series.query(range.query), as: MetricText.report)
    }
}

struct MetricsFlush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flush",
        abstract: "Sample all metrics, evaluate alerts and hand the metrics to exporters, now.")
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", "/v1/collector/flush", as: MetricText.flush) }
}

struct MetricsStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "What the collector has, and what went wrong.")
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", "/v1/collector", as: MetricText.statistics) }
}

struct MetricsRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a metric with all its series.",
        discussion: "Its past stays for as long as any is kept.")
    @OptionGroup var metric: MetricArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.perform("DELETE", metric.route, metric.name, "removed") }
}
