// Disable.swift — `disable`: stops a plugin from serving.

internal import ArgumentParser
internal import Nocturne

struct Disable: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a plugin from serving, now and after restarts.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var options: ChangeOptions
    @OptionGroup var host: HostOptions

    func run() throws { try host.change("POST", plugin.route + "/disable" + options.query) }
}
