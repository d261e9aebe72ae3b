// MetricsWatch.swift — `metrics watch`: how metrics go, live. Next: SeriesText.swift.

internal import ArgumentParser
internal import Glibc
internal import Nocturne

struct MetricsWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show how metrics go, live, until interrupted.",
        discussion:
            "Of counters what they rise per second, of gauges their value, of histograms and "
            + "summaries the mean. The last "
            + "column is now, those before it are as they were sampled.")

    @Argument(help: "The metrics' names (default: as many as there is room for).")
    var names: [String] = []

    @OptionGroup var series: SeriesOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How far back each line begins.", valueName: "time"))
    var from = "-15m"

    @OptionGroup var host: HostOptions

    /// Between two looks.
    private static let microseconds: UInt32 = 1_000_000
    /// Columns of a sparkline: 10 minutes as the daemon samples unless told.
    private static let width = 60

    func validate() throws { try names.forEach(MetricArgument.check) }

    func run() throws {
        var live = LiveLines()
        while true {
            let all = try look()
            if host.json {
                Terminal.say("\(JSONValue.array(all))")
            } else {
                live.draw(lines(all))
            }
            usleep(Self.microseconds)
        }
    }

    /// The series of the metrics that are meant; without names, of as many as there is room for.
    private func look() throws -> [JSONValue] {
        let known = names.isEmpty ? try host.parse(try host.send("GET", "/v1/metrics")) : .null
        let meant = names.isEmpty ? (known.array ?? []).compactMap { $0["name"]?.string } : names
        var all: [JSONValue] = []
        for name in meant where !names.isEmpty || host.json || all.count < LiveLines.rows {
            let target = MetricArgument.route(of: name) + "/series" + series.query([("from", from)])
            do {
                all += try host.parse(try host.send("GET", target)).array ?? []
            } catch let error as ClientError where names.isEmpty && error.code == "notFound" {
                continue  // It was removed a moment ago.
            }
        }
        return all
    }

    private func lines(_ all: [JSONValue]) -> [String] {
        guard !all.isEmpty else { return ["no samples"] }
        var table = Table("METRIC", "NOW", "SINCE \(from)")
        for series in all.prefix(LiveLines.rows - 1) {
            let text = SeriesText(series)
            table.add([text.name, text.latest, text.sparkline(width: Self.width)])
        }
        return table.lines(within: LiveLines.width)
    }
}
