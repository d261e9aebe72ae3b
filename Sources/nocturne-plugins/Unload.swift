// Unload.swift — `unload`: takes a plugin out of service and forgets its build.

internal import ArgumentParser
internal import Nocturne

struct Unload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Unload a plugin; its file, settings and stored data stay.")

    @OptionGroup var plugin: PluginArgument
    @OptionGroup var host: HostOptions

    func run() throws {
        _ = try host.send("DELETE", plugin.route)
        Terminal.say(
            host.json
                ? "\(["id": .string(plugin.id), "status": "unloaded"] as JSONValue)"
                : "\(Printable.line(plugin.id)): unloaded")
    }
}
