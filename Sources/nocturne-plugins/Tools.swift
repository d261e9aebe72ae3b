// Tools.swift — `tools`: the tools of enabled plugins.

internal import ArgumentParser
internal import Nocturne

struct Tools: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the tools of enabled plugins.")

    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", "/v1/tools") {
            PluginText.contributions($0.array ?? [], none: "no enabled plugin has tools")
        }
    }
}
