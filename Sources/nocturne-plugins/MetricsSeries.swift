// MetricsSeries.swift — `metrics series`: how a metric went over time. Next: MetricsWatch.swift, SeriesText.swift.

internal import ArgumentParser
internal import Nocturne

struct MetricsSeries: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "series", abstract: "Show how the series of a metric went over time.")
    @OptionGroup var metric: MetricArgument
    @OptionGroup var series: SeriesOptions
    @OptionGroup var range: RangeOptions

    @Option(
        help: ArgumentHelp(
            "How long each point lasts, as 30s (default: as it was sampled).", valueName: "time"))
    var step: String?

    @OptionGroup var host: HostOptions

    func run() throws {
        let query = series.query(range.query + [("step", step)])
        try host.show("GET", metric.route + "/series" + query) { answer in
            let all = answer.array ?? []
            guard !all.isEmpty else { return ["no samples"] }
            return Array(all.map { SeriesText($0).lines }.joined(separator: [""]))
        }
    }
}
