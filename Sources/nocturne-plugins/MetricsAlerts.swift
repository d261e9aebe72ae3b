// MetricsAlerts.swift — `metrics alerts`: what is watched, and what fires. Next: AlertText.swift.

internal import ArgumentParser
internal import Nocturne

struct MetricsAlerts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Alerts: what is watched, and what fires.",
        subcommands: [
            ListAll.self, Add.self, Remove.self, Enable.self, Disable.self, Silence.self,
            Unsilence.self,
        ],
        defaultSubcommand: ListAll.self)

    struct ListAll: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List alerts and how far they are.")
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.show("GET", "/v1/alerts") { AlertText.table($0.array ?? []) }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove an alert; one that fires is resolved by that.")
        @OptionGroup var alert: AlertArgument
        @OptionGroup var host: HostOptions

        func run() throws { try host.perform("DELETE", alert.route, alert.name, "removed") }
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Evaluate an alert again.")
        @OptionGroup var alert: AlertArgument
        @OptionGroup var host: HostOptions

        func run() throws { try alert.change("enable", on: host) }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Cease to evaluate an alert.")
        @OptionGroup var alert: AlertArgument
        @OptionGroup var host: HostOptions

        func run() throws { try alert.change("disable", on: host) }
    }

    struct Silence: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "silence", abstract: "Hold the events of an alert back for a time.",
            discussion: "What it then comes to is told when the time is over.")
        @OptionGroup var alert: AlertArgument

        @Option(name: .customLong("for"), help: ArgumentHelp("So long, as 1h.", valueName: "time"))
        var duration: String?

        @Option(help: ArgumentHelp("Until this moment: 2026-01-31T02:30:00Z.", valueName: "time"))
        var until: String?

        @OptionGroup var host: HostOptions

        func validate() throws {
            guard (duration == nil) != (until == nil) else {
                throw ValidationError("Say how long, either with --for or with --until.")
            }
        }

        func run() throws {
            var body: JSONObject = [:]
            if let duration { body["for"] = .string(duration) }
            if let until { body["until"] = .string(until) }
            try alert.change("silence", body: .object(body), on: host)
        }
    }

    struct Unsilence: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unsilence", abstract: "Tell of an alert again.")
        @OptionGroup var alert: AlertArgument
        @OptionGroup var host: HostOptions

        func run() throws { try alert.change("unsilence", on: host) }
    }
}

/// The one argument of the commands about an alert.
struct AlertArgument: ParsableArguments {
    @Argument(help: "The alert's name.")
    var name: String

    var route: String { "/v1/alerts/\(PercentEncoding.encode(name))" }

    func validate() throws {
        guard !name.isEmpty else {
            throw ValidationError("The alert's name is empty; `metrics alerts` shows the names.")
        }
    }

    /// Changes it, and prints how it stands now.
    func change(_ verb: String, body: JSONValue? = nil, on host: HostOptions) throws {
        try host.show("POST", "\(route)/\(verb)", body: body) { [AlertText.line($0)] }
    }
}
