// Load.swift — `load`: loads a plugin from any path.

internal import ArgumentParser
internal import Nocturne

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load a plugin from any path, until the host stops.")

    @Option(help: ArgumentHelp("The id that the file must have.", valueName: "id"))
    var id: String?

    @Argument(help: "The plugin's file.")
    var file: String

    @OptionGroup var options: ChangeOptions
    @OptionGroup var host: HostOptions

    func run() throws {
        // The host has another working directory.
        let path = try WorkingDirectory.absolute(file)
        try host.change(
            "POST", "/v1/plugins" + options.query,
            body: ["path": .string(path), "id": id.map { .string($0) } ?? .null])
    }
}
