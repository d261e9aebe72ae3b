// Reload.swift — `reload`: replaces what serves by what the file holds now.

internal import ArgumentParser
internal import Nocturne

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace what serves by what the file holds now.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.change("POST", plugin.route + "/reload") }
}
