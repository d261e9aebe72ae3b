// Sessions.swift — `sessions`: agents that work together, one file for what is more than a request.
// Next: SessionsRun.swift, SessionText.swift.

internal import ArgumentParser
internal import Nocturne

struct Sessions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sessions of agents: run, look, steer.",
        subcommands: [
            SessionsRun.self, SessionsList.self, SessionsShow.self, SessionsReplay.self,
            SessionsAnswer.self, SessionsSend.self, SessionsBroadcast.self, SessionsAddAgent.self,
            SessionsRemoveAgent.self, SessionsPause.self, SessionsResume.self, SessionsEnd.self,
            SessionsFork.self, SessionsDelete.self, SessionsAgents.self, SessionsStrategies.self,
        ])
}

/// The first argument of the commands about a single session.
struct SessionArgument: ParsableArguments {
    @Argument(help: "The session's id, as `sessions list` shows it.")
    var session: String

    /// The session's route.
    var route: String { Self.route(of: session) }

    func validate() throws {
        guard !session.isEmpty else {
            throw ValidationError("The session's id is empty; `sessions list` shows the ids.")
        }
    }

    static func route(of id: String) -> String { "/v1/sessions/\(PercentEncoding.encode(id))" }
}

/// A text of JSON as an argument.
func parsedJSON(_ text: String, _ what: String) throws -> JSONValue {
    let bytes = text == "-" ? try Terminal.readInput() : Array(text.utf8)
    do throws(JSONError) {
        return try JSONParser.parse(bytes)
    } catch {
        throw UsageError(
            description: "\(what) is not accepted: \(error); a text needs quotes: '\"text\"'",
            exitStatus: 65)
    }
}

extension HostOptions {
    /// Changes a session and prints how it stands now.
    func changeSession(_ route: String, _ body: JSONObject? = nil, by method: String = "POST")
        throws
    {
        try show(method, route, body: body.map { .object($0) }) { [SessionText.line($0)] }
    }
}

struct SessionsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List sessions.")
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", "/v1/sessions") { SessionText.table($0.array ?? []) }
    }
}

struct SessionsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show all of one session.")
    @OptionGroup var session: SessionArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", session.route, as: SessionText.details) }
}

struct SessionsReplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Carry out a session's log again, without agents, and show what happened.",
        discussion: "The number before each line counts inputs; `sessions fork --after` takes it.")
    @OptionGroup var session: SessionArgument
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", session.route + "/timeline") { SessionText.timeline($0.array ?? []) }
    }
}

struct SessionsAnswer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Answer what a session asks.")
    @OptionGroup var session: SessionArgument
    @Argument(help: "The question's id, as `sessions show` has it.")
    var question: String
    @Argument(help: ArgumentHelp("JSON; - reads standard input.", valueName: "json"))
    var value: String
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.changeSession(
            session.route + "/answer",
            ["question": .string(question), "value": try parsedJSON(value, "the answer")])
    }
}

struct SessionsSend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send a message to an agent.")
    @OptionGroup var session: SessionArgument
    @Argument(help: "The agent's id in the session.")
    var agent: String
    @Argument(help: ArgumentHelp("JSON; - reads standard input.", valueName: "json"))
    var payload: String
    @Option(help: ArgumentHelp("In the name of this agent.", valueName: "agent"))
    var from: String?
    @OptionGroup var host: HostOptions

    func run() throws {
        var body: JSONObject = [
            "to": .string(agent), "payload": try parsedJSON(payload, "the message"),
        ]
        if let from { body["from"] = .string(from) }
        try host.changeSession(session.route + "/send", body)
    }
}

struct SessionsBroadcast: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broadcast", abstract: "Send a message to all agents.")
    @OptionGroup var session: SessionArgument
    @Argument(help: ArgumentHelp("JSON; - reads standard input.", valueName: "json"))
    var payload: String
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.changeSession(
            session.route + "/broadcast", ["payload": try parsedJSON(payload, "the message")])
    }
}

struct SessionsAddAgent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-agent", abstract: "Add an agent, also while a goal is carried out.")
    @OptionGroup var session: SessionArgument
    @Option(help: ArgumentHelp("The name of a plugin's agent.", valueName: "name"))
    var agent: String?
    @Option(help: ArgumentHelp("The name of a program of the configuration.", valueName: "name"))
    var command: String?
    @Option(help: "Its id in the session (default: the name).")
    var id: String?
    @Option(help: "leader, worker, reviewer, observer, or a role of your own.")
    var role: String?
    @Option(help: "What else it is good at. May be repeated.")
    var capability: [String] = []
    @Option(help: "Works that it takes at once.")
    var concurrency: Int?
    @OptionGroup var host: HostOptions

    func validate() throws {
        if (agent == nil) == (command == nil) {
            throw ValidationError("Name one with --agent, or one with --command.")
        }
    }

    func run() throws {
        var body: JSONObject = [:]
        for (key, value) in [("agent", agent), ("command", command), ("id", id), ("role", role)] {
            if let value { body[key] = .string(value) }
        }
        if !capability.isEmpty {
            body["capabilities"] = .array(capability.map { ["name": .string($0)] })
        }
        if let concurrency { body["concurrency"] = JSONValue(concurrency) }
        try host.changeSession(session.route + "/agents", body)
    }
}

struct SessionsRemoveAgent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove-agent", abstract: "Remove an agent; its works go to others.")
    @OptionGroup var session: SessionArgument
    @Argument(help: "The agent's id in the session.")
    var agent: String
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.changeSession(
            session.route + "/agents/\(PercentEncoding.encode(agent))", by: "DELETE")
    }
}

struct SessionsPause: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Start nothing more, and return when nothing is under way.")
    @OptionGroup var session: SessionArgument
    @Flag(help: "Stop what is under way; it starts anew afterwards.")
    var immediately = false
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.changeSession(session.route + "/pause", ["immediately": .bool(immediately)])
    }
}

struct SessionsResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Go on after a pause.")
    @OptionGroup var session: SessionArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.changeSession(session.route + "/resume") }
}

struct SessionsEnd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end", abstract: "End a session; what was finished is in its outcome.")
    @OptionGroup var session: SessionArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.changeSession(session.route + "/end", [:]) }
}

struct SessionsFork: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fork",
        abstract: "Make a session that has lived the same, and goes on by itself.")
    @OptionGroup var session: SessionArgument
    @Argument(help: ArgumentHelp("The id of the new one.", valueName: "new"))
    var new: String
    @Option(
        help: ArgumentHelp(
            "Up to this input of `sessions replay` (default: all but the end).", valueName: "input")
    )
    var after: Int?
    @OptionGroup var host: HostOptions

    func run() throws {
        var body: JSONObject = ["as": .string(new)]
        if let after { body["after"] = JSONValue(after) }
        try host.changeSession(session.route + "/fork", body)
    }
}

struct SessionsDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Forget a session that has ended, and its log.")
    @OptionGroup var session: SessionArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.perform("DELETE", session.route, session.session, "deleted") }
}

struct SessionsAgents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents", abstract: "List who can be an agent of a session.")
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", "/v1/agents") { SessionText.offers($0.array ?? []) }
    }
}

struct SessionsStrategies: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strategies", abstract: "List the strategies that sessions can choose.")
    @OptionGroup var host: HostOptions

    func run() throws {
        try host.show("GET", "/v1/strategies") {
            ($0.array ?? []).map { Printable.line($0.string ?? "?") }
        }
    }
}
