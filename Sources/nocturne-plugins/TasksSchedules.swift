// TasksSchedules.swift — `tasks schedules`: recurring tasks, and what an expression means. Next: TasksQueues.swift.

internal import ArgumentParser
internal import Nocturne

struct TasksSchedules: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Recurring tasks; `tasks add --cron` adds and replaces them.",
        subcommands: [ListAll.self, Run.self, Pause.self, Resume.self, Remove.self, Explain.self],
        defaultSubcommand: ListAll.self)

    struct ListAll: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List recurring tasks.")
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.show("GET", "/v1/schedules") { TaskText.schedules($0.array ?? []) }
        }
    }

    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Add a run at once.")
        @OptionGroup var schedule: ScheduleArgument
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.show("POST", schedule.route + "/run") { run in
                run.isNull ? ["skipped: an earlier run has not ended"] : [TaskText.line(run)]
            }
        }
    }

    struct Pause: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Stop a recurring task; what it misses does not happen."
        )
        @OptionGroup var schedule: ScheduleArgument
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.perform("POST", schedule.route + "/pause", schedule.name, "paused")
        }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Let a recurring task go on.")
        @OptionGroup var schedule: ScheduleArgument
        @OptionGroup var host: HostOptions

        func run() throws {
            try host.perform("POST", schedule.route + "/resume", schedule.name, "resumed")
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove a recurring task; its runs remain.")
        @OptionGroup var schedule: ScheduleArgument
        @OptionGroup var host: HostOptions

        func run() throws { try host.perform("DELETE", schedule.route, schedule.name, "removed") }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "What an expression means, and its next times.",
            discussion: "Needs no host.")

        @Argument(help: "An expression, as for `tasks add --cron`.")
        var expression: String

        @Option(
            help: ArgumentHelp("Whose clocks, as Europe/Berlin (default: UTC).", valueName: "zone"))
        var zone: String?

        @Option(help: ArgumentHelp("So many of the next times.", valueName: "count"))
        var next = 5

        @Flag(name: .long, help: "Print JSON, with stable names.")
        var json = false

        func validate() throws {
            guard (0...10_000).contains(next) else {
                throw ValidationError("--next is 0 to 10000.")
            }
        }

        func run() throws {
            let now = UnixTime.now()
            let schedule: Schedule
            do {
                schedule = try Schedule(
                    expression, from: now, in: try zone.map { try Zone($0) } ?? .utc)
            } catch let error as ScheduleError {
                throw TaskError.invalidSchedule(error)
            } catch let error as ZoneError {
                throw TaskError.invalidSchedule(.zone(error))
            }
            let times = schedule.next(next, after: now)
            if json {
                let object: JSONValue = [
                    "schedule": .string(schedule.description),
                    "meaning": .string(schedule.sentence),
                    "next": .array(times.map { JSONValue($0.milliseconds) }),
                ]
                return Terminal.say("\(object)")
            }
            Terminal.say(schedule.sentence)
            for time in times {
                Terminal.say(PluginText.time(JSONValue(time.milliseconds)))
            }
        }
    }
}

/// The one argument of the commands about a schedule.
struct ScheduleArgument: ParsableArguments {
    @Argument(help: "The schedule's name.")
    var name: String

    var route: String { "/v1/schedules/\(PercentEncoding.encode(name))" }
}
