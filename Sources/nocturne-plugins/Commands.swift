// Commands.swift — `commands`: the commands of enabled plugins.

internal import ArgumentParser
internal import Nocturne

struct Commands: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the commands of enabled plugins.")

    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", "/v1/commands") {
            PluginText.contributions($0.array ?? [], none: "no enabled plugin has commands")
        }
    }
}
