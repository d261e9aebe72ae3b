// Rollback.swift — `rollback`: serves the previous build again.

internal import ArgumentParser
internal import Nocturne

struct Rollback: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the previous build again.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var options: ChangeOptions
    @OptionGroup var host: HostOptions

    func run() throws { try host.change("POST", plugin.route + "/rollback" + options.query) }
}
