// List.swift — `list`: all plugins and how they stand.

internal import ArgumentParser
internal import Nocturne

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List plugins.")

    @Option(
        help: ArgumentHelp(
            "Only those with this status: "
                + PluginStatus.allCases.map(\.rawValue).joined(separator: ", ") + ".",
            valueName: "status"))
    var status: String?

    @OptionGroup var host: HostOptions

    func run() throws {
        let filter = status.map { "?status=\(PercentEncoding.encode($0))" } ?? ""
        try host.show("GET", "/v1/plugins" + filter) { PluginText.table($0.array ?? []) }
    }
}
