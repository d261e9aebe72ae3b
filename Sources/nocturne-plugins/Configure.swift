// Configure.swift — `configure`: changes a plugin's settings.

internal import ArgumentParser
internal import Nocturne

struct Configure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change a plugin's settings.",
        discussion:
            "A value is JSON if it can be read as JSON, else a string: retries=3 is a number, "
            + "retries='\"3\"' a string, name=Ada a string too.")

    @OptionGroup var plugin: PluginArgument

    @Argument(help: ArgumentHelp("Settings, or one JSON object.", valueName: "key=value"))
    var settings: [String] = []

    @Flag(help: "Replace all settings instead of merging; without settings: back to the defaults.")
    var replace = false

    @OptionGroup var host: HostOptions

    func validate() throws {
        if settings.isEmpty, !replace {
            throw ValidationError("Name at least one KEY=VALUE, or --replace.")
        }
    }

    func run() throws {
        let settings = try SettingsArgument.parse(settings)
        try host.change(
            replace ? "PUT" : "PATCH", plugin.route + "/configuration", body: .object(settings))
    }
}
