// Logs.swift — `logs`: what a plugin logged, and what it wrote to its standard output and error.

internal import ArgumentParser
internal import Nocturne

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a plugin's log, and what it wrote to standard output and error.")

    @OptionGroup var plugin: PluginArgument

    @Flag(name: [.long, .short], help: "Go on with what is logged from now on.")
    var follow = false

    @Option(help: ArgumentHelp("Only the latest records (default: 1000).", valueName: "count"))
    var last: Int?

    @OptionGroup var host: HostOptions

    func validate() throws {
        if let last, last < 0 { throw ValidationError("--last is at least 0.") }
    }

    func run() throws {
        var query = last.map { ["last=\($0)"] } ?? []
        if follow { query.append("follow=1") }
        let target =
            plugin.route + "/logs" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        if follow {
            try host.follow(target) { EventOutput.show($0, json: host.json, as: PluginText.record) }
        } else {
            try host.show("GET", target) { ($0.array ?? []).map(PluginText.record) }
        }
    }
}
