// HostOptions.swift — the options of all commands that ask a running host, and how they ask.

internal import ArgumentParser
internal import Nocturne

/// Which host, and for whom the answer is.
struct HostOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The host's socket (default: NOCTURNE_SOCKET, else the standard place).",
            valueName: "path"))
    var socket: String?

    @Flag(name: .long, help: "Print JSON, with stable names.")
    var json = false

    /// Sends a request and returns the body of its answer.
    func send(_ method: String, _ target: String, body: [UInt8] = []) throws -> [UInt8] {
        try client.send(method, target, body: body)
    }

    /// Prints the answer to a request: as it is under `--json`, else what `text` makes of it.
    func show(
        _ method: String, _ target: String, body: JSONValue? = nil, as text: (JSONValue) -> [String]
    ) throws {
        let answer = try client.send(method, target, body: body?.serialized() ?? [])
        if json {
            Terminal.say(json: answer)
        } else {
            for line in text(try client.parse(answer)) { Terminal.say(line) }
        }
    }

    /// An answer as JSON.
    func parse(_ answer: [UInt8]) throws -> JSONValue { try client.parse(answer) }

    /// Sends a request without an answer, and says what was done to what.
    func perform(_ method: String, _ target: String, _ name: String, _ done: String) throws {
        _ = try client.send(method, target)
        Terminal.say(
            json
                ? "\(["name": .string(name), "status": .string(done)] as JSONValue)"
                : "\(Printable.line(name)): \(done)")
    }

    /// Sends a request that changes one plugin, and prints how the plugin stands now.
    func change(_ method: String, _ target: String, body: JSONValue? = nil) throws {
        let answer = try client.send(method, target, body: body?.serialized() ?? [])
        let info = try client.parse(answer)
        if json { Terminal.say(json: answer) }
        if info["status"]?.string == PluginStatus.failed.rawValue {
            throw ChangeFailed(info)
        }
        if !json { Terminal.say(PluginText.line(info)) }
    }

    /// Follows a stream until the host ends it.
    func follow(_ target: String, _ handle: (ServerSentEvent) -> Void) throws {
        try client.follow(target) { event in
            handle(event)
            return true
        }
    }

    private var client: ControlClient {
        get throws {
            if let socket { return ControlClient(socketPath: socket) }
            return ControlClient(socketPath: try StandardPaths.current.socket)
        }
    }
}

/// The one argument of the commands about a single plugin.
struct PluginArgument: ParsableArguments {
    @Argument(help: "The plugin's id.")
    var id: String

    /// The plugin's route.
    var route: String { "/v1/plugins/\(PercentEncoding.encode(id))" }
}

/// The options of commands that may stop others.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Carry it out also if plugins that depend on it have to stop.")
    var cascade = false

    /// The query that says so.
    var query: String { cascade ? "?cascade=1" : "" }
}

/// A change was carried out, but the plugin does not serve.
struct ChangeFailed: ReportableError {
    let code: String
    let plugin: PluginID?
    let description: String
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 65 }

    init(_ info: JSONValue) {
        code = info["reasonCode"]?.string ?? "failed"
        plugin = info["id"]?.string.flatMap { try? PluginID($0) }
        description =
            "\(info["id"]?.string ?? "the plugin"): it failed: "
            + (info["reason"]?.string ?? "the host gave no reason; `logs` may say more")
    }
}
