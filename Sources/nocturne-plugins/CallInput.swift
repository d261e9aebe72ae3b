// CallInput.swift — the input of `call` and `command`, and their result. Next: Call.swift,
// Command.swift.

internal import ArgumentParser
internal import Nocturne

/// An input and how long its result may take.
struct CallInput: ParsableArguments {
    @Argument(help: "The input as JSON; - reads standard input.")
    var input: String?

    @Option(help: ArgumentHelp("Fail after so many milliseconds.", valueName: "ms"))
    var deadline: Int?

    func validate() throws {
        if let deadline, deadline < 1 {
            throw ValidationError("--deadline is at least 1 (millisecond).")
        }
    }

    /// Sends the input to `target` and prints the result's JSON and nothing else.
    func call(_ target: String, of host: HostOptions) throws {
        let body = input == "-" ? try Terminal.readInput() : Array((input ?? "").utf8)
        let query = deadline.map { "?deadline=\($0)" } ?? ""
        Terminal.say(json: try host.send("POST", target + query, body: body))
    }
}
