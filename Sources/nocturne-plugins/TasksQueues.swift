// TasksQueues.swift — `tasks queues`: how many of a queue run at once, how often one starts, whether any does.

internal import ArgumentParser
internal import Nocturne

struct TasksQueues: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues", abstract: "Queues: limits, rates, pausing.",
        subcommands: [ListAll.self, Set.self, Pause.self, Resume.self],
        defaultSubcommand: ListAll.self)

    struct ListAll: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List queues.")
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.show("GET", "/v1/queues") { TaskText.queues($0.array ?? []) }
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set a queue up, or up anew: what is not said has no limit.")
        @OptionGroup var queue: QueueArgument

        @Option(help: ArgumentHelp("How many of its tasks run at once.", valueName: "count"))
        var limit: Int?

        @Option(help: ArgumentHelp("How many of its tasks may start, as 10/1s.", valueName: "rate"))
        var rate: String?

        @Option(help: ArgumentHelp("Of --rate: how many at once after a rest.", valueName: "count"))
        var burst: Int?

        @OptionGroup var host: HostOptions

        func validate() throws {
            if burst != nil, rate == nil { throw ValidationError("--burst belongs to --rate.") }
            if let rate, rate.split(separator: "/").count != 2 {
                throw ValidationError("--rate is a number and a time, as 10/1s.")
            }
        }

        func run() throws {
            var body: JSONObject = [:]
            if let limit { body["limit"] = JSONValue(limit) }
            if let rate {
                let parts = rate.split(separator: "/").map(String.init)
                var object: JSONObject = [
                    "count": (try? JSONParser.parse(parts[0])) ?? .string(parts[0]),
                    "per": .string(parts[1]),
                ]
                if let burst { object["burst"] = JSONValue(burst) }
                body["rate"] = .object(object)
            }
            try host.show("PUT", queue.route, body: .object(body)) { TaskText.queues([$0]) }
        }
    }

    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Start no more tasks of a queue; what runs goes on.")
        @OptionGroup var queue: QueueArgument
        @OptionGroup var host: HostOptions

        func run() throws { try host.perform("POST", queue.route + "/pause", queue.name, "paused") }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Start tasks of a queue again.")
        @OptionGroup var queue: QueueArgument
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.perform("POST", queue.route + "/resume", queue.name, "resumed")
        }
    }
}

/// The one argument of the commands about a queue.
struct QueueArgument: ParsableArguments {
    @Argument(help: "The queue's name.")
    var name: String

    var route: String { "/v1/queues/\(PercentEncoding.encode(name))" }
}
