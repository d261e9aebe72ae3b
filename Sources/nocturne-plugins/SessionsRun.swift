// SessionsRun.swift — `sessions run`: makes the session that a file describes, shows what happens, and prints what it
// comes to. Next: SessionText.swift.

internal import ArgumentParser
internal import Nocturne

struct SessionsRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Make the session that a file describes, and carry out its goal.",
        discussion: """
            The file: {"id": "poem", "goal": "…", "strategy": "parallel", "parameters": {…}, \
            "fallback": "parallel", "agents": [{"agent": NAME}, {"command": NAME, "id": "b", \
            "capabilities": [{"name": "rhyme", "score": 0.9}]}], "execute": {"description": "…", \
            "payload": …, "decompose": false, "budget": {"works": 10}}}. What happens is on standard \
            error, the result on standard output. Without `execute` the session waits for one.
            """)

    @Argument(help: "A file in JSON, - for standard input.")
    var file: String

    @Flag(help: "Do not wait for the end.")
    var detach = false

    @Flag(help: "Leave the session there at the end.")
    var keep = false

    @OptionGroup var host: HostOptions

    func run() throws {
        let input = file == "-" ? try Terminal.readInput() : try Terminal.read(file)
        let answer = try host.send("POST", "/v1/sessions", body: input)
        let made = try host.parse(answer)
        guard let id = made["id"]?.string, let since = made["event"]?.int else {
            throw UnexpectedAnswer(answer)
        }
        let isExecuting = made["state"] == "executing" || made["outcome"]?.object != nil
        guard isExecuting, !detach else {
            if host.json {
                Terminal.say(json: answer)
            } else {
                Terminal.say(SessionText.line(made))
            }
            return
        }
        let session = try follow(id, since)
        if !keep {
            _ = try host.send(
                "POST", SessionArgument.route(of: id) + "/end", body: Array("{}".utf8))
        }
        let outcome = session["outcome"] ?? .null
        if host.json {
            Terminal.say(json: session.serialized())
        } else if let value = outcome["value"], !value.isNull {
            Terminal.say(json: value.serialized())
        }
        if let end = SessionEnded(id, outcome) { throw end }
    }

    /// Shows what happens until the execution has ended. Returns the session.
    private func follow(_ id: String, _ since: Int64) throws -> JSONValue {
        let route = SessionArgument.route(of: id)
        var bar = ProgressBar()
        defer { bar.remove() }
        do {
            try host.follow("\(route)/events?since=\(since)") { event in
                guard event.type != "gap", let json = try? JSONParser.parse(event.data) else {
                    return
                }
                let payload = json["payload"] ?? .null
                if json["name"] == "execution:progress" {
                    bar.show(
                        percent: payload["progress"]?.double ?? 0,
                        "\(payload["ended"]?.int ?? 0) of \(payload["works"]?.int ?? 0) works")
                } else if !host.json, let line = SessionText.event(json, session: id) {
                    bar.remove()
                    Terminal.complain(line)
                }
            }
        } catch ClientError.lost {
            throw SessionOutOfSight(session: Printable.line(id))
        }
        return try host.parse(try host.send("GET", route))
    }
}

/// The host went away while a session was waited for.
struct SessionOutOfSight: ReportableError {
    let session: String
    var code: String { "connectionLost" }
    var description: String {
        "the host went away before session \(session) had come to an end; it goes on with the next host, and "
            + "`sessions show \(session)` says there how it stands"
    }
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }
    var exitStatus: Int32 { 69 }
}

/// An execution that was waited for did not complete.
struct SessionEnded: ReportableError {
    let code: String
    let description: String
    let exitStatus: Int32
    var plugin: PluginID? { nil }
    var isRetryable: Bool { false }

    /// `nil` if it did.
    init?(_ id: String, _ outcome: JSONValue) {
        let status = outcome["status"]?.string ?? "unknown"
        guard status != "completed" else { return nil }
        guard status != "unknown" else {
            code = "shutDown"
            description =
                "session \(id) has not come to an end: the host is stopping; it goes on with the next one"
            exitStatus = 75
            return
        }
        code = "execution" + status.prefix(1).uppercased() + status.dropFirst()
        let why = [outcome["reason"]?.string, outcome["explanation"]?.string].compactMap { $0 }
            .filter { !$0.isEmpty }
        description =
            "session \(id): \(([status] + why).joined(separator: ": ")); `sessions replay \(id)` has all that happened"
        exitStatus = 70
    }
}
