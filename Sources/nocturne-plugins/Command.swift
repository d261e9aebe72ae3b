// Command.swift — `command`: runs a plugin's command.

internal import ArgumentParser
internal import Nocturne

struct Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a plugin's command and print its result as JSON.",
        discussion: "Without an input the command gets null. Interrupting it cancels the command.")

    @Argument(help: "The command's name.")
    var name: String

    @OptionGroup var input: CallInput
    @OptionGroup var host: HostOptions

    func run() throws {
        try input.call("/v1/commands/\(PercentEncoding.encode(name))", of: host)
    }
}
