// Inspect.swift — `inspect`: what a plugin's file says, without running any of it.

internal import ArgumentParser
internal import Nocturne

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a plugin's file is, without running any of it. Needs no host.",
        discussion: "Exits with 65 if this machine cannot load it.")

    @Argument(help: "The plugin's file.")
    var file: String

    @Flag(help: "Print JSON, with stable names.")
    var json = false

    func run() throws {
        let inspection = try PluginInspection.inspect(file)
        if json {
            Terminal.say(json: inspection.json.serialized())
        } else {
            Terminal.say(Printable.block(inspection.text))
        }
        if !inspection.isLoadableHere { throw ExitCode(65) }
    }
}
