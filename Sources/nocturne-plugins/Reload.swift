// Reload.swift — `reload`: replaces what serves by what the file holds now.

internal import ArgumentParser
internal import Nocturne

struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace what serves by what the file holds now.")

    @OptionGroup var plugin: PluginArgument
    @Flag(help: "Only print what would happen, to whom and in which order.")
    var dryRun = false
    @OptionGroup var options: ChangeOptions
    @OptionGroup var host: HostOptions

    func run() throws {
        if dryRun { return try host.showPlan(plugin.route, of: "reload") }
        try host.change("POST", plugin.route + "/reload" + options.query)
    }
}

extension HostOptions {
    /// Prints what a change would lead to. Succeeds also if it would be refused.
    func showPlan(_ route: String, of change: String) throws {
        try show("GET", "\(route)/plan?change=\(change)", as: PluginText.plan)
    }
}
