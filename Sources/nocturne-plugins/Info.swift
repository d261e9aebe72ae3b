// Info.swift — `info`: everything about one plugin.

internal import ArgumentParser
internal import Nocturne

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show everything about a plugin.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", plugin.route, as: PluginText.details) }
}
