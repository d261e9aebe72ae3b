// Unload.swift — `unload`: takes a plugin out of service and forgets its build.

internal import ArgumentParser
internal import Nocturne

struct Unload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Unload a plugin; its file, settings and stored data stay.")

    @OptionGroup var plugin: PluginArgument
    @Flag(help: "Only print what would happen, to whom and in which order.")
    var dryRun = false
    @OptionGroup var options: ChangeOptions
    @OptionGroup var host: HostOptions

    func run() throws {
        if dryRun { return try host.showPlan(plugin.route, of: "unload") }
        _ = try host.send("DELETE", plugin.route + options.query)
        Terminal.say(
            host.json
                ? "\(["id": .string(plugin.id), "status": "unloaded"] as JSONValue)"
                : "\(Printable.line(plugin.id)): unloaded")
    }
}
