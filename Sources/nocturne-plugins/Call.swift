// Call.swift — `call`: calls a tool.

internal import ArgumentParser
internal import Nocturne

struct Call: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Call a tool and print its result as JSON.",
        discussion: "Without an input the tool gets {}. Interrupting the command cancels the call.")

    @Argument(help: "The tool's name.")
    var tool: String

    @OptionGroup var input: CallInput
    @OptionGroup var host: HostOptions

    func run() throws {
        try input.call("/v1/tools/\(PercentEncoding.encode(tool))/call", of: host)
    }
}
