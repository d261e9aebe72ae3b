// Events.swift — `events`: what happens in the host, as it happens.

internal import ArgumentParser
internal import Nocturne

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow what happens in the host.",
        discussion:
            "--match takes a name or a prefix such as 'plugin:*', optionally after a source "
            + "and a slash."
    )

    @Option(
        help: ArgumentHelp(
            "First the remembered events after this one; 0 for all.", valueName: "id"))
    var since: UInt64?

    @Option(help: ArgumentHelp("Only events that match.", valueName: "pattern"))
    var match: String?

    @OptionGroup var host: HostOptions

    func run() throws {
        var query: [String] = []
        if let since { query.append("since=\(since)") }
        if let match { query.append("match=\(PercentEncoding.encode(match))") }
        let target = "/v1/events" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try host.follow(target) { EventOutput.show($0, json: host.json, as: PluginText.event) }
    }
}
