// Tasks.swift — `tasks`: background tasks, one file for each of its commands. Next: TasksAdd.swift.

internal import ArgumentParser
internal import Nocturne

struct Tasks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Background tasks: add, look, steer.",
        subcommands: [
            TasksAdd.self, TasksList.self, TasksShow.self, TasksCancel.self, TasksPause.self,
            TasksResume.self, TasksRetry.self, TasksStats.self, TasksClear.self, TasksGraph.self,
            TasksSchedules.self, TasksQueues.self,
        ])
}

/// The one argument of the commands about a single task.
struct TaskArgument: ParsableArguments {
    @Argument(help: "The task's id, as `tasks list` shows it.")
    var id: String

    /// The task's route.
    var route: String { Self.route(of: id) }

    func validate() throws { try Self.check(id) }

    static func route(of id: String) -> String { "/v1/tasks/\(PercentEncoding.encode(id))" }

    /// A shell's variable that is empty names no task, and must not mean all of them.
    static func check(_ id: String) throws {
        guard !id.isEmpty else {
            throw ValidationError("The task's id is empty; `tasks list` shows the ids.")
        }
    }
}

struct TasksCancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a task; one that runs is asked to stop.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/cancel") { [TaskText.line($0)] } }
}

struct TasksPause: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold a task; one that runs is held at its next pause point.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/pause") { [TaskText.line($0)] } }
}

struct TasksResume: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a held task go on.")
    @OptionGroup var task: TaskArgument
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("POST", task.route + "/resume") { [TaskText.line($0)] } }
}

struct TasksStats: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "How many tasks are where, and what they came to.",
        discussion:
            "RETRIED, CRASHED and AVERAGE, the time of an attempt, are since the host's start.")
    @OptionGroup var host: HostOptions

    func run() throws { try host.show("GET", "/v1/tasks/statistics", as: TaskText.statistics) }
}
