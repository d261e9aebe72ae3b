// Enable.swift — `enable`: lets a plugin serve.

internal import ArgumentParser
internal import Nocturne

struct Enable: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a plugin serve, now and after restarts.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.change("POST", plugin.route + "/enable") }
}
